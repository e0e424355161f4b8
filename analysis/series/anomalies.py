"""Which points of a series are anomalous, with one setting for every series.

The season (:mod:`analysis.series.seasonal`, and where the clock knows none,
:mod:`analysis.series.rhythms`) and the course (:mod:`analysis.series.courses`) are taken out;
what is left is weighed by how much is usual at that time of day, and judged by the tail of its own
distribution (:mod:`analysis.series.tails`). A lasting change is an anomaly at its onset, and never
after it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.series.counters import increments
from analysis.series.courses import Course, Turn, course, surprise
from analysis.series.holidays import holidays
from analysis.series.rhythms import without_season
from analysis.series.seasonal import FEWEST, Band, fit
from analysis.series.slots import DAY_S, WEEK_S, seconds_of, step_of
from analysis.series.spreads import by_hour
from analysis.series.stuck import stuck
from analysis.series.tails import PASSING, off, off_in_mean

Floats = np.ndarray[Any, np.dtype[np.float64]]
A_MONTH = 2.0
"""Alarms that an undisturbed series' tails may raise in 30 days (or in all, if it is shorter): of
its points, and of their means over each length. docs/benchmarks.md measures how few it raises."""
MONTH_S = 30 * DAY_S
EPOCH_S = 100_000_000
"""Integers from here on are seconds since 1970 (this is in 1973), smaller ones places in a row."""
LEARNT = 100_000
"""The season of a longer series is learnt from about so many of its points: its cost is bounded."""
ROUNDS = 4
"""Most times that season and course are learnt from each other; two when no echo is about."""
TOLD = 0.499
"""Highest score of a point that raises no alarm, because one was raised shortly before."""
AGAIN = 2.0
"""An excursion raises another alarm where it is this many times as far off as at its last."""
STUCK = 0.9
"""Score of the first point of a run of equal values that chance does not make."""
PLAINLY = 0.1
"""Nats a point by which logarithms must describe a series shorter to be its scale."""


@dataclass(frozen=True)
class Detection:
    """What :func:`detect` finds in a series (n,).

    ``scores`` are 0 to 1 (NaN in gaps), from 0.5 on where ``alarms`` is: at the first point of
    each excursion beyond the limit or, within it, of some length, and of each lasting change. What
    goes on is below 0.5 again, unless it becomes :data:`AGAIN` as large.
    ``turns`` are the lasting changes.
    """

    band: Band
    scores: Floats
    alarms: NDArray[np.bool_]
    turns: tuple[Turn, ...]


def detect(times: ArrayLike, values: ArrayLike) -> Detection:
    """Anomalous points and lasting changes of any series (n,), with one setting for all.

    ``times`` are moments or seconds since 1970; places in a row (0, 1, 2, …) know of no calendar.
    NaN are gaps. A point is anomalous beyond the limit that :func:`analysis.series.tails.limit`
    takes from the series itself. A counter (:mod:`analysis.series.counters`) is judged by its
    increments; its resets score 0. Raises ValueError with fewer than 8 known points.
    """
    y, unit = _scaled(values)
    stamps = _clock(times)
    counted = increments(y)
    judged = y if counted is None or np.isfinite(counted).sum() < FEWEST else counted
    band, found, z = _judged(stamps, judged)
    allowed = A_MONTH * max(float(stamps[-1] - stamps[0]) / MONTH_S, 1.0)
    away = off(z, allowed)
    farthest = np.maximum(away, off_in_mean(z, judged, allowed))
    scores = 1 - np.exp2(-(farthest**2))
    beyond = farthest > 1
    for turn in (*found.turns, *found.excursions):
        beyond[turn.index] = True
        strength = max(turn.gain / (2 * math.log(len(y))), 1.0)
        scores[turn.index] = max(scores[turn.index], 1 - 2**-strength)
    at = stuck(judged)
    beyond[at] = True
    scores[at] = np.maximum(scores[at], STUCK)
    alarms = _first_of_each(away, beyond)
    scores = np.where(alarms, scores, np.minimum(scores, TOLD))
    if judged is not y:  # what a counter is expected to show: its last reading and the increment
        scores[np.isfinite(y) & np.isnan(judged)] = 0.0
        ahead = y - judged + band.expected
        band = replace(band, expected=np.where(np.isfinite(judged), ahead, y))
    band = replace(band, expected=band.expected * unit, spread=band.spread * unit)
    return Detection(band, scores, alarms, found.turns)


def _judged(stamps: NDArray[np.int64], y: Floats) -> tuple[Band, Course, Floats]:
    """The band, the course, and residuals in units of what is usual at their hour.

    A seasonal series of positive values is judged by its logarithms where they are described
    shorter (Box and Cox 1964; the price of turns included): a rhythm that grows with the level is
    none of its changes.
    """
    band, found = _shortest(stamps, y)
    z = (y - band.expected) / band.spread
    if band.seasons and np.nanmin(y) > 0:
        logs = np.log(y)
        other, bends = _shortest(stamps, logs)
        gain = _length(y, band, found) - _length(logs, other, bends) - np.nansum(logs)
        if gain > PLAINLY * np.isfinite(y).sum():
            z = (logs - other.expected) / other.spread
            found, level = bends, np.exp(other.expected)
            band = replace(other, expected=level, spread=other.spread * level)
    return band, found, by_hour(stamps, z)


def _shortest(stamps: NDArray[np.int64], y: Floats) -> tuple[Band, Course]:
    """What :func:`_usual` finds, with a weekend of its own kind where that describes y shorter.

    One weekend is known by its midnights alone: what changes there and back is rather a weekend
    than two changes. From three weeks on every day of the week is learnt anyway.
    """
    band, found = _usual(stamps, y, weekends=True)
    if "weekend" not in band.seasons:
        return band, found
    plain = _usual(stamps, y, weekends=False)
    return min(((band, found), plain), key=lambda told: _length(y, *told))


def _length(y: Floats, band: Band, found: Course) -> float:
    """How long it takes to tell the series by its band, in nats, up to a constant.

    A point is told from the one before it: what wanders is no worse described for that. A weekend
    is as dear as its two ends would be as turns.
    """
    rest = y - band.expected
    known = rest[np.isfinite(rest)]
    ends = len(found.turns) + 2 * ("weekend" in band.seasons)
    return surprise(known, 0.0) + 2 * ends * math.log(len(known))


def _scaled(values: ArrayLike) -> tuple[Floats, float]:
    """The values (n,) in a unit, a power of two, of the size of the largest; and that unit.

    Squares of 1e200, and of 1e-200, are then numbers still.
    """
    y = np.asarray(values, dtype=float)
    known = np.abs(y[np.isfinite(y)])
    if len(known) < FEWEST:
        raise ValueError(f"{len(known)} points to learn from; {FEWEST} are needed")
    largest = float(known.max())
    unit = math.ldexp(1.0, math.frexp(largest)[1] - 1) if largest > 0 else 1.0
    return np.where(np.isfinite(y), y / unit, np.nan), unit


def _clock(times: ArrayLike) -> NDArray[np.int64]:
    """Seconds since 1970 (n,); no time passes between mere places in a row."""
    stamps = seconds_of(times)
    moments = np.issubdtype(np.asarray(times).dtype, np.datetime64)
    return stamps if moments or stamps.min() >= EPOCH_S else np.zeros(len(stamps), np.int64)


def _usual(stamps: NDArray[np.int64], y: Floats, weekends: bool) -> tuple[Band, Course]:
    """What is expected of the series, its seasons and its course together; and the course."""
    band = _fit(stamps, y - _running(stamps, y), weekends)
    for _ in range(2):  # as in STL (Cleveland et al. 1990): without its season a level is sharper
        band = _fit(stamps, y - _running(stamps, y - band.expected, DAY_S), weekends)
    holiday = holidays(stamps, y - _running(stamps, y - band.expected), band)
    y = y - holiday
    for again in range(ROUNDS):  # the season is learnt anew without the lasting changes
        season = band.expected - np.median(band.expected)
        found = course(y - season, _passing(stamps))
        if not np.ptp(found.expected) > 0:
            band = _fit(stamps, y, weekends)
            break
        learnt = found.expected
        if again < ROUNDS - 1:
            learnt = _without_echoes(stamps, y - season, found, band)
        band = _fit(stamps, y - learnt, weekends)
        if again and learnt is found.expected:
            break
    if np.ptp(found.expected) > 0:
        band = replace(band, expected=band.expected + found.expected)
    known = np.flatnonzero(np.isfinite(y))
    rest = y[known] - band.expected[known]
    rhythm = rest - without_season(rest)
    if rhythm.any():
        expected = band.expected.copy()
        expected[known] += rhythm
        band = replace(band, expected=expected)
    return replace(band, expected=band.expected + holiday), found


def _passing(stamps: NDArray[np.int64]) -> int:
    """Points in which an excursion is over: half a day, and a small part of the series.

    Places in a row say nothing of what lasts.
    """
    if stamps[-1] == stamps[0]:
        return 0
    return min(DAY_S // 2 // step_of(stamps), len(stamps) // PASSING)


def _without_echoes(stamps: NDArray[np.int64], rest: Floats, found: Course, band: Band) -> Floats:
    """The course (n,) without turns that may be a stronger one's echo in the longest season.

    A season learnt from a few rounds with a step in one of them has some of that step in all; its
    course then steps back a round earlier and later, and the two agree with each other for good.
    So the season is learnt anew without turns that lie whole rounds from a stronger one. A true
    one among them is still there to be found afterwards.
    """
    length = WEEK_S if "week" in band.seasons else DAY_S
    at = stamps[[turn.index for turn in found.turns]]
    apart = np.abs(at[:, None] - at[None, :])
    gain = np.array([turn.gain for turn in found.turns])
    off = np.abs((apart + length // 2) % length - length // 2)
    echo = (apart > length // 2) & (off <= length // 28) & (gain[:, None] < gain[None, :])
    if not band.seasons or not echo.any():
        return found.expected
    step = np.zeros(len(rest))
    stretch = np.zeros(len(rest), dtype=int)
    for turn, is_echo in zip(found.turns, echo.any(axis=1), strict=True):
        step[turn.index] = found.expected[turn.index] - found.expected[turn.index - 1]
        stretch[turn.index :] += not is_echo
    course_only = found.expected - np.cumsum(step)
    levels = [np.nanmedian((rest - course_only)[stretch == s]) for s in range(stretch[-1] + 1)]
    return np.asarray(course_only + np.array(levels)[stretch])


def _fit(stamps: NDArray[np.int64], y: Floats, weekends: bool) -> Band:
    """The band; of a long series it is learnt from some of its points, the same ones each time."""
    train = None
    if len(y) > LEARNT:
        train = np.random.default_rng(0).random(len(y)) < LEARNT / len(y)
    return fit(stamps, y, train=train, week_hours=True, weekends=weekends)


def _running(stamps: NDArray[np.int64], y: Floats, season: int = WEEK_S) -> Floats:
    """The running median over ``season`` seconds, or a day where there are not two weeks.

    A whole season is in each window, so that it follows the level and leaves the season: a
    lasting change must not be learnt as one. Zero where the clock knows no season.
    """
    import pandas as pd

    step = step_of(stamps)
    span = int(stamps[-1] - stamps[0]) + step
    if season == WEEK_S and 9 * DAY_S <= span < 2 * WEEK_S and step <= DAY_S:
        return np.zeros(len(y))  # no week to run over, but perhaps a weekend to learn
    rounds = 2 if season == WEEK_S else 3
    season = season if span >= rounds * season and season > step else DAY_S
    width = season // step * len(stamps) // (1 + int(np.count_nonzero(np.diff(stamps))))
    if width < 4 or span < min(3 * season, 2 * WEEK_S):
        return np.zeros(len(y))
    level = pd.Series(y).rolling(width, center=True, min_periods=width // 2).median()
    level.iloc[: width // 2] = np.nan
    level.iloc[-(width // 2) :] = np.nan
    return np.asarray(np.nan_to_num(level.ffill().bfill().to_numpy(float)))


def _first_of_each(away: Floats, beyond: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The first point of each excursion, and what in it is :data:`AGAIN` as far off as that.

    Excursions near one another are one.
    """
    apart = max(len(beyond) // PASSING, 1)
    out = np.zeros(len(beyond), dtype=bool)
    last, raised = -len(beyond), 0.0
    for place in np.flatnonzero(beyond):
        here = max(float(np.nan_to_num(away[place])), 1.0)
        if place - last > apart or here >= AGAIN * raised:
            out[place], raised = True, here
        last = int(place)
    return out
