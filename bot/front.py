"""Where Slack and those who send alerts meet the bots: the server, Socket Mode, the schedule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from analysis.evidence import Evidence, Scope
from bot import plugins
from bot.app import Bot
from bot.config import Settings
from bot.connection import Connection
from bot.link import Receiver
from bot.monitors import Tick, tick
from bot.schedule import Schedule
from bot.web import Web
from handlers.alerts import FORMATS
from handlers.desk import Desks
from handlers.routes import Figures, alert_routes, bounded
from state.due import Urgency

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

log = structlog.get_logger()
TICK_SECONDS = 5.0
"""How often the monitors are asked whether a look is due."""


@dataclass
class Front:
    """Runs ``bots``: ``receiver`` takes Slack's requests, ``desks`` the alerts. ``routes`` are
    more pages; ``ticks`` are (seconds, what, name) that the schedule does beside the monitors."""

    settings: Settings
    bots: Sequence[Bot]
    receiver: Receiver
    desks: Desks
    routes: Sequence[BaseRoute] = ()
    ticks: Sequence[tuple[float, Callable[[], None], str]] = ()
    connection: Connection | None = field(default=None, init=False)
    _running: list[Callable[[], None]] = field(default_factory=list)

    @classmethod
    def one(cls, bot: Bot) -> Front:
        """That of the one bot, with its own server and connection."""
        return cls(bot.settings, (bot,), bot.app, Desks.one(bot.conversation))

    @property
    def url(self) -> str:
        """Where alerts are taken in, once started."""
        return self.web.url

    def start(self) -> None:
        """Start the bots, listen, then tick, and connect to Slack last.

        Raises OSError when a port is taken, SettingsError when Slack does not take the app's token.
        """
        for bot in self.bots:
            bot.begin()
        schedule = Schedule()
        for bot in self.bots:
            start_monitors(bot, schedule)
        for seconds, what, name in self.ticks:
            schedule.every(seconds, what, name)
        slack = self.settings.slack
        self.web = Web(self._routes(), slack.host, slack.port)
        for part in (schedule, self.web):
            part.start()
            self._running.append(part.stop)
        if slack.mode == "socket":
            self._connect()
        log.info("hawkeye is up", mode=slack.mode, web=self.url)

    def _routes(self) -> list[BaseRoute]:
        """Alerts, health and metrics always; Slack's requests when the settings say HTTP."""
        routes = alert_routes(
            self.desks,
            self.settings.secrets.keys,
            {**FORMATS, **plugins.alert_formats()},
            ready=lambda: all(bot.alive for bot in self.bots),
            slack=self.problem,
            observe=self.observe,
        )
        slack = [_slack_route(self.receiver)] if self.settings.slack.mode == "http" else []
        return [*routes, *slack, *self.routes]

    def _connect(self) -> None:
        secrets = self.settings.secrets
        token = secrets.slack_app_token
        key = token.get_secret_value() if token else None
        self.connection = Connection(self.receiver, key, secrets.slack_api_url)
        self.connection.start()
        self._running.append(self.connection.stop)

    def problem(self) -> str:
        """Why nothing at all can be posted or heard; "" while one of the installations works."""
        problems = [bot.access.problem() for bot in self.bots]
        unheard = self.connection.problem() if self.connection else ""
        return problems[0] if all(problems) else unheard

    def observe(self, figures: Figures) -> None:
        """How each installation does."""
        for bot in self.bots:
            name = bot.installation or "default"
            figures.reachable.labels(name).set(bot.access.works)
            figures.waiting.labels(name).set(bot.conversation.outbox.waiting())
            figures.given_up.labels(name).set(bot.conversation.outbox.given_up())

    def stop(self) -> None:
        """Stop it all, the last started first, and the bots at the end."""
        while self._running:
            self._running.pop()()
        for bot in self.bots:
            bot.end()

    def __enter__(self) -> Front:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def start_monitors(bot: Bot, schedule: Schedule) -> None:
    """Have the schedule tick; checks run on the bot's workers, after what people wait for."""
    if not bot.settings.monitors.on:
        return
    patience = 4 * bot.settings.walk.seconds

    def run_check(node: str, scope: Scope) -> Evidence:
        future = bot.work.runner(node, scope, Urgency.WATCH)
        try:
            return future.result(timeout=patience)
        except TimeoutError:
            future.cancel()
            raise

    schedule.every(
        TICK_SECONDS,
        lambda: _log(tick(bot.conversation, run_check, bot.settings, bot.clock(), bot.watches)),
        f"monitors {bot.installation}".strip(),
    )


def _log(done: Tick) -> None:
    if done.opened:
        log.info("monitors opened incidents", incidents=done.opened)


def _slack_route(receiver: Receiver) -> BaseRoute:
    from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    async def events(request: Request) -> Response:
        body = await bounded(request)
        if body is None:
            return Response(status_code=413)
        asked = to_bolt_request(request, body)
        # Bolt waits for the listener's acknowledgement: beside the alerts, not before them.
        return to_starlette_response(await run_in_threadpool(receiver.dispatch, asked))

    return Route("/slack/events", events, methods=["POST"])
