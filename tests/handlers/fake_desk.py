"""A desk over a real store and the real machine, with a clock, links and a small tree at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from analysis.evidence import CannotExamine, Scope, Window
from handlers.desk import Subjects
from state import events as ev
from state.events import Event
from state.incident import Alert, Incident
from state.machine import advance
from state.store import Place, Store
from state.tree import AGAIN, LEFT, Branch, Exit, Node, Tree

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
    members: set[str] = field(default_factory=lambda: {"C1"})
    offset: timedelta = timedelta(0)
    linked: bool = True

    def open(self, alert: Alert) -> Incident:
        """As the conversation does it: join the same key, else open."""
        found = self.store.find_open(alert.key)
        if found is not None:
            self.tell(found.id, ev.AlertJoined(self.at, alert))
            return self.store.load(found.id) or found
        incident = Incident(self.store.new_id(), alert, self.at, alert.severity)
        since = min(alert.since, self.at - timedelta(hours=1))
        baseline = Window(since - timedelta(days=7), since)
        scope = Scope(self.at, Window(since, self.at), baseline, alert.entry, alert.subject)
        event = ev.Opened(self.at, alert.start or self.tree.start(alert.entry), scope)
        after, _ = advance(incident, event, self.tree)
        self.store.save(None, after, event)
        self.store.add_place(Place(after.id, alert.channel or "C-routed", alert.thread))
        return after

    def tell(self, incident_id: str, event: Event) -> str:
        """One event in."""
        incident = self.store.load(incident_id)
        if incident is None:
            return f"I know no incident {incident_id}."
        after, effects = advance(incident, event, self.tree)
        refused = [e.why for e in effects if isinstance(e, ev.Refuse)]
        if refused:
            return refused[0]
        self.store.save(incident, after, event)
        return ""

    def now(self) -> datetime:
        """The clock's hands."""
        return self.at

    def subjects(self) -> Subjects:
        """The names."""
        return self.known

    def link(self, incident_id: str) -> str:
        """A permalink."""
        return f"https://acme.slack.com/archives/C1/p{incident_id}" if self.linked else ""

    def present(self, channel: str) -> bool:
        """Whether the bot is a member."""
        return channel in self.members

    def zone(self, user: str) -> tzinfo:
        """Everybody's zone."""
        del user
        return timezone(self.offset)
