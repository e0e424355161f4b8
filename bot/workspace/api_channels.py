"""conversations.*, the changing half: create, describe, join, invite, open, close, archive."""

from __future__ import annotations

from bot.workspace import conversations
from bot.workspace.call import Call, Methods
from bot.workspace.model import Channel, Json, SlackError
from bot.workspace.scopes import check_kind
from bot.workspace.shapes import channel_json

MOST_INVITED = 100
LONGEST_NOTE = 250
MOST_IN_A_DIRECT_MESSAGE = 8


def shown(call: Call, channel: Channel) -> Json:
    """The conversation as the calling bot sees it."""
    return channel_json(call.workspace, channel, call.app.user_id)


def _room(call: Call, *, member: bool = False, open_: bool = False) -> Channel:
    """A public or private channel; the bot is in it (``member``), it is not archived (``open_``).

    Raises:
        SlackError: channel_not_found, method_not_supported_for_channel_type, not_in_channel,
            is_archived.
    """
    channel = call.channel()
    if channel.is_im or channel.is_mpim:
        raise SlackError("method_not_supported_for_channel_type")
    if member and call.app.user_id not in channel.members:
        raise SlackError("not_in_channel")
    if open_ and channel.is_archived:
        raise SlackError("is_archived")
    return channel


def join(call: Call) -> Json:
    """conversations.join, for public channels."""
    channel = call.channel()
    if channel.kind != "channel":
        raise SlackError("method_not_supported_for_channel_type")
    new = conversations.join(call.workspace, channel, call.app.user_id)
    body: Json = {"channel": shown(call, channel)}
    if not new:
        body["warning"] = "already_in_channel"
        body["response_metadata"] = {"warnings": ["already_in_channel"]}
    return body


def leave(call: Call) -> Json:
    """conversations.leave."""
    channel = _room(call, open_=True)
    if channel.is_general:
        raise SlackError("cant_leave_general")
    left = conversations.leave(call.workspace, channel, call.app.user_id)
    return {} if left else {"not_in_channel": True}


def open_(call: Call) -> Json:
    """conversations.open: a direct message with one or more people."""
    workspace = call.workspace
    if call.text("channel"):
        channel = call.channel()
        if channel.kind not in ("im", "mpim"):
            raise SlackError("method_not_supported_for_channel_type")
        channel.closed_by.discard(call.app.user_id)
        return {"channel": shown(call, channel), "no_op": True, "already_open": True}
    users = call.ids("users")
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > MOST_IN_A_DIRECT_MESSAGE:
        raise SlackError("too_many_users")
    for user in users:
        if workspace.user(user).deleted:
            raise SlackError("user_disabled")
    wanted = [call.app.user_id, *users]
    if call.flag("prevent_creation") and not conversations.existing(workspace, wanted):
        raise SlackError("channel_not_found")
    check_kind(call.app, call.method, "im" if len(set(wanted)) <= 2 else "mpim")
    channel, existed = conversations.direct(workspace, wanted)
    body = shown(call, channel) if call.flag("return_im") else {"id": channel.id}
    return {"channel": body} | ({"no_op": True, "already_open": True} if existed else {})


def close(call: Call) -> Json:
    """conversations.close, for direct messages."""
    channel = call.channel()
    if channel.kind not in ("im", "mpim"):
        raise SlackError("method_not_supported_for_channel_type")
    if call.app.user_id in channel.closed_by:
        return {"no_op": True, "already_closed": True}
    channel.closed_by.add(call.app.user_id)
    return {}


def invite(call: Call) -> Json:
    """conversations.invite; with ``force`` those who can't come are left out."""
    workspace, channel = call.workspace, _room(call, member=True, open_=True)
    users, me = call.ids("users"), call.app.user_id
    if not users:
        raise SlackError("no_user")
    if len(users) > MOST_INVITED:
        raise SlackError("too_many_users")
    reasons = {user: _cannot_come(call, channel, user, me) for user in users}
    wrong = [{"user": user, "ok": False, "error": why} for user, why in reasons.items() if why]
    coming = [user for user, why in reasons.items() if not why]
    if wrong and not (coming and call.flag("force")):
        raise SlackError(str(wrong[0]["error"]), errors=wrong)
    for user in coming:
        conversations.join(workspace, channel, user, me)
    return {"channel": shown(call, channel)} | ({"errors": wrong} if wrong else {})


def _cannot_come(call: Call, channel: Channel, user: str, me: str) -> str:
    """Why a user can't be invited; empty when they can."""
    if user == me:
        return "cant_invite_self"
    if user not in call.workspace.users:
        return "user_not_found"
    return "already_in_channel" if user in channel.members else ""


def kick(call: Call) -> Json:
    """conversations.kick."""
    workspace, channel = call.workspace, _room(call, member=True)
    user = call.required("user")
    if user == call.app.user_id:
        raise SlackError("cant_kick_self")
    workspace.user(user)
    if user not in channel.members:
        raise SlackError("not_in_channel")
    if channel.is_general:
        raise SlackError("cant_kick_from_general")
    conversations.leave(workspace, channel, user, kicked_by=call.app.user_id)
    return {"errors": {}}


def create(call: Call) -> Json:
    """conversations.create."""
    private = call.flag("is_private")
    check_kind(call.app, call.method, "group" if private else "channel")
    channel = conversations.create(
        call.workspace, call.text("name"), call.app.user_id, private=private
    )
    return {"channel": shown(call, channel)}


def rename(call: Call) -> Json:
    """conversations.rename, by the one who created the channel."""
    channel = _room(call, member=True, open_=True)
    if channel.creator != call.app.user_id:
        raise SlackError("not_authorized")
    conversations.rename(call.workspace, channel, call.app.user_id, call.text("name"))
    return {"channel": shown(call, channel)}


def archive(call: Call) -> Json:
    """conversations.archive."""
    channel = _room(call, member=True)
    if channel.is_archived:
        raise SlackError("already_archived")
    if channel.is_general:
        raise SlackError("cant_archive_general")
    conversations.archive(call.workspace, channel, user=call.app.user_id)
    return {}


def unarchive(call: Call) -> Json:
    """conversations.unarchive."""
    channel = _room(call)
    if not channel.is_archived:
        raise SlackError("not_archived")
    conversations.archive(call.workspace, channel, on=False, user=call.app.user_id)
    return {}


def _describe(call: Call, what: str) -> Json:
    channel = call.channel()
    if channel.is_im:
        raise SlackError("method_not_supported_for_channel_type")
    if call.app.user_id not in channel.members:
        raise SlackError("not_in_channel")
    if channel.is_archived:
        raise SlackError("is_archived")
    if what not in call.arguments:
        call.required(what)
    if len(call.text(what)) > LONGEST_NOTE:
        raise SlackError("too_long")
    conversations.describe(call.workspace, channel, call.app.user_id, what, call.text(what))
    return {"channel": shown(call, channel)}


METHODS: Methods = {
    "conversations.join": join,
    "conversations.leave": leave,
    "conversations.open": open_,
    "conversations.close": close,
    "conversations.invite": invite,
    "conversations.kick": kick,
    "conversations.create": create,
    "conversations.rename": rename,
    "conversations.archive": archive,
    "conversations.unarchive": unarchive,
    "conversations.setTopic": lambda call: _describe(call, "topic"),
    "conversations.setPurpose": lambda call: _describe(call, "purpose"),
}
