"""conversations.*: channels, their history and their members."""

from __future__ import annotations

from bot.workspace import conversations
from bot.workspace.call import Call, Methods, page
from bot.workspace.model import Channel, Json, Message, SlackError
from bot.workspace.shapes import channel_json, message_json

KINDS = {
    "channel": "public_channel",
    "group": "private_channel",
    "im": "im",
    "mpim": "mpim",
}


def _shown(call: Call, channel: Channel) -> Json:
    return channel_json(call.workspace, channel, call.app.user_id)


def _cursor(following: str) -> Json:
    return {"response_metadata": {"next_cursor": following}}


def list_(call: Call) -> Json:
    """conversations.list."""
    types = call.ids("types") or ["public_channel"]
    if set(types) - set(KINDS.values()):
        raise SlackError("invalid_types")
    workspace, me = call.workspace, call.app.user_id
    chosen = [
        channel
        for channel in workspace.channels.values()
        if KINDS[channel.kind] in types
        and workspace.may_see(me, channel)
        and not (channel.is_archived and call.flag("exclude_archived"))
    ]
    items, following = page(call, chosen, default=100, most=1000)
    return {"channels": [_shown(call, channel) for channel in items], **_cursor(following)}


def info(call: Call) -> Json:
    """conversations.info."""
    channel = call.channel()
    body = _shown(call, channel)
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


def join(call: Call) -> Json:
    """conversations.join."""
    channel = call.channel()
    if channel.kind != "channel":
        raise SlackError("method_not_supported_for_channel_type")
    new = conversations.join(call.workspace, channel, call.app.user_id)
    body: Json = {"channel": _shown(call, channel)}
    if not new:
        body["warning"] = "already_in_channel"
        body["response_metadata"] = {"warnings": ["already_in_channel"]}
    return body


def leave(call: Call) -> Json:
    """conversations.leave."""
    left = conversations.leave(call.workspace, call.channel(), call.app.user_id)
    return {} if left else {"not_in_channel": True}


def open_(call: Call) -> Json:
    """conversations.open: a direct message with one or more people."""
    workspace = call.workspace
    if call.text("channel"):
        channel = call.channel()
        if channel.kind not in ("im", "mpim"):
            raise SlackError("method_not_supported_for_channel_type")
        return {"channel": _shown(call, channel), "no_op": True, "already_open": True}
    users = call.ids("users")
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > 8:
        raise SlackError("too_many_users")
    for user in users:
        workspace.user(user)
    channel, existed = conversations.direct(workspace, [call.app.user_id, *users])
    body = _shown(call, channel) if call.flag("return_im") else {"id": channel.id}
    return {"channel": body} | ({"no_op": True, "already_open": True} if existed else {})


def members(call: Call) -> Json:
    """conversations.members."""
    items, following = page(call, list(call.channel().members), default=100, most=1000)
    return {"members": items, **_cursor(following)}


def invite(call: Call) -> Json:
    """conversations.invite."""
    workspace, channel = call.workspace, call.channel()
    users, me = call.ids("users"), call.app.user_id
    if not users:
        raise SlackError("no_user")
    if channel.is_im or channel.is_mpim:
        raise SlackError("method_not_supported_for_channel_type")
    if me not in channel.members:
        raise SlackError("not_in_channel")
    if channel.is_archived:
        raise SlackError("is_archived")
    if me in users:
        raise SlackError("cant_invite_self")
    for user in users:
        workspace.user(user)
    if all(user in channel.members for user in users):
        raise SlackError("already_in_channel")
    for user in users:
        conversations.join(workspace, channel, user, me)
    return {"channel": _shown(call, channel)}


def create(call: Call) -> Json:
    """conversations.create."""
    private = call.flag("is_private")
    channel = conversations.create(
        call.workspace, call.text("name"), call.app.user_id, private=private
    )
    return {"channel": _shown(call, channel)}


def archive(call: Call) -> Json:
    """conversations.archive."""
    channel = call.channel()
    if channel.is_archived:
        raise SlackError("already_archived")
    conversations.archive(call.workspace, channel)
    return {}


def set_topic(call: Call) -> Json:
    """conversations.setTopic."""
    channel = call.channel()
    if call.app.user_id not in channel.members:
        raise SlackError("not_in_channel")
    if len(call.text("topic")) > 250:
        raise SlackError("too_long")
    channel.topic = call.text("topic")
    call.workspace.changes.add("channel", channel=channel.id)
    return {"channel": _shown(call, channel)}


METHODS: Methods = {
    "conversations.list": list_,
    "conversations.info": info,
    "conversations.history": history,
    "conversations.replies": replies,
    "conversations.join": join,
    "conversations.leave": leave,
    "conversations.open": open_,
    "conversations.members": members,
    "conversations.invite": invite,
    "conversations.create": create,
    "conversations.archive": archive,
    "conversations.setTopic": set_topic,
}
