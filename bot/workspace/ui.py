"""What the page reads: state, messages, threads, the stream of changes, the inspector, files."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bot.workspace.model import Channel, Json, Message, SlackError, User
from bot.workspace.shapes import message_json, view_json
from bot.workspace.workspace import Workspace

HEARTBEAT = 15.0  # seconds


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
        "topic": channel.topic,
        "purpose": channel.purpose,
        "members": list(channel.members),
        "unread": len(fresh) if user in channel.members else 0,
        "mentions": mentions if user in channel.members else 0,
        "user": next((m for m in channel.members if m != user), None) if channel.is_im else None,
        "last_ts": max(channel.messages, default=None),
    }


def ui_message(workspace: Workspace, message: Message) -> Json:
    """A message for the page: Slack's object and a few things to draw it."""
    body = message_json(workspace, message, metadata=True)
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
    apps = workspace.apps.values()
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
        "apps": [
            {
                "id": app.id,
                "name": app.display_name or app.name,
                "bot_user_id": app.user_id,
                "description": app.description,
                "connected": bool(app.request_url or workspace.connected.get(app.id)),
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
            if (view := workspace.homes.get((app.id, user.id)))
            else None
            for app in apps
        },
        "modal": view_json(workspace, stack[-1]) if stack else None,
        "modal_depth": len(stack),
        "seq": workspace.changes.last,
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


async def stream(workspace: Workspace, user: str, after: int) -> AsyncIterator[str]:
    """Server-sent events of the changes that this user may see."""
    loop, woken = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(woken.set)

    stop = workspace.changes.listen(wake)
    try:
        yield ": connected\n\n"
        while not workspace.stopping.is_set():
            woken.clear()
            latest = workspace.changes.last
            changes = workspace.changes.after(after, user)
            if changes is None:
                yield f'id: {latest}\ndata: {{"type": "reset", "seq": {latest}}}\n\n'
                after = latest
                continue
            for change in changes:
                yield f"id: {change.seq}\ndata: {json.dumps(change.to_json())}\n\n"
            after = max(latest, changes[-1].seq if changes else 0)
            try:
                await asyncio.wait_for(woken.wait(), HEARTBEAT)
            except TimeoutError:
                yield ": still here\n\n"
    finally:
        stop()


def routes(workspace: Workspace) -> list[BaseRoute]:
    """The reading routes."""

    def person(request: Request) -> User:
        given = request.query_params.get("user")
        return workspace.user(given) if given else workspace.people()[0]

    async def state(request: Request) -> Response:
        with workspace.lock:
            return JSONResponse(state_json(workspace, person(request)))

    async def messages(request: Request) -> Response:
        query, user = request.query_params, person(request).id
        limit = max(1, min(int(query.get("limit", "100")), 1000))
        with workspace.lock:
            channel = visible(workspace, query.get("channel", ""), user)
            before = query.get("before", "")
            return JSONResponse(messages_json(workspace, channel, user, limit, before))

    async def thread(request: Request) -> Response:
        query, user = request.query_params, person(request).id
        with workspace.lock:
            channel = visible(workspace, query.get("channel", ""), user)
            return JSONResponse(thread_json(workspace, channel, query.get("ts", ""), user))

    async def changes(request: Request) -> Response:
        given = request.headers.get("last-event-id") or request.query_params.get("after")
        after = int(given) if given and given.isdigit() else workspace.changes.last
        return StreamingResponse(
            stream(workspace, person(request).id, after),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def inspector(request: Request) -> Response:
        after = int(request.query_params.get("after", "0"))
        limit = max(1, min(int(request.query_params.get("limit", "200")), 2000))
        records = [record.to_json() for record in workspace.recorder.after(after, limit)]
        return JSONResponse({"records": records, "last": workspace.recorder.last})

    async def transcript(request: Request) -> Response:
        body = workspace.transcript(request.query_params.get("channel"))
        return JSONResponse(
            body, headers={"Content-Disposition": "inline; filename=transcript.json"}
        )

    async def file(request: Request) -> Response:
        stored = workspace.files.get(str(request.path_params["id"]))
        if stored is None or stored.data is None:
            return Response("no such file", status_code=404)
        # Uploaded HTML or SVG must not run as part of this page.
        safe = stored.mimetype.startswith(("image/png", "image/jpeg", "image/gif", "text/plain"))
        disposition = "inline" if safe and "download" not in request.query_params else "attachment"
        headers = {
            "Content-Disposition": f"{disposition}; filename*=utf-8''{quote(stored.name)}",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, max-age=3600",
        }
        return Response(stored.data, media_type=stored.mimetype, headers=headers)

    return [
        Route("/ui/state", state),
        Route("/ui/messages", messages),
        Route("/ui/thread", thread),
        Route("/ui/stream", changes),
        Route("/ui/inspector", inspector),
        Route("/ui/transcript", transcript),
        Route("/files/{id}/{name:path}", file),
    ]
