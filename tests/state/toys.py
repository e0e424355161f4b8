"""A small tree and scopes for tests of the core."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from analysis.evidence import Evidence, Onset, Scope, Suspect, Window
from state.events import Checked, Opened
from state.incident import Alert, Incident
from state.machine import advance
from state.tree import AGAIN, LEFT, Branch, Exit, Node, Tree

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def _no_check(warehouse, scope):
    raise AssertionError("the machine never runs a check")


def node(name, *branches, blind=None):
    """A node whose check must not be called."""
    return Node(
        name=name,
        title=f"{name}?",
        question=f"Is it {name}?",
        why="why",
        diagnosis="how",
        mitigation="what helps",
        check=_no_check,
        branches=branches,
        blind=blind or branches[-1].verdict,
    )


TOY = Tree(
    nodes=(
        node("real", Branch("yes", "which", "Real"), Branch("no", "noise", "False alarm")),
        node(
            "which",
            Branch("these", "why", "These", each=True),
            Branch("together", "why", "Together"),
            Branch("none", "unknown", "None"),
        ),
        node("why", Branch("data", "data", "Data"), Branch("none", "unknown", "None")),
        node(
            "recovery",
            Branch("recovered", "resolved", "Back"),
            Branch("watching", AGAIN, "Watching"),
            Branch("not_recovering", LEFT, "Not back"),
        ),
    ),
    exits=(
        Exit("noise", "false_alarm", "Noise", "nothing"),
        Exit("unknown", "unknown", "Unknown", "nobody knows"),
        Exit("data", "training_data", "Data", "bad data", ("snapshot",)),
        Exit("resolved", "resolved", "Resolved", "over"),
    ),
    starts=(("metric", "real"), ("model", "which")),
    recovery="recovery",
)


def scope(now=NOW):
    """Three hours of incident, a week of baseline."""
    window = Window(now - timedelta(hours=3), now)
    baseline = Window(window.start - timedelta(days=7), window.start)
    return Scope(now, window, baseline, "metric", "precision")


def alert():
    """An alert on a metric."""
    return Alert("test", "k1", "metric", "precision", "precision fell", NOW - timedelta(hours=3))


def opened():
    """An incident whose first check is running."""
    incident = Incident("HE-1", alert(), NOW, 2)
    return advance(incident, Opened(NOW, "real", scope()), TOY)[0]


def suspect(name, score=0.6):
    """A suspect snapshot."""
    return Suspect("snapshot", name, score)


def found(verdict, *suspects, confidence=0.9, **more):
    """Evidence for a verdict."""
    return Evidence(verdict, confidence, f"It is {verdict}.", suspects, **more)


def feed(incident, *events):
    """The incident after several events that must all fit."""
    for event in events:
        after, _ = advance(incident, event, TOY)
        assert after.version == incident.version + 1, f"{event} did not fit"
        incident = after
    return incident


def at_which(*suspects):
    """An incident that waits for an answer at "which"."""
    from state.events import Answered

    onset = Onset(NOW - timedelta(hours=2), NOW - timedelta(hours=2.5), NOW - timedelta(hours=1.5))
    return feed(
        opened(),
        Checked(NOW, 1, found("yes", onset=onset)),
        Answered(NOW, 1, "yes", "U1"),
        Checked(NOW, 2, found("these", *suspects, proposed=len(suspects))),
    )


def later(minutes):
    """So many minutes after NOW."""
    return NOW + timedelta(minutes=minutes)


__all__ = ["NOW", "TOY", "replace"]
