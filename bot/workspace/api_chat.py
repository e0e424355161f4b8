"""chat.*: posting, updating, deleting, unfurling, and links to messages."""

from __future__ import annotations

from typing import Any

from bot.workspace import conversations, files, messages
from bot.workspace.call import Call, Methods
from bot.workspace.content import checked, numbered
from bot.workspace.message_shapes import message_json, permalink
from bot.workspace.model import Channel, Json, Message, SlackError
from handlers.blockkit import problems

LONGEST_TEXT = 40_000
LONGEST_UPDATE = 4_000


def target(call: Call) -> Channel:
    """Where to post: a channel id or name, or a user id for a direct message.

    Raises:
        SlackError: channel_not_found, not_in_channel, is_archived.
    """
    workspace, given = call.workspace, call.required("channel")
    if given in workspace.users:
        channel = conversations.direct(workspace, [call.app.user_id, given])[0]
    else:
        channel = call.channel()
    if channel.is_archived:
        raise SlackError("is_archived")
    if channel.is_im and not call.app.messages_enabled:
        raise SlackError("messages_tab_disabled")
    public = channel.kind == "channel" and "chat:write.public" in (call.app.scopes or [])
    if call.app.user_id not in channel.members and not public:
        raise SlackError("not_in_channel")
    return channel


def thread_of(call: Call, channel: Channel) -> str | None:
    """The parent under which the call wants to reply; None too when that message is gone.

    Slack posts such a reply to the channel and leaves ``thread_ts`` out of its answer.

    Raises:
        SlackError: cannot_reply_to_message.
    """
    parent = channel.messages.get(call.text("thread_ts"))
    if parent is None:
        return None
    if parent.subtype in ("channel_join", "group_join", "channel_leave", "group_leave"):
        raise SlackError("cannot_reply_to_message")
    return parent.thread_ts if parent.is_reply else parent.ts


def written(call: Call, channel: Channel, **more: Any) -> Message:
    """The message that a call describes, checked, not yet posted.

    Raises:
        SlackError: no_text, cannot_reply_to_message, and what is wrong with its content.
    """
    content = checked(call)
    content["text"] = content.get("text", "")[:LONGEST_TEXT]
    if not any(content.get(name) for name in ("text", "blocks", "attachments")):
        raise SlackError("no_text")
    thread = thread_of(call, channel)
    username = call.text("username") or None
    icon = {"emoji": call.text("icon_emoji"), "image_48": call.text("icon_url")}
    icons = {key: value for key, value in icon.items() if value} or None
    message = messages.as_app(
        call.workspace,
        call.app.id,
        channel.id,
        **content,
        thread_ts=thread,
        broadcast=bool(thread) and call.flag("reply_broadcast"),
        username=username,
        icons=icons,
        execution=call.execution,
        **more,
    )
    if username or icons:
        message.subtype = "bot_message"
    elif message.broadcast:
        message.subtype = "thread_broadcast"
    return message


def post_message(call: Call) -> Json:
    """chat.postMessage."""
    workspace = call.workspace
    channel = target(call)
    message = written(call, channel)
    workspace.faults.spend_post(call.app.id, channel.id)
    messages.post(workspace, message)
    shown = message_json(workspace, message, metadata=True)
    return {"channel": channel.id, "ts": message.ts, "message": shown} | _cut(call)


def _cut(call: Call) -> Json:
    """The warning that a text was too long and has been cut."""
    if len(call.text("text")) <= LONGEST_TEXT:
        return {}
    text = (
        "[WARN] Your message was truncated but still posted. "
        "The `text` field accepts up to 40,000 characters."
    )
    return {"response_metadata": {"messages": [text], "warnings": ["message_truncated"]}}


def me_message(call: Call) -> Json:
    """chat.meMessage."""
    workspace, channel = call.workspace, target(call)
    text = call.text("text")
    if not text:
        raise SlackError("no_text")
    if len(text) > LONGEST_TEXT:
        raise SlackError("msg_too_long")
    message = messages.as_app(workspace, call.app.id, channel.id, text=text, subtype="me_message")
    messages.post(workspace, message)
    return {"channel": channel.id, "ts": message.ts}


