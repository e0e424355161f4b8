"""Which open incident an alert belongs to: one incident per cause, however many alerts it sends.

Every subject has things that may be behind it: itself, the model of a metric, the features of a
model, the nodes of the lineage above them. An incident may be due to what is behind all of its
alerts at once, so every alert that joins narrows it down; two features that are ill on their own
stay two incidents, although the model below shows both. An alert belongs where something is left
that may be behind it as well, and where that is evidence:

- a node of the lineage that an alert, or an answered step, has named as ill;
- a model, for itself and its metrics;
- a feature that has an alert of its own, unless it feeds so many models that it says nothing;
- a node that nobody named, for two features that are made by it directly, or for anything if it
  is behind so few subjects that strangers would seldom meet below it.

Where later alerts show that it was otherwise, state/explanation.py puts it right.

Time alone joins nothing: it decides between several that fit, and what began too long before or
after fits none. Where an onset is known to lie within bounds, the bounds count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from analysis.evidence import Onset
from state.incident import Alert, Incident, Signal
from state.signals import first_heard

WINDOW = timedelta(minutes=60)
"""Onsets further apart than this are not one cause: a metric's bucket is an hour by default, so
that two views of one onset may differ by that much."""
CLOSE = timedelta(minutes=10)
"""Onsets are told apart to this: rules look every few minutes, and wait a few before they fire."""
SELDOM = 0.1
"""Alerts that have nothing to do with each other meet below a node one time in ten, if one subject
in ten hangs on it; with two incidents that could be met, if one in twenty does, and so on."""
MANY = 3
MOST_OF = 1 / 3
"""What feeds more than MANY subjects of a kind, and more than a third of them, tells none of them
apart from the others."""

DEEPEST = ("upstream", "feature", "model", "metric", "stray")
"""Kinds of names, those nearest to the cause first."""

Names = frozenset[str]


@dataclass(frozen=True)
class Kin:
    """What may be behind what. Names are "metric:…", "model:…", "feature:…" or "upstream:…".

    ``behind`` maps a name to all that may be behind it, itself included; ``direct`` maps a
    feature to the nodes that make it.
    """

    behind: Mapping[str, Names] = field(default_factory=dict)
    direct: Mapping[str, Names] = field(default_factory=dict)

    def of(self, name: str) -> Names:
        """What may be behind a name; itself alone where nothing is known."""
        return self.behind.get(name) or frozenset({name})

    @cached_property
    def below(self) -> Mapping[str, Counter[str]]:
        """How many subjects of each kind a name may be behind."""
        found: dict[str, Counter[str]] = {}
        for name, causes in self.behind.items():
            if kind(name) != "upstream":
                for cause in causes:
                    found.setdefault(cause, Counter())[kind(name)] += 1
        return found

    def width(self, name: str) -> int:
        """How many subjects a name may be behind."""
        return self.below.get(name, Counter()).total()

    @cached_property
    def counts(self) -> Counter[str]:
        """How many subjects of each kind there are."""
        return Counter(kind(name) for name in self.behind if kind(name) != "upstream")

    def tells(self, name: str, of: str) -> bool:
        """Whether being below ``name`` sets a subject of the kind ``of`` apart from others."""
        count = self.below.get(name, Counter())[of]
        return count <= MANY or count <= MOST_OF * self.counts[of]

    def seldom(self, name: str, others: int) -> bool:
        """Whether so few subjects are below ``name`` that a stranger seldom meets one of
        ``others`` there."""
        count = self.width(name)
        return count * others <= SELDOM * self.counts.total()


@dataclass(frozen=True)
class Home:
    """The incident that an alert belongs to, and what they share, in a few words."""

    incident: Incident
    why: str = ""


def belongs(alert: Alert, incidents: Sequence[Incident], kin: Kin) -> Home | None:
    """The incident that an alert is due to the same cause as; None when it is a new one.

    ``incidents`` are those that may be joined. The same alert is where it was. Of several that
    fit, the one with the nearer onset counts; of those that are as near, the one that has the
    subject already, then the one with the nearer cause.
    """
    newcomer = first_heard(alert, alert.since)
    same = next((i for i in incidents if any(s.key == alert.key for s in i.signals)), None)
    if same is not None:
        return Home(same)
    incidents = [i for i in incidents if i.alert.team == alert.team]
    near = [i for i in incidents if _gap(newcomer, i) <= WINDOW]
    fits: list[tuple[tuple[int, bool, int, timedelta], Home]] = []
    for incident in near:
        alike = _has(incident, newcomer)
        cause = "" if alike else _shared(newcomer, incident, kin, len(near))
        if cause is not None:
            gap, width = _gap(newcomer, incident), kin.width(cause)
            fits.append(((gap // CLOSE, not alike, width, gap), Home(incident, cause)))
    if fits:
        return min(fits, key=lambda fit: fit[0])[1]
    late = [i for i in incidents if _has(i, newcomer)]
    return Home(late[-1]) if late else None


def _has(incident: Incident, newcomer: Signal) -> bool:
    """Whether one of its alerts is about the same thing first of all.

    The same metric of another model, or below another node, is another thing.
    """
    return any(
        spoken_of(s) == spoken_of(newcomer) and not _contradict(s, newcomer)
        for s in incident.signals
    )


def _contradict(one: Signal, other: Signal) -> bool:
    """Whether two alerts about the same thing name different nodes, or models of a metric."""
    telling = ["upstream"] if kind(spoken_of(one)) == "feature" else ["upstream", "model"]
    for which in telling:
        mine, theirs = ({n for n in s.names if kind(n) == which} for s in (one, other))
        if mine and theirs and not mine & theirs:
            return True
    return False


def ill(named_cause: str, kin: Kin) -> bool:
    """Whether a cause that was named is evidence for all that hangs on it."""
    match kind(named_cause):
        case "upstream":
            return True
        case "feature":
            return kin.tells(named_cause, "model")
    return False


def spoken_of(signal: Signal) -> str:
    """What an alert is about first of all: its subject, or the node that it names alone."""
    return signal.names[0] if signal.names else f"{signal.entry}:{signal.subject}"


def candidates(signal: Signal, kin: Kin) -> Names:
    """What may be behind an alert: behind all that it names; where the lineage knows of nothing
    such, behind the deepest thing that it names."""
    names = signal.names or (spoken_of(signal),)
    both = frozenset.intersection(*(kin.of(name) for name in names))
    return both or kin.of(min(names, key=lambda n: DEEPEST.index(kind(n))))


def suspected(incident: Incident, kin: Kin) -> Names:
    """What may be behind all alerts of an incident."""
    left: Names | None = None
    for names in dict.fromkeys(s.names for s in incident.signals):
        signal = next(s for s in incident.signals if s.names == names)
        found = candidates(signal, kin)
        left = found if left is None else (left & found or left)
    return left or frozenset()


def named(incident: Incident) -> Names:
    """What its alerts, and the answers of people, have named."""
    told = {name for s in incident.signals for name in s.names}
    chosen = [s for step in incident.live_steps if step.answer for s in step.answer.suspects]
    chosen += [s for cause in incident.causes for s in cause.suspects]
    return frozenset(told | {f"{s.kind}:{s.name}" for s in chosen})


def _shared(newcomer: Signal, incident: Incident, kin: Kin, others: int) -> str | None:
    """The nearest thing that may be behind both and that is evidence; None when there is none."""
    both = candidates(newcomer, kin) & suspected(incident, kin)
    if not both:
        return None
    told = named(incident) | frozenset(newcomer.names)
    evidence = [c for c in both if _counts(c, newcomer, incident, told, kin, others)]
    order = {"metric": 0, "model": 1, "feature": 2, "upstream": 3}
    return min(
        evidence,
        key=lambda c: (kin.width(c), order[kind(c)], c),
        default=None,
    )


def _counts(
    cause: str, newcomer: Signal, incident: Incident, told: Names, kin: Kin, others: int
) -> bool:
    """Whether sharing this cause says that two alerts are due to it."""
    match kind(cause):
        case "model" | "metric":
            return True
        case "upstream" | "feature" if cause in told:
            return ill(cause, kin)
        case "upstream" if _made_by(cause, newcomer, incident, kin):
            return kin.tells(cause, "feature")
    return kin.seldom(cause, others)


def _made_by(node: str, newcomer: Signal, incident: Incident, kin: Kin) -> bool:
    """Whether a feature of the incident and the newcomer's are both made by a node directly."""

    def made(names: Iterable[str]) -> bool:
        return any(node in kin.direct.get(name, frozenset()) for name in names)

    return made(newcomer.names) and any(made(s.names) for s in incident.signals)


def _gap(newcomer: Signal, incident: Incident) -> timedelta:
    """How far an onset lies outside of those of an incident: none where their bounds overlap.

    An incident began when its alerts say, or when its own steps found that it did: an alert may
    have fired hours after what it is about.
    """
    low, high = _bounds(newcomer.since, newcomer.onset)
    spans = [_bounds(s.since, s.onset) for s in incident.signals or (incident.alert,)]
    found = (s.evidence.onset for s in incident.live_steps if s.evidence and not s.scope.onset)
    spans += [(onset.low, onset.high) for onset in found if onset]
    earliest, latest = min(span[0] for span in spans), max(span[1] for span in spans)
    return max(earliest - high, low - latest, timedelta(0))


def _bounds(since: datetime, onset: Onset | None) -> tuple[datetime, datetime]:
    return (min(since, onset.low), max(since, onset.high)) if onset else (since, since)


def kind(name: str) -> str:
    """ "metric", "model", "feature" or "upstream"."""
    return name.partition(":")[0]
