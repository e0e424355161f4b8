"""Socket Mode: the apps' web sockets, and the carrying of envelopes to them or over HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.workspace import webhooks
from bot.workspace.apps import App
from bot.workspace.delivery import Envelope
from bot.workspace.model import Json
from bot.workspace.workspace import Workspace

MOST_CONNECTIONS = 10  # per app
REASONS = {"timeout": "http_timeout", "no_connection": "connection_failed"}
GRACE = 1.0  # seconds between asking a connection to go and closing it


@dataclass
class Carrier:
    """Carries envelopes to apps; lives on the server's event loop."""

    workspace: Workspace
    loop: asyncio.AbstractEventLoop
    sockets: dict[str, list[WebSocket]] = field(default_factory=dict)
    waiting: dict[str, tuple[Envelope, asyncio.Event]] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(16, thread_name_prefix="workspace-http")
    )
    turn: int = 0

    def take(self, envelope: Envelope) -> None:
        """Accept an envelope from any thread; the order is kept."""
        self.loop.call_soon_threadsafe(self._start, envelope)

    def _start(self, envelope: Envelope) -> None:
        task = self.loop.create_task(self._deliver(envelope))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _deliver(self, envelope: Envelope) -> None:
        """Try until acknowledged: events again after each delay, everything else once."""
        delays = self.workspace.retry_delays if envelope.kind == "events_api" else ()
        reason = "timeout"
        for attempt, delay in enumerate((0.0, *delays)):
            if delay:
                await asyncio.sleep(delay)
            envelope.attempt = attempt
            outcome = await self._attempt(envelope)
            if outcome.reason is None:
                self.workspace.deliveries.ack(envelope, outcome.body)
                return
            reason = outcome.reason
            envelope.retry_reason = REASONS.get(reason, reason)
            if outcome.no_retry:
                break
            # A repeated delivery is a new envelope around the same event.
            envelope.id = str(uuid.uuid4())
        self.workspace.deliveries.fail(envelope, reason)

    async def _attempt(self, envelope: Envelope) -> webhooks.Outcome:
        app = self.workspace.apps[envelope.app_id]
        if app.request_url:
            return await self.loop.run_in_executor(
                self.pool, webhooks.deliver, self.workspace, app, envelope
            )
        return await self._attempt_socket(app, envelope)

    async def _attempt_socket(self, app: App, envelope: Envelope) -> webhooks.Outcome:
        socket = await self._socket_of(app)
        if socket is None:
            return webhooks.Outcome("no_connection")
        done = asyncio.Event()
        id = envelope.id
        self.waiting[id] = (envelope, done)
        try:
            await socket.send_text(json.dumps(envelope.to_socket()))
            await asyncio.wait_for(done.wait(), self.workspace.ack_timeout)
        except (TimeoutError, RuntimeError, WebSocketDisconnect):
            return webhooks.Outcome("timeout")
        finally:
            del self.waiting[id]
        return webhooks.Outcome(None, envelope.response)

    async def _socket_of(self, app: App) -> WebSocket | None:
        """One of the app's connections in turn; waits a moment when there is none."""
        end = self.loop.time() + self.workspace.ack_timeout
        while True:
            open_ones = self.sockets.get(app.id, [])
            if open_ones:
                self.turn += 1
                return open_ones[self.turn % len(open_ones)]
            left = end - self.loop.time()
            if left <= 0:
                return None
            self.arrived.clear()
            try:
                await asyncio.wait_for(self.arrived.wait(), left)
            except TimeoutError:
                return None

    # The endpoint

    async def serve_socket(self, socket: WebSocket) -> None:
        """One Socket Mode connection, from the ticket to the end."""
        app_id = self.workspace.tickets.pop(socket.query_params.get("ticket", ""), None)
        await socket.accept()
        if app_id is None:
            await socket.close(4000, "invalid ticket")
            return
        open_ones = self.sockets.setdefault(app_id, [])
        if len(open_ones) >= MOST_CONNECTIONS:
            await socket.send_text(json.dumps(_goodbye("too_many_websockets")))
            await socket.close()
            return
        await socket.send_text(json.dumps(_hello(app_id, len(open_ones) + 1)))
        open_ones.append(socket)
        self._count(app_id)
        self.arrived.set()
        try:
            while True:
                self._receive(await socket.receive_text())
        except (WebSocketDisconnect, KeyError, RuntimeError):
            pass  # the app has gone; a new connection needs a new ticket
        finally:
            if socket in open_ones:
                open_ones.remove(socket)
            self._count(app_id)

    def _count(self, app_id: str) -> None:
        self.workspace.connected[app_id] = len(self.sockets.get(app_id, []))
        self.workspace.changes.add("app", app_id=app_id)

    def _receive(self, text: str) -> None:
        """An acknowledgement, with or without a payload."""
        try:
            frame: Any = json.loads(text)
        except ValueError:
            return
        if not isinstance(frame, dict):
            return
        entry = self.waiting.get(str(frame.get("envelope_id")))
        if entry:
            envelope, done = entry
            envelope.response = frame.get("payload")
            done.set()

    async def refresh(self, app_id: str, reason: str = "refresh_requested") -> None:
        """Ask an app's connections to reconnect, then close them."""
        leaving = list(self.sockets.get(app_id, []))
        for socket in leaving:
            self.sockets[app_id].remove(socket)
            # The app may close its end at any moment, most do so when they read this.
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await socket.send_text(json.dumps(_goodbye(reason)))
        self._count(app_id)
        await asyncio.sleep(GRACE)
        for socket in leaving:
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                await socket.close()

    def close(self) -> None:
        """Stop carrying."""
        for task in list(self.tasks):
            task.cancel()
        self.pool.shutdown(wait=False, cancel_futures=True)

    def route(self) -> WebSocketRoute:
        """Where apps connect."""
        return WebSocketRoute("/link/", self.serve_socket)


def _hello(app_id: str, count: int) -> Json:
    return {
        "type": "hello",
        "num_connections": count,
        "debug_info": {
            "host": "local-workspace",
            "build_number": 1,
            "approximate_connection_time": 18060,
        },
        "connection_info": {"app_id": app_id},
    }


def _goodbye(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "local-workspace"}}
