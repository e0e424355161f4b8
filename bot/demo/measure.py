"""The metrics that the demo's team watches, and what is usual for them.

Used to decide when an alert fires and whether somebody would be paged; the same definitions
are written into the settings of the world.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bot.demo.flights import DAY, HOUR, Floats

if TYPE_CHECKING:
    from bot.demo.timeline import Served

THRESHOLD = 0.4
"""``late_arrival`` flags a flight from this probability on."""
BASELINE_DAYS = 28
PAGES = 3.5
"""So many robust standard deviations from the usual page somebody."""
FEWEST_ROWS = 60
FEWEST_LABELS = 150
"""A metric over labels is not read with fewer."""


@dataclass(frozen=True)
class Watch:
    """One top-line metric: an aggregate ``kind`` over the predictions of ``model``.

    ``bad`` is the direction that hurts, ``every`` the width of a bucket in minutes.
    """

    name: str
    kind: str
    model: str
    bad: str
    every: int
    title: str

    @property
    def needs_label(self) -> bool:
        """Whether only labelled predictions count."""
        return self.kind not in ("volume", "mean_prediction", "positive_rate")


WATCHES = (
    Watch("alert_rate", "positive_rate", "late_arrival", "both", 60, "Flights flagged as late"),
    Watch(
        "mean_risk", "mean_prediction", "late_arrival", "both", 60, "Mean risk of a late arrival"
    ),
    Watch("alert_precision", "precision", "late_arrival", "down", 240, "Flags that were right"),
    Watch("risk_calibration", "calibration", "late_arrival", "both", 180, "Risk against outcome"),
    Watch("risk_log_loss", "log_loss", "late_arrival", "up", 180, "Log loss of the risk"),
    Watch("late_share", "mean_label", "late_arrival", "up", 60, "Arrivals over 15 minutes late"),
    Watch("predicted_delay", "mean_prediction", "arrival_delay", "both", 60, "Predicted delay"),
    Watch("delay_error", "mae", "arrival_delay", "up", 180, "Error of the predicted delay"),
    Watch("delay_bias", "bias", "arrival_delay", "both", 180, "Predicted minus actual delay"),
    Watch("flights_scored", "volume", "late_arrival", "both", 60, "Flights scored"),
)


def watch(name: str) -> Watch:
    """The metric of that name; KeyError when there is none."""
    for each in WATCHES:
        if each.name == name:
            return each
    raise KeyError(name)


def aggregate(kind: str, score: Floats, label: Floats) -> float:
    """The metric's value over rows with these scores and labels; NaN when it has none."""
    if kind == "volume":
        return float(len(score))
    if len(score) == 0:
        return float("nan")
    if kind == "mean_prediction":
        return float(score.mean())
    if kind == "positive_rate":
        return float((score >= THRESHOLD).mean())
    if kind == "mean_label":
        return float(label.mean())
    if kind == "precision":
        flagged = label[score >= THRESHOLD]
        return float(flagged.mean()) if len(flagged) >= 10 else float("nan")
    if kind == "calibration":
        return float(score.sum() / label.sum()) if label.sum() else float("nan")
    if kind == "log_loss":
        likely = np.clip(score, 1e-6, 1 - 1e-6)
        return float(-np.mean(label * np.log(likely) + (1 - label) * np.log(1 - likely)))
    if kind == "mae":
        return float(np.abs(score - label).mean())
    return float((score - label).mean())


@dataclass(frozen=True)
class Reading:
    """A metric over a window against the same clock hours of the days before.

    ``z`` is the distance from the median in robust standard deviations, signed; ``beyond`` is
    the number of the ``days`` that lie farther out on the same side.
    """

    name: str
    value: float
    usual: float
    z: float
    beyond: int
    days: int
    rows: int

    def pages(self, z: float = PAGES) -> bool:
        """Whether it is far out, in the direction that hurts, as on hardly any day before.

        A volume must also differ by a quarter.
        """
        metric = watch(self.name)
        hurts = metric.bad == "both" or (metric.bad == "up") == (self.z > 0)
        if metric.kind == "volume" and 0.8 < self.value / max(self.usual, 1e-9) < 1.25:
            return False
        return hurts and abs(self.z) >= z and self.beyond <= 1 and self.days >= 14


def read(
    served: Served, name: str, start: int, end: int, known: int, as_fresh: bool = True
) -> Reading | None:
    """The metric over ``start <= t < end`` with the labels known at minute ``known``.

    The days before are read with labels that are as fresh, or, with ``as_fresh`` off, with all
    labels that had arrived by ``known``. None when there are too few rows.
    """
    metric = watch(name)
    value, rows = _value(served, metric, start, end, known)
    fewest = FEWEST_LABELS if metric.needs_label else FEWEST_ROWS
    if (rows < fewest and metric.kind != "volume") or not np.isfinite(value):
        return None
    earlier = []
    for day in range(1, BASELINE_DAYS + 1):
        ago = day * DAY
        past, count = _value(served, metric, start - ago, end - ago, known - ago * as_fresh)
        if count >= FEWEST_ROWS // 2 and np.isfinite(past):
            earlier.append(past)
    if len(earlier) < 7:
        return None
    history = np.array(earlier)
    shown = value
    if metric.kind in ("calibration", "volume"):
        history, value = np.log(np.maximum(history, 1e-3)), np.log(max(value, 1e-3))
    middle = float(np.median(history))
    spread = 1.4826 * float(np.median(np.abs(history - middle)))
    spread = max(spread, 0.5 * float(history.std()), 1e-6)
    z = (value - middle) / spread
    beyond = int((history > value).sum() if z > 0 else (history < value).sum())
    usual = float(np.exp(middle)) if metric.kind in ("calibration", "volume") else middle
    return Reading(name, shown, usual, float(z), beyond, len(history), rows)


def wandered(served: Served, name: str, start: int, end: int, known: int) -> float:
    """Share of windows as long, at any hour of the days before, that lie farther out.

    Only windows with at least half as many rows count.
    """
    metric = watch(name)
    value, rows = _value(served, metric, start, end, known)
    step = max((end - start) // 2, HOUR)
    found = [
        _value(served, metric, low, low + end - start, known)
        for low in range(start - BASELINE_DAYS * DAY, 2 * start - end + 1, step)
    ]
    past = np.array([v for v, count in found if count >= max(rows / 2, 1) and np.isfinite(v)])
    if len(past) == 0:
        return 1.0
    above = value > np.median(past)
    return float((past >= value).mean() if above else (past <= value).mean())


def _value(served: Served, metric: Watch, start: int, end: int, known: int) -> tuple[float, int]:
    part = served.between(start, end)
    mine = part.model == metric.model
    if metric.needs_label:
        mine &= (part.label_time < known) & np.isfinite(part.label)
    return aggregate(metric.kind, part.score[mine], part.label[mine]), int(mine.sum())
