"""How strongly each view speaks against each feature, and by how much it moved predictions.

Views: *marginal* (its distribution, with null and unseen cells), *joint* (its agreement with
the other features and with its peers), *freshness* (standing still, repeating its past), and
*labels* (its contribution no longer pays off). Each gives a log Bayes factor against natural
drift, and a shift in units of the prediction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from analysis import odds
from analysis.inputs.views import Reading, Sample
from analysis.profile import Profile, distance

Floats = np.ndarray[Any, np.dtype[np.float64]]


ROBUST_DF = 8
"""Degrees of freedom of what is usual, however many days are known: how far a feature's figures
stray is a matter of storms and holidays, with heavier tails than a month of days can show. Lange,
Little and Taylor (1989), "Robust statistical modeling using the t distribution"."""
RECORD = 0.1
"""A record of a month of days lies beyond their range by about this part of its width: 0.12 in the
mean of normal values."""
MISPLACED = 3.0
"""What an absent jump at the onset takes off, at most: one onset in twenty lies elsewhere."""


@dataclass(frozen=True)
class Trace:
    """A view's figures in their own standard deviations, the higher the less usual.

    ``days``: the window, then every earlier day; ``edge``: what they rose by across the onset (NaN
    where the view knows no edge). ``expected``: how far the edge's would rise if the whole change
    were a jump, 0 where that is not known.
    """

    days: Floats
    edge: Floats
    expected: float


def trace(days: Floats, edge: Floats | None = None, expected: float = 0.0) -> Trace:
    """A trace of figures as they were measured; ``edge`` holds one for each of ``days``."""
    if edge is None:
        return Trace(_standard(days)[0], np.full(len(days), np.nan), 0.0)
    standard, spread = _standard(edge)
    wide = np.full(len(days), np.nan)
    wide[: len(standard)] = standard[: len(days)]
    return Trace(_standard(days)[0], wide, expected / spread if np.isfinite(expected) else 0.0)


def _standard(figures: Floats) -> tuple[Floats, float]:
    found = odds.shift(float(figures[0]), figures[1:])
    if not found.seen:
        return np.full(len(figures), np.nan), np.inf
    out: Floats = (figures - found.usual) / found.spread
    return out, found.spread


@dataclass(frozen=True)
class View:
    """One view of one feature: log Bayes factor for a fault, and its ``impact`` on predictions
    (typical move of the output). ``figure`` and ``usual`` are what was measured, ``trace`` how it
    strayed on every day."""

    log_odds: float
    impact: float
    figure: float = float("nan")
    usual: float = float("nan")
    trace: Trace | None = field(default=None, compare=False)

    @property
    def expected(self) -> float:
        """Impact times the probability of a fault at odds of one to twenty beforehand."""
        return (self.impact + 1e-6) * odds.probability(self.log_odds - 3.0)


@dataclass(frozen=True)
class Finding:
    """All views of one feature. ``usage`` is how much the model leans on it."""

    name: str
    usage: float
    views: Mapping[str, View] = field(default_factory=dict)
    lag: float = 0.0

    @property
    def best(self) -> tuple[str, View]:
        """The view with the most to say: the impact that it sees, times how sure it is."""
        return max(self.views.items(), key=lambda kv: kv[1].expected)

    @property
    def log_odds(self) -> float:
        """The strongest view's log Bayes factor, less the number of views tried."""
        return max(v.log_odds for v in self.views.values()) - float(np.log(len(self.views)))


def both(days: odds.Shift, edge: odds.Shift, expected: float, veto: float = MISPLACED) -> float:
    """Evidence of a fault must stand out from earlier days *and* jump at the onset.

    ``expected`` is how far the edge's figure would rise if the whole change were a jump. Where
    that is within its scatter, the edge can't tell and earlier days alone speak, a bit less
    loudly; where it would be plain to see, its absence takes ``veto`` off at most.
    """
    if not edge.seen:
        return days.log_odds
    if not days.seen:
        return edge.log_odds
    power = float(np.clip((abs(expected) / max(edge.spread, 1e-12) - 1) / 2, 0.0, 1.0))
    alone = days.log_odds - 1.0
    together = min(days.log_odds, edge.log_odds)
    if together > 0:
        # They share the hours since the onset: their mean (a logarithmic pool), not their sum.
        together = (days.log_odds + edge.log_odds) / 2
    together = max(together, days.log_odds - veto)
    return power * together + (1 - power) * alone


