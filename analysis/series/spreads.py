"""How wide the usual is at each time of day."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.series.slots import DAY_S, step_of

Floats = np.ndarray[Any, np.dtype[np.float64]]
HOURS = 24
ABOUT_S = 20 * 60
"""Seconds, or a step, by which a batch may come earlier or later than on other days."""
PRIOR = 20
"""Points for which the spread of the whole day stands in an hour's own."""


def by_hour(stamps: NDArray[np.int64], z: Floats) -> Floats:
    """Residuals (n,) in units of what is usual at their hour of the day.

    An hour's spread is its own or that of itself and its neighbours, whichever is wider, drawn
    towards the whole day's. Series of less than three days, or with steps longer than six hours,
    have one spread.
    """
    known = np.isfinite(z)
    whole = _spread(z[known])
    if step_of(stamps) > DAY_S / 4 or stamps[-1] - stamps[0] < 3 * DAY_S:
        return z / whole
    hour = stamps % DAY_S * HOURS // DAY_S
    factor = np.ones(HOURS)
    for h in range(HOURS):
        apart = np.abs((hour - h + 12) % HOURS - 12)
        nearby = (known & (apart <= wide) for wide in (0, 1))
        factor[h] = max(
            (_drawn(_spread(z[near]) / whole, int(near.sum())) for near in nearby if near.any()),
            default=1.0,
        )
    return z / (whole * np.maximum(factor[hour], _by_slot(stamps, z)))


def _by_slot(stamps: NDArray[np.int64], z: Floats) -> Floats:
    """How much wider than usual residuals (n,) are about their own step of the day, as a factor.

    A batch that runs about two o'clock, now heavier, now lighter, now a little later, is no anomaly
    for it. From the loudest point that each day has about then, less three days' worth: as many may
    be anomalies. Zero, which asks for nothing, with less than a week.
    """
    from scipy.ndimage import maximum_filter1d

    step = max(step_of(stamps), ABOUT_S // 4)  # finer slots would only take room
    slots = -(-DAY_S // step)
    day, slot = stamps // DAY_S - stamps[0] // DAY_S, stamps % DAY_S // step
    days = int(day[-1]) + 1
    known = np.isfinite(z)
    if (int(stamps[-1] - stamps[0]) + step) / DAY_S < 7 or slots <= HOURS:
        return np.zeros(len(z))
    loud = np.zeros(days * slots)
    np.maximum.at(loud, day[known] * slots + slot[known], np.abs(z[known]))
    around = 2 * max(ABOUT_S // step, 1) + 1
    loudest = maximum_filter1d(loud, around, mode="nearest").reshape(days, slots)
    own = np.quantile(loudest, min(1 - 3 / days, 0.9), axis=0)
    usual = float(np.median(own[np.unique(slot[known])])) or 1.0
    factor = np.array([_drawn(float(one) / usual, 3 * days) for one in own])
    return np.asarray(factor[slot])


def _drawn(own: float, count: int) -> float:
    """A spread of ``count`` points, in units of the whole day's, drawn towards that."""
    return math.sqrt((count * own**2 + PRIOR) / (count + PRIOR))


def _spread(z: Floats) -> float:
    """Robust standard deviation around zero; the plain one where most are equal."""
    return 1.4826 * float(np.median(np.abs(z))) or float(np.sqrt(np.mean(z**2))) or 1.0
