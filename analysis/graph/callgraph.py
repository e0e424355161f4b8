"""Which node of a call graph or pipeline caused a change of one node's metric?

The change is followed from the target upwards (towards what it calls, or is made from): a node is
to blame for what it shows and what none of its own upstreams explains. Nodes are compared on the
target's metric, in the target's direction and, where it adds up along the edges, in its unit, so
that a dependency whose latency rose by three milliseconds does not explain a caller's three
hundred; where each node counts in a unit of its own, in what is usual for it. Other metrics of a
node speak for it; they lead the way only where a node broke in another metric and those that depend
on it show what nothing else explains (analysis/graph/hidden.py). How far a window lies from usual
is judged in analysis/graph/moves.py. A node that is next to one that is ill need not be off as
plainly as one that stands alone: fewer are looked at. Following anomalies along the graph is Chen
et al. 2014 (CauseInfer), and that a cause goes up and down when its symptom does is Kim et al. 2013
(MonitorRank); that it must explain the size is ours.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from analysis.graph.hidden import FAILS, ODDS, WORKS, Hidden, Key, Scene, breaks, is_of, is_traffic
from analysis.graph.lineage import Graph
from analysis.graph.moves import DOUBTFUL, NORMAL_Z, PLAIN, STILL, Move, logistic, moves_of

if TYPE_CHECKING:
    import pandas as pd

SIDE = 0.35
"""How much other metrics of a node count beside the target's."""
TRAFFICLESS = 0.1
EXPLAINS = 0.5
"""An upstream that moved by this part of a node's own change explains all of it."""
LOST = ODDS / (1 + ODDS)
"""Probability that calls that a node misses were made, and hang before they are counted."""
HOW_MUCH_MORE, HOW_OFTEN, HOW_MANY = 3.0, 0.15, 2
"""What adds up along calls is less above than below. Where more than this part of the edges (and as
many at least) have so much more above, nodes have units of their own."""
SUPPORT = 2.5
"""Standard deviations that an upstream which surely shows the same adds to the target's own."""


@dataclass(frozen=True)
class Blame:
    """A node, its score (0 to 1, the ranked ones sum to at most 1) and its most telling metric."""

    node: str
    metric: str
    score: float


@dataclass(frozen=True)
class Ranking:
    """Nodes, most to blame first; ``nobody`` is the probability that nothing is wrong at all."""

    ranked: tuple[Blame, ...]
    nobody: float


def rank(graph: Graph, metrics: pd.DataFrame, target: str, metric: str, since: datetime) -> Ranking:
    """Root causes of a change of ``target``'s ``metric`` since a moment.

    ``metrics`` has the columns time, node, metric, value (any number of metrics per node).
    Causes flow from left to right along edges, so that for services the callee is upstream.
    Nobody is blamed when the target's own window is usual and no upstream shows why it should not
    be. Nodes that do not lead to the target are left out.
    """
    moves = moves_of(metrics, since)
    broke = breaks(moves)
    symptom = moves.get((target, metric), STILL)
    seen = 1.0 if symptom.z >= 0 else -1.0
    signs = (seen,) if abs(symptom.z) >= NORMAL_Z else (seen, -seen)
    # Where the target hardly moved, the direction is that of whatever is wrong above it.
    nodes = [target, *graph.above(target)]
    views = [_view(graph, moves, broke, nodes, metric, sign) for sign in signs]
    view = max(views, key=lambda v: v.support)
    total = sum(view.weight.values()) or 1.0
    nobody = 1 - logistic(max(view.symptom, 0.0) + SUPPORT * view.support - DOUBTFUL)
    ranked = sorted(nodes, key=lambda n: -view.weight[n])
    return Ranking(
        tuple(Blame(n, view.telling[n], (1 - nobody) * view.weight[n] / total) for n in ranked),
        nobody,
    )


@dataclass(frozen=True)
class _View:
    """What the nodes show in one direction: their weight as a cause and most telling metric, the
    target's own standard deviations, and how surely (0 to 1) an upstream shows the same."""

    weight: dict[str, float]
    telling: dict[str, str]
    symptom: float
    support: float


