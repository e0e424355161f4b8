"""Which node of a call graph or pipeline caused a change of one node's metric?

The change is followed from the target upwards (towards what it calls, or is made from): a node is
to blame for what it shows and what none of its own upstreams explains. Nodes are compared on the
target's metric, in the target's direction and, where it adds up along the edges, in its unit, so
that a dependency whose latency rose by three milliseconds does not explain a caller's three
hundred; where each node counts in a unit of its own, in what is usual for it. Other metrics of a
node speak for it, but do not lead the way. How far a window lies from usual is judged against
windows of the same length of the node's own past, less what the hour of the day tells. Following
anomalies along the graph is Chen et al. 2014 (CauseInfer), and that a cause goes up and down when
its symptom does is Kim et al. 2013 (MonitorRank); that it must explain the size is ours.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.graph.daytime import clock, without_hours
from analysis.graph.lineage import Graph

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

FEWEST_PAST, FEWEST_NOW = 12, 1
NORMAL_Z = 2.33
"""Where the 99th percentile of usual windows lies, in the standard deviations used here."""
LEAST = 0.002
"""A series' scale is at least this part of its level: nothing is worth less than 0.2 %."""
DOUBTFUL = 3.5
"""Standard deviations at which a window is as likely off as usual."""
SIDE = 0.35
"""How much other metrics of a node count beside the target's."""
TRAFFIC = ("request", "calls", "traffic", "throughput", "invocation", "rps", "qps", "volume")
"""A metric with one of these words in its name counts how much goes through a node."""
TRAFFICLESS = 0.1
EXPLAINS = 0.5
"""An upstream that moved by this part of a node's own change explains all of it."""
PLAIN = 10.0
"""Beyond so many standard deviations more says nothing: a series that never moved has no scale."""
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


@dataclass(frozen=True)
class Move:
    """A series' window against its past: ``z`` in usual standard deviations, ``change``, the
    window's mean ``now`` and its ``usual`` level in its own unit; ``course`` (n,) is the change at
    each of ``times``, which are counted."""

    z: float
    change: float
    now: float
    usual: float = 0.0
    times: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64), repr=False)
    course: Floats = field(default_factory=lambda: np.zeros(0), repr=False)

    @property
    def off(self) -> float:
        """Probability, on the scale of a logistic curve, that the window is not usual."""
        return _logistic(abs(self.z) - DOUBTFUL)

    def size(self, one_unit: bool) -> float:
        """How much it moved, to be compared between nodes: the change where all count in one unit,
        else standard deviations, up to where more of them say nothing."""
        return abs(self.change) if one_unit else min(abs(self.z), PLAIN)

    def along(self, other: Move) -> float:
        """How alike two courses are, 0 to 1: the cosine of what they moved by at the same times."""
        _, mine, theirs = np.intersect1d(self.times, other.times, return_indices=True)
        a, b = self.course[mine], other.course[theirs]
        length = float(np.linalg.norm(a) * np.linalg.norm(b))
        return max(float(a @ b) / length, 0.0) if length > 0 else 0.0


STILL = Move(0.0, 0.0, 0.0)


def rank(graph: Graph, metrics: pd.DataFrame, target: str, metric: str, since: datetime) -> Ranking:
    """Root causes of a change of ``target``'s ``metric`` since a moment.

    ``metrics`` has the columns time, node, metric, value (any number of metrics per node).
    Causes flow from left to right along edges, so that for services the callee is upstream.
    Nobody is blamed when the target's own window is usual and no upstream shows why it should not
    be. Nodes that do not lead to the target are left out.
    """
    moves = _moves(metrics, since)
    symptom = moves.get((target, metric), STILL)
    seen = 1.0 if symptom.z >= 0 else -1.0
    signs = (seen,) if abs(symptom.z) >= NORMAL_Z else (seen, -seen)
    # Where the target hardly moved, the direction is that of whatever is wrong above it.
    nodes = [target, *graph.above(target)]
    views = [_view(graph, moves, nodes, metric, sign) for sign in signs]
    view = max(views, key=lambda v: v.support)
    total = sum(view.weight.values()) or 1.0
    nobody = 1 - _logistic(max(view.symptom, 0.0) + SUPPORT * view.support - DOUBTFUL)
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
    moves: Mapping[tuple[str, str], Move],
    nodes: list[str],
    metric: str,
    sign: float,
) -> _View:
    """Weigh every node; the first one is the target."""
    target = nodes[0]
    same = {n: _harm(moves.get((n, metric)), sign) for n in nodes}
    other = {n: _loudest(moves, n, metric) for n in nodes}
    ill = {n: max(same[n].off, SIDE * other[n][1]) for n in nodes}
    one_unit = _one_unit(graph, {n: m for (n, name), m in moves.items() if name == metric})
    moved = {n: m.size(one_unit) for n, m in same.items()}
    blind = {n for n in nodes if (n, metric) not in moves}
    reach = _reach(graph, target, ill, blind)
    symptom = moves.get((target, metric), STILL)
    part = _parts(moves, moved, symptom.size(one_unit), one_unit)
    alike = {n: symptom.along(same[n]) for n in nodes}
    weight = {
        n: reach[n]
        * _own(graph, n, moved, ill, blind)
        * (1 + SIDE * other[n][1])
        * math.log1p(min(abs(same[n].z), PLAIN) + other[n][1])
        * part[n]
        * (SIDE + (1 - SIDE) * alike[n] ** 2)
        for n in nodes
    }
    support = max((same[n].off * alike[n] * part[n] for n in nodes[1:]), default=0.0)
    telling = {n: metric if same[n].off >= SIDE * other[n][1] else other[n][0] for n in nodes}
    return _View(weight, telling, sign * symptom.z, support)


