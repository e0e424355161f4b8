"""What listens: alerts, health and metrics; and Slack's requests in HTTP mode."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import uvicorn
    from starlette.routing import BaseRoute

    from bot.front import Front


@dataclass
class Web:
    """An HTTP server in a thread of its own. Port 0 takes a free one; ``url`` tells which."""

    routes: Sequence[BaseRoute]
    host: str
    port: int
    _server: uvicorn.Server = field(init=False)
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        import uvicorn
        from starlette.applications import Starlette

        config = uvicorn.Config(
            Starlette(routes=list(self.routes)),
            host=self.host,
            port=self.port,
            log_level="warning",
            lifespan="off",
        )
        self._server = uvicorn.Server(config)

    @classmethod
    def of(cls, front: Front) -> Web:
        """The server of the bots: alerts always, Slack's requests when the settings say HTTP."""
        from bot import plugins
        from handlers.alerts import FORMATS
        from handlers.routes import alert_routes

        secrets, slack = front.settings.secrets, front.settings.slack
        routes = alert_routes(
            front.desks,
            secrets.keys,
            {**FORMATS, **plugins.alert_formats()},
            ready=lambda: all(bot.alive for bot in front.bots),
            slack=front.problem,
            observe=front.observe,
        )
        if slack.mode == "http":
            routes = [*routes, _slack_route(front)]
        return cls([*routes, *front.routes], slack.host, slack.port)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Listen; returns when it does. Raises OSError when the port is taken."""
        self._thread = threading.Thread(target=self._server.run, name="hawkeye-web", daemon=True)
        self._thread.start()
        for _ in range(200):
            if self._server.started:
                break
            if not self._thread.is_alive():
                raise OSError(
                    f"Nothing can listen on {self.host}:{self.port}; is another bot running? "
                    "Choose another `[slack] port`."
                )
            time.sleep(0.05)
        sockets = [s for server in self._server.servers for s in server.sockets]
        self.port = sockets[0].getsockname()[1] if sockets else self.port

    def stop(self) -> None:
        """Stop listening."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout=10)


def _slack_route(front: Front) -> BaseRoute:
    from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from handlers.routes import bounded

    async def events(request: Request) -> Response:
        body = await bounded(request)
        if body is None:
            return Response(status_code=413)
        asked = to_bolt_request(request, body)
        # Bolt waits for the listener's acknowledgement: beside the alerts, not before them.
        return to_starlette_response(await run_in_threadpool(front.receiver.dispatch, asked))

    return Route("/slack/events", events, methods=["POST"])
