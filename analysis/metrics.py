"""Metrics over the serving log: one query that adds up sums, then plain arithmetic.

**Labels arrive late**, and late labels are different ones (a flight that is late is known to be
late later). So every earlier day is read *as of the same clock time*: with now at 14:00, only
those of yesterday's labels count that had arrived by 14:00 yesterday. Without arrival times
that is not possible, and buckets whose labels are still missing are left out.

A *block* is the incident's window moved back by whole periods (days): block 0 is the incident,
block 1 the same clock hours one period earlier.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis import quality, words
from analysis.evidence import CannotExamine, Scope, Window
from analysis.expressions import SUM_OF, auc_bins, auc_by, ndcg_by, with_parts
from analysis.few import shown
from analysis.fitting import unfit
from analysis.portable import whole_seconds
from analysis.quality import Estimate, Floats
from analysis.tables import Metric, Role
from analysis.warehouse import Warehouse, naive

if TYPE_CHECKING:
    import pandas as pd

BLOCK = "_block"
BUCKET = "_bucket"
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Series:
    """A metric in buckets of ``minutes``, without holes: ``values`` is NaN where nothing is.

    ``times`` are the buckets' starts (naive UTC, datetime64[s]); ``rows`` is what stands behind
    each value. ``work`` is the value on the scale where its noise is even
    (:func:`quality.working`), ``errors`` its standard errors there (NaN where unknown).
    """

    times: NDArray[np.datetime64]
    values: Floats
    work: Floats
    errors: Floats
    rows: Floats
    minutes: int

    def __len__(self) -> int:
        return len(self.times)


@dataclass(frozen=True)
class Blocks:
    """The incident's window and its copies at the same clock hours of earlier days.

    ``count`` earlier copies lie in the baseline, whole days apart, so that each holds the same
    hours of the day. A window that is longer than whole days by less than a quarter is cut to its
    last whole days; else it is kept: labels that take a day may have come for its first hours
    alone.
    """

    window: Window
    period: timedelta
    count: int

    @classmethod
    def of(cls, scope: Scope) -> Blocks:
        """The blocks of a scope; ``count`` may be zero when the baseline is too short."""
        window = scope.window
        days = max(1, math.floor(window.length / DAY + 0.75))
        if window.length > days * DAY:
            window = Window(window.end - days * DAY, window.end)
        period = days * DAY
        room = (window.start - scope.baseline.start) / period
        return cls(window, period, max(0, math.floor(room)))

    def at(self, block: int) -> Window:
        """The window of one block."""
        return self.window.shifted(-block * self.period)


def kind_of(metric: Metric) -> str:
    """The metric's kind; "table" for one with a table of its own."""
    return metric.kind or "table"


def rows_of(
    warehouse: Warehouse,
    blocks: Blocks,
    *,
    models: Sequence[str] = (),
    arms: Sequence[str] = (),
    whole: bool = False,
) -> Any:
    """The serving log with a column ``_block`` and labels as of each block's end.

    Without ``whole`` only the window's clock hours are kept; with it, everything from the
    earliest block to the window's end.
    """
    import ibis

    table = in_blocks(warehouse, blocks, models=models, arms=arms, whole=whole)
    if warehouse.contract.predictions.label_time is not None:
        known = arrived(table, blocks).ifelse(table[Role.LABEL], ibis.null())
        table = table.mutate(**{Role.LABEL: known})
    return table


def in_blocks(
    warehouse: Warehouse,
    blocks: Blocks,
    *,
    models: Sequence[str] = (),
    arms: Sequence[str] = (),
    whole: bool = False,
) -> Any:
    """:func:`rows_of` with every label that has come by now."""
    import ibis

    period = round(blocks.period.total_seconds())
    length = round(blocks.window.length.total_seconds())
    start = blocks.window.end - (blocks.count + 1) * blocks.period
    table = warehouse.predictions(Window(start, blocks.window.end), models=models, arms=arms)
    end = ibis.literal(math.ceil(blocks.window.end.timestamp()))
    elapsed = end - whole_seconds(table[Role.TIME]) - 1
    block = (elapsed / period).floor().cast("int64")
    if not whole:
        table = table.filter(elapsed - block * period < length)
    return table.mutate(**{BLOCK: block})


def arrived(table: Any, blocks: Blocks) -> Any:
    """Whether a row's label had come by its block's end (rows as of :func:`in_blocks`)."""
    period = round(blocks.period.total_seconds())
    end = math.ceil(blocks.window.end.timestamp())
    return whole_seconds(table[Role.LABEL_TIME]) < end - table[BLOCK] * period


def add_up(
    warehouse: Warehouse, table: Any, kinds: Sequence[str], by: Sequence[str]
) -> pd.DataFrame:
    """Sums (:data:`quality.SUMS`) per value of the columns ``by``, enough for all ``kinds``.

    For ``auc`` and ``ndcg`` the frame has ready figures instead: ``auc``, ``auc_error`` …
    """
    return add_up_cuts(warehouse, table, kinds, (by,))[0]


