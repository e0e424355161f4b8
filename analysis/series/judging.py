"""Holds one series against its earlier days: did it break, when, and how unusual is that?

Two views are combined, each with half of the prior: the figure over the alert's own window
against the same clock hours of earlier days, and a lasting step sought anywhere from a day
before it, whose strength is compared with what the same search finds on each earlier day.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from analysis import metrics, odds, quality
from analysis.evidence import Scope
from analysis.metrics import BLOCK, Blocks, Series
from analysis.odds import NOT_SEEN, Shift
from analysis.quality import Floats
from analysis.series import seasonal
from analysis.series.seasonal import Band, Break
from analysis.series.slots import differ, seconds_of
from analysis.tables import Metric
from analysis.warehouse import Warehouse

LOOK_BACK = timedelta(hours=24)
"""An alert may come this much later than its cause."""
DELAY = timedelta(hours=3)
"""How far the onset usually lies before or after the alert's own start (Laplace scale): a rule that
looks every hour does not come a day late."""
OUTSIDE = 2.0
"""A bucket is outside the band beyond so many usual standard deviations."""
FIRST_AFTER = 4
FEWEST_LABELS = 20


@dataclass(frozen=True)
class Judged:
    """A series held against its band.

    ``found`` is the break (an index into ``series``), ``unusual`` its strength among those of
    earlier days, ``matched`` the window's figure among those of the same hours of earlier days.
    ``out`` and ``longest`` count buckets in a row outside the band, lately and ever before.
    """

    metric: Metric
    series: Series
    band: Band
    found: Break | None
    unusual: Shift
    matched: Shift
    log_odds: float
    out: int
    longest: int
    days: int

    @property
    def title(self) -> str:
        """The metric's name as people say it."""
        return self.metric.title or self.metric.name


def judge(
    metric: Metric, one: Series, blocks: Blocks, scope: Scope, matched: Shift | None = None
) -> Judged:
    """Judge a series; ``matched`` is worked out from its buckets when None.

    Raises ValueError when there are fewer than 8 points before the window.
    """
    start = np.datetime64(scope.window.start.replace(tzinfo=None), "s")
    since, train = _search_from(one, start, scope)
    band = seasonal.fit(one.times, one.work, train=train, errors=one.errors)
    first = int(np.searchsorted(one.times, since))
    first = max(min(first, len(one) - 1), FIRST_AFTER)
    prior = _where(one, first, start, ahead(scope))
    found = seasonal.locate(one.work, band, first, prior)
    per_block = max(1, round(blocks.period.total_seconds() / 60 / one.minutes))
    past = _earlier_breaks(metric, one, band, first, per_block, prior)
    strength = _strength(found, metric)
    unusual = odds.shift(strength, past, error=1.0)  # a strength varies by about 1 by chance
    kinds = _kinds_of_day(band)
    if matched is None:
        matched = _from_buckets(one, band, start, per_block, kinds)
    elif matched.seen and kinds > 1 and _weekdays(one, train):
        # A day that is busy every week is no incident; what its own kind tells less of is not more.
        beside = _from_buckets(one, band, start, per_block, kinds)
        if beside.seen and beside.log_odds < matched.log_odds:
            matched = beside
    z = off(one, band, metric)
    return Judged(
        metric,
        one,
        band,
        found,
        unusual,
        matched,
        _log_odds(metric, unusual, matched, strength),
        _run(z[first:]),
        _run(z[:first]),
        len(past),
    )


def matched_shift(warehouse: Warehouse, metric: Metric, blocks: Blocks) -> Shift | None:
    """The metric over the window against the same hours of earlier days, from its rows.

    None for a metric with a table of its own.
    """
    if metric.kind is None:
        return None
    models = (metric.model,) if metric.model else ()
    arms = (metric.arm,) if metric.arm else ()
    table = metrics.rows_of(warehouse, blocks, models=models, arms=arms)
    sums = metrics.add_up(warehouse, table, (metric.kind,), (BLOCK,)).sort_values(BLOCK)
    found = metrics.measure(metric.kind, sums)
    even = quality.working(metric.kind, found, sums)
    number = sums[BLOCK].to_numpy(int)
    now = number == 0
    fewest = FEWEST_LABELS if metric.kind in quality.NEEDS_LABEL else 1
    if not now.any() or found.rows[now][0] < fewest:
        return NOT_SEEN
    past = (number > 0) & (found.rows >= 0.1 * float(np.median(found.rows)))
    return odds.shift(
        float(even.value[now][0]), even.value[past], float(even.error[now][0]), even.error[past]
    )


