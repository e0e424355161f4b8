"""Lasting changes in the course of any series: of its level, or of its trend.

The course is piecewise constant or piecewise linear. For each of the two, optimal partitions
(Jackson et al. 2005) under a row of penalties propose segmentations; the one with the shortest
description wins (Davis, Lee and Rodriguez-Yam 2006): log likelihood of the residuals as a
first-order autoregression with Student's t innovations, plus the price of every change's place
and parameters. A series that wanders is thus told from one that breaks. A season, found from the
series itself, is taken out first; what comes back again and again at no fixed period (a counter
that is reset, a balance that is filled up) is the series' way and not a change of it. A turn is
told only where its place is known: a slow drift has a course, but no onset.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.series.excursions import excursions, without_excursions
from analysis.series.rhythms import recurs, without_season

Floats = NDArray[np.float64]

MOST_POINTS = 600
"""Longer series are averaged down to about this many points before they are cut."""
SHORTEST = 3
TAIL = 5.0
"""Degrees of freedom of the innovations: outliers are no changes."""
PLACED = 5
"""Averaged points around a turn within which its place must lie, more likely than not."""
MEMORY = 0.75
"""Most lag-one correlation that passes for noise: what wanders more than that has a course."""
VISIBLE = 0.02
"""Innovations are taken to be at least this part of the series' range: less is no change that
anybody would name, however regular the series is."""
STEPS = 14
"""Penalties tried for each kind of course."""


@dataclass(frozen=True)
class Turn:
    """``index`` is the first point of the new course; ``low`` … ``high`` hold it at 95 %.

    ``gain`` is by how many nats the description grows without this turn.
    """

    index: int
    low: int
    high: int
    direction: str
    gain: float


@dataclass(frozen=True)
class Course:
    """The ``turns`` of a series in order, and its course at each point (n,), in its own unit.

    ``excursions`` are where it turned away and soon back: its course does not follow them.
    """

    turns: tuple[Turn, ...]
    expected: Floats
    excursions: tuple[Turn, ...] = ()


def course(values: ArrayLike, passing: int = 0) -> Course:
    """The course of a series (n,) and its lasting changes; NaN are gaps.

    What is back again in less than ``passing`` points is an excursion, and none of its courses.
    Below 8 known points, or when all are equal, the course is the median and nothing turns.
    """
    y = np.asarray(values, dtype=float)
    known = np.flatnonzero(np.isfinite(y))
    level = float(np.median(y[known])) if len(known) else 0.0
    if len(known) < 8 or not float(np.ptp(y[known])) > 0:
        return Course((), np.full(len(y), level))
    x = without_season(y[known])
    width = max(1, math.ceil(len(x) / MOST_POINTS))
    count = len(x) // width
    short = x[: count * width].reshape(count, width).mean(axis=1)
    steps = np.abs(np.diff(short))
    unit = float(np.median(steps)) or float(steps.mean()) or 1.0
    short = (short - level) / unit
    lasting, all_told = _best(short, passing // width)
    cuts, trend = lasting
    sharp = _turns(short, x, lasting, cuts, width, known)
    away = excursions(short, all_told.cuts, passing // width)
    passed = _turns(short, x, all_told, away, width, known)
    middle = known[np.minimum(np.arange(count) * width + width // 2, len(known) - 1)]
    fitted = level + unit * _fitted(short, cuts, trend)
    edges = [sharp[cut].index if cut in sharp else int(known[cut * width]) for cut in cuts]
    expected = _spread_out(fitted, middle, edges, len(y))
    return Course(tuple(sharp.values()), expected, tuple(passed.values()))


def _turns(
    short: Floats, x: Floats, told: _Cuts, at: list[int], width: int, known: NDArray[np.intp]
) -> dict[int, Turn]:
    """The turns ``at`` some of the cuts told, among the known points ``x`` that ``short`` averages;
    none where cuts come back again and again, or where a turn has no place."""
    if not at or recurs(short, told.cuts):
        return {}
    ends = [0, *told.cuts, len(short)]
    found: dict[int, Turn] = {}
    for before, cut, after in zip(ends, ends[1:], ends[2:], strict=False):
        if cut not in at:
            continue
        turn = _turn(short, before, cut, after, told.trend, width, known)
        if turn is not None:
            reach = min(10, cut - before, after - cut) * width
            found[cut] = _sharpened(turn, x, known, width, reach)
    return found


def _sharpened(turn: Turn, x: Floats, known: NDArray[np.intp], width: int, reach: int) -> Turn:
    """The same turn placed among the points that were averaged, between the levels around it, of
    ``reach`` points each."""
    cut = int(np.searchsorted(known, turn.index))
    left, right = x[max(cut - reach, 0) : cut - width], x[cut + width : cut + reach]
    if width == 1 or not len(left) or not len(right):
        return turn
    first = max(cut - 2 * width, 0)
    part = x[first : cut + 2 * width]
    gain = np.abs(part - np.median(right)) - np.abs(part - np.median(left))
    index = int(known[first + int(np.argmax(np.append(0.0, np.cumsum(gain)[:-1])))])
    low, high = min(turn.low, index), max(turn.high, index)
    return replace(turn, index=index, low=low, high=high)


def _spread_out(fitted: Floats, middle: NDArray[np.intp], cuts: list[int], size: int) -> Floats:
    """The course at every point: straight between the averaged ones of the same stretch."""
    out = np.empty(size)
    for start, end in pairwise([0, *cuts, size]):
        inside = (middle >= start) & (middle < end)
        inside = inside if inside.any() else np.ones(len(middle), dtype=bool)
        out[start:end] = np.interp(np.arange(start, end), middle[inside], fitted[inside])
    return out


# -- cutting ----------------------------------------------------------------------------------


class _Cuts(NamedTuple):
    """Where a series is cut, and whether its course is linear in between."""

    cuts: list[int]
    trend: bool


def _best(x: Floats, passing: int) -> tuple[_Cuts, _Cuts]:
    """The cuts with the shortest description: of those that last, and with excursions as well."""
    lasting = all_told = (math.inf, _Cuts([], False))
    least = VISIBLE * _range(x)
    for trend in (False, True):
        for cuts in _proposals(x, trend):
            each = _Cuts(cuts, trend), _Cuts(without_excursions(x, cuts, passing), trend)
            prices = [_price(x, *one, least) for one in each[: 1 + (each[0] != each[1])]]
            all_told = min(all_told, (prices[0], each[0]), key=itemgetter(0))
            lasting = min(lasting, (prices[-1], each[1]), key=itemgetter(0))
    return lasting[1], all_told[1]


def _range(x: Floats) -> float:
    """What the bulk of the series spans."""
    low, high = np.quantile(x, (0.02, 0.98))
    return float(high - low)


def _proposals(x: Floats, trend: bool) -> Iterator[list[int]]:
    """Optimal partitions under penalties from "one change would be too dear" downwards."""
    costs = _costs(x, trend)
    whole = float(costs[0, len(x)])
    yield []
    if not whole > 0:
        return  # without its season nothing is left to cut
    seen: set[tuple[int, ...]] = {()}
    for cuts in _partitions(costs, np.geomspace(0.5 * whole, 0.002 * whole, STEPS)):
        if len(cuts) > len(x) // 10:
            return
        if tuple(cuts) not in seen:
            seen.add(tuple(cuts))
            yield cuts


def _costs(x: Floats, trend: bool) -> Floats:
    """Squared error of every stretch [i, j) around its mean or line, inf where too short."""
    n = len(x)
    t = np.arange(n, dtype=float) - n / 2
    sums = [np.concatenate(([0.0], np.cumsum(v))) for v in (np.ones(n), x, x * x, t, t * t, t * x)]
    count, sx, sxx, st, stt, stx = (s[None, :] - s[:, None] for s in sums)
    size = np.maximum(count, 1)
    error = sxx - sx**2 / size
    if trend:
        spread = stt - st**2 / size
        error = error - (stx - st * sx / size) ** 2 / np.maximum(spread, 1e-9)
    least = SHORTEST + 2 * trend
    return np.where(count >= least, np.maximum(error, 0.0), np.inf)


def _partitions(costs: Floats, penalties: Floats) -> list[list[int]]:
    """The cheapest cuts under each penalty; all penalties in one pass."""
    n, rows = len(costs) - 1, np.arange(len(penalties))
    total = np.full((len(penalties), n + 1), np.inf)
    total[:, 0] = -penalties
    last = np.zeros((len(penalties), n + 1), dtype=int)
    for end in range(1, n + 1):
        option = total[:, :end] + (costs[:end, end] + penalties[:, None])
        best = np.argmin(option, axis=1)
        last[:, end], total[:, end] = best, option[rows, best]
    return [_back(path, n) for path in last]


def _back(last: NDArray[np.int_], end: int) -> list[int]:
    """The cuts of one path, from its end."""
    cuts: list[int] = []
    while (end := int(last[end])) > 0:
        cuts.append(end)
    return cuts[::-1]


def _price(x: Floats, cuts: list[int], trend: bool, least: float) -> float:
    """Description length in nats: residuals, and each course's place and parameters."""
    rest = x - _fitted(x, cuts, trend)
    each = 2.0 if trend else 1.0
    n = len(x)
    places = len(cuts) * math.log(n)
    return surprise(rest, least) + places + 0.5 * each * (len(cuts) + 1) * math.log(n)


