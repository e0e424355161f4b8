"""The server around a workspace: Starlette and uvicorn, on this machine's loopback only."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.workspace import api, control, ui, ui_acts
from bot.workspace.model import SlackError
from bot.workspace.sockets import Carrier
from bot.workspace.workspace import Workspace

LOOPBACK = ("127.0.0.1", "localhost", "::1")
PAGE = Path(__file__).parent / "page"
START_TIMEOUT = 15.0  # seconds


class OnlyHere:
    """Refuses requests that were not made to, and by pages of, this machine.

    The address in the Host header must be a loopback name (against DNS rebinding), and a browser's
    Origin must be this server itself: no other web page can press buttons here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 403."""
        if scope["type"] in ("http", "websocket") and not self._allowed(scope):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return
            text = "only this machine may use the local workspace"
            await PlainTextResponse(text, status_code=403)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _allowed(self, scope: Scope) -> bool:
        headers = {name.decode().lower(): value.decode() for name, value in scope["headers"]}
        host = headers.get("host", "")
        if urlsplit(f"//{host}").hostname not in LOOPBACK:
            return False
        origin = headers.get("origin")
        return origin is None or urlsplit(origin).netloc == host


async def _slack_error(_: Request, error: Exception) -> Response:
    if isinstance(error, SlackError):
        return ui_acts.refusal(error)
    return JSONResponse({"ok": False, "error": "invalid_request"}, status_code=400)


def application(workspace: Workspace, extra_routes: Sequence[BaseRoute] = ()) -> Starlette:
    """The ASGI application; ``extra_routes`` come first."""
    carrier: Carrier | None = None

    async def index(_: Request) -> Response:
        page = PAGE / "index.html"
        if page.exists():
            return FileResponse(page)
        return PlainTextResponse("The local workspace is running; its page is not installed.")

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        nonlocal carrier
        carrier = Carrier(workspace, asyncio.get_running_loop())
        app.state.carrier = carrier
        app.router.routes[:0] = [*control.routes(workspace, carrier), carrier.route()]
        workspace.stopping.clear()
        workspace.deliveries.attach(carrier.take)
        yield
        workspace.stopping.set()
        workspace.deliveries.attach(None)
        carrier.close()

    routes: list[BaseRoute] = [
        *extra_routes,
        *api.routes(workspace),
        *ui.routes(workspace),
        *ui_acts.routes(workspace),
        Route("/", index),
        Route("/archives/{place:path}", index),  # permalinks: the page finds the message
        Mount("/page", StaticFiles(directory=PAGE, check_dir=False)),
    ]
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers={SlackError: _slack_error, ValueError: _slack_error},
    )
    app.add_middleware(OnlyHere)
    return app


class Server:
    """A running server; a context manager. ``url`` is known from the start."""

    def __init__(
        self,
        workspace: Workspace,
        port: int = 0,
        host: str = "127.0.0.1",
        extra_routes: Sequence[BaseRoute] = (),
    ) -> None:
        if host not in LOOPBACK:
            raise ValueError(
                f"refusing to listen on {host!r}: the local workspace has no real "
                "authentication and serves 127.0.0.1 only"
            )
        self.workspace = workspace
        family = socket.AF_INET6 if host == "::1" else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((host, port))
        self.port = int(self._socket.getsockname()[1])
        shown = "[::1]" if host == "::1" else host
        self.url = f"http://{shown}:{self.port}"
        self.api_url = f"{self.url}/api/"
        workspace.base_url = self.url
        self.app = application(workspace, extra_routes)
        config = uvicorn.Config(
            self.app,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=2,
            ws_ping_interval=10.0,
            ws_ping_timeout=30.0,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run,
            kwargs={"sockets": [self._socket]},
            name="local-workspace",
            daemon=True,
        )

    def start(self) -> Server:
        """Run in a thread; returns when requests are answered.

        Raises:
            RuntimeError: it did not come up within 15 seconds.
        """
        self._thread.start()
        for _ in range(int(START_TIMEOUT / 0.02)):
            if self._server.started:
                return self
            if not self._thread.is_alive():
                break
            self._thread.join(0.02)
        raise RuntimeError(f"the local workspace did not start on {self.url}")

    def stop(self) -> None:
        """Stop and wait for the end."""
        self.workspace.stopping.set()
        self.workspace.changes.add("app")
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join(10)
        self._socket.close()

    def refresh(self, app_id: str) -> None:
        """Ask an app's Socket Mode connections to reconnect, as Slack does from time to time."""
        carrier: Carrier = self.app.state.carrier
        asyncio.run_coroutine_threadsafe(carrier.refresh(app_id), carrier.loop).result(10)

    def __enter__(self) -> Server:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()


def serve(
    workspace: Workspace,
    port: int = 0,
    *,
    host: str = "127.0.0.1",
    extra_routes: Sequence[BaseRoute] = (),
) -> Server:
    """A server for a workspace, to be used with ``with``; port 0 picks a free one.

    Raises:
        ValueError: the host is not a loopback address.
        OSError: the port is taken.
    """
    return Server(workspace, port, host, extra_routes)