def rise(figures: Floats, floor: float = 0.0) -> odds.Shift:
    """The first figure against the others, when it is higher; ``floor`` is its least spread."""
    found = odds.shift(float(figures[0]), figures[1:], error=floor)
    z = max(found.z, 0.0) if found.seen else found.z
    return replace(found, z=z, df=min(found.df, ROBUST_DF))


# -- marginal ---------------------------------------------------------------------------------


def marginal(r: Reading, name: str) -> View:
    """Distribution against earlier days and across the onset; impact by the main effect."""
    days, edge = day_counts(r, name), _edge_counts(r, name)
    distances, jumps = _from_others(days), _jumps(edge)
    far, jump = rise(distances, 0.02), rise(jumps, 0.02)
    new, fresh_jump = _novelty(r, name)
    gone = rise(_missing(days), 0.01)
    gone_jump = rise(_missing(edge[1]) - _missing(edge[0]), 0.01)
    whole = far.now - jump.usual if jump.seen else 0.0
    evidence = max(
        both(far, jump, whole),
        both(rise(new, 0.02), rise(fresh_jump, 0.02), float(new[0])),
        both(gone, gone_jump, gone.change if gone.seen else 0.0),
        _outside(r, name),
    )
    moved = np.minimum(_moved(r, name, r.days, False), 9)
    across = np.minimum(_moved(r, name, r.edge, True), 9)
    excess = max(0.0, min(moved[0] - middle(moved[1:]), across[0] - middle(across[1:])))
    impact = max(float(excess), _put(r, name))
    strayed = trace(distances, jumps, whole)
    return View(evidence, impact, float(far.now), float(far.usual), strayed)


def middle(values: Floats) -> float:
    """The median of what is known; NaN when nothing is."""
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def day_counts(r: Reading, name: str) -> Floats:
    """Rows in each cell of a feature, the window's first, shape (blocks, cells)."""
    return _pick(r.counts, name, list(r.days.numbers))


def _edge_counts(r: Reading, name: str) -> tuple[Floats, Floats]:
    before = _pick(r.edge_counts, name, [2 * b for b in r.edge.numbers])
    return before, _pick(r.edge_counts, name, [2 * b + 1 for b in r.edge.numbers])


def _pick(counts: Profile, name: str, wanted: list[int]) -> Floats:
    place = {int(b): i for i, b in enumerate(counts.buckets)}
    table = counts.counts[name]
    empty = np.zeros(table.shape[1])
    return np.array([table[place[b]] if b in place else empty for b in wanted])


def _from_others(counts: Floats) -> Floats:
    """Jensen–Shannon distance of each block from all earlier ones but itself."""
    earlier = counts[1:].sum(axis=0)
    others = np.vstack([earlier[None], earlier[None] - counts[1:]])
    return distance(counts, others)


def _outside(r: Reading, name: str) -> float:
    """Evidence that numbers lie further outside the range of all other days than any day's did.

    Distances from a feature's cells saturate; how far values lie beyond the range, in widths of
    that range, does not: a turned sign or another unit is far out, a cold day is just outside.
    """
    if r.bins[name].kind == "level":
        return -1.0
    column = list(r.bins).index(name)
    x, block = r.days.x[:, column], r.days.block
    ends = {b: _ends(x[block == b]) for b in r.days.numbers}
    days, beyond = [], np.full(len(r.edge.x), np.nan)
    for b in r.days.numbers:
        rest = [e for other, e in ends.items() if other not in (0, b) and e is not None]
        if not rest:
            return -1.0
        low, high = min(e[0] for e in rest), max(e[1] for e in rest)
        width = max(high - low, 1e-9 * max(abs(high), 1.0))
        days.append(float(np.nanmean(_out(x[block == b], low, high) / width, dtype=float)))
        here = (r.edge.block == 2 * b) | (r.edge.block == 2 * b + 1)
        beyond[here] = _out(r.edge.x[here, column], low, high) / width
    found = rise(np.array(days), RECORD)
    jump = rise(r.edge.means(beyond, minus_before=True), RECORD)
    return both(found, jump, found.change if found.seen else 0.0)