def _search_from(
    one: Series, start: np.datetime64, scope: Scope
) -> tuple[np.datetime64, NDArray[np.bool_]]:
    """Since when a break is sought, and which points teach what is usual."""
    if scope.onset is not None:
        return start, one.times < start
    back = max(LOOK_BACK, 2 * scope.window.length)
    since = start - np.timedelta64(round(back.total_seconds()), "s")
    train = one.times < since
    enough = 3 * LOOK_BACK / timedelta(minutes=one.minutes)
    if (np.isfinite(one.work) & train).sum() < enough:
        half = round(scope.window.length.total_seconds() / 2)
        return start - np.timedelta64(half, "s"), one.times < start
    return since, train


def ahead(scope: Scope) -> timedelta:
    """How far the onset usually lies after the window's start: a long window may begin well
    before it."""
    return max(DELAY, scope.window.length / 2)


def _where(one: Series, first: int, start: np.datetime64, after: timedelta) -> Floats:
    """How likely the onset lies in each bucket before the series is looked at."""
    middle = one.times[first:] + np.timedelta64(one.minutes * 30, "s")
    hours = (middle - start).astype("timedelta64[s]").astype(float) / 3600
    scale = np.where(hours < 0, DELAY / timedelta(hours=1), after / timedelta(hours=1))
    return np.asarray(np.exp(-np.abs(hours) / np.maximum(scale, one.minutes / 60)))


def _log_odds(metric: Metric, unusual: Shift, matched: Shift, strength: float) -> float:
    views = []
    if unusual.seen:
        gone = odds.log_bayes_factor(0.0, unusual.df)
        views.append((0.5, unusual.log_odds if unusual.z > 0 else gone))
    if matched.seen:
        harmless = metric.bad != "both" and (metric.bad == "up") != (matched.z > 0)
        gone = odds.log_bayes_factor(0.0, matched.df)
        views.append((0.5, gone if harmless else matched.log_odds))
    if not views:  # too few days to know what is usual: the series' own noise has to do
        return 0.25 * strength**2 - 1.0
    return odds.mixed(views)


def _strength(found: Break | None, metric: Metric) -> float:
    """A break's evidence on the scale of standard deviations; none when it is for the better."""
    if found is None or found.evidence <= 0 or metric.bad not in ("both", found.direction):
        return 0.0
    return math.sqrt(2 * found.evidence)


def _earlier_breaks(
    metric: Metric, one: Series, band: Band, first: int, per_block: int, prior: Floats
) -> list[float]:
    """The strongest break that the same search finds as of the same clock time of earlier days."""
    past: list[float] = []
    for earlier in range(per_block, first - FIRST_AFTER, per_block):
        end = len(one) - earlier
        found = seasonal.locate(one.work[:end], band.until(end), first - earlier, prior)
        if found is not None:
            past.append(_strength(found, metric))
    return past


def _weekdays(one: Series, train: NDArray[np.bool_]) -> bool:
    """Whether days of the week plainly differ."""
    return differ(seconds_of(one.times), one.work, train & np.isfinite(one.work))


def _kinds_of_day(band: Band) -> int:
    """How many kinds of day the band tells apart."""
    return 7 if "week" in band.seasons else 2 if "weekend" in band.seasons else 1


def _from_buckets(
    one: Series, band: Band, start: np.datetime64, per_block: int, kinds: int
) -> Shift:
    """The window's mean distance from the band against that of earlier days, of which the band has
    learnt ``kinds`` of day: they lie nearer to it than a new day does, and are widened for that."""
    if not reaches(one, start):
        return NOT_SEEN
    z = (one.work - band.expected) / band.spread
    first = min(int(np.searchsorted(one.times, start)), len(one) - 1)

    def mean(back: int) -> float:
        part = z[max(first - back, 0) : len(one) - back]
        return float(np.nanmean(part)) if np.isfinite(part).any() else math.nan

    past = np.array([mean(back) for back in range(per_block, first + 1, per_block)])
    days = max(len(past), kinds + 1)
    past *= math.sqrt((days + kinds) / (days - kinds))
    return odds.shift(mean(0), past, 1 / math.sqrt(max(len(one) - first, 1)))


def reaches(one: Series, start: np.datetime64) -> bool:
    """Whether a bucket of the series lies in the window: the newest that has ended may not."""
    return bool(one.times[-1] + np.timedelta64(one.minutes, "m") > start)


def off(one: Series, band: Band, metric: Metric) -> Floats:
    """Distance from what is expected in usual standard deviations, in the sense that hurts."""
    z: Floats = (one.work - band.expected) / band.spread
    if metric.bad == "down":
        return -z
    return np.abs(z) if metric.bad == "both" else z


def _run(z: Floats) -> int:
    """Longest run of buckets outside the band; a gap neither breaks nor lengthens it."""
    longest = run = 0
    for x in z[np.isfinite(z)]:
        run = run + 1 if x > OUTSIDE else 0
        longest = max(longest, run)
    return longest
