"""How far a window of each series of many nodes lies from what is usual for it.

How far is judged against windows of the same length of the series' own past, less what the hour of
the day tells. From six points on a window's highest and lowest point are left out of its mean, in
the past as now, so that a lone spike is neither a fault nor a usual thing (the trimmed mean of
Tukey 1962). Beside the level, ``onset`` is the step from the window before: a level that drifts by
much more than it jumps hides a jump, and the step shows it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.graph.daytime import clock, without_hours

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

FEWEST_PAST, FEWEST_NOW = 12, 1
NORMAL_Z = 2.33
"""Where the 99th percentile of usual windows lies, in the standard deviations used here."""
LEAST = 0.002
"""A series' scale is at least this part of its level: nothing is worth less than 0.2 %."""
DOUBTFUL = 3.5
"""Standard deviations at which a window is as likely off as usual."""
PLAIN = 10.0
"""Beyond so many standard deviations more says nothing: a series that never moved has no scale."""
STEEP = 1.5
"""Log odds of a window not being usual, per standard deviation beyond DOUBTFUL."""
TRIMMED = 6
"""From so many points on a window's mean leaves out its highest and its lowest."""


@dataclass(frozen=True)
class Move:
    """A series' window against its past: ``z`` in usual standard deviations, ``change``, and the
    window's mean ``now`` (as read) and its ``usual`` level, in its own unit. ``course`` (n,) is the
    change at each of ``times``, which are counted. ``onset`` is the step from the window before, in
    standard deviations of such steps (``z`` where too little is known of steps)."""

    z: float
    change: float
    now: float
    usual: float = 0.0
    times: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64), repr=False)
    course: Floats = field(default_factory=lambda: np.zeros(0), repr=False)
    onset: float = 0.0

    @property
    def off(self) -> float:
        """Probability, on the scale of a logistic curve, that the window is not usual."""
        return logistic(abs(self.z) - DOUBTFUL)

    def seen(self, sign: float) -> float:
        """Standard deviations in a direction, of the level or of the step at the onset, which is
        worth less by the odds of one look more."""
        return max(sign * self.z, sign * self.onset - math.log(2) / STEEP)

    def size(self, one_unit: bool) -> float:
        """How much it moved, to be compared between nodes: the change where all count in one unit,
        else standard deviations, up to where more of them say nothing."""
        return abs(self.change) if one_unit else min(abs(self.z), PLAIN)

    def along(self, other: Move, signed: bool = True) -> float:
        """How alike two courses are, 0 to 1: the cosine of what they moved by at the same times, or
        its size where it does not matter whether one falls when the other rises."""
        _, mine, theirs = np.intersect1d(self.times, other.times, return_indices=True)
        a, b = self.course[mine], other.course[theirs]
        length = float(np.linalg.norm(a) * np.linalg.norm(b))
        cosine = float(a @ b) / length if length > 0 else 0.0
        return max(cosine if signed else abs(cosine), 0.0)


STILL = Move(0.0, 0.0, 0.0)


def moves_of(metrics: pd.DataFrame, since: datetime) -> dict[tuple[str, str], Move]:
    """Every node's and metric's window since a moment; nothing for those with too few values."""
    import pandas as pd

    times = metrics["time"]
    start: Any = since
    if not pd.api.types.is_numeric_dtype(times):
        start = pd.Timestamp(since)
        if times.dt.tz is None and start.tzinfo is not None:
            start = start.tz_convert("UTC").tz_localize(None)
        elif times.dt.tz is not None and start.tzinfo is None:
            start = start.tz_localize("UTC")
    ordered = metrics.dropna(subset=["node", "metric"]).sort_values("time", kind="stable")
    late = (ordered["time"] >= start).to_numpy()
    out: dict[tuple[str, str], Move] = {}
    read, moments = ordered["value"].to_numpy(float), pd.factorize(ordered["time"])[0]
    values = read
    groups = ordered.groupby(["node", "metric"], sort=False)
    if (seconds := clock(ordered["time"])) is not None:
        values = without_hours(read, groups.ngroup().to_numpy().astype(np.int64), seconds, late)
    for key, rows in groups.indices.items():
        node, name = (str(part) for part in key)  # type: ignore[attr-defined]
        mine, after = values[rows], late[rows]
        found = _move(mine[after], mine[~after], moments[rows][after])
        if found is not None:
            out[node, name] = replace(found, now=float(np.nanmean(read[rows][after])))
    return out


def _move(now: Floats, past: Floats, times: NDArray[np.int64]) -> Move | None:
    """The mean of ``now`` against means of windows of the same length of ``past``."""
    times, now, past = times[np.isfinite(now)], now[np.isfinite(now)], past[np.isfinite(past)]
    if len(now) < FEWEST_NOW or len(past) < FEWEST_PAST:
        return None
    usual = float(np.median(past))
    size = min(len(now), max(len(past) // FEWEST_PAST, 1))
    windows = _means(past, size)
    change = float(np.mean(now)) - usual
    middle = float(_means(now, len(now))[0])
    scale = _scale(windows - usual, middle - usual, usual)
    z = onset = (middle - usual) / scale
    if size == len(now) and len(windows) >= size + FEWEST_PAST:
        step = middle - float(windows[-1])
        onset = step / _scale(windows[size:] - windows[:-size], step, usual)
    return Move(z, change, float(np.mean(now)), usual, times, now - usual, onset)


def _means(values: Floats, size: int) -> Floats:
    """Means of all windows of ``size`` points of values (n,), the shorter ones plain and the longer
    ones without their highest and lowest: (n - size + 1,)."""
    windows = np.lib.stride_tricks.sliding_window_view(values, size)
    if size < TRIMMED:
        plain: Floats = windows.mean(axis=1)
        return plain
    ends = windows.max(axis=1) + windows.min(axis=1)
    trimmed: Floats = (windows.sum(axis=1) - ends) / (size - 2)
    return trimmed


def _scale(usual: Floats, found: float, level: float) -> float:
    """The standard deviation of usual differences (n,) around 0 on the side of the one found."""
    edge = abs(float(np.quantile(usual, 0.99 if found > 0 else 0.01)))
    near = 1.4826 * float(np.median(np.abs(usual)))
    return max(edge / NORMAL_Z, near, LEAST * abs(level), 1e-12)


def logistic(z: float) -> float:
    """The probability to standard deviations beyond the doubtful."""
    return 1 / (1 + math.exp(-max(min(STEEP * z, 30.0), -30.0)))