def _view(
    graph: Graph,
    moves: Mapping[Key, Move],
    broke: Mapping[Key, float],
    nodes: list[str],
    metric: str,
    sign: float,
) -> _View:
    """Weigh every node; the first one is the target."""
    target = nodes[0]
    same = {n: _harm(moves.get((n, metric)), sign) for n in nodes}
    other = {n: _loudest(broke, n, metric) for n in nodes}
    ill = {n: 1 - (1 - same[n].off) * (1 - SIDE * other[n][1]) for n in nodes}
    given = {n: max(logistic(abs(same[n].z) - NORMAL_Z), ill[n]) for n in nodes}
    one_unit = _one_unit(graph, {n: m for (n, name), m in moves.items() if name == metric})
    moved = {n: m.size(one_unit) for n, m in same.items()}
    blind = {n for n in nodes if (n, metric) not in moves}
    shown = {n: _own(graph, n, moved, ill, given, blind) for n in nodes}
    shows = {n: _shows(moves.get((n, metric)), sign) for n, _ in moves}
    hidden = Scene(graph, moves, broke, metric, shows, shown, blind).hidden(nodes)
    symptom = moves.get((target, metric), STILL)
    alike = {n: symptom.along(same[n]) for n in nodes}
    loud = {n: min(abs(same[n].z), PLAIN) for n in nodes}
    felt = {n: h for n, h in hidden.items() if _hands_down(h, same[n], moved[n], moved[h.caller])}
    ill |= {n: max(h.surety, ill[n]) for n, h in felt.items()}
    given |= {n: max(h.surety, given[n]) for n, h in felt.items()}
    moved |= {n: moved[h.caller] for n, h in felt.items()}
    alike |= {n: alike[h.caller] for n, h in felt.items()}
    loud |= {n: h.z for n, h in felt.items()}
    reach = _reach(graph, target, given, blind)
    part = _parts(moves, moved, symptom.size(one_unit), one_unit, metric)
    weight = {
        n: reach[n]
        * _own(graph, n, moved, ill, given, blind)
        * (1 + SIDE * other[n][1])
        * math.log1p(loud[n] + other[n][1])
        * part[n]
        * (SIDE + (1 - SIDE) * alike[n] ** 2)
        for n in nodes
    }
    support = max((same[n].off * alike[n] * part[n] for n in nodes[1:]), default=0.0)
    telling = {n: metric if same[n].off >= SIDE * other[n][1] else other[n][0] for n in nodes}
    telling |= {n: h.metric for n, h in hidden.items() if h.surety > same[n].off}
    return _View(weight, telling, symptom.seen(sign), support)


def _hands_down(found: Hidden, same: Move, moved: float, below: float) -> bool:
    """Whether what a node hands down without showing it says more than what it shows."""
    return found.surety > same.off or (found.surety > 0.5 and below > moved)


def _shows(move: Move | None, sign: float) -> float:
    """How surely a node shows the symptom, given that what it depends on is ill."""
    z = _harm(move, sign).z
    return logistic(abs(z) - NORMAL_Z) if z else 0.0


def _harm(move: Move | None, sign: float) -> Move:
    """A move in the target's direction; the other way is none."""
    return move if move is not None and move.z * sign > 0 else STILL


def _loudest(broke: Mapping[Key, float], node: str, metric: str) -> tuple[str, float]:
    """The node's other metric that is most off, and how surely, less for every one tried."""
    mine = {
        m: logistic(abs(z) - DOUBTFUL) for (n, m), z in broke.items() if n == node and m != metric
    }
    if not mine:
        return metric, 0.0
    name = max(mine, key=lambda m: mine[m])
    return name, mine[name] / (1 + 0.1 * math.log(len(mine)))


