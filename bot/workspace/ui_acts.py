"""What the page does: every POST under /ui is one act of a person."""

from __future__ import annotations

import json
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.workspace import conversations, events
from bot.workspace.compose import escaped
from bot.workspace.model import Json, SlackError
from bot.workspace.workspace import Workspace

Act = Callable[[Workspace, Json], Json]

SENTENCES = {
    "operation_timeout": "The app did not answer within three seconds. Is it running?",
    "dispatch_failed": "No app is connected that could take this. Is it running?",
    "not_in_channel": "You are not in this channel. Join it first.",
    "slash_command_in_thread": "Slash commands don't work in threads. Mention the app instead.",
    "unknown_command": "No app here knows this command.",
    "message_not_found": "That message is gone.",
    "channel_not_found": "There is no such channel.",
    "user_not_found": "There is no such user.",
    "no_text": "There is nothing to send.",
    "is_archived": "This channel is archived.",
    "invalid_arguments": "We had some trouble connecting: the app's answer was not valid.",
    "element_not_found": "This has changed meanwhile. Look again.",
    "not_found": "That is not open any more.",
    "already_reacted": "You have already reacted so.",
    "cant_update_message": "Only your own messages can be edited.",
    "cant_delete_message": "Only your own messages can be deleted.",
}
STATUS = {"operation_timeout": 504, "dispatch_failed": 504, "conflict": 409}


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise SlackError("invalid_request", message=f"`{name}` is missing.")
    return value


def send(workspace: Workspace, body: Json) -> Json:
    """A message, or a slash command."""
    user, channel, text = (_text(body, name) for name in ("user", "channel", "text"))
    thread = body.get("thread_ts") or None
    if text.startswith("/") and not text.startswith("//"):
        if thread:
            raise SlackError("slash_command_in_thread")
        if text.split()[0] in ("/invite", "/leave"):
            return _builtin(workspace, user, channel, text)
        workspace.command(user, channel, text)
        return {"command": True}
    return {"ts": workspace.say(user, channel, escaped(text), thread).ts}


def _builtin(workspace: Workspace, user: str, channel: str, text: str) -> Json:
    """Slack's own commands that concern membership."""
    name, _, rest = text.partition(" ")
    if name == "/leave":
        workspace.leave(user, channel)
    else:
        workspace.invite(user, channel, rest.strip())
    return {"command": True}


def edit(workspace: Workspace, body: Json) -> Json:
    """Change one's own message."""
    text = escaped(_text(body, "text"))
    workspace.edit_own(_text(body, "user"), _text(body, "channel"), _text(body, "ts"), text)
    return {}


def delete(workspace: Workspace, body: Json) -> Json:
    """Delete one's own message."""
    workspace.delete_own(_text(body, "user"), _text(body, "channel"), _text(body, "ts"))
    return {}


def dismiss(workspace: Workspace, body: Json) -> Json:
    """Dismiss an ephemeral message."""
    workspace.dismiss(_text(body, "user"), _text(body, "channel"), _text(body, "ts"))
    return {}


def reaction(workspace: Workspace, body: Json) -> Json:
    """Add or take back a reaction."""
    where = (_text(body, "user"), _text(body, "channel"), _text(body, "ts"))
    workspace.react(*where, _text(body, "name"), remove=bool(body.get("remove")))
    return {}


def join(workspace: Workspace, body: Json) -> Json:
    """Join a channel."""
    workspace.join(_text(body, "user"), _text(body, "channel"))
    return {}


def leave(workspace: Workspace, body: Json) -> Json:
    """Leave a channel."""
    workspace.leave(_text(body, "user"), _text(body, "channel"))
    return {}


def invite(workspace: Workspace, body: Json) -> Json:
    """Invite somebody, or an app."""
    workspace.invite(_text(body, "user"), _text(body, "channel"), _text(body, "invite"))
    return {}


def channel(workspace: Workspace, body: Json) -> Json:
    """Create a channel."""
    made = conversations.create(
        workspace, _text(body, "name"), _text(body, "user"), private=bool(body.get("is_private"))
    )
    return {"channel": made.id}


def direct(workspace: Workspace, body: Json) -> Json:
    """Open a direct message."""
    user, other = workspace.user(_text(body, "user")), workspace.user(_text(body, "with"))
    made = workspace.direct_message(user, other)
    if other.app_id:
        events.home_opened(
            workspace, workspace.app(other.app_id), user.id, made.id, None, "messages"
        )
    return {"channel": made.id}


def read(workspace: Workspace, body: Json) -> Json:
    """Mark as read."""
    workspace.mark_read(_text(body, "user"), _text(body, "channel"))
    return {}


