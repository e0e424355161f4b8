"""What the page reads: state, messages, threads, the stream of changes, the inspector, files."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from bot.workspace.model import User
from bot.workspace.ui_shapes import messages_json, state_json, thread_json, visible
from bot.workspace.workspace import Workspace

HEARTBEAT = 15.0  # seconds
# What a browser may show; uploaded HTML or SVG must not run as part of the page.
SHOWN = ("image/png", "image/jpeg", "image/gif", "text/plain")


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


@dataclass(frozen=True)
class Reading:
    """The reading endpoints of one workspace."""

    workspace: Workspace

    def _person(self, request: Request) -> User:
        given = request.query_params.get("user")
        return self.workspace.user(given) if given else self.workspace.people()[0]

    async def state(self, request: Request) -> Response:
        """GET /ui/state."""
        with self.workspace.lock:
            return JSONResponse(state_json(self.workspace, self._person(request)))

    async def messages(self, request: Request) -> Response:
        """GET /ui/messages."""
        query, user = request.query_params, self._person(request).id
        limit = max(1, min(int(query.get("limit", "100")), 1000))
        with self.workspace.lock:
            channel = visible(self.workspace, query.get("channel", ""), user)
            before = query.get("before", "")
            return JSONResponse(messages_json(self.workspace, channel, user, limit, before))

    async def thread(self, request: Request) -> Response:
        """GET /ui/thread."""
        query, user = request.query_params, self._person(request).id
        with self.workspace.lock:
            channel = visible(self.workspace, query.get("channel", ""), user)
            return JSONResponse(thread_json(self.workspace, channel, query.get("ts", ""), user))

    async def changes(self, request: Request) -> Response:
        """GET /ui/stream."""
        given = request.headers.get("last-event-id") or request.query_params.get("after")
        after = int(given) if given and given.isdigit() else self.workspace.changes.last
        return StreamingResponse(
            stream(self.workspace, self._person(request).id, after),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def inspector(self, request: Request) -> Response:
        """GET /ui/inspector."""
        after = int(request.query_params.get("after", "0"))
        limit = max(1, min(int(request.query_params.get("limit", "200")), 2000))
        recorder = self.workspace.recorder
        records = [record.to_json() for record in recorder.after(after, limit)]
        return JSONResponse({"records": records, "last": recorder.last})

    async def transcript(self, request: Request) -> Response:
        """GET /ui/transcript."""
        body = self.workspace.transcript(request.query_params.get("channel"))
        headers = {"Content-Disposition": "inline; filename=transcript.json"}
        return JSONResponse(body, headers=headers)

    async def file(self, request: Request) -> Response:
        """GET /files/<id>/<name>."""
        stored = self.workspace.files.get(str(request.path_params["id"]))
        if stored is None or stored.data is None:
            return Response("no such file", status_code=404)
        shown = stored.mimetype in SHOWN and "download" not in request.query_params
        kind = "inline" if shown else "attachment"
        headers = {
            "Content-Disposition": f"{kind}; filename*=utf-8''{quote(stored.name)}",
            "X-Content-Type-Options": "nosniff",
            # Another workspace on this port has files of the same names.
            "Cache-Control": "private, no-cache",
            "ETag": f'"{hashlib.sha256(stored.data).hexdigest()}"',
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(stored.data, media_type=stored.mimetype, headers=headers)


def routes(workspace: Workspace) -> list[BaseRoute]:
    """The reading routes."""
    reading = Reading(workspace)
    return [
        Route("/ui/state", reading.state),
        Route("/ui/messages", reading.messages),
        Route("/ui/thread", reading.thread),
        Route("/ui/stream", reading.changes),
        Route("/ui/inspector", reading.inspector),
        Route("/ui/transcript", reading.transcript),
        Route("/files/{id}/{name:path}", reading.file),
    ]
