"""How far a residual is off, by the tail of its own distribution: one setting for every series.

Peaks over a threshold with a generalised Pareto tail (Siffer et al. 2017), one peak per excursion,
on each side; of the residuals themselves and of their running means, where small deviations that
last add up.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
ALARM = 5.0
"""Usual standard deviations from which a point is an anomaly: rare even in heavy tails."""
LENGTHS = (4, 16, 64)
"""Points over which residuals are averaged as well …"""
FEWEST_LENGTHS = 40
"""… in series of at least so many times that …"""
COUNTED = 2 * ALARM
"""… in which a single point counts for no more than this."""
MOSTLY = 0.5
"""Where more than this part of the points are alike, their means are not looked at."""
APART = 3
"""Points within the 98 % between two excursions that still count as one."""
PASSING = 40
"""An excursion takes less than one in so many points of a series."""
OFTEN = PASSING // 3
"""What more of its fortieth parts have than that is the way of a series …"""
LARGER = 1.25
"""… and what is no larger than this many times those is one of them."""
SHAPES = np.linspace(0.005, 0.5, 100)[:, None]
"""Shapes of a tail, from the exponential to the first that has no variance."""
USUAL = 0.2
"""Shape of a tail that is not unusually heavy."""


def off(z: Floats, allowed: float) -> Floats:
    """How far each residual of a series (n,) is off, 1 at the limit of its side; NaN in gaps.

    ``z`` is in usual standard deviations. ``allowed`` is how many alarms an undisturbed series of
    this length may raise in all.
    """
    known = z[np.isfinite(z)]
    above = z / limit(known, allowed / 2)
    below = -z / limit(-known, allowed / 2)
    return np.maximum(np.maximum(above, below), 0.0)


def off_in_mean(z: Floats, values: Floats, allowed: float) -> Floats:
    """How far the means of the last known points (n,) are off, the farthest of :data:`LENGTHS`.

    As :func:`off`, with as many alarms allowed at each length. Zero in gaps, and everywhere where
    most ``values`` (n,) are alike: of single events now and then a mean says no more than they do.
    """
    out = np.zeros(len(z))
    known = np.isfinite(z)
    if not known.any() or np.mean(values[known] == np.median(values[known])) > MOSTLY:
        return out
    counted = np.clip(z[known], -COUNTED, COUNTED)
    for length in LENGTHS:
        if known.sum() >= FEWEST_LENGTHS * length:
            out[known] = np.fmax(out[known], off(_mean(counted, length), allowed))
    return out


def _mean(z: Floats, length: int) -> Floats:
    """Means of the last ``length`` points (n,), in units of what is usual for such means.

    They are taken to be no steadier than means of independent points: what the course has followed
    closely would look steadier than it is.
    """
    import pandas as pd

    mean = pd.Series(z).rolling(length, min_periods=length).mean().to_numpy(float)
    mean = mean - np.nanmedian(mean)
    spread = 1.4826 * float(np.nanmedian(np.abs(mean)))
    return np.asarray(mean / max(spread, length**-0.5))


def limit(away: Floats, allowed: float) -> float:
    """Distance that ``allowed`` excursions of an undisturbed series would exceed.

    Excursions beyond the 98th percentile of ``away`` (n,) count once each, by their peak (runs
    declustering, Leadbetter et al. 1989). What a series does again and again (:data:`OFTEN`) is
    within.
    """
    start = float(np.quantile(away, 0.98))
    peaks = _peaks(away, start)
    if not len(peaks):
        return max(ALARM, start)
    unusual = start + rare(peaks - start, max(len(peaks) / allowed, 1.0))
    parts = sorted(float(part.max()) for part in np.array_split(away, PASSING) if len(part))
    often = LARGER * parts[-OFTEN - 1] if len(parts) > OFTEN else 0.0
    return max(ALARM, unusual, often)


def rare(excess: Floats, one_in: float) -> float:
    """The excess (n,) that one in so many of an undisturbed series' peaks would have.

    The highest quarter may be the anomalies themselves: of them only that they are higher is used
    (a likelihood of censored data). The shape is drawn towards an exponential tail, since some
    tens of peaks hardly tell it (a penalised likelihood, Coles and Dixon 1999).
    """
    told = max(3 * len(excess) // 4, 1)
    x = np.sort(excess)
    x = np.minimum(x, x[told - 1])
    scale = float(x.sum()) / told
    if not scale > 0:
        return 0.0
    ratio = np.geomspace(1e-3, 1e2, 200) / scale  # shape / scale
    logs = np.log1p(ratio[:, None] * x)
    likely = told * np.log(ratio / SHAPES) - logs[:, :told].sum(axis=1) - logs.sum(axis=1) / SHAPES
    best, at = np.unravel_index(int((likely - (SHAPES / USUAL) ** 2 / 2).argmax()), likely.shape)
    return float((one_in ** SHAPES[best, 0] - 1) / ratio[at])


def _peaks(away: Floats, start: float) -> Floats:
    """The highest point of each excursion beyond ``start``; those few points apart are one."""
    places = np.flatnonzero(away > start)
    if not len(places):
        return np.empty(0)
    begins = np.flatnonzero(np.diff(places, prepend=-APART - 1) > APART)
    return np.maximum.reduceat(away[places], begins)
