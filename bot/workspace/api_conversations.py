"""conversations.*, the reading half: channels, their history and their members."""

from __future__ import annotations

from bot.workspace.api_channels import shown
from bot.workspace.call import TIMESTAMP, Call, Methods, page
from bot.workspace.message_shapes import message_json
from bot.workspace.model import Json, Message, SlackError
from bot.workspace.scopes import check_kind

KINDS = {
    "channel": "public_channel",
    "group": "private_channel",
    "im": "im",
    "mpim": "mpim",
}


def _cursor(following: str) -> Json:
    return {"response_metadata": {"next_cursor": following}}


def kinds_asked(call: Call) -> list[str]:
    """The ``types`` of conversations that are asked for, public channels by default.

    Raises:
        SlackError: invalid_types, or missing_scope for one of them.
    """
    types = call.ids("types") or ["public_channel"]
    if set(types) - set(KINDS.values()):
        raise SlackError("invalid_types")
    for kind, name in KINDS.items():
        if name in types:
            check_kind(call.app, call.method, kind)
    return types


def list_(call: Call) -> Json:
    """conversations.list."""
    types = kinds_asked(call)
    workspace, me = call.workspace, call.app.user_id
    chosen = [
        channel
        for channel in workspace.channels.values()
        if KINDS[channel.kind] in types
        and workspace.may_see(me, channel)
        and not (channel.is_archived and call.flag("exclude_archived"))
    ]
    items, following = page(call, chosen, default=100, most=1000)
    return {"channels": [shown(call, channel) for channel in items], **_cursor(following)}


def info(call: Call) -> Json:
    """conversations.info."""
    channel = call.channel()
    body = shown(call, channel)
    if call.flag("include_num_members"):
        body["num_members"] = len(channel.members)
    return {"channel": body}


def _window(call: Call, messages: list[Message]) -> list[Message]:
    """Messages between ``oldest`` and ``latest``, the ends only when ``inclusive``."""
    oldest, latest = call.text("oldest") or "0", call.text("latest") or "9" * 12
    for name, bound in (("oldest", oldest), ("latest", latest)):
        if not bound.replace(".", "", 1).isdigit():
            raise SlackError(f"invalid_ts_{name}")
    low, high, inclusive = float(oldest), float(latest), call.flag("inclusive")
    if inclusive:
        return [message for message in messages if low <= float(message.ts) <= high]
    return [message for message in messages if low < float(message.ts) < high]


def history(call: Call) -> Json:
    """conversations.history, newest first, without the replies in threads."""
    workspace, channel = call.workspace, call.channel()
    if call.app.user_id not in channel.members:
        raise SlackError("not_in_channel")
    top = [m for m in channel.messages.values() if not m.is_reply or m.broadcast]
    top.sort(key=lambda message: message.ts, reverse=True)
    items, following = page(call, _window(call, top), default=100, most=999)
    metadata = call.flag("include_all_metadata")
    shown = [message_json(workspace, message, metadata=metadata) for message in items]
    pins = sum(message.pinned_by is not None for message in channel.messages.values())
    body: Json = {"messages": shown, "has_more": bool(following), "pin_count": pins}
    return body | (_cursor(following) if following else {})


def replies(call: Call) -> Json:
    """conversations.replies: the parent, then its replies, oldest first."""
    workspace, channel = call.workspace, call.channel()
    if call.app.user_id not in channel.members:
        raise SlackError("not_in_channel")
    asked = channel.messages.get(call.text("ts"))
    if asked is None:
        raise SlackError("thread_not_found")
    found = [] if asked.is_reply else _window(call, channel.replies(asked.ts))
    items, following = page(call, [asked, *found], default=1000, most=1000)
    metadata = call.flag("include_all_metadata")
    shown = [message_json(workspace, message, metadata=metadata) for message in items]
    body: Json = {"messages": shown, "has_more": bool(following)}
    return body | (_cursor(following) if following else {})


def members(call: Call) -> Json:
    """conversations.members."""
    items, following = page(call, list(call.channel().members), default=100, most=1000)
    return {"members": items, **_cursor(following)}


def mark(call: Call) -> Json:
    """conversations.mark: the bot has read up to ``ts``."""
    channel, ts = call.channel(), call.required("ts")
    if not TIMESTAMP.fullmatch(ts):
        raise SlackError("invalid_timestamp")
    if call.app.user_id not in channel.members:
        raise SlackError("not_in_channel")
    channel.last_read[call.app.user_id] = ts
    return {}


METHODS: Methods = {
    "conversations.list": list_,
    "conversations.info": info,
    "conversations.history": history,
    "conversations.replies": replies,
    "conversations.members": members,
    "conversations.mark": mark,
}