VALUES = {"value", "files", "rich_text_value"} | {
    f"selected_{name}"
    for name in (
        "option",
        "options",
        "user",
        "users",
        "channel",
        "channels",
        "conversation",
        "conversations",
        "date",
        "time",
        "date_time",
    )
}


def action(workspace: Workspace, body: Json) -> Json:
    """A button or a menu."""
    workspace.click(
        _text(body, "user"),
        body.get("channel"),
        body.get("message_ts"),
        view_id=body.get("view_id"),
        action_id=_text(body, "action_id"),
        block_id=body.get("block_id"),
        state=body.get("state"),
        **{key: value for key, value in body.items() if key in VALUES},
    )
    return {}


def press(workspace: Workspace, body: Json) -> Json:
    """A button or a menu of a legacy attachment."""
    workspace.press(
        _text(body, "user"),
        _text(body, "channel"),
        _text(body, "message_ts"),
        _text(body, "name"),
        value=body.get("value"),
        attachment_id=body.get("attachment_id"),
    )
    return {}


def options(workspace: Workspace, body: Json) -> Json:
    """The options of an external select."""
    return workspace.options(
        _text(body, "user"),
        str(body.get("value") or ""),
        action_id=_text(body, "action_id"),
        channel=body.get("channel"),
        ts=body.get("message_ts"),
        view_id=body.get("view_id"),
        block_id=body.get("block_id"),
    )


def submit(workspace: Workspace, body: Json) -> Json:
    """Submit a modal."""
    result = workspace.submit(_text(body, "user"), _text(body, "view_id"), body.get("state"))
    if not result.ok:
        raise SlackError(
            "invalid_inputs", errors=result.errors, message="Some answers need another look."
        )
    return {}


def close(workspace: Workspace, body: Json) -> Json:
    """Close a modal."""
    workspace.close(_text(body, "user"), _text(body, "view_id"), everything=bool(body.get("all")))
    return {}


def shortcut(workspace: Workspace, body: Json) -> Json:
    """Run a shortcut."""
    workspace.shortcut(
        _text(body, "user"), _text(body, "callback_id"), body.get("channel"), body.get("message_ts")
    )
    return {}


def home(workspace: Workspace, body: Json) -> Json:
    """Open the Home tab."""
    workspace.open_home(_text(body, "user"), body.get("app_id"))
    return {}


ACTS: dict[str, Act] = {
    "send": send,
    "edit": edit,
    "delete": delete,
    "dismiss": dismiss,
    "reaction": reaction,
    "join": join,
    "leave": leave,
    "invite": invite,
    "channel": channel,
    "dm": direct,
    "read": read,
    "action": action,
    "attachment": press,
    "options": options,
    "view/submit": submit,
    "view/close": close,
    "shortcut": shortcut,
    "home": home,
}


def refusal(error: SlackError) -> Response:
    """An error with a sentence to show."""
    missing = error.code.endswith("not_found")
    status = STATUS.get(error.code, 404 if missing else 400)
    sentence = SENTENCES.get(error.code, f"That did not work: {error.code}.")
    return JSONResponse({"message": sentence, **error.to_json()}, status_code=status)


def routes(workspace: Workspace) -> list[BaseRoute]:
    """The acting routes."""

    def acting(act: Act) -> Callable[[Request], object]:
        async def handle(request: Request) -> Response:
            try:
                body = json.loads(await request.body() or b"{}")
            except ValueError:
                body = None
            if not isinstance(body, dict):
                return refusal(SlackError("invalid_json", message="Send a JSON object."))
            try:
                result = await run_in_threadpool(act, workspace, body)
            except SlackError as error:
                return refusal(error)
            except LookupError as error:
                return refusal(SlackError("element_not_found", detail=str(error)))
            return JSONResponse({"ok": True, **result})

        return handle

    async def upload(request: Request) -> Response:
        query = request.query_params
        data = await request.body()
        try:
            if "channel" not in query:
                user, name = query.get("user", ""), query.get("name", "file")
                file = workspace.attach(user, name, data)
                return JSONResponse({"ok": True, "file": file.id})
            message = workspace.upload(
                query.get("user", ""),
                query.get("channel", ""),
                query.get("name", "file"),
                data,
                query.get("thread_ts"),
            )
        except SlackError as error:
            return refusal(error)
        return JSONResponse({"ok": True, "file": message.files[0], "ts": message.ts})

    made: list[BaseRoute] = [
        Route(f"/ui/{name}", acting(act), methods=["POST"]) for name, act in ACTS.items()
    ]
    return [*made, Route("/ui/upload", upload, methods=["POST"])]