def _fitted(x: Floats, cuts: list[int], trend: bool) -> Floats:
    edges = [0, *cuts, len(x)]
    out = np.empty(len(x))
    for start, end in pairwise(edges):
        part = x[start:end]
        if trend:
            t = np.arange(end - start, dtype=float)
            slope, level = np.polyfit(t, part, 1)
            out[start:end] = level + slope * t
        else:
            out[start:end] = part.mean()
    return out


def _bent(x: Floats, place: int) -> Floats:
    """The line through a stretch that bends at ``place`` without a jump."""
    t = np.arange(len(x), dtype=float)
    columns = np.column_stack((np.ones(len(x)), t, np.maximum(t - place, 0.0)))
    return np.asarray(columns @ np.linalg.lstsq(columns, x, rcond=None)[0])


def surprise(rest: Floats, least: float) -> float:
    """Negative log likelihood of a first-order autoregression with Student's t innovations."""
    before, after = rest[:-1], rest[1:]
    power = float((before**2).sum())
    memory = min(max(float((before * after).sum()) / power, 0.0), MEMORY) if power > 0 else 0.0
    shock = np.concatenate((rest[:1] * math.sqrt(1 - memory**2), after - memory * before))
    scale = math.hypot(_t_scale(shock), least)
    n = len(shock)
    constant = math.lgamma((TAIL + 1) / 2) - math.lgamma(TAIL / 2) - 0.5 * math.log(TAIL * math.pi)
    body = (TAIL + 1) / 2 * float(np.log1p((shock / scale) ** 2 / TAIL).sum())
    return n * (math.log(scale) - constant) + body - 0.5 * math.log(1 - memory**2)


