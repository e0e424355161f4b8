"""Nodes that broke in another metric than the one that the symptom shows in.

A saturated database whose latency nobody measures, or a service that fails at once and makes its
callers wait and try again, does not show the symptom itself; those that depend on it do. Such a
node stands in for them with what they show and nothing else above them explains. Three things have
to come together: a metric of it broke beyond what its peers show (load that rises everywhere is no
break of one of them) and at the onset, all that depend on it show the symptom, and the course fits.
A node that is measured in the symptom's metric and shows nothing can hand down only what its
callers see of it: failures, missing traffic, or what broke in them too; being busy is its own.

The odds that a break is one are those of the symptom's own metric, less for every other metric that
is looked at (Bonferroni) and less by what causes mostly do: show in the symptom's metric.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from analysis.graph.lineage import Graph
from analysis.graph.moves import DOUBTFUL, NORMAL_Z, PLAIN, STEEP, Move, logistic

Key = tuple[str, str]

TRAFFIC = ("request", "calls", "traffic", "throughput", "invocation", "rps", "qps", "volume")
"""A metric with a word in its name that begins so counts how much goes through a node …"""
MEASURED = ("latency", "duration", "time", "ms", "seconds", "size", "bytes")
"""… unless one that begins so says that it measures what goes through."""
FAILS = ("error", "fail", "fault", "exception", "timeout", "reject", "5xx")
"""More of these is worse, and callers see it."""
WORKS = ("availab", "success", "uptime")
"""Less of these is worse, and callers see it."""
ODDS = 0.25
"""Odds that a cause does not show in the symptom's own metric but in another."""
QUIET = 0.3
"""Probability that one that depends on a broken node shows nothing all the same: it may seldom call
it."""
FEWEST_PEERS = 8
"""So many nodes tell what a metric does everywhere."""
MISSING = 0.6
"""A node whose own figures are as usual hands down traffic that it lost from this part on: a caller
that is ill itself calls less."""
ALIKE = 0.5
"""A caller whose traffic moved by this part of the node's own, for its level, sent it."""


@dataclass(frozen=True)
class Hidden:
    """How surely (0 to 1) a node hands down a symptom that it does not show, through which of its
    callers that shows it, and the metric in which it broke, by ``z`` standard deviations."""

    surety: float
    caller: str
    metric: str
    z: float


def breaks(moves: Mapping[Key, Move]) -> dict[Key, float]:
    """How plainly each metric of each node broke, signed: the mean of the standard deviations of
    its level and of its step at the onset, both beyond what most nodes show in the metric."""
    level = _beyond({k: m.z for k, m in moves.items()})
    step = _beyond({k: m.onset for k, m in moves.items()})
    return {k: (level[k] + step[k]) / 2 for k in moves}


def _beyond(zs: Mapping[Key, float]) -> dict[Key, float]:
    """Standard deviations beyond those of most nodes in the same metric, up to where more of them
    say nothing; 0 where a node moved less than they did, or the other way."""
    by_metric: dict[str, list[float]] = {}
    for (_, metric), z in zs.items():
        by_metric.setdefault(metric, []).append(z)
    usual = {metric: _usual(np.array(every)) for metric, every in by_metric.items()}
    out = {}
    for (node, metric), z in zs.items():
        middle, spread = usual[metric]
        more = (z - middle) / spread
        size = min(abs(more), abs(z), PLAIN) if more * z > 0 else 0.0
        out[node, metric] = math.copysign(size, z)
    return out


def _usual(zs: np.ndarray[tuple[int], np.dtype[np.float64]]) -> tuple[float, float]:
    """Median and spread of many nodes' standard deviations; 0 and 1 of few."""
    if len(zs) < FEWEST_PEERS:
        return 0.0, 1.0
    middle = float(np.median(zs))
    return middle, max(1.4826 * float(np.median(np.abs(zs - middle))), 1.0)


