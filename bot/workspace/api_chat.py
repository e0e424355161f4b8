"""chat.*: posting, updating, deleting, scheduling, and links to messages."""

from __future__ import annotations

import threading
from typing import Any

from bot.workspace import conversations, messages
from bot.workspace.call import Call, Methods, page
from bot.workspace.files import problems_of_images
from bot.workspace.model import Channel, Json, Message, Scheduled, SlackError
from bot.workspace.shapes import message_json
from handlers.blockkit import problems

LONGEST_TEXT = 40_000
LONGEST_UPDATE = 4_000
LONGEST_MARKDOWN = 12_000
MOST_ATTACHMENTS = 100
LARGEST_METADATA = 16_000  # characters of JSON
FURTHEST = 120 * 24 * 3600  # seconds ahead that a message may be scheduled


def _content(call: Call, *, longest: int) -> Json:
    """The checked text, blocks, attachments and metadata; only those that were given."""
    given: Json = {}
    markdown = call.text("markdown_text")
    if markdown and (call.text("text") or call.arguments.get("blocks")):
        raise SlackError("markdown_text_conflict")
    if len(markdown) > LONGEST_MARKDOWN:
        raise SlackError("msg_too_long")
    if "text" in call.arguments:
        given["text"] = call.text("text")
        if len(given["text"]) > longest:
            raise SlackError("msg_too_long")
    if markdown:
        given["text"] = markdown
        given["blocks"] = [{"type": "markdown", "text": markdown}]
    if call.arguments.get("blocks") is not None:
        given["blocks"] = _blocks(call)
    if call.arguments.get("attachments") is not None:
        given["attachments"] = _attachments(call)
    if call.arguments.get("metadata") is not None:
        given["metadata"] = _metadata(call)
    return given


def _blocks(call: Call) -> list[Json]:
    blocks = call.json("blocks", "invalid_blocks_format")
    if blocks in (None, ""):
        return []
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    found = problems(blocks) or problems_of_images(call.workspace, blocks)
    if found:
        raise SlackError("invalid_blocks", messages=found)
    return blocks


def _attachments(call: Call) -> list[Json]:
    attachments = call.json("attachments", "invalid_attachments")
    if attachments in (None, ""):
        return []
    if not isinstance(attachments, list) or not all(isinstance(a, dict) for a in attachments):
        raise SlackError("invalid_attachments")
    if len(attachments) > MOST_ATTACHMENTS:
        raise SlackError("too_many_attachments")
    for index, attachment in enumerate(attachments):
        inner = attachment.get("blocks")
        if inner:
            found = problems(inner, at=f"/attachments/{index}/blocks")
            if found:
                raise SlackError("invalid_attachments", messages=found)
    return [{"id": number, **a} for number, a in enumerate(attachments, 1)]


def _metadata(call: Call) -> Json | None:
    """Message metadata: an event_type and a flat event_payload."""
    metadata = call.json("metadata", "invalid_metadata_format")
    if metadata in ({}, ""):
        return None
    if not isinstance(metadata, dict):
        raise SlackError("invalid_metadata_format")
    payload = metadata.get("event_payload")
    if not isinstance(metadata.get("event_type"), str) or not isinstance(payload, dict):
        raise SlackError("invalid_metadata_schema")
    for key, value in payload.items():
        if not _flat(value):
            text = f"[ERROR] event_payload must be flat [json-pointer:/metadata/{key}]"
            raise SlackError("invalid_metadata_schema", messages=[text])
    if len(str(metadata)) > LARGEST_METADATA:
        raise SlackError("metadata_too_large")
    return metadata


def _flat(value: Any) -> bool:
    scalar = (str, int, float, bool, type(None))
    if isinstance(value, list):
        return all(isinstance(item, scalar) for item in value)
    return isinstance(value, scalar)


def _target(call: Call) -> Channel:
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


def _thread(call: Call, channel: Channel) -> str | None:
    ts = call.text("thread_ts")
    if not ts:
        return None
    parent = channel.messages.get(ts)
    if parent is None:
        raise SlackError("thread_not_found")
    if parent.subtype in ("channel_join", "group_join", "channel_leave", "group_leave"):
        raise SlackError("cannot_reply_to_message")
    return parent.thread_ts if parent.is_reply else ts