def _t_scale(shock: Floats) -> float:
    """Maximum likelihood scale of Student's t, by its fixed point; never quite zero."""
    square = float(np.mean(shock**2))
    floor = 1e-6
    for _ in range(20):
        weights = (TAIL + 1) / (TAIL + shock**2 / max(square, floor))
        square = float(np.mean(weights * shock**2))
    return math.sqrt(max(square, floor))


def _turn(
    x: Floats, before: int, cut: int, after: int, trend: bool, width: int, known: NDArray[np.intp]
) -> Turn | None:
    """One change with the places that are nearly as good, all others held; None of no place."""
    part, least = x[before:after], VISIBLE * _range(x)
    short = SHORTEST + 2 * trend
    # No farther than the middle of the courses on both sides: beyond, another turn is meant.
    here = cut - before
    first, last = max(short, here // 2), min(len(part) - short, (here + len(part)) // 2)
    places = np.arange(min(first, here), max(last, here) + 1)
    prices = np.array([surprise(part - _fitted(part, [int(p)], trend), least) for p in places])
    weight = np.exp(-(prices - prices.min()))
    weight /= weight.sum()
    if weight[np.abs(places - here) <= PLACED].sum() < 0.5:
        return None
    if trend:
        # A bend asks one figure fewer than a jump; which of the two it is, the places themselves
        # tell: a jump's is sharp, a bend's is not.
        bends = np.array([surprise(part - _bent(part, int(p)), least) for p in places])
        both = np.logaddexp(-prices - 0.5 * math.log(len(part)), -bends)
        weight = np.exp(both - both.max())
        weight /= weight.sum()
        here = int(places[int(np.argmax(weight))])
    held = np.cumsum(weight)
    low = before + int(places[int(np.searchsorted(held, 0.025))])
    high = before + int(places[min(int(np.searchsorted(held, 0.975)), len(places) - 1)])
    alone = surprise(part - _fitted(part, [], trend), least)
    cut_here = surprise(part - _fitted(part, [here], trend), least)
    cut = before + here
    rose = float(np.mean(x[cut:after])) > float(np.mean(x[before:cut]))
    return Turn(
        int(known[cut * width]),
        int(known[min(low, cut) * width]),
        int(known[min(max(high, cut) * width, len(known) - 1)]),
        "up" if rose else "down",
        alone - cut_here,
    )
