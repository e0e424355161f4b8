"""Counters: what only grows until it starts again says something by its increments alone.

The rule of Prometheus' ``rate``: a fall is a reset. What was counted between the last reading and
the reset is not known, so the increment at a reset is a gap.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
RISES = 10
"""A counter rises at least so many times for each time that it falls."""
NEAR_START = 5.0
"""Usual rises within which a counter is again after a reset."""


def increments(values: Floats) -> Floats | None:
    """What a counter (n,) counted since the point before; None when the series is no counter.

    NaN where that is not known: at the first point, at resets, and beside gaps. A counter is
    never negative, falls at least once, seldom, and to near zero each time. What never falls at
    all may be anything that grows, and is not called one.
    """
    known = values[np.isfinite(values)]
    if len(known) < 2 or known.min() < 0:
        return None
    steps = np.diff(known)
    rises, after = steps[steps > 0], known[1:][steps < 0]
    if not len(after) or len(rises) < RISES * len(after):
        return None
    if float(after.max()) > NEAR_START * float(np.median(rises)):
        return None
    counted = np.diff(values, prepend=np.nan)
    counted[~(counted >= 0)] = np.nan
    return counted