def _harm(move: Move | None, sign: float) -> Move:
    """A move in the target's direction; the other way is none."""
    return move if move is not None and move.z * sign > 0 else STILL


def _loudest(moves: Mapping[tuple[str, str], Move], node: str, metric: str) -> tuple[str, float]:
    """The node's other metric that is most off, and how surely, less for every one tried."""
    mine = {m: v.off for (n, m), v in moves.items() if n == node and m != metric}
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
    moves: Mapping[tuple[str, str], Move],
    moved: Mapping[str, float],
    symptom: float,
    one_unit: bool,
) -> dict[str, float]:
    """Which part of the target's change each node's change times its traffic can make up, at most
    all of it: what few calls go through matters little. TRAFFICLESS for nodes without a count; the
    root where no metric counts, since how often a node is called is then unknown, or where nodes
    have units of their own, which traffic does not convert."""
    counts = [m for _, m in moves if any(word in m.lower() for word in TRAFFIC)][:1]
    calls = {n: max(v.now, 0.0) for (n, m), v in moves.items() if m in counts and n in moved}
    known = one_unit and any(calls.values())
    made = {n: size * (calls.get(n, 0.0) if known else 1.0) for n, size in moved.items()}
    whole = symptom * (calls.get(next(iter(moved)), 0.0) if known else 1.0)
    whole = min(whole, max(made.values())) or max(made.values()) or 1.0
    part = {n: min(made[n] / whole, 1.0) for n in moved}
    if not known:
        return {n: math.sqrt(part[n]) for n in moved}
    return {n: part[n] if n in calls else TRAFFICLESS for n in moved}


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
    blind: Collection[str],
) -> float:
    """What a node shows and no upstream explains, the nearest measured ones."""
    left = ill[node]
    size = moved[node]
    for parent in _nearest(graph, node, blind):
        covered = min(1.0, moved[parent] / (EXPLAINS * size)) if size > 0 else 1.0
        left *= 1 - 0.95 * ill[parent] * covered
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


def _moves(metrics: pd.DataFrame, since: datetime) -> dict[tuple[str, str], Move]:
    import pandas as pd

    times = metrics["time"]
    start: Any = since
    if not pd.api.types.is_numeric_dtype(times):
        start = pd.Timestamp(since)
        if times.dt.tz is None and start.tzinfo is not None:
            start = start.tz_convert("UTC").tz_localize(None)
        elif times.dt.tz is not None and start.tzinfo is None:
            start = start.tz_localize("UTC")
    ordered = metrics.dropna(subset=["node", "metric"]).sort_values("time", kind="stable")
    late = (ordered["time"] >= start).to_numpy()
    out: dict[tuple[str, str], Move] = {}
    values, moments = ordered["value"].to_numpy(float), pd.factorize(ordered["time"])[0]
    groups = ordered.groupby(["node", "metric"], sort=False)
    if (seconds := clock(ordered["time"])) is not None:
        values = without_hours(values, groups.ngroup().to_numpy().astype(np.int64), seconds, late)
    for key, rows in groups.indices.items():
        node, name = (str(part) for part in key)  # type: ignore[attr-defined]
        mine, after = values[rows], late[rows]
        found = _move(mine[after], mine[~after], moments[rows][after])
        if found is not None:
            out[(node, name)] = found
    return out


def _move(now: Floats, past: Floats, times: NDArray[np.int64]) -> Move | None:
    """The mean of ``now`` against means of windows of the same length of ``past``."""
    times, now, past = times[np.isfinite(now)], now[np.isfinite(now)], past[np.isfinite(past)]
    if len(now) < FEWEST_NOW or len(past) < FEWEST_PAST:
        return None
    usual = float(np.median(past))
    size = min(len(now), max(len(past) // FEWEST_PAST, 1))
    windows = np.lib.stride_tricks.sliding_window_view(past, size).mean(axis=1)
    change = float(np.mean(now)) - usual
    edge = float(np.quantile(windows, 0.99 if change > 0 else 0.01))
    near = 1.4826 * float(np.median(np.abs(windows - usual)))
    scale = max(abs(edge - usual) / NORMAL_Z, near, LEAST * abs(usual), 1e-12)
    return Move(change / scale, change, float(np.mean(now)), usual, times, now - usual)


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-max(min(1.5 * x, 30.0), -30.0)))
