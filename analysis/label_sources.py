"""What may deliver labels, and whether it broke: nodes of the lineage and services."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from analysis import infra, odds
from analysis.evidence import CannotExamine, Onset, Scope, Suspect, SuspectKind
from analysis.graph import health
from analysis.graph.lineage import Graph
from analysis.infra_series import breaks
from analysis.warehouse import Warehouse

SELDOM, SELDOMER = 2.0, 4.0
"""Log odds of nobody's fault where the lineage leads to the label, and where it does not: a source
that broke shows plainly, or does no such harm, and of what else broke most delivers no labels."""


@dataclass(frozen=True)
class Ranked:
    """What may have broken, the likeliest first, each with the probability that it did as its
    score; ``nobody`` is that of none. ``looked`` are the kinds of suspects that could be looked
    at, ``missing`` says what could not."""

    suspects: tuple[Suspect, ...] = ()
    nobody: float = 1.0
    looked: tuple[SuspectKind, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def log_odds(self) -> float:
        """That one of them broke."""
        nobody = min(max(self.nobody, 1e-6), 1 - 1e-6)
        return math.log((1 - nobody) / nobody)


def rank(warehouse: Warehouse, scope: Scope, *, late: bool) -> Ranked:
    """What lies above the label in the lineage, by how clearly it broke around the scope's onset.

    Where the lineage does not lead to the label, everything that is recorded if labels are ``late``
    and nothing otherwise: something breaks every other day, and labels that come need no reason.
    """
    graph, missing = infra.callees(warehouse), list[str]()
    above = frozenset(graph.of_feature(warehouse.contract.predictions.label or ""))
    if not (above or late):
        return Ranked(missing=("what delivers labels: no edge of the lineage leads to them",))
    found: dict[Suspect, float] = {}
    looked: list[SuspectKind] = []
    for kind, look in LOOKS.items():
        try:
            found |= look(warehouse, scope, graph, above)
            looked.append(kind)
        except CannotExamine as error:
            missing.append(str(error))
    fed = graph.fed(s.name for s, log_odds in found.items() if log_odds > 0)
    weights = {s: min(x, infra.WAITING) if s.name in fed else x for s, x in found.items()}
    names = {str(i): x for i, x in enumerate(weights.values())}
    shares = odds.share_out({"": SELDOM if above else SELDOMER} | names)
    suspects = [replace(s, score=shares[str(i)]) for i, s in enumerate(weights)]
    ranked = tuple(sorted(suspects, key=lambda s: -s.score))
    return Ranked(ranked, shares[""], tuple(looked), tuple(missing))


def _nodes(
    warehouse: Warehouse, scope: Scope, graph: Graph, above: frozenset[str]
) -> dict[Suspect, float]:
    """By their runs, with log odds. Every node has to be as much clearer as there are others."""
    runs = warehouse.table("runs")
    known = above or graph.nodes or set(warehouse.fetch(runs.select("node").distinct())["node"])
    onset = scope.onset or Onset(scope.window.start, scope.window.start, scope.window.end)
    try:
        every = health.of_nodes(warehouse, scope, (onset,), sorted(known))
    except CannotExamine as error:
        raise CannotExamine(f"the nodes' runs: {error}") from None
    looks = math.log(max(sum(h.runs > 0 for h in every.values()), 1))
    return {
        Suspect("upstream", h.node, 0.0, h.words, since=h.signs[0].since): min(
            h.log_odds - looks, infra.CLEAREST
        )
        for h in every.values()
        if h.signs and h.words != "usual"
    }


def _services(
    warehouse: Warehouse, scope: Scope, graph: Graph, above: frozenset[str]
) -> dict[Suspect, float]:
    """By their infrastructure series; where the lineage leads from none to the label, all."""
    ranked = breaks(warehouse, scope)
    nobody, shares = infra.blame(ranked, graph)
    every = {one.service for one in ranked}
    mine = above & every or every
    return {
        Suspect("infra", name, 0.0, infra.change(one), since=one.at): math.log(share / nobody)
        for name, (share, one) in shares.items()
        if name in mine
    }


_Look = Callable[[Warehouse, Scope, Graph, frozenset[str]], dict[Suspect, float]]
LOOKS: Mapping[SuspectKind, _Look] = {"upstream": _nodes, "infra": _services}
