"""The composition root: every outside thing comes in here, and is handed to who needs it.

A :class:`Bot` is everything of one installation: the one of the bot token in the environment, or
one of several (bot/bots.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog
from slack_bolt import App

from bot import plugins
from bot.bolt import Own, bolt_app
from bot.checks import start_workers
from bot.config import Mitigation, Settings, require_slack
from bot.mitigations import Webhook
from bot.monitors import subjects_to_check
from bot.oncall import PagerDuty, Rota
from bot.paging import Owners, Page
from bot.routing import Routing
from handlers import commands, notices
from handlers.access import Access, Installed
from handlers.answers import Answers
from handlers.client import Client
from handlers.conversation import Conversation
from handlers.desk import Subject, Subjects, every
from handlers.directory import Directory
from handlers.home import Home
from handlers.leftovers import Leftovers
from handlers.levels import Levels
from handlers.messages import Remedy, View, render
from handlers.mitigations import Action, Mitigations
from handlers.once import retries
from handlers.one_by_one import OneByOne
from handlers.owing import Habits
from handlers.pins import Pins
from handlers.record.sending import Exports
from handlers.registry import Reply, Request
from handlers.replies import Replies
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
    from slack_bolt.oauth import OAuthFlow

    from analysis.graph.lineage import Graph

log = structlog.get_logger()


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Share:
    """What makes a bot one of several of a process.

    ``installation`` is the id of the workspace or org that it serves; its ``token`` is None until
    the app is installed there, by ``flow``. Incidents are numbered by ``numbers``; ``world`` is
    what the tables hold, read once for all. ``gone`` is told Slack's code when the app was taken
    out.
    """

    installation: str
    token: str | None
    numbers: Store
    world: tuple[Subjects, Kin, Graph]
    flow: OAuthFlow
    gone: Callable[[str], None]


@dataclass
class Bot:
    """The bot of one installation, running between :meth:`begin` and :meth:`end`: alone or among
    others behind a :class:`bot.front.Front`.

    ``actions`` are mitigations beside those of the settings and plugins. ``tree`` and ``runner``
    stand in for the plugins' tree and the worker processes. Without a ``share`` it is the only
    one, with the bot token of the environment.
    """

    settings: Settings
    clock: Callable[[], datetime] = utc_now
    actions: Sequence[Action] = ()
    recheck: timedelta | None = None
    tree: Tree = field(default_factory=plugins.tree)
    runner: Runner | None = None
    share: Share | None = None
    store: Store = field(init=False)
    conversation: Conversation = field(init=False)
    sender: Sender = field(init=False)
    work: Work = field(init=False)
    app: App = field(init=False)
    lineage: Graph = field(init=False)
    _running: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        from bot.kinship import known_subjects

        settings, share = self.settings, self.share
        require_slack(settings)
        self.installation = share.installation if share else ""
        token = share.token if share else _secret(settings.secrets.slack_bot_token)
        self.client = Client(
            token, base_url=settings.secrets.slack_api_url, retry_handlers=retries()
        )
        self.access = Access(self.client, self.installation)
        numbers = share.numbers if share else None
        self.store = Store(settings.state_of(self.installation), numbers)
        self.directory = Directory(self.client)
        self.mitigations = self._mitigations()
        known, kin, self.lineage = share.world if share else known_subjects(settings)
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
        runner = self.runner
        if runner is None:
            runner, stop = start_workers(settings)
            self._running.append(stop)
        outbox = self.conversation.outbox
        self.sender = Sender(self.client, outbox, self.access, self.directory, self._on_sent)
        exports = Exports(self.client, self.conversation, str(settings.path))
        tell = (exports.send, self._notify, self._write, lambda: self.access.works)
        self.work = Work(self.conversation, runner, self.mitigations, *tell)
        self.conversation.woken += [self.sender.loop.wake, self.work.loop.wake]
        self.home = Home(self.conversation, self.client, self.work.runner, self._watched)
        self.conversation.woken.append(self.home.changed)
        self.heard = OneByOne()
        self.threads = Threads(self.conversation, self.ask, self.heard)
        self.app = self._bolt()

    def _watched(self) -> tuple[tuple[Subject, ...], bool]:
        """What Home shows as monitored: the monitors, else the metrics."""
        known = self.conversation.subjects()
        found = tuple(filter(self.watches, subjects_to_check(self.settings, known)))
        metrics = tuple(filter(self.watches, every(known, "metric")))
        return found or metrics, bool(found)

    def watches(self, subject: Subject) -> bool:
        """Whether alerts about it go to this installation."""
        alert = Alert("monitor", "", subject.entry, subject.name, "", self.clock())
        return self.routing.target(alert).installation == self.installation

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
            give_up=timedelta(minutes=walk.give_up_minutes),
        )

    @property
    def routing(self) -> Routing:
        """Where alerts go."""
        return Routing(self.settings, self.lineage)

    def _route(self, alert: Alert) -> str:
        return self.routing.within(self.installation, alert).channel

    def _levels(self, alert: Alert) -> tuple[str, ...]:
        return self.routing.within(self.installation, alert).call

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
            track_record={kind: self.store.track_record(kind, incident.id) for kind in kinds},
            mitigations=tuple(self._remedy(a) for a in self.mitigations.actions),
            said=tuple(self.conversation.said_in(incident.id, place.channel)),
            subjects=tuple(map(str, every(self.conversation.subjects()))),
            links={
                other: self.conversation.link(other)
                for other in incident.elsewhere
                if self.conversation.may_tell(other, incident.id, place.channel)
            },
            posted=frozenset(self.conversation.outbox.names(incident.id, place.channel)),
        )
        return render(incident, self.conversation.tree, view)

    def _remedy(self, action: Action) -> Remedy:
        may = self.mitigations.may.get(action.name)
        confirmers = None if may is None else tuple(sorted(may))
        return Remedy(action.name, action.title, action.acts_on, confirmers)

    def _bolt(self) -> App:
        share = self.share
        flow, gone = (share.flow, share.gone) if share else (None, self.access.lose)
        app = bolt_app(self.settings, Own(self.client, self.directory), flow)
        Installed(self.access, gone, self._moved).register(app)
        self.threads.register(app)
        levels = Levels(self.work.runner)
        Answers(self.conversation, self.mitigations, levels).register(app)
        Replies(self.conversation, self.ask).register(app)
        Suggestions(self.conversation, levels).register(app)
        record = Pins(self.conversation, self.heard)
        record.register(app)
        Shortcuts(self.conversation, record).register(app)
        self.home.register(app)
        Leftovers().register(app)
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
            link = self.conversation.link(incident_id)
            notices.send(self.access, incident, user, what, link)

    def _write(self, user: str, payload: dict[str, Any]) -> None:
        notices.write(self.access, user, payload)

    # -- running -------------------------------------------------------------------------------

    def begin(self) -> None:
        """Start what sends, works and publishes. Nothing is sent without a token."""
        for loop in (self.sender.loop, self.work, self.home.loop, self.heard.loop):
            loop.start()
        loops = (self.sender.loop, self.work.loop, self.home.loop, self.heard)
        self._running += [loop.stop for loop in loops]
        self.read_back()

    def read_back(self) -> None:
        """Read what was written in the threads meanwhile, beside everything else."""
        reader = threading.Thread(target=self._read_back, name="read-back", daemon=True)
        reader.start()
        self._running.append(partial(self._end_reading, reader))

    def _end_reading(self, reader: threading.Thread) -> None:
        """Nothing is kept by a bot that has stopped."""
        self.threads.stopping.set()
        reader.join(timeout=10)

    def _read_back(self) -> None:
        if self.client.token:
            # Whoever gives the first command need not wait until Slack says who the bot is.
            if not self.directory.me()["user_id"]:
                self.access.probe()
            count = self.threads.catch_up(self.client)
            log.info("read back what was written meanwhile", messages=count)

    def use(self, token: str | None) -> None:
        """From now on this token: of a new installation, or None when the app was taken out."""
        worked, changed = self.access.works, token != self.client.token
        self.client.token = token
        self.access.regain()
        if changed:
            self.directory.forget()
        if token and not worked:
            self.read_back()
        self.sender.loop.wake()

    def _moved(self) -> None:
        """The org added or removed workspaces: what waits may have become possible."""
        self.directory.forget()
        self.conversation.outbox.hurry()
        self.sender.loop.wake()

    @property
    def alive(self) -> bool:
        """Whether what sends and what works is running."""
        return self.sender.loop.alive and self.work.loop.alive

    def end(self) -> None:
        """Stop it, the last started first; what is owed is done after the next start."""
        while self._running:
            self._running.pop()()
        self.store.close()


def _secret(value: Any) -> str | None:
    return value.get_secret_value() if value is not None else None
