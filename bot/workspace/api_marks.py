"""reactions.*, pins.*, bookmarks.*: what people and apps hang on messages and channels."""

from __future__ import annotations

import re

from bot.workspace import messages
from bot.workspace.call import TIMESTAMP, Call, Methods, page
from bot.workspace.message_shapes import message_json, permalink
from bot.workspace.model import Json, Message, SlackError

EMOJI = re.compile(r"[a-z0-9_+'-]+(::skin-tone-[2-6])?")
MOST_BOOKMARKS = 100


def _reacted(call: Call) -> tuple[Message, str]:
    if not call.text("channel") or not call.text("timestamp"):
        raise SlackError("no_item_specified")
    name = call.text("name").strip(":")
    if not EMOJI.fullmatch(name):
        raise SlackError("invalid_name")
    return _item(call, "timestamp"), name


def _item(call: Call, name: str) -> Message:
    channel, ts = call.channel(), call.text(name)
    if not TIMESTAMP.fullmatch(ts):
        raise SlackError("bad_timestamp")
    message = channel.messages.get(ts)
    if message is None:
        raise SlackError("message_not_found")
    if channel.is_archived:
        raise SlackError("is_archived")
    return message


def reactions_add(call: Call) -> Json:
    """reactions.add."""
    message, name = _reacted(call)
    messages.react(call.workspace, message, call.app.user_id, name)
    return {}


def reactions_remove(call: Call) -> Json:
    """reactions.remove."""
    message, name = _reacted(call)
    messages.unreact(call.workspace, message, call.app.user_id, name)
    return {}


def reactions_get(call: Call) -> Json:
    """reactions.get."""
    if not call.text("channel") or not call.text("timestamp"):
        raise SlackError("no_item_specified")
    message = _item(call, "timestamp")
    shown = message_json(call.workspace, message) | {
        "permalink": permalink(call.workspace, message)
    }
    return {"type": "message", "channel": message.channel, "message": shown}


def reactions_list(call: Call) -> Json:
    """reactions.list: the messages that a user (or the bot) has reacted to, newest first."""
    workspace, me = call.workspace, call.app.user_id
    user = workspace.user(call.text("user") or me).id
    found = [
        message
        for channel in workspace.channels.values()
        if workspace.may_see(me, channel)
        for message in channel.messages.values()
        if any(user in users for users in message.reactions.values())
    ]
    found.sort(key=lambda message: message.ts, reverse=True)
    items, following = page(call, found, default=100, most=1000)
    shown = [
        {"type": "message", "channel": m.channel, "message": message_json(workspace, m)}
        for m in items
    ]
    return {"items": shown, "response_metadata": {"next_cursor": following}}


def _pin(call: Call, on: bool) -> Json:
    if not call.text("timestamp"):
        raise SlackError("no_item_specified")
    message = _item(call, "timestamp")
    if call.app.user_id not in call.channel().members:
        raise SlackError("not_in_channel")
    messages.pin(call.workspace, message, call.app.user_id, on=on)
    return {}


def pins_list(call: Call) -> Json:
    """pins.list."""
    channel = call.channel()
    items = [
        {
            "type": "message",
            "channel": channel.id,
            "created_by": message.pinned_by,
            "message": message_json(call.workspace, message),
        }
        for message in channel.messages.values()
        if message.pinned_by
    ]
    return {"items": items}


def _link(call: Call) -> str:
    link = call.text("link")
    if not link.startswith(("http://", "https://")):
        raise SlackError("invalid_link")
    return link


def _bookmark(call: Call) -> Json:
    """The bookmark that is named."""
    wanted = call.required("bookmark_id")
    for bookmark in call.channel("channel_id").bookmarks:
        if bookmark["id"] == wanted:
            return bookmark
    raise SlackError("not_found")


def bookmarks_add(call: Call) -> Json:
    """bookmarks.add, for links."""
    workspace, channel = call.workspace, call.channel("channel_id")
    title = call.required("title")
    if call.required("type") != "link":
        raise SlackError("invalid_bookmark_type")
    if len(channel.bookmarks) >= MOST_BOOKMARKS:
        raise SlackError("too_many_bookmarks")
    bookmark = {
        "id": workspace.new_id("Bk"),
        "channel_id": channel.id,
        "title": title,
        "link": _link(call),
        "emoji": call.text("emoji"),
        "icon_url": None,
        "entity_id": call.text("entity_id") or None,
        "type": "link",
        "date_created": int(workspace.now()),
        "date_updated": 0,
        "rank": f"{len(channel.bookmarks):04d}",
        "last_updated_by_user_id": call.app.user_id,
        "last_updated_by_team_id": workspace.team_id,
        "shortcut_id": None,
        "app_id": call.app.id,
        "app_action_id": None,
    }
    channel.bookmarks.append(bookmark)
    workspace.changes.add("channel", channel=channel.id)
    return {"bookmark": bookmark}


def bookmarks_edit(call: Call) -> Json:
    """bookmarks.edit: title, link or emoji."""
    bookmark = _bookmark(call)
    new = {name: call.text(name) for name in ("title", "emoji") if call.text(name)}
    if call.text("link"):
        new["link"] = _link(call)
    new["last_updated_by_user_id"] = call.app.user_id
    bookmark.update(new, date_updated=int(call.workspace.now()))
    call.workspace.changes.add("channel", channel=bookmark["channel_id"])
    return {"bookmark": bookmark}


def bookmarks_list(call: Call) -> Json:
    """bookmarks.list."""
    return {"bookmarks": call.channel("channel_id").bookmarks}


def bookmarks_remove(call: Call) -> Json:
    """bookmarks.remove."""
    bookmark = _bookmark(call)
    channel = call.channel("channel_id")
    channel.bookmarks = [one for one in channel.bookmarks if one is not bookmark]
    call.workspace.changes.add("channel", channel=channel.id)
    return {}


METHODS: Methods = {
    "reactions.add": reactions_add,
    "reactions.remove": reactions_remove,
    "reactions.get": reactions_get,
    "reactions.list": reactions_list,
    "pins.add": lambda call: _pin(call, on=True),
    "pins.remove": lambda call: _pin(call, on=False),
    "pins.list": pins_list,
    "bookmarks.add": bookmarks_add,
    "bookmarks.edit": bookmarks_edit,
    "bookmarks.list": bookmarks_list,
    "bookmarks.remove": bookmarks_remove,
}
