"""Where Slack and those who send alerts meet the bots: the server, Socket Mode, the schedule."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_sdk import WebClient

from bot.config import Settings
from bot.schedule import Schedule
from handlers.desk import Desks

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from bot.app import Bot
    from handlers.routes import Figures

log = structlog.get_logger()


class Receiver(Protocol):
    """Takes Slack's requests: a Bolt app, or what picks one of several."""

    @property
    def logger(self) -> Any:
        """Bolt's logger."""

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """Verify a request, see to it, and acknowledge."""


@dataclass
class Front:
    """Serves ``bots``: ``receiver`` takes Slack's requests, ``desks`` the alerts. ``routes`` are
    more pages; ``ticks`` are (seconds, what, name) that the schedule does beside the monitors."""

    settings: Settings
    bots: Sequence[Bot]
    receiver: Receiver
    desks: Desks
    routes: Sequence[BaseRoute] = ()
    ticks: Sequence[tuple[float, Callable[[], None], str]] = ()
    _running: list[Callable[[], None]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens, once started."""
        return self.web.url

    def start(self) -> None:
        """Listen, then tick, and connect to Slack last. Raises OSError when a port is taken."""
        from bot.monitors import start_monitors
        from bot.web import Web

        schedule = Schedule()
        for bot in self.bots:
            start_monitors(bot, schedule)
        for seconds, what, name in self.ticks:
            schedule.every(seconds, what, name)
        self.web = Web.of(self)
        for part in (schedule, self.web):
            part.start()
            self._running.append(part.stop)
        if self.settings.slack.mode == "socket":
            self._connect()
        log.info("hawkeye is up", mode=self.settings.slack.mode, web=self.url)

    def _connect(self) -> None:
        token = self.settings.secrets.slack_app_token
        socket = SocketModeHandler(
            self.receiver,  # type: ignore[arg-type]
            token.get_secret_value() if token else None,
            web_client=WebClient(base_url=self.settings.secrets.slack_api_url),
        )
        socket.connect()  # type: ignore[no-untyped-call]
        self._running.append(lambda: _close(socket))

    def problem(self) -> str:
        """Why nothing at all can be posted; "" while one of the installations works."""
        problems = [bot.access.problem() for bot in self.bots]
        return problems[0] if all(problems) else ""

    def observe(self, figures: Figures) -> None:
        """How each installation does."""
        for bot in self.bots:
            name = bot.installation or "default"
            figures.reachable.labels(name).set(bot.access.works)
            figures.waiting.labels(name).set(bot.conversation.outbox.waiting())
            figures.given_up.labels(name).set(bot.conversation.outbox.given_up())

    def stop(self) -> None:
        """Stop it all, the last started first."""
        while self._running:
            self._running.pop()()


def _close(socket: SocketModeHandler) -> None:
    """Hang up. The client's own threads take ten seconds to notice; nobody waits for them."""
    closing = threading.Thread(target=socket.close, name="hang-up", daemon=True)
    closing.start()
    closing.join(timeout=0.5)