def _ends(values: Floats) -> tuple[float, float] | None:
    known = values[np.isfinite(values)]
    return (float(known.min()), float(known.max())) if len(known) else None


def _out(values: Floats, low: float, high: float) -> Floats:
    """How far values lie outside a range; 0 inside and for missing ones."""
    out: Floats = np.nan_to_num(np.maximum(np.maximum(low - values, values - high), 0.0))
    return np.append(out, 0.0) if not len(out) else out


def _missing(counts: Floats) -> Floats:
    share: Floats = counts[:, -1] / np.maximum(counts.sum(axis=1), 1)
    return share


def _shares(counts: Floats) -> Floats:
    out: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return out


def _novelty(r: Reading, name: str) -> tuple[Floats, Floats]:
    """Share of a block's rows in cells beyond what any other earlier block held there, and how
    much the share of these very cells rose across the edge."""
    share = _shares(day_counts(r, name))
    top = np.sort(share[1:], axis=0)
    first, second = top[-1], top[-2] if len(top) > 1 else top[-1]
    limit = np.vstack([first[None], np.where(share[1:] == first, second, first)])
    beyond = np.clip(share - limit, 0, None)
    before, after = (_shares(c) for c in _edge_counts(r, name))
    place = {b: i for i, b in enumerate(r.days.numbers)}
    rises = [
        float(((after[i] - before[i]) * (beyond[place[b]] > 0)).sum())
        for i, b in enumerate(r.edge.numbers)
        if b in place
    ]
    return beyond.sum(axis=1), np.array(rises)


def _put(r: Reading, name: str) -> float:
    """How far rows moved whose values lie in cells beyond what any earlier block held there.

    A value that is put in the place of others leaves the distribution of effects nearly as wide
    as it was; what moved is each of these rows, from a usual effect to that of its cell.
    """
    share = _shares(day_counts(r, name))
    beyond = np.clip(share[0] - share[1:].max(axis=0), 0, None)
    effect, b = r.effect(name, r.days), r.bins[name]
    cell = b.cells(r.days.frame[name])
    usual, now = _quantiles(effect[r.days.block > 0]), r.days.block == 0
    moved = [
        beyond[c] * float(np.abs(effect[now & (cell == c)].mean() - usual).mean())
        for c in np.flatnonzero(beyond)
        if (now & (cell == c)).any()
    ]
    return float(sum(moved))


def _jumps(edge: tuple[Floats, Floats]) -> Floats:
    out: Floats = distance(edge[0], edge[1])
    return out


def _moved(r: Reading, name: str, s: Sample, edge: bool) -> Floats:
    """Wasserstein distance of main effects: each block from the others, or after from before.

    By quantiles: the mean distance between the two quantile functions.
    """
    if r.usage(name) == 0:
        return np.zeros(len(s.numbers))
    effect, out = r.effect(name, s), []
    every = None if edge else _quantiles(effect[s.block > 0])
    for b in s.numbers:
        mine = _quantiles(effect[s.block == (2 * b + 1 if edge else b)])
        rest = _quantiles(effect[s.block == 2 * b]) if every is None else every
        out.append(float(np.abs(mine - rest).mean()))
    return np.array(out)


def _quantiles(values: Floats) -> Floats:
    if not len(values):
        return np.zeros(50)
    at = np.linspace(0.01, 0.99, 50) * (len(values) - 1)
    out: Floats = np.sort(values)[np.round(at).astype(int)]
    return out
