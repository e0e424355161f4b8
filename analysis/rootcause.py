"""Which node of a graph is to blame, given how ill each looks: a core without tables.

A cause explains its own illness and, less strongly, that of everything downstream of it; what
is ill besides stays unexplained. The deepest ill node above all symptoms explains most. "Nobody"
is an answer too. Ranking along the call graph follows MicroRCA (Wu et al. 2020); the weights
are Bayes factors instead of a random walk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import odds
from analysis.lineage import Graph

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

NOBODY = 2.5
"""Log weight of "no node is to blame" when a graph is searched without a confirmed cause."""
PASSED_ON = 0.6
"""A node's illness counts this much for a cause upstream of it."""
LOUDEST = 8.0
"""No single illness counts for more: a log Bayes factor of 30 is not four times one of 8."""


@dataclass(frozen=True)
class Blame:
    """A node with the probability that it is the cause, and its most telling metric."""

    node: str
    metric: str
    score: float


@dataclass(frozen=True)
class Ranking:
    """Nodes, most to blame first; ``nobody`` is the probability that none of them is."""

    ranked: tuple[Blame, ...]
    nobody: float


def blame(
    graph: Graph,
    illness: Mapping[str, float],
    coverage: Mapping[str, float],
    nobody: float = 0.0,
) -> dict[str, float]:
    """Probabilities over the nodes of ``coverage`` and "" for nobody.

    ``illness`` are log Bayes factors by node; ``coverage`` are log weights for what a node
    would explain if it were the cause; ``nobody`` is the log weight of no node at all.
    """
    loud = {n: min(illness.get(n, 0.0), LOUDEST) for n in coverage}
    above = {n: graph.above(n) for n in coverage}
    logs = {"": nobody}
    for node, covers in coverage.items():
        handed_down = sum(max(loud[n], 0.0) for n in coverage if n != node and node in above[n])
        explains = loud[node] + PASSED_ON * min(handed_down, 2 * LOUDEST)
        logs[node] = explains + covers - float(np.log(len(coverage)))
    return odds.share_out(logs)


def rank(graph: Graph, metrics: pd.DataFrame, target: str, metric: str, since: datetime) -> Ranking:
    """Root causes of a change of ``target``'s ``metric`` since a moment.

    ``metrics`` has the columns time, node, metric, value (any number of metrics per node).
    Causes flow from left to right along edges, so that for services the callee is upstream.
    """
    import pandas as pd

    start = pd.Timestamp(since).tz_localize(None) if since.tzinfo is None else pd.Timestamp(since)
    start = start.tz_convert("UTC").tz_localize(None) if start.tzinfo else start
    illness: dict[str, tuple[float, str]] = {}
    tried = metrics.groupby("node")["metric"].nunique()
    for key, part in metrics.groupby(["node", "metric"], sort=False):
        node, name = (str(k) for k in key)
        found = _illness(part.sort_values("time"), start) - float(np.log(float(tried.loc[node])))
        if found > illness.get(node, (-9.0, ""))[0]:
            illness[node] = (found, name)
    above = graph.above(target)
    coverage = {n: -0.15 * steps for n, steps in above.items() if n in illness}
    if target in illness:
        coverage[target] = 0.0
    levels = {n: v[0] for n, v in illness.items()}
    # Without a symptom at the target there is nothing to explain.
    symptom = _symptom(metrics, target, metric, start)
    shares = blame(graph, levels, coverage, NOBODY + max(0.0, 4.0 - symptom))
    ranked = sorted(coverage, key=lambda n: -shares[n])
    blames = tuple(Blame(n, illness[n][1], shares[n]) for n in ranked)
    return Ranking(blames, shares[""])


def _symptom(metrics: pd.DataFrame, target: str, metric: str, start: Any) -> float:
    mine = metrics[(metrics["node"] == target) & (metrics["metric"] == metric)]
    return _illness(mine.sort_values("time"), start) if len(mine) else 0.0


def _illness(part: pd.DataFrame, start: Any) -> float:
    """Log Bayes factor that a series shifted after ``start``, blocks of its own past as null."""
    times, values = part["time"], part["value"].to_numpy(float)
    late = (times >= start).to_numpy()
    now, past = values[late], values[~late]
    now, past = now[np.isfinite(now)], past[np.isfinite(past)]
    if len(now) < 2 or len(past) < 12:
        return 0.0
    size = max(1, min(len(now), len(past) // 8))
    count = len(past) // size
    blocks = past[-count * size :].reshape(count, size)
    shift = odds.shift(float(np.median(now[:size])), np.median(blocks, axis=1))
    return shift.log_odds
