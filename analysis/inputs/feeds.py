"""Features that are made from one node of the lineage, weighed together.

A node that breaks takes what it feeds along: several features that each changed a little less
than would be plain are plain together. How far features of one feed stray together by themselves
(weather, holidays) is seen in the earlier days: the mean of the features' own figures, each in its
own standard deviations, is held against the same mean of every earlier day.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis import odds
from analysis.graph.lineage import Graph
from analysis.inputs.suspicion import Finding, Trace, View, both, rise

Floats = np.ndarray[Any, np.dtype[np.float64]]

LOUDEST = odds.REACH
"""No feature counts for more standard deviations: one alone has its own verdict."""


def feeds(graph: Graph, features: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Per node the features that are made from it, two at least; of nodes with the same features
    one."""
    below: dict[str, list[str]] = {}
    for feature in features:
        for node in graph.of_feature(feature):
            below.setdefault(node, []).append(feature)
    apart = {tuple(names): node for node, names in below.items() if len(names) > 1}
    return {node: names for names, node in apart.items()}


def together(found: Sequence[Finding]) -> View:
    """One view of all features of a feed: their mean departure by day, and across the onset."""
    seen = [f for f in found if any(v.trace for v in f.views.values())]
    if len(seen) < 2:
        return View(0.0, 0.0)
    each = [_loudest(f) for f in seen]
    days = _mean([t.days for t in each])
    edge = _mean([t.edge for t in each])
    expected = float(np.mean([min(t.expected, LOUDEST) for t in each]))
    shift, jump = rise(days), rise(edge)
    parts = [f.best[1].impact * odds.probability(f.log_odds) for f in seen]
    # Many small changes that did not come at the onset are drift: an absent jump is a full veto.
    evidence = both(shift, jump, expected, np.inf)
    return View(evidence, float(np.hypot.reduce(parts)), shift.now, shift.usual)


def _loudest(found: Finding) -> Trace:
    """The largest departure of a feature's views, block by block; what a jump would be is said by
    the view that is the loudest now."""
    traces = [v.trace for v in found.views.values() if v.trace is not None]
    now = max(traces, key=lambda t: np.nan_to_num(t.days[0], nan=-np.inf))
    return Trace(_most([t.days for t in traces]), _most([t.edge for t in traces]), now.expected)


def _most(rows: Sequence[Floats]) -> Floats:
    table = np.vstack(rows)
    top: Floats = np.minimum(np.fmax.reduce(table, axis=0), LOUDEST)
    return top


def _mean(rows: Sequence[Floats]) -> Floats:
    table = np.vstack(rows)
    known = np.isfinite(table)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: Floats = np.where(known, table, 0.0).sum(axis=0) / known.sum(axis=0)
    return mean
