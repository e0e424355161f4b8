"""A simulated system of services that call each other, with one planted fault: data and truth.

A structural causal model: requests enter at the front end by a daily cycle and spread along the
calls; a node's latency is its own plus that of what it calls, one after another; an error of a
callee is, mostly, an error of its caller. Own latencies wander (AR(1)) and have heavy tails, now
and then a node has a spike of its own, counts are Poisson and binomial, and a node without
traffic reports nothing. Some callees are also seen from the caller's side, as load balancers are:
they show the callee's trouble, and the graph does not join the two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.graph.lineage import Edge, Graph

Floats = NDArray[np.float64]
KINDS = ("slow", "leak", "overload", "errors")
FRONT = "front"
NAMES = (("latency", "availability", "requests"), ("duration_ms_avg", "error_ratio", "calls"))
SPIKES = 0.002
"""Share of points at which a node has a spike that is nobody's fault."""

CHANGES = 0.1
"""Share of nodes that change their own latency for good, some time in the second half."""


@dataclass(frozen=True)
class Incident:
    """One case: the graph, long metrics, the symptom, and the truth ("" where nothing is wrong).

    ``effect`` is by how much the fault moves the target's expected value, in standard deviations
    of its usual points.
    """

    graph: Graph
    metrics: pd.DataFrame
    metric: str
    since: pd.Timestamp
    cause: str
    kind: str
    effect: float


@dataclass
class _System:
    """Calls per request along the edges caller → callee, in an order that callers come first."""

    order: list[str]
    calls: dict[tuple[str, str], float]
    own_ms: dict[str, float]
    views: dict[str, str] = field(default_factory=dict)

    def callees(self, node: str) -> list[tuple[str, float]]:
        return [(b, k) for (a, b), k in self.calls.items() if a == node]


def incident(seed: int, *, faulty: bool = True) -> Incident:
    """A seeded case of some 40 nodes; step, length, names and the window's length are drawn.

    Two days of five-minute steps or so, then a window of 3 to 24 points.
    """
    rng = np.random.default_rng([2024, seed])
    system = _system(rng)
    past = int(rng.integers(280, 700))
    after = int(rng.choice([3, 3, 5, 12, 24]))
    step = int(rng.choice([60, 300, 300, 600]))
    kind = str(rng.choice(KINDS)) if faulty else ""
    cause = _somewhere(rng, system) if faulty else ""
    latency, health, traffic = NAMES[int(rng.integers(len(NAMES)))]
    metric = health if kind == "errors" or (not kind and rng.random() < 0.5) else latency
    late = np.arange(past + after) >= past
    dose = float(rng.lognormal(1.2, 0.6))
    plain, sick = (
        _run(np.random.default_rng([7, seed]), system, late, step, cause, k, dose)
        for k in ("", kind)
    )
    shown = health if metric == health else latency
    key = "errors" if shown == health else "latency"
    usual = plain[FRONT][key]
    spread = 1.4826 * np.nanmedian(np.abs(usual - np.nanmedian(usual))) + 1e-4
    moved = np.nanmean(sick[FRONT][key][late]) - np.nanmean(plain[FRONT][key][late])
    start = pd.Timestamp("2024-03-04")
    times = start + pd.to_timedelta(np.arange(past + after) * step, unit="s")
    frames = []
    for node, series in sick.items():
        good = series["errors"] if health == "error_ratio" else 100 * (1 - series["errors"])
        for name, values in ((latency, series["latency"]), (health, good), (traffic, series["n"])):
            frames.append(
                pd.DataFrame({"time": times, "node": node, "metric": name, "value": values})
            )
    every = pd.concat(frames, ignore_index=True).dropna(subset=["value"])
    edges = [Edge(b, a) for a, b in system.calls] + [Edge(v, FRONT) for v in system.views]
    since = pd.Timestamp(times[past])
    effect = abs(float(moved)) / float(spread)
    return Incident(Graph.of(edges), every, metric, since, cause, kind, effect)


def _system(rng: np.random.Generator) -> _System:
    """Layers of services over shared stores; most calls go one layer down."""
    layers = [[FRONT]]
    for depth, size in enumerate((6, 12, 12, 8), 1):
        layers.append([f"svc-{depth}-{i}" for i in range(int(size + rng.integers(-1, 2)))])
    calls: dict[tuple[str, str], float] = {}
    for above, below in pairwise(layers):
        for node in below:
            for caller in rng.choice(above, size=min(len(above), 1 + int(rng.random() < 0.25))):
                calls[(str(caller), node)] = float(rng.choice([0.1, 0.3, 0.5, 1.0, 1.0, 2.0]))
    order = [n for layer in layers for n in layer]
    own = {n: float(rng.lognormal(2.5, 0.8)) for n in order}
    first = [str(n) for n in rng.choice(layers[1], size=4, replace=False)]
    return _System(order, calls, own, {f"lb-{n}": n for n in first})