def _one_unit(graph: Graph, measured: Mapping[str, Move]) -> bool:
    """Whether the nodes' levels of a metric look like amounts of one thing that adds up along the
    edges, such as latency, and not like things that are counted each in its own way."""
    usual = {n: abs(m.usual) for n, m in measured.items()}
    pairs = [(a, b) for b in usual for a in graph.parents(b) if a in usual]
    more = sum(usual[a] > HOW_MUCH_MORE * usual[b] for a, b in pairs)
    return more < HOW_MANY or more <= HOW_OFTEN * len(pairs)


def _parts(
    moves: Mapping[Key, Move],
    moved: Mapping[str, float],
    symptom: float,
    one_unit: bool,
    metric: str,
) -> dict[str, float]:
    """Which part of the target's change each node's change times its traffic can make up, at most
    all of it: what few calls go through matters little. TRAFFICLESS for nodes without a count; the
    root where no metric counts, since how often a node is called is then unknown, or where nodes
    have units of their own, which traffic does not convert."""
    counts = [m for _, m in moves if is_traffic(m)][:1]
    traffic = {n: v for (n, m), v in moves.items() if m in counts and n in moved}
    calls = {n: max(v.now, 0.0) for n, v in traffic.items()}
    if not is_of(metric, (*FAILS, *WORKS)):
        lost = _lost(traffic, traffic.get(next(iter(moved)), STILL))
        calls = {n: calls[n] + LOST * lost[n] for n in calls}
    known = one_unit and any(calls.values())
    made = {n: size * (calls.get(n, 0.0) if known else 1.0) for n, size in moved.items()}
    whole = symptom * (calls.get(next(iter(moved)), 0.0) if known else 1.0)
    whole = min(whole, max(made.values())) or max(made.values()) or 1.0
    part = {n: min(made[n] / whole, 1.0) for n in moved}
    if not known:
        return {n: math.sqrt(part[n]) for n in moved}
    return {n: part[n] if n in calls else TRAFFICLESS for n in moved}


def _lost(traffic: Mapping[str, Move], target: Move) -> dict[str, float]:
    """Calls that each node misses beyond those that the target does. Those that fail are counted
    where they fail, but those that hang are not."""
    kept = min(target.now / target.usual, 1.0) if target.usual > 0 and target.now > 0 else 0.0
    return {n: max(kept * v.usual - v.now, 0.0) for n, v in traffic.items()}


def _reach(
    graph: Graph, target: str, ill: Mapping[str, float], blind: Collection[str]
) -> dict[str, float]:
    """How well each node is joined to the target by ill nodes: the best product along a path.

    ``blind`` nodes are not measured: that is no sign of health, and they pass everything on.
    """
    best = {target: 1.0}
    queue = [target]
    while queue:
        node = queue.pop(0)
        passed_on = 1.0 if node == target or node in blind else 0.2 + 0.8 * ill[node]
        for parent in graph.parents(node):
            through = best[node] * passed_on
            if through > best.get(parent, 0.0) + 1e-9:
                best[parent] = through
                queue.append(parent)
    return best


def _own(
    graph: Graph,
    node: str,
    moved: Mapping[str, float],
    ill: Mapping[str, float],
    given: Mapping[str, float],
    blind: Collection[str],
) -> float:
    """What a node shows and no upstream explains, the nearest measured ones; an upstream is ill
    more surely ``given`` that what depends on it is."""
    left = ill[node]
    size = moved[node]
    for parent in _nearest(graph, node, blind):
        covered = min(1.0, moved[parent] / (EXPLAINS * size)) if size > 0 else 1.0
        left *= 1 - 0.95 * given[parent] * covered
    return left


def _nearest(graph: Graph, node: str, blind: Collection[str]) -> list[str]:
    """Direct upstreams, and behind those that are not measured theirs: what they hand down is
    not seen on the way."""
    found: dict[str, None] = {}
    queue = list(graph.parents(node))
    while queue:
        parent = queue.pop(0)
        if parent not in found and parent != node:
            found[parent] = None
            queue += graph.parents(parent) if parent in blind else ()
    return list(found)
