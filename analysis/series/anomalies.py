"""Which points of a series are anomalous, with one setting for every series.

The season (:mod:`analysis.series.seasonal`) and the course (:mod:`analysis.series.courses`) are
taken out; what is left is judged by the tail of its own distribution: peaks over a threshold with
an exponential tail (Siffer et al. 2017). A lasting change is an anomaly at its onset, and never
after it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.series.courses import Turn, course
from analysis.series.seasonal import Band, fit

Floats = np.ndarray[Any, np.dtype[np.float64]]
ALARM = 5.0
"""Usual standard deviations from which a point is an anomaly: rare even in heavy tails."""
EXPECTED = 1.0
"""Points of an undisturbed series beyond the limit, if its tail is as heavy as it looks."""
TOLD = 0.499
"""Highest score of a point that raises no alarm, because one was raised shortly before."""


@dataclass(frozen=True)
class Detection:
    """What :func:`detect` finds in a series (n,).

    ``scores`` are 0 to 1 (NaN in gaps), from 0.5 on where ``alarms`` is: at the first point of
    each excursion beyond the limit, and of each lasting change. What goes on is below 0.5 again.
    ``turns`` are the lasting changes.
    """

    band: Band
    scores: Floats
    alarms: NDArray[np.bool_]
    turns: tuple[Turn, ...]


def detect(times: ArrayLike, values: ArrayLike) -> Detection:
    """Anomalous points and lasting changes of any series (n,), with one setting for all.

    ``times`` are moments or seconds since 1970; places in a row (0, 1, 2, …) know of no calendar.
    NaN are gaps. A point is anomalous beyond the limit that :func:`_limit` takes from the series
    itself, at least :data:`ALARM`. Raises ValueError with fewer than 8 known points.
    """
    y = np.asarray(values, dtype=float)
    band = fit(times, y)
    for _ in range(2):  # the season is learnt anew without the lasting changes
        season = band.expected - np.median(band.expected)
        found = course(y - season)
        if not np.ptp(found.expected) > 0:
            break
        band = fit(times, y - found.expected)
    if np.ptp(found.expected) > 0:
        band = replace(band, expected=band.expected + found.expected)
    z = np.abs(y - band.expected) / band.spread
    limit = _limit(z)
    scores = 1 - np.exp2(-((z / limit) ** 2))
    beyond = z > limit
    for turn in found.turns:
        beyond[turn.index] = True
        strength = max(turn.gain / (2 * math.log(len(y))), 1.0)
        scores[turn.index] = max(scores[turn.index], 1 - 2**-strength)
    alarms = _first_of_each(beyond)
    return Detection(band, np.where(alarms, scores, np.minimum(scores, TOLD)), alarms, found.turns)


def _limit(z: Floats) -> float:
    """Distance that :data:`EXPECTED` points of an undisturbed series would exceed.

    The tail's scale comes from the points between the 98th percentile and the rarest 0.2 %, which
    may be the anomalies themselves; an exponential cut there has 1.6 times the mean excess.
    """
    known = z[np.isfinite(z)]
    start, rare = np.quantile(known, (0.98, 0.998))
    excess = known[(known > start) & (known <= rare)] - start
    scale = 1.6 * float(excess.mean()) if len(excess) else 0.0
    return max(ALARM, float(start) + scale * math.log(max(0.02 * len(known) / EXPECTED, 1.0)))


def _first_of_each(beyond: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The first point of each excursion; those nearer than a fortieth of the series are one."""
    places = np.flatnonzero(beyond)
    out = np.zeros(len(beyond), dtype=bool)
    if len(places):
        apart = np.diff(places, prepend=-len(beyond)) > max(len(beyond) // 40, 1)
        out[places[apart]] = True
    return out
