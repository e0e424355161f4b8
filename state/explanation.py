"""The fewest causes that explain what fired: which alerts of open incidents belong together.

An alert finds its incident by what is known when it comes (state/grouping.py); what comes after it
may show that it is due to something else. A model's alert joins the one ill feature above it, and
then another feature of the model breaks at the time at which the model did. So the incidents that
may have to do with an alert are explained anew, all their alerts at once:

1. causes are taken one by one, each with the alerts that it explains within one span of onsets,
   first the one that explains most (parsimonious covering, Peng and Reggia 1990, by the greedy
   set cover);
2. a cause whose alerts others explain as well is left out, those with the fewest first;
3. an alert that several causes explain goes to the one whose onset is nearest.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from state.grouping import CLOSE, WINDOW, Kin, Names, candidates, ill, kind, named, spoken_of
from state.incident import Incident, Signal, attended

Causes = Mapping[str, list[Signal]]
"""What may be behind alerts, each cause with those that it would explain."""


@dataclass
class Group:
    """Alerts that are due to one cause."""

    cause: str
    signals: list[Signal]

    def gap(self, since: datetime) -> timedelta:
        """How far an onset lies outside of those of its alerts."""
        onsets = [s.since for s in self.signals]
        return max(min(onsets) - since, since - max(onsets), timedelta(0))

    @property
    def onset(self) -> datetime:
        """The middle one of its alerts' onsets."""
        return sorted(s.since for s in self.signals)[len(self.signals) // 2]


@dataclass(frozen=True)
class Shift:
    """Alerts that belong to another incident, ``into``; ``whole``: all that ``of`` has."""

    of: str
    into: str
    cause: str
    signals: tuple[Signal, ...]
    whole: bool


def explained(signals: Sequence[Signal], kin: Kin, told: Names = frozenset()) -> list[Group]:
    """Alerts in groups of one cause each. ``told`` are causes that people have named."""
    causes = supposed(signals, kin, told)
    behind: dict[str, set[str]] = {}
    for cause, shown in causes.items():
        for signal in shown:
            behind.setdefault(signal.key, set()).add(cause)
    groups = _needed(_covered(causes, kin), behind)
    return _nearest(groups, behind)


def supposed(signals: Sequence[Signal], kin: Kin, told: Names) -> Causes:
    """What there is evidence for: what was named and can be told apart, models, metrics, and
    nodes that make two features which are ill."""
    told |= frozenset(name for s in signals for name in s.names)
    made = Counter(node for name in told for node in kin.direct.get(name, ()))
    found: dict[str, list[Signal]] = {}
    for signal in signals:
        evident = [c for c in candidates(signal, kin) if _evident(c, told, made, kin)]
        for cause in evident or [spoken_of(signal)]:
            found.setdefault(cause, []).append(signal)
    return found


def _evident(cause: str, told: Names, made: Mapping[str, int], kin: Kin) -> bool:
    if kind(cause) in ("model", "metric"):
        return True
    if cause in told:
        return ill(cause, kin)
    return made.get(cause, 0) > 1 and kin.tells(cause, "feature")


def _covered(causes: Causes, kin: Kin) -> list[Group]:
    """Every alert in the group of one cause, found greedily."""
    left = {cause: sorted(shown, key=lambda s: s.since) for cause, shown in causes.items()}
    spans = {cause: _span(shown) for cause, shown in left.items()}
    ranks = {cause: _rank(cause, span, kin) for cause, span in spans.items()}
    groups = []
    while spans:
        most = min(ranks, key=ranks.__getitem__)
        groups.append(Group(most, spans[most]))
        taken = {s.key for s in spans[most]}
        for cause in [c for c, shown in left.items() if any(s.key in taken for s in shown)]:
            left[cause] = [s for s in left[cause] if s.key not in taken]
            if left[cause]:
                spans[cause] = _span(left[cause])
                ranks[cause] = _rank(cause, spans[cause], kin)
            else:
                del left[cause], spans[cause], ranks[cause]
    return groups


def _rank(cause: str, span: Sequence[Signal], kin: Kin) -> tuple[int, datetime, int, str]:
    """The lowest first: what explains most, then what was told first, then the narrowest."""
    return -_views(span), _told_at(cause, span), kin.width(cause), cause


def _told_at(cause: str, signals: Sequence[Signal]) -> datetime:
    """When an alert first named it: of causes that explain as much, the one that was told first has
    it, so that what broke on its own at the same time stays an incident of its own."""
    told = (s.first for s in signals if cause in s.names)
    return min(told, default=datetime.max.replace(tzinfo=UTC))


def _span(signals: Sequence[Signal]) -> list[Signal]:
    """Of alerts in the order of their onsets those of one onset: most views within CLOSE."""
    spans, first = [], 0
    for last, signal in enumerate(signals):
        while signal.since - signals[first].since > CLOSE:
            first += 1
        spans.append(list(signals[first : last + 1]))
    return max(spans, key=lambda span: (_views(span), len(span)))


def _views(signals: Sequence[Signal]) -> int:
    """How many things they are about: rules that say the same count once."""
    return len({s.names for s in signals})


def _needed(groups: list[Group], behind: Mapping[str, set[str]]) -> list[Group]:
    """Without those whose alerts others explain as well; they take them in."""
    for group in sorted(groups, key=lambda g: _views(g.signals)):
        others = [g for g in groups if g is not group]
        heirs = [_heir(s, group.cause, others, behind) for s in group.signals]
        if all(heirs):
            groups = others
            for signal, heir in zip(group.signals, heirs, strict=True):
                if heir is not None:
                    heir.signals.append(signal)
    return groups


def _heir(
    signal: Signal, cause: str, groups: Sequence[Group], behind: Mapping[str, set[str]]
) -> Group | None:
    """The nearest of those that explain an alert as well: from the same time, or the same cause
    seen late."""
    fits = [
        (gap, n)
        for n, group in enumerate(groups)
        if group.cause in behind[signal.key]
        and (gap := group.gap(signal.since)) <= (WINDOW if group.cause == cause else CLOSE)
    ]
    return groups[min(fits)[1]] if fits else None


def _nearest(groups: list[Group], behind: Mapping[str, set[str]]) -> list[Group]:
    """Every alert with the cause that it names, else with the one that began nearest to it."""
    found = [Group(group.cause, []) for group in groups]
    onsets = [group.onset for group in groups]
    for here, group in enumerate(groups):
        for signal in group.signals:
            place = here
            if group.cause not in signal.names:
                fits = [n for n, g in enumerate(groups) if g.cause in behind[signal.key]]
                place = min(fits, key=lambda n: (abs(signal.since - onsets[n]), n != here))
            found[place].signals.append(signal)
    return [group for group in found if group.signals]


def shifts(incident: Incident, incidents: Sequence[Incident], kin: Kin) -> list[Shift]:
    """What belongs elsewhere, now that ``incident`` has a new alert.

    The home of a cause is an incident that was opened by one of its alerts: one that people are
    on, else the oldest of those that have not more alerts of other causes. What has no such home
    stays where it is, and so does all that is in the hands of people: they get alerts, and none is
    taken from them. An incident whose sender said where to begin has nothing to do with others.
    """
    both = (incident, *_neighbours(incident, incidents, kin))
    near = [i for i in both if i.signals and not i.alert.start]
    told = frozenset[str]().union(*(named(i) for i in near))
    homes: dict[str, tuple[Incident, str]] = {}
    for group in explained([s for i in near for s in i.signals], kin, told):
        keys = {s.key for s in group.signals}
        opened = [i for i in near if i.signals[0].key in keys]
        if opened:
            home = min(opened, key=lambda i: (not attended(i), _mostly_else(i, keys), i.opened_at))
            homes |= dict.fromkeys(keys, (home, group.cause))
    return [shift for i in near if not attended(i) for shift in _leaving(i, homes)]


def _mostly_else(incident: Incident, keys: Set[str]) -> bool:
    return 2 * sum(s.key in keys for s in incident.signals) < len(incident.signals)


def _leaving(incident: Incident, homes: Mapping[str, tuple[Incident, str]]) -> Iterator[Shift]:
    """Where the alerts of an incident go. Its first one stays as long as any other does."""
    going: dict[str, list[Signal]] = {}
    causes: dict[str, str] = {}
    for signal in incident.signals:
        home, cause = homes.get(signal.key, (incident, ""))
        going.setdefault(home.id, []).append(signal)
        causes[home.id] = cause
    first = incident.signals[0]
    last = homes.get(first.key, (incident, ""))[0].id
    whole = incident.id not in going
    for into, signals in sorted(going.items(), key=lambda item: item[0] == last):
        moved = tuple(s for s in signals if whole or s is not first)
        if into != incident.id and moved:
            yield Shift(incident.id, into, causes[into], moved, whole and into == last)


def _neighbours(incident: Incident, incidents: Sequence[Incident], kin: Kin) -> list[Incident]:
    """Other incidents of its workspace that began when it did and may be due to the same."""
    mine = _behind(incident, kin)
    return [
        other
        for other in incidents
        if other.id != incident.id
        and other.alert.team == incident.alert.team
        and abs(other.alert.since - incident.alert.since) <= WINDOW
        and mine & _behind(other, kin)
    ]


def _behind(incident: Incident, kin: Kin) -> Names:
    """Whatever may be behind any of its alerts, and sets subjects apart."""
    names = frozenset[str]().union(*(candidates(s, kin) for s in incident.signals))
    told = named(incident)
    return frozenset(
        n for n in names if n in told or kind(n) != "upstream" or kin.tells(n, "feature")
    )