def _message(call: Call, channel: Channel, **more: Any) -> Message:
    content = _content(call, longest=LONGEST_TEXT)
    if not any(content.get(name) for name in ("text", "blocks", "attachments")):
        raise SlackError("no_text")
    thread = _thread(call, channel)
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
    channel = _target(call)
    message = _message(call, channel)
    workspace.faults.spend_post(call.app.id, channel.id)
    messages.post(workspace, message)
    shown = message_json(workspace, message)
    return {"channel": channel.id, "ts": message.ts, "message": shown}


def post_ephemeral(call: Call) -> Json:
    """chat.postEphemeral."""
    workspace = call.workspace
    channel = _target(call)
    user = call.required("user")
    workspace.user(user)
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    message = messages.post(workspace, _message(call, channel, ephemeral_to=user))
    return {"message_ts": message.ts}


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
    content = _content(call, longest=LONGEST_UPDATE)
    files = call.arguments.get("file_ids")
    if files is not None:
        content["files"] = [id for id in call.ids("file_ids") if id in workspace.files]
    if "text" in content and "blocks" not in content:
        content["blocks"] = []
    kept = {name: content.get(name, getattr(message, name)) for name in _BODY}
    if not any(kept.values()):
        raise SlackError("no_text")
    messages.edit(workspace, message, mark=not content.get("blocks"), **content)
    shown = message_json(workspace, message)
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
    link = f"{call.workspace.base_url}/archives/{channel.id}/p{message.ts.replace('.', '')}"
    if message.is_reply:
        link += f"?thread_ts={message.thread_ts}&cid={channel.id}"
    return {"channel": channel.id, "permalink": link}


def schedule_message(call: Call) -> Json:
    """chat.scheduleMessage: after ``post_at`` minus the workspace's now, in real seconds."""
    workspace = call.workspace
    channel = _target(call)
    post_at = call.integer("post_at", 0)
    ahead = post_at - workspace.now()
    if ahead <= 0:
        raise SlackError("time_in_past")
    if ahead > FURTHEST:
        raise SlackError("time_too_far")
    message = _message(call, channel)
    id = workspace.new_id("Q")

    def send() -> None:
        with workspace.lock:
            if workspace.scheduled.pop(id, None):
                message.ts = workspace.new_ts()
                messages.post(workspace, message)

    timer = threading.Timer(ahead, send)
    timer.daemon = True
    workspace.scheduled[id] = Scheduled(id, call.app.id, channel.id, post_at, message.text, timer)
    timer.start()
    return {"channel": channel.id, "scheduled_message_id": id, "post_at": post_at}


def delete_scheduled(call: Call) -> Json:
    """chat.deleteScheduledMessage."""
    channel, id = call.channel(), call.required("scheduled_message_id")
    waiting = call.workspace.scheduled.get(id)
    if waiting is None or (waiting.app_id, waiting.channel) != (call.app.id, channel.id):
        raise SlackError("invalid_scheduled_message_id")
    waiting.timer.cancel()
    del call.workspace.scheduled[id]
    return {}


def list_scheduled(call: Call) -> Json:
    """chat.scheduledMessages.list."""
    mine = [one for one in call.workspace.scheduled.values() if one.app_id == call.app.id]
    items, following = page(call, mine, default=100, most=1000)
    shown = [
        {"id": one.id, "channel_id": one.channel, "post_at": one.post_at, "text": one.text}
        for one in items
    ]
    return {"scheduled_messages": shown, "response_metadata": {"next_cursor": following}}


METHODS: Methods = {
    "chat.postMessage": post_message,
    "chat.postEphemeral": post_ephemeral,
    "chat.update": update,
    "chat.delete": delete,
    "chat.getPermalink": get_permalink,
    "chat.scheduleMessage": schedule_message,
    "chat.deleteScheduledMessage": delete_scheduled,
    "chat.scheduledMessages.list": list_scheduled,
}
