"""How wide the usual is at each time of day."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.series.slots import DAY_S, step_of

Floats = np.ndarray[Any, np.dtype[np.float64]]
HOURS = 24
PRIOR = 20
"""Points for which the spread of the whole day stands in an hour's own."""


def by_hour(stamps: NDArray[np.int64], z: Floats) -> Floats:
    """Residuals (n,) in units of what is usual at their hour of the day.

    An hour's spread is that of itself and its neighbours, drawn towards the whole day's. Series
    of less than three days, or with steps longer than six hours, have one spread.
    """
    known = np.isfinite(z)
    whole = _spread(z[known])
    if step_of(stamps) > DAY_S / 4 or stamps[-1] - stamps[0] < 3 * DAY_S:
        return z / whole
    hour = stamps % DAY_S * HOURS // DAY_S
    factor = np.ones(HOURS)
    for h in range(HOURS):
        near = known & (np.abs((hour - h + 12) % HOURS - 12) <= 1)
        own, count = _spread(z[near]) / whole if near.any() else 1.0, int(near.sum())
        factor[h] = _drawn(own, count)
    return z / (whole * np.maximum(factor[hour], _by_slot(stamps, z)))


def _by_slot(stamps: NDArray[np.int64], z: Floats) -> Floats:
    """How much wider than usual residuals (n,) are at their own step of the day, as a factor.

    A batch that runs at two o'clock, now heavier, now lighter, now a step later, is no anomaly for
    it. From the upper quantiles of each step and its neighbours, which leave out three days'
    worth: as many may be anomalies. Zero, which asks for nothing, with less than a week.
    """
    step = step_of(stamps)
    days, slots = (int(stamps[-1] - stamps[0]) + step) / DAY_S, DAY_S // step
    known = np.flatnonzero(np.isfinite(z))
    if days < 7 or slots <= HOURS:
        return np.zeros(len(z))
    part = min(1 - 3 / days, 0.9)
    away = np.abs(z[known])
    usual = float(np.quantile(away, part)) or 1.0
    slot = stamps[known] % DAY_S // step
    factor = np.zeros(slots + 1)
    order = np.argsort(slot, kind="stable")
    edges = np.searchsorted(slot[order], np.arange(slots + 2))
    for s in range(-(-DAY_S // step)):
        around = [order[edges[o % slots] : edges[o % slots + 1]] for o in (s - 1, s, s + 1)]
        near = away[np.concatenate(around)]
        own = float(np.quantile(near, part)) / usual if len(near) else 0.0
        factor[s] = _drawn(own, len(near))
    return np.asarray(factor[stamps % DAY_S // step])


def _drawn(own: float, count: int) -> float:
    """A spread of ``count`` points, in units of the whole day's, drawn towards that."""
    return math.sqrt((count * own**2 + PRIOR) / (count + PRIOR))


def _spread(z: Floats) -> float:
    """Robust standard deviation around zero; the plain one where most are equal."""
    return 1.4826 * float(np.median(np.abs(z))) or float(np.sqrt(np.mean(z**2))) or 1.0
