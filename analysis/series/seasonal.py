"""What a series usually does at this hour, how far it is off, and since when.

The usual is a level plus a profile over the day and, with three weeks or more, over the week; with
two of them where the days of the week plainly differ, or what weekends are like.
Both are robust (Huber 1964) and shrunk towards none by as much as their own noise asks for
(empirical Bayes, Efron & Morris 1975), so that three days of sparse counts do not make a
profile out of noise. The onset is a Bayesian change point (Smith 1975) on residuals whitened by
their own lag-one correlation: natural series wander for hours, and wandering is not a break.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.series.slots import (
    DAY_S,
    differ,
    hours_of,
    middle_of,
    seconds_of,
    shows,
    sloped,
    slots_of,
)

Floats = NDArray[np.float64]
HUBER = 1.345
REACH = 4.0
"""Standard deviation of a real step before any data are seen, in units of usual residuals."""
MOST = 4.0
"""A single point counts for no more than this: one freak hour is not a change of regime."""
FEWEST = 8
"""Fewer training points than this make no band."""


@dataclass(frozen=True)
class Band:
    """What is expected at each point, and the standard deviation of a usual distance from it.

    ``memory`` is the lag-one correlation of usual residuals; ``seasons`` names the profiles.
    ``lasting`` is the part of each point's variance that wanders from point to point, relative
    to a usual point: the sampling error of a handful of rows does not carry over.
    """

    expected: Floats
    spread: Floats
    memory: float
    seasons: tuple[str, ...]
    lasting: Floats

    def until(self, end: int) -> Band:
        """The band over the first ``end`` points."""
        return replace(
            self,
            expected=self.expected[:end],
            spread=self.spread[:end],
            lasting=self.lasting[:end],
        )

    def links(self, first: int = 0) -> Floats:
        """The correlation of each point's residual with the one before it, 0 to 0.95; from point
        ``first`` on, which counts as the first of all."""
        lasting = self.lasting[first:]
        before = np.concatenate(([0.0], lasting[:-1]))
        return np.minimum(self.memory * np.sqrt(lasting * before), 0.95)

    @property
    def low(self) -> Floats:
        """Lower edge: two standard deviations."""
        return self.expected - 2 * self.spread

    @property
    def high(self) -> Floats:
        """Upper edge: two standard deviations."""
        return self.expected + 2 * self.spread


@dataclass(frozen=True)
class Break:
    """A change of regime: ``index`` is its first point, ``low`` and ``high`` bound it at 95 %.

    ``evidence`` is the log Bayes factor against no change; ``step`` its size in the series' unit.
    """

    index: int
    low: int
    high: int
    direction: str
    evidence: float
    step: float


def fit(
    times: ArrayLike,
    values: ArrayLike,
    *,
    train: NDArray[np.bool_] | None = None,
    errors: ArrayLike | None = None,
    week_hours: bool = False,
    weekends: bool | None = None,
) -> Band:
    """The band over all points, learnt from those in ``train`` (all when None).

    ``errors`` are standard errors of the values: points with few rows weigh less and have a
    wider band. ``week_hours`` gives each hour of the weekend and of the week a profile of its own
    beside the day's and the week's: too rich for a few marred weeks. ``weekends`` of less than
    three weeks are learnt (True), are not, or where they plainly differ (None).
    Raises ValueError with fewer than 8 points to learn from.
    """
    stamps, y = seconds_of(times), np.asarray(values, dtype=float)
    known = np.isfinite(y) if train is None else train & np.isfinite(y)
    if known.sum() < FEWEST:
        raise ValueError(f"{int(known.sum())} points to learn from; {FEWEST} are needed")
    noise = _noise(errors, y, known)
    slots = slots_of(stamps, known, weekends)
    if weekends is None and "week" not in slots and "day" in slots:
        if differ(stamps, y, known):
            slots["week"] = stamps // DAY_S % 7
        if "weekend" in slots and (
            "week" in slots or not shows(slots["weekend"], stamps, y, known)
        ):
            del slots["weekend"]
    if week_hours and "day" in slots:
        slots |= hours_of(stamps, slots)
    expected = np.full(len(y), _level(y[known], _weights(noise, 0.0, known)))
    between = 0.0
    for _ in range(4):
        weights = _weights(noise, between, known)
        for name, season in slots.items():
            rest = (y - expected)[known]
            profile = _profile(rest, season, known, weights)
            if name.startswith(
                "hours"
            ):  # between them a series may run on, or jump (opening hours)
                straight = sloped(profile, stamps)
                off = [np.abs(rest - told[known]).sum() for told in (straight, profile)]
                profile = straight if off[0] < off[1] else profile
            expected += profile
        expected += _level((y - expected)[known], weights)
        between = _between((y - expected)[known], noise[known])
    spread = np.sqrt(between + noise**2)
    smallest = 1e-6 * max(float(np.nanmax(np.abs(y[known]))), 1e-9)
    spread = np.maximum(spread, smallest)
    memory = _memory((y - expected) / spread, known)
    share = between / spread**2
    usual = float(np.median(share[known])) or 1.0
    return Band(expected, spread, memory, tuple(slots), share / usual)


def _noise(errors: ArrayLike | None, y: Floats, known: NDArray[np.bool_]) -> Floats:
    """Errors with unknown ones replaced by a typical one, zero when none is known."""
    if errors is None:
        return np.zeros(len(y))
    noise = np.asarray(errors, dtype=float).copy()
    usable = noise[known & np.isfinite(noise)]
    typical = float(np.median(usable)) if len(usable) else 0.0
    noise[~np.isfinite(noise)] = typical
    floored: Floats = np.maximum(noise, 0.25 * typical)  # a handful of equal rows has no error
    return floored


def _weights(noise: Floats, between: float, known: NDArray[np.bool_]) -> Floats:
    total = noise[known] ** 2 + between
    typical = middle_of(total) or 1.0
    return typical / np.maximum(total, 0.05 * typical)


def _level(x: Floats, weights: Floats) -> float:
    """Weighted Huber location."""
    order = np.argsort(x)
    half = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    centre = float(x[order][min(half, len(x) - 1)])
    for _ in range(8):
        off = x - centre
        scale = 1.4826 * middle_of(np.abs(off)) or float(np.std(x)) or 1.0
        trust = weights * np.minimum(1.0, HUBER * scale / np.maximum(np.abs(off), 1e-12))
        centre = float((trust * x).sum() / trust.sum())
    return centre


def _profile(
    x: Floats, season: NDArray[np.int64], known: NDArray[np.bool_], weights: Floats
) -> Floats:
    """Each slot's own robust mean of the known points ``x``, shrunk by how well the slots can be
    told apart; for every point."""
    count = int(season.max()) + 1
    slot = season[known]
    members = np.bincount(slot, minlength=count)
    order = np.lexsort((x, slot))
    middle = np.minimum(np.cumsum(members) - members + members // 2, len(x) - 1)
    means = np.where(members > 0, x[order][middle], 0.0)
    scale = 1.4826 * middle_of(np.abs(x - means[slot])) or float(np.std(x)) or 1.0
    for _ in range(4):
        off = np.abs(x - means[slot])
        trust = weights * np.minimum(1.0, HUBER * scale / np.maximum(off, 1e-12))
        below = np.bincount(slot, trust, count)
        means = np.bincount(slot, trust * x, count) / np.maximum(below, 1e-12)
    learnt = members >= 2
    if learnt.sum() < 2:
        return np.zeros(len(season))
    squares = np.minimum((x - means[slot]) ** 2, 9 * scale**2)
    errors = np.bincount(slot, squares, count)[learnt] / members[learnt] ** 2
    pooled = float(np.mean(errors))
    true = max(float(np.var(means[learnt])) - pooled, 0.0)
    means[learnt] *= true / np.maximum(true + 0.5 * (errors + pooled), 1e-30)
    means[~learnt] = 0.0
    return np.asarray(means[season])


def _between(rest: Floats, noise: Floats) -> float:
    """Variance of usual residuals beyond their sampling error."""
    centre = middle_of(rest)
    robust = (1.4826 * middle_of(np.abs(rest - centre))) ** 2
    clipped = np.clip(rest - centre, -4 * math.sqrt(robust), 4 * math.sqrt(robust))
    total = max(robust, float(np.mean(clipped**2))) if robust > 0 else float(np.var(rest))
    return max(total - middle_of(noise**2), 0.02 * total)


def _memory(z: Floats, known: NDArray[np.bool_]) -> float:
    """Lag-one correlation of clipped residuals over neighbouring known points, 0 to 0.95."""
    pairs = known[1:] & known[:-1]
    if pairs.sum() < FEWEST:
        return 0.0
    clipped = np.clip(z, -4, 4)
    before, after = clipped[:-1][pairs], clipped[1:][pairs]
    power = float((before**2).sum())
    return min(max(float((before * after).sum()) / power, 0.0), 0.95) if power > 0 else 0.0


def step_evidence(z: Floats, links: Floats, first: int) -> Floats:
    """Log Bayes factor of a lasting step at each index from ``first`` on, against none.

    ``z`` are residuals in usual standard deviations (NaN for gaps), ``links`` their correlation
    with the one before. The step's size is integrated out under a normal prior of
    :data:`REACH`. One pass over the series.
    """
    here = np.isfinite(z)
    clipped = np.where(here, np.clip(z, -MOST, MOST), 0.0)
    before = np.concatenate(([0.0], clipped[:-1]))
    linked = here & np.concatenate(([False], here[:-1]))
    rho = np.where(linked, links, 0.0)
    shock = np.where(here, clipped - rho * before, 0.0)
    variance = 1 - rho**2
    later = np.where(here, 1 - rho, 0.0)  # how a step that lasts shows in a whitened point
    tail_power = np.cumsum((later**2 / variance)[::-1])[::-1] - later**2 / variance
    tail_hit = np.cumsum((later * shock / variance)[::-1])[::-1] - later * shock / variance
    power = tail_power + here / variance
    hit = tail_hit + here * shock / variance
    wide = REACH**2 * power
    gain: Floats = REACH**2 * hit**2 / (2 * (1 + wide)) - 0.5 * np.log1p(wide)
    gain[:first] = -np.inf
    gain[~here] = -np.inf
    return gain


def locate(values: ArrayLike, band: Band, first: int, prior: Floats | None = None) -> Break | None:
    """The most likely first point of a step that lasts to the end, at or after ``first``.

    ``prior`` weighs the points from ``first`` on (even when None): where an alert says that it
    began. None when no point from ``first`` on is known. Always returns one otherwise: judge it
    by its ``evidence``.
    """
    y = np.asarray(values, dtype=float)
    before = max(first - 1, 0)  # what a point shows is told from the one before it
    z = (y[before:] - band.expected[before:]) / band.spread[before:]
    gain = step_evidence(z, band.links(before), first - before)
    if not np.isfinite(gain).any():
        return None
    chance = np.where(np.isfinite(gain), 1.0, 0.0)
    if prior is not None:
        chance[first - before :] *= prior[: len(y) - first]
    with np.errstate(divide="ignore"):
        gain = gain + np.log(chance / max(float(chance.sum()), 1e-300))
    best = int(np.argmax(gain))
    weight = np.exp(gain - gain[best])
    evidence = float(gain[best] + math.log(weight.sum()))
    low, high = _credible(weight / weight.sum(), 0.95)
    index = before + best
    step = float(np.nanmean(y[index:] - band.expected[index:]))
    direction = "up" if step > 0 else "down"
    return Break(index, before + low, before + high, direction, evidence, step)


def _credible(weight: Floats, mass: float) -> tuple[int, int]:
    """First and last index of the central span that holds ``mass`` of ``weight``."""
    total = np.cumsum(weight)
    edge = (1 - mass) / 2
    low = int(np.searchsorted(total, edge))
    high = int(np.searchsorted(total, 1 - edge))
    return low, min(high, len(weight) - 1)