def add_up_cuts(
    warehouse: Warehouse, table: Any, kinds: Sequence[str], cuts: Sequence[Sequence[str]]
) -> list[pd.DataFrame]:
    """:func:`add_up` for several cuts from one query: the last one holds all others' columns."""
    names = tuple(dict.fromkeys(name for kind in kinds for name in quality.needs(kind)))
    table = with_parts(warehouse, table, names)
    sums, finest = {name: SUM_OF[name](table) for name in names}, list(cuts[-1])
    fine = warehouse.fetch(table.group_by(finest).aggregate(**sums))
    for name in names:
        fine[name] = fine[name].astype(float).fillna(0.0)
    bins = auc_bins(warehouse, table, finest) if "auc" in kinds else None
    frames = []
    for by in map(list, cuts):
        frame = fine if by == finest else fine.groupby(by, as_index=False)[list(names)].sum()
        if bins is not None:
            frame = frame.merge(auc_by(bins, by), on=by, how="left")
        if "ndcg" in kinds:
            frame = frame.merge(ndcg_by(warehouse, table, by), on=by, how="left")
        frames.append(frame)
    return frames


def measure(kind: str, sums: pd.DataFrame) -> Estimate:
    """The metric for every row of what :func:`add_up` returned."""
    if kind not in ("auc", "ndcg"):
        return quality.estimate(kind, sums)
    return Estimate(
        sums[kind].to_numpy(float),
        sums[f"{kind}_error"].to_numpy(float),
        sums["ln"].to_numpy(float),
    )


def series(
    warehouse: Warehouse, metric: Metric, blocks: Blocks, *, models: Sequence[str] = ()
) -> Series:
    """The metric in buckets, from the earliest block to the window's end.

    Raises CannotExamine when there is not a single row in that span, or the metric says nothing
    of the models.
    """
    span = Window(blocks.window.end - (blocks.count + 1) * blocks.period, blocks.window.end)
    if metric.source is not None:
        return _table_series(warehouse, metric, span)
    if why := unfit(warehouse.contract, metric):
        raise CannotExamine(f"`{metric.name}` can't be worked out: {why}.")
    kind = kind_of(metric)
    chosen = tuple(models) or ((metric.model,) if metric.model else ())
    arms = (metric.arm,) if metric.arm else ()
    table = rows_of(warehouse, blocks, models=chosen, arms=arms, whole=True)
    width = metric.every * 60
    table = table.mutate(**{BUCKET: bucket_of(table[Role.TIME], width)})
    sums = add_up(warehouse, table, (kind,), (BUCKET,)).sort_values(BUCKET)
    found = measure(kind, sums)
    even = shown(warehouse, quality.working(kind, found, sums))
    found = shown(warehouse, found)
    return regular(sums[BUCKET].to_numpy(float), found, even, span, metric)


def bucket_of(time: Any, width: int) -> Any:
    """The whole number of ``width`` seconds since 1970 that a time falls in."""
    return (whole_seconds(time) / width).floor().cast("int64")


def regular(keys: Floats, found: Estimate, even: Estimate, span: Window, metric: Metric) -> Series:
    """Place buckets on a grid over ``span``: ``keys`` are times ÷ width. No rows is a volume of 0.

    ``even`` is ``found`` on its working scale. Raises CannotExamine when there is no bucket.
    """
    width = metric.every * 60
    known = np.isfinite(keys)
    if not known.any():
        raise CannotExamine(
            f"`{metric.name}` has no rows between {words.clock(span.start)} and "
            f"{words.clock(span.end)}: choose another window, or check the settings."
        )
    counts = metric.kind == "volume"
    low = max(math.ceil(span.start.timestamp() / width), int(keys[known].min()))
    high = math.ceil(span.end.timestamp() / width)
    if counts and span.end.timestamp() % width:
        high -= 1  # a volume of half a bucket is not half the volume
    size = max(high - low, 1)
    at = keys[known].astype(int) - low
    inside = (at >= 0) & (at < size)

    def placed(source: Floats, empty: float) -> Floats:
        target = np.full(size, empty)
        target[at[inside]] = source[known][inside]
        return target

    return Series(
        ((low + np.arange(size)) * width).astype("datetime64[s]"),
        placed(found.value, 0.0 if counts else np.nan),
        placed(even.value, 2 * math.sqrt(0.375) if counts else np.nan),
        placed(even.error if counts else _steadied(even), 1.0 if counts else np.nan),
        placed(found.rows, 0.0),
        metric.every,
    )


def _steadied(even: Estimate) -> Floats:
    """Standard errors, none smaller than a usual row's error over the square root of the rows.

    Two rows that happen to agree have next to no error by formula.
    """
    # A bucket without rows has an error without bounds, and says nothing here.
    with np.errstate(invalid="ignore"):
        per_row = even.error**2 * even.rows
    usable = np.isfinite(per_row) & (even.rows > 0)
    if not usable.any():
        return even.error
    floor = np.sqrt(float(np.median(per_row[usable])) / np.maximum(even.rows, 1))
    return np.fmax(even.error, floor)


def _table_series(warehouse: Warehouse, metric: Metric, span: Window) -> Series:
    """A metric of its own table: Σ value ÷ Σ denominator, or the total per moment, averaged."""
    table = warehouse.metric_table(metric)
    table = table.filter(table["time"] >= naive(span.start), table["time"] < naive(span.end))
    table = table.mutate(**{BUCKET: bucket_of(table["time"], metric.every * 60)})
    grouped = table.group_by(BUCKET)
    below = table["denominator"].sum() if metric.denominator else table["time"].nunique()
    frame = warehouse.fetch(grouped.aggregate(v=table["value"].sum(), d=below, n=table.count()))
    frame = frame.sort_values(BUCKET)
    with np.errstate(all="ignore"):
        value = frame["v"].to_numpy(float) / frame["d"].to_numpy(float)
    unknown = np.full(len(frame), np.nan)
    found = Estimate(value, unknown, frame["n"].to_numpy(float))
    return regular(frame[BUCKET].to_numpy(float), found, found, span, metric)
