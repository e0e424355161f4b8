"""Which node of a graph is to blame, given how ill each looks: a core without tables.

A node explains a symptom when it is ill, lies upstream of all that is suspected, and nothing
upstream of it is ill as well: the deepest illness that explains. "Nobody" is an answer too.
The idea of explaining away along the call graph follows MicroRCA (Wu et al. 2020) and
Groot (Wang et al. 2021); the weights are Bayes factors instead of a random walk.
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
PASSED_ON = 0.8
"""How much of a node's illness an ill parent explains."""


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
    ill = {n: odds.probability(illness.get(n, 0.0) - 2.0) for n in coverage}
    logs = {"": nobody}
    for node, covers in coverage.items():
        parents = [ill[p] for p in _ill_above(graph, node, ill)]
        away = 1 - PASSED_ON * max(parents, default=0.0)
        strength = min(illness.get(node, 0.0), 12.0)
        logs[node] = -float(np.log(len(coverage))) + strength + covers + float(np.log(away))
        if parents and max(parents) > 0.5:
            # An illness handed down is no evidence of one's own.
            logs[node] -= 0.5 * max(strength, 0.0)
    return odds.share_out(logs)


def _ill_above(graph: Graph, node: str, ill: Mapping[str, float]) -> list[str]:
    """Ill nodes from which illness can have come down: parents, through well ones as well."""
    return [n for n in graph.above(node) if n in ill and ill[n] > 0.2]


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
    shares = blame(graph, levels, coverage, NOBODY)
    ranked = sorted(coverage, key=lambda n: -shares[n])
    blames = tuple(Blame(n, illness[n][1], shares[n]) for n in ranked)
    del metric
    return Ranking(blames, shares[""])


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
