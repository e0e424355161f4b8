"""What may deliver labels, and whether it broke: nodes of the lineage and services."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from analysis import infra, odds
from analysis.evidence import CannotExamine, Onset, Scope, Suspect, SuspectKind
from analysis.graph import health
from analysis.graph.lineage import Graph
from analysis.infra_series import breaks
from analysis.warehouse import Warehouse, naive

CLEAREST = 12.0
"""No source counts for more log odds than this."""
WAITS = 0.0
"""Log odds at most of a source that another one feeds which broke."""
SELDOM = 2.0, 4.0
"""Log odds of nobody's fault where the lineage leads to the label, and where it does not: a source
that broke shows plainly, or does no such harm, and of what else broke most delivers no labels."""
HISTORY = timedelta(days=14)


@dataclass(frozen=True)
class Source:
    """What may deliver labels, the log odds that it broke, and how that shows."""

    kind: SuspectKind
    name: str
    log_odds: float
    changed: str
    since: datetime | None = None

    def suspect(self, share: float) -> Suspect:
        """The same as a suspect of an incident."""
        return Suspect(self.kind, self.name, share, self.changed, since=self.since)


@dataclass(frozen=True)
class Ranked:
    """Sources, the likeliest first, with the probability of each that it broke; "" is that of
    nobody. ``missing`` could not be looked at."""

    sources: tuple[Source, ...]
    shares: dict[str, float]
    missing: tuple[str, ...]

    @property
    def blind(self) -> bool:
        """Whether neither runs nor infrastructure could be looked at."""
        return len(self.missing) == len(LOOKS)

    @property
    def log_odds(self) -> float:
        """That one of them broke."""
        nobody = min(max(self.shares[""], 1e-6), 1 - 1e-6)
        return math.log((1 - nobody) / nobody)


def rank(warehouse: Warehouse, scope: Scope, *, late: bool) -> Ranked:
    """What lies above the label in the lineage, by how clearly it broke around the scope's onset.

    Where the lineage does not lead to the label, everything that is recorded if labels are ``late``
    and nothing otherwise: something breaks every other day, and labels that come need no reason.
    """
    graph, missing = infra.callees(warehouse), list[str]()
    above = frozenset(graph.of_feature(warehouse.contract.predictions.label or ""))
    if not (above or late):
        return Ranked(
            (), {"": 1.0}, ("what delivers labels: no edge of the lineage leads to them",)
        )
    found: list[Source] = []
    for look in LOOKS:
        try:
            found += look(warehouse, scope, graph, above)
        except CannotExamine as error:
            missing.append(str(error))
    found = _without_the_fed(found, graph)
    shares = odds.share_out({"": SELDOM[not above]} | {s.name: s.log_odds for s in found})
    return Ranked(tuple(sorted(found, key=lambda s: -shares[s.name])), shares, tuple(missing))


def _without_the_fed(found: Sequence[Source], graph: Graph) -> list[Source]:
    """What another one feeds that broke only passes it on."""
    ill = {s.name for s in found if s.log_odds > 0}
    fed = {s.name for s in found if ill & set(graph.above(s.name)) - {s.name}}
    return [replace(s, log_odds=min(s.log_odds, WAITS)) if s.name in fed else s for s in found]


def _nodes(warehouse: Warehouse, scope: Scope, graph: Graph, above: frozenset[str]) -> list[Source]:
    """By their runs. Every node has to be as much clearer as there are others."""
    onset = scope.onset or Onset(scope.window.start, scope.window.start, scope.window.end)
    runs = warehouse.table("runs")
    runs = runs.filter(runs["time"] >= naive(min(scope.baseline.start, onset.low - HISTORY)))
    if above or graph.nodes:
        runs = runs.filter(runs["node"].isin(sorted(above or graph.nodes)))
    try:
        frame = warehouse.fetch(runs)
    except CannotExamine as error:
        raise CannotExamine(f"the nodes' runs: {error}") from None
    names = sorted(above or graph.nodes or set(frame["node"].astype(str)))
    ills = [health.examine(name, frame, (onset,), scope.window.end) for name in names]
    looks = math.log(max(sum(h.runs > 0 for h in ills), 1))
    return [
        Source("upstream", h.node, min(h.log_odds - looks, CLEAREST), h.words, h.signs[0].since)
        for h in ills
        if h.runs and h.signs and h.words != "usual"
    ]


def _services(
    warehouse: Warehouse, scope: Scope, graph: Graph, above: frozenset[str]
) -> list[Source]:
    """By their infrastructure series; where the lineage leads from none to the label, all."""
    ranked = breaks(warehouse, scope)
    nobody, shares = infra.blame(ranked, graph)
    every = {one.service for one in ranked}
    mine = above & every or every
    return [
        Source("infra", name, min(math.log(share / nobody), CLEAREST), infra.change(one), one.at)
        for name, (share, one) in shares.items()
        if name in mine
    ]


LOOKS = (_nodes, _services)
