"""What apps answer to interactions: acknowledgements with a payload, and response_url."""

from __future__ import annotations

from typing import Any

from bot.workspace import dialogs, messages, views
from bot.workspace.apps import App, ResponseUrl, View
from bot.workspace.model import Json, Message, SlackError
from bot.workspace.state import State
from handlers.blockkit import problems

MOST_USES = 5
LIFETIME = 30 * 60.0  # seconds


def content(body: Json) -> Json:
    """The checked text, blocks, attachments and metadata of an answer.

    Raises:
        SlackError: invalid_blocks with the problems, or no_text when there is nothing to show.
    """
    blocks = body.get("blocks") or []
    found = problems(blocks)
    if found:
        raise SlackError("invalid_blocks", messages=found)
    fields = {
        "text": str(body.get("text") or ""),
        "blocks": blocks,
        "attachments": [
            {**part, "id": number}
            for number, part in enumerate(body.get("attachments") or [], 1)
            if isinstance(part, dict)
        ],
    }
    if not any(fields.values()):
        raise SlackError("no_text")
    return fields | {"metadata": body.get("metadata")}


def answer(state: State, app: App, user: str, channel: str, body: Json) -> Message:
    """Show an answer: to the user alone, or with response_type in_channel to everyone."""
    everyone = body.get("response_type") == "in_channel"
    message = messages.as_app(
        state,
        app.id,
        channel,
        thread_ts=body.get("thread_ts"),
        ephemeral_to=None if everyone else user,
        **content(body),
    )
    return messages.post(state, message)


def acknowledge_command(
    state: State, app: App, user: str, channel: str, response: Any
) -> Message | None:
    """The payload of a slash command's ack, if there is one."""
    body = {"text": response} if isinstance(response, str) else response
    if not isinstance(body, dict) or not (body.get("text") or body.get("blocks")):
        return None
    return answer(state, app, user, channel, body)


def acknowledge_attachment(
    state: State, app: App, user: str, message: Message, response: Any
) -> None:
    """The payload of an interactive_message's ack: it replaces the message unless it says no."""
    body = {"text": response} if isinstance(response, str) else response
    if not isinstance(body, dict):
        return
    if body.get("delete_original"):
        messages.delete(state, message)
    elif not any(body.get(name) for name in ("text", "blocks", "attachments")):
        return
    elif body.get("replace_original") is False or body.get("response_type") == "ephemeral":
        answer(state, app, user, message.channel, body)
    else:
        messages.edit(state, message, mark=False, **content(body))


def respond(state: State, id: str, body: Json) -> None:
    """One use of a response_url.

    Raises:
        SlackError: expired_url (unknown, or older than 30 minutes), used_url (after 5 uses),
            or the error of the content.
    """
    with state.lock:
        url = state.response_urls.get(id)
        if url is None or state.clock() - url.made > LIFETIME:
            raise SlackError("expired_url")
        if url.uses >= MOST_USES:
            raise SlackError("used_url")
        url.uses += 1
    app = state.apps[url.app_id]
    original = _original(state, url)
    if body.get("delete_original") and original:
        messages.delete(state, original)
    elif body.get("replace_original") and original:
        messages.edit(state, original, mark=False, **content(body))
    else:
        answer(state, app, url.user, url.channel, body)


def _original(state: State, url: ResponseUrl) -> Message | None:
    if url.message_ts is None:
        return None
    channel = state.channels[url.channel]
    return channel.messages.get(url.message_ts) or channel.ephemerals.get(url.message_ts)


def acknowledge_submission(state: State, app: App, view: View, response: Any) -> dict[str, str]:
    """Act on the ack of a view_submission; the returned errors (by block_id) keep it open.

    Raises:
        SlackError: invalid_arguments and others when the app's answer can't be carried out.
    """
    body = response if isinstance(response, dict) else {}
    action = body.get("response_action")
    if action == "errors":
        errors = {str(key): str(text) for key, text in (body.get("errors") or {}).items()}
        known = {block["block_id"] for block in view.body["blocks"] if block["type"] == "input"}
        if not errors or not errors.keys() <= known:
            listed = ", ".join(sorted(errors.keys() - known)) or "none"
            text = f"[ERROR] errors name no input block of the view: {listed}"
            raise SlackError("invalid_arguments", messages=[text])
        return errors
    if action == "clear":
        views.clear(state, view)
    elif action == "update":
        new = views.check(state, app, body.get("view"), "modal", own=view.id)
        views.update(state, view, new)
    elif action == "push":
        views.push(state, app, view.user, views.check(state, app, body.get("view"), "modal"))
    elif action is None:
        views.pop(state, view)
    else:
        text = f"[ERROR] must be a valid enum value [json-pointer:/response_action]: {action}"
        raise SlackError("invalid_arguments", messages=[text])
    return {}


def options(response: Any) -> Json:
    """The options in the ack of a block_suggestion.

    Raises:
        SlackError: invalid_arguments when there are none, or more than 100.
    """
    body = response if isinstance(response, dict) else {}
    for name in ("options", "option_groups"):
        found = body.get(name)
        if isinstance(found, list):
            if len(found) > 100:
                text = f"[ERROR] no more than 100 items allowed [json-pointer:/{name}]"
                raise SlackError("invalid_arguments", messages=[text])
            return {name: found}
    raise SlackError("invalid_arguments", messages=["[ERROR] missing required field: options"])


def dialog_options(response: Any) -> Json:
    """The options in the ack of a dialog_suggestion, as Block Kit has them.

    Raises:
        SlackError: invalid_arguments when there are none.
    """
    body = options(response)
    if "options" in body:
        return {"options": [dialogs.option(one) for one in body["options"]]}
    return {"option_groups": dialogs.groups(body["option_groups"])}
