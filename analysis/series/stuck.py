"""Where a sensor is stuck: one value over and over, in a series that seldom repeats itself.

A run of L equal values takes L - 1 repetitions. How likely one is, is told by the rest of the
series: how often values repeat at all, and how often this one does elsewhere. Counts that are
zero every night, gauges that seldom move and rounded values repeat themselves, and are not stuck.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = np.ndarray[Any, np.dtype[np.float64]]
RARE = 0.001
"""Runs as long that a series may hold by chance, at most, for one to be told."""
LEAST = 0.1
"""Chance of a repetition, at least: that few were seen in a short series says little."""


def stuck(y: Floats) -> NDArray[np.intp]:
    """The first point of each run of a series (n,) that chance does not make; NaN are left out.

    A series that begins with a run did not get stuck in it.
    """
    known = np.flatnonzero(np.isfinite(y))
    x = y[known]
    begins = np.flatnonzero(np.append(True, x[1:] != x[:-1]))
    lengths = np.diff(np.append(begins, len(x)))
    often = max(1 - (len(begins) - 1) / max(len(x) - 1, 1), LEAST)
    fewest = 1 + math.log(RARE / len(x)) / math.log(often) if often < 1 else math.inf
    long = np.flatnonzero(lengths > fewest)
    told = [i for i in long if i and _repeats(x, begins, lengths, i) * len(x) < RARE]
    return known[begins[np.array(told, dtype=np.intp)]]


def _repeats(x: Floats, begins: NDArray[np.intp], lengths: NDArray[np.intp], run: np.intp) -> float:
    """Chance of the run's repetitions by how often its value repeats in other runs."""
    same = x[begins] == x[begins[run]]
    same[run] = False
    points = int(lengths[same].sum())
    often = max((points - int(same.sum())) / points if points else 0.0, LEAST)
    return float(often ** (lengths[run] - 1))