def _somewhere(rng: np.random.Generator, system: _System) -> str:
    """A node that enough requests pass through."""
    flow = {FRONT: 1.0}
    for node in system.order:
        for callee, k in system.callees(node):
            flow[callee] = flow.get(callee, 0.0) + flow.get(node, 0.0) * k
    busy = [n for n in system.order if n != FRONT and flow.get(n, 0.0) > 0.05]
    return str(rng.choice(busy))


def _run(
    rng: np.random.Generator,
    system: _System,
    late: NDArray[np.bool_],
    step: int,
    cause: str,
    kind: str,
    dose: float,
) -> dict[str, dict[str, Floats]]:
    """What each node reports: mean latency, share of errors, count; with the same noise always."""
    n = len(late)
    hours = np.arange(n) * step / 3600
    cycle = 1 + rng.uniform(0, 0.5) * np.sin(2 * np.pi * hours / 24 + rng.uniform(0, 6))
    flow: dict[str, Floats] = {FRONT: rng.uniform(80, 900) * cycle}
    own: dict[str, Floats] = {}
    fails: dict[str, Floats] = {}
    ramp = np.where(late, np.linspace(0, 1, n) if not late.any() else _ramp(late), 0.0)
    for node in system.order:
        rate = flow.setdefault(node, np.zeros(n))
        wander = _ar(rng, n, 0.6, 0.08) + 0.05 * rng.standard_t(4, n)
        spikes = (rng.random(n) < SPIKES) * rng.lognormal(1.0, 0.7, n)
        bursts = (rng.random(n) < SPIKES) * rng.uniform(0.0, 0.2, n)
        level = system.own_ms[node] * np.exp(wander) * (1 + spikes)
        error = np.clip(rng.choice([0.0, 0.0, 0.0005, 0.003]) + bursts, 0, 1)
        if rng.random() < CHANGES:
            level = level * np.where(np.arange(n) > rng.uniform(0.5, 1) * n, rng.uniform(0.6, 2), 1)
        if node == cause and kind:
            level, error, rate = _hurt(kind, dose, level, error, rate, late, ramp)
            flow[node] = rate
        own[node], fails[node] = level, error
        for callee, k in system.callees(node):
            flow[callee] = flow.get(callee, np.zeros(n)) + (flow[node] if kind else rate) * k
    return _reported(rng, system, flow, own, fails)


def _ramp(late: NDArray[np.bool_]) -> Floats:
    """0 to 1 over the window's first half, then 1."""
    size = int(late.sum())
    out = np.zeros(len(late))
    out[late] = np.minimum(np.arange(1, size + 1) / max(size / 2, 1), 1.0)
    return out


def _hurt(
    kind: str,
    dose: float,
    level: Floats,
    error: Floats,
    rate: Floats,
    late: NDArray[np.bool_],
    ramp: Floats,
) -> tuple[Floats, Floats, Floats]:
    """The fault itself: slow at once, slow by and by, too many requests from outside, errors."""
    if kind == "slow":
        return level * np.where(late, 1 + dose, 1), error, rate
    if kind == "leak":
        return level * (1 + 1.5 * dose * ramp), error, rate
    if kind == "overload":
        return level * np.where(late, 1 + dose, 1), error, rate * np.where(late, 2 + dose, 1)
    return level, np.clip(error + np.where(late, 0.04 * dose, 0), 0, 0.95), rate


def _reported(
    rng: np.random.Generator,
    system: _System,
    flow: dict[str, Floats],
    own: dict[str, Floats],
    fails: dict[str, Floats],
) -> dict[str, dict[str, Floats]]:
    latency: dict[str, Floats] = {}
    failing: dict[str, Floats] = {}
    out: dict[str, dict[str, Floats]] = {}
    for node in reversed(system.order):
        total, fine = own[node].copy(), 1 - fails[node]
        for callee, k in system.callees(node):
            total += k * latency[callee]
            fine *= 1 - np.clip(min(k, 1.0) * failing[callee], 0, 1)
        latency[node], failing[node] = total, 1 - fine
        out[node] = _seen(rng, flow[node], total, failing[node])
    for view, node in system.views.items():
        out[view] = _seen(rng, 0.4 * flow[node], latency[node] * 1.05, failing[node])
    return out


def _seen(
    rng: np.random.Generator, rate: Floats, latency: Floats, failing: Floats
) -> dict[str, Floats]:
    """Counts and means over what came; nothing where nothing came."""
    count = rng.poisson(rate).astype(float)
    some = count > 0
    mean = latency * np.exp(0.5 * rng.standard_normal(len(count)) / np.sqrt(np.maximum(count, 1)))
    bad = rng.binomial(count.astype(int), np.clip(failing, 0, 1)) / np.maximum(count, 1)
    return {
        "latency": np.where(some, mean, np.nan),
        "errors": np.where(some, bad, np.nan),
        "n": count,
    }


def _ar(rng: np.random.Generator, n: int, memory: float, scale: float) -> Floats:
    from scipy.signal import lfilter

    shocks = rng.standard_normal(n) * scale * np.sqrt(1 - memory**2)
    return np.asarray(lfilter([1.0], [1.0, -memory], shocks), float)