def unfurl(call: Call) -> Json:
    """chat.unfurl: previews of links in a message, by address."""
    workspace = call.workspace
    channel_id, ts = _unfurled(call)
    unfurls = call.json("unfurls", "invalid_unfurls_format")
    if not unfurls:
        raise SlackError("missing_unfurls")
    if not isinstance(unfurls, dict):
        raise SlackError("invalid_unfurls_format")
    channel = workspace.channels.get(channel_id)
    if channel is None or not workspace.may_see(call.app.user_id, channel):
        raise SlackError("cannot_find_channel")
    message = channel.messages.get(ts)
    if message is None:
        raise SlackError("cannot_find_message")
    previews = [_preview(call, message, url, body) for url, body in unfurls.items()]
    kept = [part for part in message.attachments if part.get("from_url") not in unfurls]
    messages.edit(workspace, message, mark=False, attachments=numbered([*kept, *previews]))
    return {}


def _unfurled(call: Call) -> tuple[str, str]:
    """Channel and ts of the message, given as such or as link_shared's unfurl_id and source."""
    if call.text("unfurl_id"):
        if not call.text("source"):
            raise SlackError("missing_source")
        channel, dot, ts = call.text("unfurl_id").partition(".")
        if not dot or call.text("source") not in ("composer", "conversations_history"):
            raise SlackError("invalid_unfurl_id" if not dot else "invalid_source")
        return channel, ts
    for name, error in (("channel", "missing_channel"), ("ts", "missing_ts")):
        if not call.text(name):
            raise SlackError(error)
    return call.text("channel"), call.text("ts")


def _preview(call: Call, message: Message, url: str, body: Any) -> Json:
    """One unfurled link, as an attachment of the message that holds it."""
    if url not in message.text.replace("&amp;", "&"):
        raise SlackError("cannot_unfurl_url")
    if not isinstance(body, dict):
        raise SlackError("cannot_parse_attachment")
    found = problems(body["blocks"], at="/blocks") if body.get("blocks") else []
    if found:
        raise SlackError("invalid_blocks", messages=found)
    own = {"from_url": url, "app_unfurl_url": url, "is_app_unfurl": True}
    return {**body, **own, "app_id": call.app.id, "bot_id": call.app.bot_id}


def post_ephemeral(call: Call) -> Json:
    """chat.postEphemeral."""
    workspace = call.workspace
    channel = target(call)
    user = call.required("user")
    workspace.user(user)
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    message = messages.post(workspace, written(call, channel, ephemeral_to=user))
    return {"message_ts": message.ts} | _cut(call)


def _own(call: Call, refusal: str) -> Message:
    channel = call.channel()
    message = channel.messages.get(call.required("ts"))
    if message is None or message.subtype == "tombstone":
        raise SlackError("message_not_found")
    if message.app_id != call.app.id:
        raise SlackError(refusal)
    return message


def update(call: Call) -> Json:
    """chat.update: what is not given stays, except that text alone removes the blocks."""
    workspace = call.workspace
    message = _own(call, "cant_update_message")
    if workspace.channels[message.channel].is_archived:
        raise SlackError("is_inactive")
    content = checked(call, longest=LONGEST_UPDATE)
    if call.arguments.get("file_ids") is not None:
        content["files"] = [files.find(workspace, id).id for id in call.ids("file_ids")]
    if call.flag("reply_broadcast") and message.is_reply:
        content |= {"broadcast": True, "subtype": "thread_broadcast"}
    if "text" in content and "blocks" not in content:
        content["blocks"] = []
    kept = {name: content.get(name, getattr(message, name)) for name in _BODY}
    if not any(kept.values()):
        raise SlackError("no_text")
    messages.edit(workspace, message, mark=not content.get("blocks"), **content)
    shown = message_json(workspace, message, metadata=True)
    return {"channel": message.channel, "ts": message.ts, "text": message.text, "message": shown}


_BODY = ("text", "blocks", "attachments", "files")


def delete(call: Call) -> Json:
    """chat.delete."""
    message = _own(call, "cant_delete_message")
    messages.delete(call.workspace, message)
    return {"channel": message.channel, "ts": message.ts}


def get_permalink(call: Call) -> Json:
    """chat.getPermalink."""
    channel = call.channel()
    message = channel.messages.get(call.required("message_ts"))
    if message is None:
        raise SlackError("message_not_found")
    return {"channel": channel.id, "permalink": permalink(call.workspace, message)}


METHODS: Methods = {
    "chat.postMessage": post_message,
    "chat.meMessage": me_message,
    "chat.unfurl": unfurl,
    "chat.postEphemeral": post_ephemeral,
    "chat.update": update,
    "chat.delete": delete,
    "chat.getPermalink": get_permalink,
}
