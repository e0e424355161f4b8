"""Is a feature fresh? A feed that stopped stands still; one that lags repeats its own past.

Both are read from the hourly means of a feature, per group whose rows share it (all weather
rows of an airport and hour, say). Every figure comes with the same figure of earlier days.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

LONGEST_LAG = 30
"""Hours back that a lagging feed is looked for."""
ALIKE = 0.01
"""Squared differences below this part of the variance are none: rounded values meet by chance."""
FEWEST = 6
"""Hours × groups that a stretch must share with the past before it can be said to repeat it."""


def hourly(frame: pd.DataFrame, value: str, time: str, group: str | None) -> tuple[Floats, Any]:
    """Means per hour and group, shape (hours, groups), NaN where empty; and the first hour.

    Source values are taken as they are; ``time`` holds naive UTC timestamps.
    """
    import pandas as pd

    slot = frame[time].dt.floor("h")
    first = slot.min()
    index = ((slot - first) / pd.Timedelta(hours=1)).round().astype(int).to_numpy()
    if group is None:
        code = np.zeros(len(frame), dtype=int)
    else:
        code = pd.factorize(frame[group].astype("string").fillna("?"), sort=True)[0]
    shape = (int(index.max()) + 1, int(code.max()) + 1)
    x = frame[value].to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(x)
    flat = index[known] * shape[1] + code[known]
    size = shape[0] * shape[1]
    count = np.bincount(flat, minlength=size)
    total = np.bincount(flat, weights=x[known], minlength=size)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, total / np.maximum(count, 1), np.nan).reshape(shape), first


def standing_still(means: Floats, starts: Sequence[int], length: int) -> Floats:
    """Log of the mean squared step from hour to hour in each stretch; NaN where unknown.

    ``starts`` are hours (rows of ``means``) at which stretches of ``length`` hours begin; the
    step into a stretch's first hour is left out.
    """
    steps = np.diff(means, axis=0) ** 2
    floor = 1e-6 * np.nanvar(means) + 1e-300
    out = []
    for start in starts:
        part = steps[max(start, 0) : start + length - 1]
        known = np.isfinite(part).sum()
        out.append(np.log(np.nansum(part) / known + floor) if known >= 3 else np.nan)
    return np.array(out)


def repeating_the_past(means: Floats, starts: Sequence[int], length: int) -> tuple[Floats, Floats]:
    """How well each stretch repeats the hours some lag before, and the best lag in hours.

    The figure is the log of the mean squared difference at the best lag over the usual one at
    that lag; strongly negative where a feed lags. Only the hours until the lag has passed since
    the stretch began are compared: after that the past itself is late.
    """
    hours = len(means)
    floor = ALIKE * float(np.nanvar(means)) + 1e-300
    best = np.full(len(starts), np.nan)
    lags = np.zeros(len(starts))
    begin = np.array(starts)
    for lag in range(3, min(LONGEST_LAG, hours - 24) + 1):
        gap = (means[lag:] - means[:-lag]) ** 2
        known = np.isfinite(gap)
        total = np.append(0.0, np.cumsum(np.where(known, gap, 0.0).sum(axis=1)))
        count = np.append(0, np.cumsum(known.sum(axis=1)))
        usual = total[-1] / max(count[-1], 1)
        end = np.minimum(np.minimum(begin + length, begin + lag), hours)
        fits = (begin - lag >= 0) & (end - begin >= 3)
        low, high = np.where(fits, begin - lag, 0), np.where(fits, end - lag, 0)
        seen = count[high] - count[low]
        mean = (total[high] - total[low]) / np.maximum(seen, 1)
        ratio = np.where(fits & (seen >= FEWEST), np.log((mean + floor) / (usual + floor)), np.nan)
        better = np.isfinite(ratio) & ~(best <= ratio)
        best, lags = np.where(better, ratio, best), np.where(better, lag, lags)
    return best, lags
