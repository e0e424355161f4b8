"""A desk over a real store and the real machine, with a clock, links and a small tree at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

from analysis.evidence import CannotExamine, Scope, Window
from analysis.explore import Question
from handlers import blockkit
from handlers.desk import Subjects
from handlers.joining import home_of, reopens
from handlers.messages.words import action_title
from state import effects as fx
from state import events as ev
from state.events import Event
from state.grouping import Kin
from state.incident import Alert, Incident
from state.looks import Looks
from state.machine import advance
from state.outbox import Outbox, Resting
from state.said import Said, Sayings
from state.store import Place, Store
from state.tree import AGAIN, LEFT, Branch, Exit, Node, Tree
from tests.handlers.looks import uploaded

NOW = datetime(2026, 11, 23, 14, 46, tzinfo=UTC)


def _blind(_warehouse, _scope):
    raise CannotExamine("this tree is only walked by hand")


def node(name: str, title: str, *branches: Branch) -> Node:
    """A node that nobody checks."""
    return Node(name, title, title, "", "", "", _blind, branches, blind=branches[0].verdict)


TREE = Tree(
    nodes=(
        node(
            "real",
            "Is it real?",
            Branch("real", "models", "Real"),
            Branch("false_alarm", "false_alarm", "False alarm"),
        ),
        node(
            "models",
            "Which models?",
            Branch("degraded", "model", "These"),
            Branch("none", "unknown", "None & nothing"),
        ),
        node(
            "recovery",
            "Is it back?",
            Branch("recovered", "resolved", "Back to normal"),
            Branch("watching", AGAIN, "Keep watching"),
            Branch("not_recovering", LEFT, "Next suspect"),
        ),
    ),
    exits=(
        Exit("false_alarm", "false_alarm", "False alarm", "Nothing left its range."),
        Exit("model", "model", "Model", "The model.", ("model",)),
        Exit("unknown", "unknown", "Unknown", "None of these."),
        Exit("resolved", "resolved", "Resolved", "It is back."),
    ),
    starts=(("metric", "real"), ("model", "models"), ("feature", "real")),
    recovery="recovery",
)


KNOWN = Subjects(
    metrics=("precision", "late arrival rate"),
    models=("delay", "precision_model"),
    features=("temp", "humid", "delay"),
)


@dataclass
class FakeDesk:
    """What a conversation does for a command, without Slack."""

    store: Store
    tree: Tree = TREE
    at: datetime = NOW
    known: Subjects = KNOWN
    kin: Kin = field(default_factory=Kin)
    members: set[str] = field(default_factory=lambda: {"C1"})
    public: set[str] = field(default_factory=lambda: {"C1", "C9"})
    offset: timedelta = timedelta(0)
    linked: bool = True
    told: list[dict[str, Any]] = field(default_factory=list)
    written: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    exported: list[tuple[str, str]] = field(default_factory=list)
    shut_out: set[tuple[str, str]] = field(default_factory=set)

    def open(self, alert: Alert) -> Incident:
        """As the conversation does it: join where it belongs, else open."""
        home = home_of(self.store, alert, self.at, self.kin)
        if home is not None:
            self.tell(home.incident.id, ev.AlertJoined(self.at, alert, home.why))
            if reopens(home.incident):
                self.tell(home.incident.id, ev.Reopened(self.at, ""))
            return self.store.load(home.incident.id) or home.incident
        incident = Incident(self.store.new_id(), alert, self.at, alert.severity)
        since = min(alert.since, self.at - timedelta(hours=1))
        baseline = Window(since - timedelta(days=7), since)
        scope = Scope(self.at, Window(since, self.at), baseline, alert.entry, alert.subject)
        event = ev.Opened(self.at, alert.start or self.tree.start(alert.entry), scope)
        after, _ = advance(incident, event, self.tree)
        self.store.save(None, after, event)
        self.store.add_place(Place(after.id, alert.channel or "C-routed", alert.thread))
        return after

    def puzzle(self, alert: Alert, why: str, guesses: tuple[str, ...]) -> Incident:
        """As the conversation does it."""
        home = home_of(self.store, alert, self.at, self.kin)
        if home is not None:
            self.tell(home.incident.id, ev.AlertJoined(self.at, alert))
            return self.store.load(home.incident.id) or home.incident
        incident = Incident(self.store.new_id(), alert, self.at, alert.severity)
        event = ev.Puzzled(self.at, why, guesses)
        after, _ = advance(incident, event, self.tree)
        self.store.save(None, after, event)
        return after

    def tell(self, incident_id: str, event: Event) -> str:
        """One event in."""
        incident = self.store.load(incident_id)
        if incident is None:
            return f"I know no incident {incident_id}."
        after, effects = advance(incident, event, self.tree)
        refused = [e.why for e in effects if isinstance(e, fx.Refuse)]
        if refused:
            return refused[0]
        self.store.save(incident, after, event)
        return ""

    def title(self, action: str) -> str:
        """A mitigation's name in words."""
        return action_title(action)

    def resting(self, incident_id: str = "") -> list[Resting]:
        """What the store's outbox could not send."""
        return Outbox(self.store).resting(incident_id)

    def now(self) -> datetime:
        """The clock's hands."""
        return self.at

    def subjects(self) -> Subjects:
        """The names."""
        return self.known

    def said(self, incident_id: str, user: str) -> list[Said]:
        """What that person can read; nobody is the bot here."""
        return [s for s in Sayings(self.store).of(incident_id) if self.may_read(s.channel, user)]

    def may_tell(self, incident_id: str, thread_of: str, channel: str) -> bool:
        """Unless it was shut out of the channel."""
        return (incident_id, channel) not in self.shut_out

    def may_read(self, channel: str, user: str) -> bool:
        """Everybody but those who were shut out."""
        return (channel, user) not in self.shut_out

    def link(self, incident_id: str) -> str:
        """A permalink."""
        return f"https://acme.slack.com/archives/C1/p{incident_id}" if self.linked else ""

    def write(self, user: str, incident_id: str, payload: dict[str, Any]) -> None:
        """Remembered."""
        self.written.append((user, payload))

    def present(self, channel: str) -> bool:
        """Whether the bot is a member."""
        return channel in self.members

    def open_to_all(self, channel: str) -> bool:
        """Whether it is a public one."""
        return channel in self.public

    def team_named(self, alert: Alert) -> str:
        """No org."""
        return ""

    def zone(self, user: str) -> tzinfo:
        """Everybody's zone."""
        del user
        return timezone(self.offset)

    def look(self, incident_id: str, channel: str, user: str, asked: str, at: Question) -> None:
        """What was asked is kept."""
        Looks(self.store).add(incident_id, channel, user, self.at, asked, at)

    def say(
        self, incident_id: str, channel: str, user: str, asked: str, payload: dict[str, Any]
    ) -> None:
        """What was said is kept, if Slack would take it."""
        assert blockkit.problems(uploaded(payload)) == []
        Looks(self.store).add(incident_id, channel, user, self.at, asked)
        self.told.append(payload)

    def export(self, incident_id: str, channel: str, user: str, form: str) -> None:
        """What is owed."""
        self.exported.append((incident_id, form))

    def may_see(self, incident_id: str, user: str) -> bool:
        """Everybody but those who were shut out."""
        return (incident_id, user) not in self.shut_out
