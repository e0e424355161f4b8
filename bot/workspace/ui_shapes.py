"""How the workspace looks to the page: one person's view of it, as JSON."""

from __future__ import annotations

from urllib.parse import quote

from bot.workspace.message_shapes import message_json
from bot.workspace.model import Channel, Json, Message, SlackError, User
from bot.workspace.shapes import view_json
from bot.workspace.workspace import Workspace


def ui_user(user: User) -> Json:
    """A user for the page."""
    return {
        "id": user.id,
        "name": user.name,
        "real_name": user.real_name,
        "display_name": user.name,
        "title": user.title,
        "is_bot": user.is_bot,
        "app_id": user.app_id,
        "color": user.color(),
        "initials": user.initials(),
        "deleted": user.deleted,
    }


def ui_channel(channel: Channel, user: str) -> Json:
    """A channel for the page, with what this user has not read."""
    read = channel.last_read.get(user, "")
    # Before anything is read, all counts as unread except what was said before joining.
    fresh = [
        message
        for message in channel.messages.values()
        if message.ts > read and message.user != user and not message.is_reply
    ]
    mentions = sum(f"<@{user}>" in message.text for message in fresh)
    return {
        "id": channel.id,
        "name": channel.name,
        "is_private": channel.is_private,
        "is_im": channel.is_im,
        "is_archived": channel.is_archived,
        "is_member": user in channel.members,
        "topic": channel.topic.value,
        "purpose": channel.purpose.value,
        "members": list(channel.members),
        "unread": len(fresh) if user in channel.members else 0,
        "mentions": mentions if user in channel.members else 0,
        "user": next((m for m in channel.members if m != user), None) if channel.is_im else None,
        "last_ts": max(channel.messages, default=None),
    }


def ui_message(workspace: Workspace, message: Message) -> Json:
    """A message for the page: Slack's object and a few things to draw it."""
    body = message_json(workspace, message, metadata=True, composed=False)
    author = workspace.users.get(message.user)
    body |= {
        "user": message.user,
        "author": {
            "name": message.username or (author.real_name if author else "Slackbot"),
            "color": author.color() if author else "#666666",
            "initials": author.initials() if author else "S",
            "is_bot": bool(message.bot_id),
        },
        "versions": len(message.versions),
    }
    if message.ephemeral_to:
        body["is_ephemeral"] = True
    for file in body.get("files", []):
        file["url"] = f"/files/{file['id']}/{quote(file['name'])}"
        stored = workspace.files[file["id"]]
        file["width"], file["height"] = stored.width, stored.height
    body["blocks"] = [_sized(workspace, block) for block in body.get("blocks", [])]
    return body


def _sized(workspace: Workspace, block: Json) -> Json:
    """An image block with its size, so that the page can reserve its place."""
    file = workspace.files.get(str((block.get("slack_file") or {}).get("id")))
    if block.get("type") != "image" or file is None or not file.width:
        return block
    return {**block, "image_width": file.width, "image_height": file.height}


def state_json(workspace: Workspace, user: User) -> Json:
    """Everything around the messages, as this user sees it."""
    stack = workspace.modals.get(user.id, [])
    everyone = sorted(workspace.users.values(), key=lambda one: one.is_bot)
    return {
        "team": {
            "id": workspace.team_id,
            "name": workspace.team_name,
            "domain": workspace.team_domain,
        },
        "me": ui_user(user),
        "users": [ui_user(one) for one in everyone],
        "channels": [
            ui_channel(channel, user.id)
            for channel in workspace.channels.values()
            if workspace.may_see(user.id, channel)
        ],
        **_apps_json(workspace, user.id),
        "modal": view_json(workspace, stack[-1]) if stack else None,
        "modal_depth": len(stack),
        "seq": workspace.changes.last,
    }


def _apps_json(workspace: Workspace, user: str) -> Json:
    """The apps and what they offer: commands, shortcuts, this user's Home tabs."""
    apps = workspace.apps.values()
    return {
        "apps": [
            {
                "id": app.id,
                "name": app.display_name or app.name,
                "bot_user_id": app.user_id,
                "description": app.description,
                "connected": bool(app.request_url or workspace.connected.get(app.id)),
                "listens": app.events != [] or bool(app.commands or app.shortcuts),
                "home": app.home_enabled,
            }
            for app in apps
        ],
        "commands": [
            {
                "command": command.command,
                "description": command.description,
                "usage_hint": command.usage_hint,
                "app_id": app.id,
            }
            for app in apps
            for command in app.commands
        ],
        "shortcuts": [
            {
                "name": shortcut.name,
                "type": shortcut.type,
                "callback_id": shortcut.callback_id,
                "description": shortcut.description,
                "app_id": app.id,
            }
            for app in apps
            for shortcut in app.shortcuts
        ],
        "homes": {
            app.id: view_json(workspace, view)
            if (view := workspace.homes.get((app.id, user)))
            else None
            for app in apps
        },
    }


def visible(workspace: Workspace, channel_id: str, user: str) -> Channel:
    """The channel, if this user may read it.

    Raises:
        SlackError: channel_not_found.
    """
    channel = workspace.channel(channel_id)
    if not workspace.may_see(user, channel):
        raise SlackError("channel_not_found")
    return channel


def messages_json(
    workspace: Workspace, channel: Channel, user: str, limit: int, before: str
) -> Json:
    """The last top-level messages of a channel, oldest first."""
    own = [m for m in channel.ephemerals.values() if m.ephemeral_to == user and not m.is_reply]
    top = [m for m in channel.messages.values() if not m.is_reply or m.broadcast]
    found = sorted([*top, *own], key=lambda message: message.ts)
    if before:
        found = [message for message in found if message.ts < before]
    shown = found[-limit:]
    return {
        "messages": [ui_message(workspace, message) for message in shown],
        "has_more": len(found) > len(shown),
    }


def thread_json(workspace: Workspace, channel: Channel, ts: str, user: str) -> Json:
    """A parent and its replies, oldest first, with what only this user sees.

    Raises:
        SlackError: thread_not_found.
    """
    parent = channel.messages.get(ts)
    if parent is None:
        raise SlackError("thread_not_found")
    own = [m for m in channel.ephemerals.values() if m.ephemeral_to == user and m.thread_ts == ts]
    replies = sorted([*channel.replies(ts), *own], key=lambda message: message.ts)
    return {"messages": [ui_message(workspace, message) for message in [parent, *replies]]}
