"""Many series less what each usually is at that hour of the day, so that a window of the morning is
not held against windows of the night.

What is usual at an hour is the median, over the other days, of the day's median in that hour: a day
that is judged takes no part in it, so that few days do not look steadier than they are. It is asked
of two days at least, and taken out only where it tells a series' past clearly better than one level
does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.epochs import unit_of

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HOUR_S, DAY_S, HOURS = 3_600, 86_400, 24
FEWEST_DAYS, MOST_DAYS = 2, 14
BETTER = 0.8
"""Hours are taken out where they leave less than this part of the usual distance from a level."""


def clock(times: pd.Series[Any]) -> Ints | None:
    """Moments (n,) as whole seconds since 1970; None for numbers that count something else."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(times):
        plain = times.dt.tz_convert(None) if times.dt.tz is not None else times
        return plain.to_numpy().astype("datetime64[s]").astype(np.int64)
    unit = unit_of(float(times.min()), float(times.max()))
    return None if unit is None else (times.to_numpy(float) // unit).astype(np.int64)


def without_hours(values: Floats, series: Ints, seconds: Ints, late: NDArray[np.bool_]) -> Floats:
    """``values`` (n,) less their series' usual at that hour, about the same level as before.

    ``series`` (n,) numbers each value's series from 0 on, ``seconds`` (n,) are its moments, and
    ``late`` (n,) says which belong to the window that is asked about and teach nothing. A series
    stays as it is where the hours do not tell it better, or not all of its window's are known.
    """
    if not late.any() or late.all():
        return values
    start = int(seconds[late].min())
    day = np.where(late, -1, (start - 1 - seconds) // DAY_S)
    hour = seconds % DAY_S // HOUR_S
    middles = _middles(values, series, day, hour)
    several = np.isfinite(middles).sum(axis=1) >= FEWEST_DAYS
    usual = np.where(several, _usual(middles), np.nan)[series, hour]
    for number in range(middles.shape[1]):
        rows = np.flatnonzero(day == number)
        others = _usual(np.delete(middles, number, axis=1))
        usual[rows] = others[series[rows], hour[rows]]
    return _told_better(values, usual, series, late)


def _middles(values: Floats, series: Ints, day: Ints, hour: Ints) -> Floats:
    """The median of each series, day (0 is the last before the window) and hour; NaN for none."""
    import pandas as pd

    taught = (day >= 0) & (day < MOST_DAYS)
    days = int(day[taught].max()) + 1 if taught.any() else 0
    key = (series * MOST_DAYS + day) * HOURS + hour
    found = pd.Series(values[taught]).groupby(key[taught]).median()
    cells = np.full((int(series.max()) + 1, MOST_DAYS, HOURS), np.nan)
    cells.reshape(-1)[found.index.to_numpy()] = found.to_numpy()
    return cells[:, :days]


def _usual(middles: Floats) -> Floats:
    """The median over days of (series, days, hours), gaps left out: (series, hours)."""
    if middles.shape[1] == 0:
        return np.full((middles.shape[0], HOURS), np.nan)
    ordered = np.sort(middles, axis=1)  # gaps come last
    known = np.isfinite(middles).sum(axis=1, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum((known - 1) // 2, 0), axis=1)
    high = np.take_along_axis(ordered, np.minimum(known // 2, middles.shape[1] - 1), axis=1)
    both: Floats = ((low + np.where(known % 2, low, high)) / 2)[:, 0]
    return both


def _told_better(values: Floats, usual: Floats, series: Ints, late: NDArray[np.bool_]) -> Floats:
    """``values`` less ``usual`` in the series where that is nearer to the past than one level."""
    import pandas as pd

    past = pd.DataFrame({"value": np.where(late, np.nan, values), "series": series})
    past.loc[np.isnan(usual), "value"] = np.nan
    by = past.groupby("series")["value"]
    level = by.transform("median").to_numpy()
    rest = values - usual
    far = pd.DataFrame({"rest": abs(rest), "flat": abs(past["value"].to_numpy() - level)})
    far[np.isnan(past["value"].to_numpy())] = np.nan
    sums = far.groupby(series).median()
    unknown = pd.Series(late & np.isfinite(values) & np.isnan(usual)).groupby(series).any()
    better = (sums["rest"] < BETTER * sums["flat"]) & ~unknown
    return np.where(better.to_numpy()[series], rest + level, values)
