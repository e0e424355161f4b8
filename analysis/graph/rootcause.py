"""Which node of a graph is to blame, given how ill each looks: a core without tables.

A cause explains its own illness and, less strongly, that of everything downstream of it; what
is ill besides stays unexplained. The deepest ill node above all symptoms explains most. "Nobody"
is an answer too. Ranking along the call graph follows MicroRCA (Wu et al. 2020); the weights
are Bayes factors instead of a random walk.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from analysis import odds
from analysis.graph.lineage import Graph

PASSED_ON = 0.6
"""A node's illness counts this much for a cause upstream of it."""
LOUDEST = 8.0
"""No single illness counts for more: a log Bayes factor of 30 is not four times one of 8."""


def blame(
    graph: Graph,
    illness: Mapping[str, float],
    symptoms: Mapping[str, float],
    coverage: Mapping[str, float],
    nobody: float = 0.0,
) -> dict[str, float]:
    """Probabilities over the nodes of ``coverage`` and "" for nobody.

    ``illness`` are log Bayes factors by node; ``symptoms`` is the part of it that may come from
    upstream (what is the node's own, such as a release, may not); ``coverage`` are log weights
    for what a node would explain if it were the cause; ``nobody`` is the log weight of no node
    at all.
    """
    loud = {n: min(illness.get(n, 0.0), LOUDEST) for n in coverage}
    shown = {n: min(max(symptoms.get(n, 0.0), 0.0), LOUDEST) for n in coverage}
    above = {n: graph.above(n) for n in coverage}
    logs = {"": nobody}
    for node, covers in coverage.items():
        # What hardly shows where it began does not come out loud below; of a node that nothing is
        # recorded of (0) it is not known how it looks.
        most = max(loud[node], 0.0) if loud[node] else LOUDEST
        handed_down = sum(min(shown[n], most) for n in coverage if n != node and node in above[n])
        explains = loud[node] + PASSED_ON * min(handed_down, 2 * LOUDEST)
        logs[node] = explains + covers - float(np.log(len(coverage)))
    return odds.share_out(logs)
