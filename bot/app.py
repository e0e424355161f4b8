"""The composition root: every outside thing comes in here, and is handed to who needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from slack_bolt import App
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_sdk import WebClient

from bot import plugins
from bot.checks import CheckRunner, warm_up
from bot.config import Mitigation, Route, Settings, require_slack
from bot.mitigations import Webhook
from bot.oncall import PagerDuty, Rota
from bot.paging import Owners, Page
from bot.schedule import Schedule
from bot.workers import Workers
from handlers import commands, notices
from handlers.answers import Answers
from handlers.conversation import Conversation, Habits
from handlers.desk import Subject, Subjects, every
from handlers.directory import Directory
from handlers.home import Home
from handlers.levels import Levels
from handlers.messages import Remedy, View, render
from handlers.messages.handoffs import reminder
from handlers.mitigations import Action, Mitigations
from handlers.pins import Pins
from handlers.record.sending import Exports
from handlers.registry import Reply, Request
from handlers.sender import Sender
from handlers.shortcuts import Shortcuts
from handlers.suggestions import Suggestions
from handlers.threads import Threads
from handlers.work import Runner, Work
from state.grouping import Kin
from state.incident import Alert, Incident
from state.outbox import Post
from state.store import Place, Store
from state.tree import Tree

if TYPE_CHECKING:
    from analysis.graph.lineage import Graph

log = structlog.get_logger()


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


@dataclass
class Bot:
    """The running bot. ``actions`` are mitigations beside those of the settings and plugins.

    ``tree`` and ``runner`` stand in for the plugins' tree and the worker processes.
    """

    settings: Settings
    clock: Callable[[], datetime] = utc_now
    actions: Sequence[Action] = ()
    recheck: timedelta | None = None
    tree: Tree = field(default_factory=plugins.tree)
    runner: Runner | None = None
    store: Store = field(init=False)
    conversation: Conversation = field(init=False)
    sender: Sender = field(init=False)
    work: Work = field(init=False)
    app: App = field(init=False)
    lineage: Graph = field(init=False)
    _running: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = self.settings
        require_slack(settings)
        self.client = _client(settings)
        self.store = Store(settings.state_path)
        self.directory = Directory(self.client)
        self.mitigations = self._mitigations()
        known, kin, self.lineage = subjects(settings)
        self.conversation = Conversation(
            store=self.store,
            tree=self.tree,
            clock=self.clock,
            habits=self._habits(),
            known=known,
            kin=kin,
            rota=self._rota(),
            directory=self.directory,
            renderer=self._render,
            titles={a.name: a.title for a in self.mitigations.actions},
        )
        runner = self.runner or self._workers()
        self.sender = Sender(self.client, self.conversation.outbox, self._on_sent)
        exports = Exports(self.client, self.conversation, str(settings.path))
        tell = (self._remind, exports.send, self._notify, self._write)
        self.work = Work(self.conversation, runner, self.mitigations, *tell)
        self.conversation.woken += [self.sender.loop.wake, self.work.loop.wake]
        self.home = Home(self.conversation, self.client, self.work.runner, self._watched)
        self.conversation.woken.append(self.home.changed)
        self.threads = Threads(self.conversation, self.ask)
        self.app = self._bolt()

    def _watched(self) -> tuple[tuple[Subject, ...], bool]:
        """What Home shows as monitored: the monitors, else the metrics."""
        from bot.monitors import subjects_to_check

        known = self.conversation.subjects()
        found = subjects_to_check(self.settings, known)
        return found or every(known, "metric"), bool(found)

    def _workers(self) -> Runner:
        walk = self.settings.walk
        workers = Workers(walk.workers, walk.seconds, walk.memory_mb, warm_up)
        self._running.append(workers.shutdown)
        return CheckRunner(workers, str(self.settings.path))

    # -- the parts -----------------------------------------------------------------------------

    def _mitigations(self) -> Mitigations:
        settings = self.settings
        owners = Owners(self._lineage, settings.contract)
        own = [made for m in settings.mitigations if (made := self._action(m, owners))]
        named = {m.name: m for m in settings.mitigations if m.users or m.groups}
        may = {name: self._allowed(m) for name, m in named.items()}
        fresh = {name: partial(self._allowed, m) for name, m in named.items() if m.groups}
        second = frozenset(m.name for m in settings.mitigations if m.second_person)
        actions = (*self.actions, *own, *plugins.mitigations(settings))
        return Mitigations(actions, may, second, fresh)

    def _action(self, mitigation: Mitigation, owners: Owners) -> Action | None:
        """What a table of the settings makes; one of kind "plugin" only restricts a plugin's."""
        if mitigation.kind == "plugin":
            return None
        if mitigation.kind == "webhook":
            return Webhook(mitigation, owners.of, self._link)
        keys = self.settings.secrets.routing_keys
        return Page(mitigation, keys, owners.of, self._link)

    def _allowed(self, mitigation: Mitigation) -> frozenset[str]:
        """The people whom the settings let confirm it, as their groups are now."""
        return frozenset({*mitigation.users, *self.directory.members(mitigation.groups)})

    def _link(self, incident_id: str) -> str:
        return self.conversation.link(incident_id)

    def _lineage(self) -> Graph:
        return self.lineage

    def _habits(self) -> Habits:
        walk = self.settings.walk
        return Habits(
            route=self._route,
            baseline_days=walk.baseline_days,
            recheck=self.recheck or timedelta(minutes=walk.recheck_minutes),
        )

    def _route(self, alert: Alert) -> str:
        route = self._route_of(alert)
        return route.channel if route else self.settings.slack.channel

    def _route_of(self, alert: Alert) -> Route | None:
        """By what the alert is about, whose that is, and how bad it is."""
        named = [alert.names, (f"{alert.entry}:{alert.subject}",)]
        names = [name.partition(":")[::2] for some in named for name in some]
        metric = next((name for kind, name in names if kind == "metric"), None)
        model = next((name for kind, name in names if kind == "model"), None)
        if model is None and metric in self.settings.contract.metric_names:
            model = self.settings.contract.metric(metric or "").model
        nodes = [name for kind, name in names if kind == "upstream"]
        owners = [alert.owner, *(self.lineage.owners.get(node, "") for node in nodes)]
        return self.settings.route_for(metric, model, owners, alert.severity)

    def _levels(self, alert: Alert) -> tuple[str, ...]:
        route = self._route_of(alert)
        return (route.on_call if route else ()) or self.settings.oncall.call

    def _rota(self) -> Rota:
        settings = self.settings
        token = _secret(settings.secrets.pagerduty_token)
        pagerduty = PagerDuty(settings.oncall.pagerduty_url, token) if token else None
        return Rota(settings.oncall, self.directory, pagerduty, self._levels)

    def _render(self, incident: Incident, place: Place) -> Sequence[Post]:
        kinds = {c.kind for c in incident.causes}
        view = View(
            now=self.clock(),
            channel=place.channel,
            primary=place.primary,
            home_link=self.conversation.link(incident.id),
            track_record={kind: self.store.track_record(kind) for kind in kinds},
            mitigations=tuple(self._remedy(a) for a in self.mitigations.actions),
            said=tuple(self.store.said(incident.id)),
            subjects=tuple(map(str, every(self.conversation.subjects()))),
            posted=frozenset(self.conversation.outbox.names(incident.id, place.channel)),
        )
        return render(incident, self.conversation.tree, view)

    def _remedy(self, action: Action) -> Remedy:
        may = self.mitigations.may.get(action.name)
        confirmers = None if may is None else tuple(sorted(may))
        return Remedy(action.name, action.title, action.acts_on, confirmers)

    def _bolt(self) -> App:
        app = App(
            client=self.client,
            signing_secret=_secret(self.settings.secrets.slack_signing_secret) or "unused",
            token_verification_enabled=False,
        )
        self.threads.register(app)
        levels = Levels(self.work.runner)
        Answers(self.conversation, self.mitigations, self.ask, levels).register(app)
        Suggestions(self.conversation, levels).register(app)
        record = Pins(self.conversation)
        record.register(app)
        Shortcuts(self.conversation, record).register(app)
        self.home.register(app)
        return app

    def ask(self, request: Request) -> Reply:
        """Answer a command, wherever it was given."""
        return commands.ask(request, self.conversation)

    def _on_sent(self, incident: str, channel: str, name: str) -> None:
        if name == "root":
            self.conversation.learn_link(incident, channel)

    def _notify(self, incident_id: str, user: str, what: str) -> None:
        incident = self.store.load(incident_id)
        if incident is not None:
            notices.send(self.client, incident, user, what, self.conversation.link(incident_id))

    def _write(self, user: str, payload: dict[str, Any]) -> None:
        notices.write(self.client, user, payload)

    def _remind(self, incident_id: str, number: int) -> None:
        incident = self.store.load(incident_id)
        offer = incident.handoff(number) if incident else None
        if incident is None or offer is None or offer.status != "offered" or not incident.is_open:
            return
        place = self.store.places(incident_id)[-1 if offer.channel else 0]
        thread = place.thread or self.conversation.outbox.message(
            incident_id, place.channel, "root"
        )
        self.client.chat_postMessage(
            channel=place.channel,
            thread_ts=thread or None,
            **reminder(incident, offer),
        )

    # -- running -------------------------------------------------------------------------------

    @property
    def web_url(self) -> str:
        """Where alerts are taken in, once started."""
        return self.web.url

    def start(self) -> None:
        """Start everything: workers are warming up already, Slack comes last."""
        from bot.monitors import start_monitors
        from bot.web import Web

        self.web = Web.of(self)
        schedule = Schedule()
        start_monitors(self, schedule)
        threading.Thread(target=self._read_back, name="read-back", daemon=True).start()
        parts = (
            (self.sender.loop.start, self.sender.loop.stop),
            (self.work.start, self.work.loop.stop),
            (self.home.loop.start, self.home.loop.stop),
            (schedule.start, schedule.stop),
            (self.web.start, self.web.stop),
        )
        for begin, end in parts:
            begin()
            self._running.append(end)
        if self.settings.slack.mode == "socket":
            token = _secret(self.settings.secrets.slack_app_token)
            socket = SocketModeHandler(self.app, token, web_client=self.client)
            socket.connect()  # type: ignore[no-untyped-call]
            self._running.append(lambda: _close(socket))
        log.info("hawkeye is up", mode=self.settings.slack.mode, web=self.web.url)

    def _read_back(self) -> None:
        count = self.threads.catch_up(self.client)
        log.info("read back what was written meanwhile", messages=count)

    def stop(self) -> None:
        """Stop everything, the last started first; what is owed is done after the next start."""
        while self._running:
            self._running.pop()()
        self.store.close()

    def __enter__(self) -> Bot:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def subjects(settings: Settings) -> tuple[Subjects, Kin, Graph]:
    """What can be triaged, names from the settings and features from the table; what may be
    behind each, and the lineage."""
    from analysis.evidence import CannotExamine
    from analysis.explore.lines import series_names
    from analysis.warehouse import ROLES
    from bot.kinship import read_kin

    contract = settings.contract
    warehouse = settings.warehouse(utc_now())
    features, infra = tuple[str, ...](), tuple[str, ...]()
    try:
        features = warehouse.features
        infra = series_names(warehouse)
    except CannotExamine as error:
        # The bot starts all the same: the first step says it in the thread.
        log.error("a table can't be read", reason=str(error))
    dimensions = warehouse.shown((*warehouse.dimensions, *ROLES))
    models = tuple(m.name for m in contract.models)
    known = Subjects(contract.metric_names, models, features, infra, dimensions)
    return read_kin(warehouse, known)


def _close(socket: SocketModeHandler) -> None:
    """Hang up. The client's own threads take ten seconds to notice; nobody waits for them."""
    closing = threading.Thread(target=socket.close, name="hang-up", daemon=True)
    closing.start()
    closing.join(timeout=0.5)


def _client(settings: Settings) -> WebClient:
    return WebClient(
        _secret(settings.secrets.slack_bot_token), base_url=settings.secrets.slack_api_url
    )


def _secret(value: Any) -> str | None:
    return value.get_secret_value() if value is not None else None