@dataclass(frozen=True)
class Scene:
    """All that moved, how plainly each ``broke``; the symptom's ``metric``, how surely each node
    ``shows`` it given that what it depends on is ill, what of it is ``unexplained`` by those above
    (both 0 to 1), and the nodes on the way to the target that are not measured (``blind``)."""

    graph: Graph
    moves: Mapping[Key, Move]
    broke: Mapping[Key, float]
    metric: str
    shows: Mapping[str, float]
    unexplained: Mapping[str, float]
    blind: Collection[str]

    def hidden(self, nodes: list[str]) -> dict[str, Hidden]:
        """The nodes, but for the first, that hand down what they do not show."""
        callers, within = _callers(self.graph), set(nodes)
        others: dict[str, list[str]] = {n: [] for n in nodes}
        for node, metric in self.moves:
            if node in within and metric != self.metric:
                others[node].append(metric)
        below = {n: self._below(n, callers) for n in nodes[1:]}
        found = {n: self._hidden(n, others[n], below[n], within) for n in below}
        return {n: h for n, h in found.items() if h is not None}

    def _below(self, node: str, callers: Mapping[str, list[str]]) -> list[str]:
        """Those that depend on a node, and behind those that are not measured theirs."""
        seen: dict[str, None] = {}
        queue = list(callers.get(node, ()))
        while queue:
            caller = queue.pop(0)
            if caller not in seen and caller != node:
                seen[caller] = None
                queue += callers.get(caller, ()) if self._dark(caller) else ()
        return [c for c in seen if not self._dark(c)]

    def _dark(self, node: str) -> bool:
        return (node, self.metric) not in self.moves

    def _hidden(
        self, node: str, others: list[str], below: list[str], within: Collection[str]
    ) -> Hidden | None:
        """By the plainest break of ``others``, a node's metrics beside the symptom's."""
        plain = [m for m in others if abs(self.broke[node, m]) > NORMAL_Z]
        ways = [m for m in plain if self._reaches(node, m, below)]
        on_path = [c for c in below if c in within]
        if not ways or not on_path:
            return None
        caller = max(on_path, key=lambda c: self.unexplained[c])
        metric = max(ways, key=lambda m: abs(self.broke[node, m]))
        z = abs(self.broke[node, metric])
        odds = math.log(ODDS / len(others)) / STEEP
        shown = math.prod(QUIET + (1 - QUIET) * self.shows.get(c, 0.0) for c in below)
        fit = self.moves[caller, self.metric].along(self.moves[node, metric], signed=False)
        surety = logistic(z - DOUBTFUL + odds) * shown * self.unexplained[caller] * fit
        return Hidden(surety, caller, metric, z)

    def _reaches(self, node: str, metric: str, below: list[str]) -> bool:
        """Whether the break of a metric could reach those that depend on a node."""
        up = self.broke[node, metric] > 0
        if is_of(metric, FAILS):
            return up
        if is_of(metric, WORKS):
            return not up
        if is_traffic(metric):
            felt = node in self.blind or _part(self.moves[node, metric]) < -MISSING
            return felt and not self._sent(node, metric, below)
        return node in self.blind or self._travels(node, metric, below)

    def _sent(self, node: str, metric: str, below: list[str]) -> bool:
        """Whether traffic moved because those that send it did."""
        mine = _part(self.moves[node, metric])
        theirs = [_part(self.moves[c, metric]) for c in below if (c, metric) in self.moves]
        return any(t * mine > 0 and abs(t) > ALIKE * abs(mine) for t in theirs)

    def _travels(self, node: str, metric: str, below: list[str]) -> bool:
        """Whether most of those that depend on a node broke in the same metric, the same way."""
        mine = self.broke[node, metric]
        theirs = [self.broke.get((c, metric), 0.0) for c in below]
        return sum(t * mine > 0 and abs(t) > NORMAL_Z for t in theirs) > len(theirs) / 2


def is_of(metric: str, words: Collection[str]) -> bool:
    """Whether a word of a metric's name begins with one of these: ``http_requests``, ``errorRate``.

    >>> is_of("default_pool", FAILS), is_of("cart.errorRate", FAILS)
    (False, True)
    """
    parts = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", metric).lower()
    return any(part.startswith(tuple(words)) for part in re.split(r"[^a-z0-9]+", parts) if part)


def is_traffic(metric: str) -> bool:
    """Whether a metric counts what goes through a node."""
    return is_of(metric, TRAFFIC) and not is_of(metric, MEASURED)


def _part(move: Move) -> float:
    return move.change / abs(move.usual) if move.usual else move.change


def _callers(graph: Graph) -> dict[str, list[str]]:
    """Those directly below each node."""
    out: dict[str, list[str]] = {}
    for node in graph.into:
        for parent in graph.parents(node):
            out.setdefault(parent, []).append(node)
    return out
