"""Days that go as another weekday usually does: a holiday on a Wednesday looks like a Sunday.

No calendar is asked: which days are holidays differs by country and by trade. A day is taken for
another weekday where that describes it shorter, price of saying so included, and about as well as
usual days are described by their own. Days are those of the clock, midnight to midnight: what
begins in the middle of a day is no holiday.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from analysis.series.seasonal import Band
from analysis.series.slots import DAY_S, WEEK_S, step_of

Floats = NDArray[np.float64]
CLIPPED = 4.0
"""A point speaks for no more standard deviations than this: one outlier makes no holiday."""
USUAL = 0.9
"""Quantile of usual days' distance from their own profile that a holiday may have from its."""
UNUSUAL = 2.0
"""Times the median day's distance from which a day is not as its own weekday."""
FEWEST_A_DAY = 4


def holidays(stamps: NDArray[np.int64], rest: Floats, band: Band) -> Floats:
    """What a holiday's weekday adds to the usual of its date (n,); zero on all other days.

    ``rest`` are the values less their level, in the unit of ``band``. Without a weekly season
    learnt there are none.
    """
    out = np.zeros(len(rest))
    if "week" not in band.seasons:
        return out
    profile = _profile(stamps, band)
    day = (stamps - stamps[0] // DAY_S * DAY_S) // DAY_S
    shifts = [_as(stamps, profile, weekday) - band.expected for weekday in range(7)]
    own = _distances(rest - band.expected, band, day)
    others = np.array([_distances(rest - band.expected - s, band, day) for s in shifts])
    others[np.isnan(others)] = np.inf
    counts = np.bincount(day[np.isfinite(rest)], minlength=len(own))
    best = others.argmin(axis=0)
    nearest = others.min(axis=0)
    free = (1 - band.memory) / (1 + band.memory)  # points that wander together count for fewer
    gain = 0.5 * counts * free * (own - nearest)
    enough = counts >= FEWEST_A_DAY
    if not enough.any():
        return out
    is_one = enough & (gain > math.log(7 * len(own))) & (nearest <= np.quantile(own[enough], USUAL))
    is_one &= own > UNUSUAL * np.median(own[enough])
    for found in np.flatnonzero(is_one):
        inside = day == found
        out[inside] = shifts[best[found]][inside]
    return out


def _profile(stamps: NDArray[np.int64], band: Band) -> Floats:
    """The usual at each step of the week; NaN where none was seen."""
    step = step_of(stamps)
    table = np.full(WEEK_S // step + 1, np.nan)
    table[stamps % WEEK_S // step] = band.expected
    return table


def _as(stamps: NDArray[np.int64], profile: Floats, weekday: int) -> Floats:
    """The usual at each point's time of day on ``weekday`` (0 is the day of 1970-01-01)."""
    return profile[(stamps % DAY_S + weekday * DAY_S) // step_of(stamps)]


def _distances(rest: Floats, band: Band, day: NDArray[np.int64]) -> Floats:
    """Mean square of each day's distance, in usual standard deviations; NaN on days of gaps."""
    z = np.minimum((rest / band.spread) ** 2, CLIPPED**2)
    known = np.isfinite(z)
    size = int(day[-1]) + 1
    count = np.bincount(day[known], minlength=size)
    total = np.bincount(day[known], z[known], size)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
