"""The one-pass summary of a table: per feature and bucket, a histogram over baseline bins.

Every histogram has a cell for null and cells for what the baseline never held: below and above
its range for numbers, "other" for levels. The engine counts; only counts come back. On DuckDB
its native ``histogram(column, edges)`` aggregate is used, elsewhere sums of conditions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from analysis.tables import Role

if TYPE_CHECKING:
    import pandas as pd

Counts = np.ndarray[Any, np.dtype[np.float64]]

CELLS = 14
"""Quantile bins of a number, before heavy values get their own."""
LEVELS = 24
"""Levels of a category that are counted one by one; the rest is "other"."""
HEAVY = 0.04
"""A single value with this share of the baseline's rows gets a bin of its own."""


@dataclass(frozen=True)
class Bins:
    """How one feature is counted.

    ``number`` and ``age`` (seconds between a time and the prediction): cell 0 is at or below
    the baseline's minimum less a bit, cell ``i`` holds ``edges[i-1] < x <= edges[i]``, the last
    but one lies above the maximum, the last is null. ``level``: one cell per level, "other",
    null. ``most`` is the number of distinct levels seen.
    """

    kind: Literal["number", "age", "level"]
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()
    distinct: int = 0

    @property
    def size(self) -> int:
        """Number of cells, null included."""
        return (len(self.levels) if self.kind == "level" else len(self.edges)) + 2

    @property
    def unseen(self) -> tuple[int, ...]:
        """Cells that the baseline leaves empty by construction."""
        return (self.size - 2,) if self.kind == "level" else (0, self.size - 2)

    def cells(self, column: pd.Series[Any]) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The cell of each value of a column as :func:`plain` gives it."""
        if self.kind == "level":
            index = {level: i for i, level in enumerate(self.levels)}
            found = column.map(index).to_numpy(dtype=float, na_value=np.nan)
            other = np.where(column.isna(), self.size - 1, len(self.levels))
            return np.where(np.isnan(found), other, found).astype(np.int64)
        values = column.to_numpy(dtype=float, na_value=np.nan)
        cell = np.searchsorted(np.array(self.edges), values, side="left")
        return np.where(np.isnan(values), self.size - 1, cell).astype(np.int64)


@dataclass(frozen=True)
class Profile:
    """Counts per bucket: ``counts[feature]`` has shape (buckets, cells); ``rows`` (buckets,)."""

    buckets: tuple[Any, ...]
    rows: Counts
    counts: Mapping[str, Counts]


def kinds(table: Any, features: Sequence[str]) -> dict[str, Literal["number", "age", "level"]]:
    """How each feature can be counted; nested and binary columns are left out."""
    out: dict[str, Literal["number", "age", "level"]] = {}
    for name in features:
        kind = table[name].type()
        if kind.is_boolean() or kind.is_string() or kind.is_uuid() or kind.is_time():
            out[name] = "level"
        elif kind.is_numeric():
            out[name] = "number"
        elif kind.is_timestamp() or kind.is_date():
            out[name] = "age"
    return out


def plain(table: Any, kind: Mapping[str, str], also: Sequence[str] = ()) -> Any:
    """``table`` with its features as floats or strings, and the columns ``also`` as they are."""
    columns: dict[str, Any] = {name: table[name] for name in also}
    for name, what in kind.items():
        column = table[name]
        if what == "level":
            columns[name] = column.cast("string")
        elif what == "number":
            columns[name] = _no_nan(column.cast("float64"))
        else:
            then = column.cast("timestamp").epoch_seconds()
            columns[name] = (table[Role.TIME].epoch_seconds() - then).cast("float64")
    return table.select(**columns)


def _no_nan(column: Any) -> Any:
    return column.isnan().ifelse(None, column)


def bins_of(
    sample: pd.DataFrame, kind: Mapping[str, Literal["number", "age", "level"]]
) -> dict[str, Bins]:
    """Bins from a sample of the baseline, a frame as :func:`plain` gives it."""
    return {
        name: _levels(sample[name]) if what == "level" else _edges(sample[name], what)
        for name, what in kind.items()
    }


def _levels(column: pd.Series[Any]) -> Bins:
    counted = column.dropna().value_counts()
    names = sorted(counted.index[:LEVELS], key=str)
    return Bins("level", levels=tuple(map(str, names)), distinct=len(counted))


def _edges(column: pd.Series[Any], kind: Literal["number", "age"]) -> Bins:
    values = column.to_numpy(dtype=float, na_value=np.nan)
    values = values[np.isfinite(values)]
    if not len(values):
        return Bins(kind, edges=(0.0,))
    distinct, counts = np.unique(values, return_counts=True)
    if len(distinct) <= CELLS:
        inner = distinct[:-1]
    else:
        inner = np.quantile(values, np.linspace(0, 1, CELLS + 1)[1:-1], method="lower")
    heavy = distinct[counts >= HEAVY * len(values)]
    edges = [inner, heavy, np.nextafter(heavy, -np.inf)]
    reach = [np.nextafter(distinct[0], -np.inf), distinct[-1]]
    every = np.unique(np.concatenate([*edges, reach]))
    every = every[(every >= reach[0]) & (every <= reach[1])]
    return Bins(kind, edges=tuple(map(float, every)), distinct=len(distinct))


def profile(table: Any, bins: Mapping[str, Bins], bucket: str) -> Profile:
    """Counts the features of ``bins`` per value of the column ``bucket``, in one query.

    ``table`` is a plain Ibis table (see :func:`plain`).
    """
    native = _is_duckdb(table)
    columns: dict[str, Any] = {"_rows": table.count()}
    for i, (name, b) in enumerate(bins.items()):
        columns[f"_n{i}"] = table[name].count()
        index, edges = _index(table[name], b)
        if native:
            columns[f"_h{i}"] = _histogram()(index, _array(edges))
        else:
            for j, edge in enumerate(edges):
                columns[f"_c{i}_{j}"] = (index <= edge).sum()
    frame = table.group_by(bucket).aggregate(**columns).order_by(bucket).to_pandas()
    rows = frame["_rows"].to_numpy(float)
    counts = {
        name: _from_maps(frame[f"_h{i}"], frame[f"_n{i}"], rows, b)
        if native
        else _from_sums(frame, i, rows, b)
        for i, (name, b) in enumerate(bins.items())
    }
    return Profile(tuple(frame[bucket]), rows, counts)


def _index(column: Any, b: Bins) -> tuple[Any, list[float]]:
    """A number to count and the edges to count it at, for a feature of either kind."""
    import ibis

    if b.kind != "level":
        return column, list(b.edges)
    if not b.levels:
        return column.isnull().ifelse(ibis.null("float64"), ibis.literal(0.0)), [-1.0]
    cases = [(level, float(i)) for i, level in enumerate(b.levels)]
    number = column.cases(*cases, else_=float(len(b.levels)))
    known = column.isnull().ifelse(ibis.null("float64"), number)
    return known, [float(i) for i in range(len(b.levels))]


def _array(edges: list[float]) -> Any:
    import ibis

    return ibis.literal(edges, type="array<float64>")


def _is_duckdb(table: Any) -> bool:
    return bool(table.get_backend().name == "duckdb")


@cache
def _histogram() -> Any:
    """DuckDB's aggregate: the counts by upper edge, and by infinity above the last one."""
    import ibis
    import ibis.expr.datatypes as dt

    def histogram(x, edges):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        """Implemented by the engine."""

    number, array = dt.float64, dt.Array(dt.float64)
    signature = ((number, array), dt.Map(dt.float64, dt.int64))
    return ibis.udf.agg.builtin(histogram, name="histogram", signature=signature)


def _from_maps(maps: Any, known: Any, rows: Counts, b: Bins) -> Counts:
    edges = list(range(len(b.levels))) if b.kind == "level" else list(b.edges)
    place = {float(e): i for i, e in enumerate(edges)}
    out = np.zeros((len(rows), b.size))
    for row, counted in enumerate(maps):
        items = counted.items() if isinstance(counted, dict) else (counted or ())
        for edge, n in items:
            out[row, place.get(float(edge), b.size - 2)] += n
    out[:, -1] = rows - known.to_numpy(float)
    if b.kind == "level" and not b.levels:
        out[:, 0] = known.to_numpy(float)
    return out


def _from_sums(frame: pd.DataFrame, i: int, rows: Counts, b: Bins) -> Counts:
    count = max(len(b.edges) if b.kind != "level" else len(b.levels), 1)
    below = np.column_stack([frame[f"_c{i}_{j}"].fillna(0).to_numpy(float) for j in range(count)])
    known = frame[f"_n{i}"].to_numpy(float)
    if b.kind == "level" and not b.levels:
        return np.column_stack([known, rows - known])
    parts = np.diff(np.column_stack([np.zeros(len(rows)), below, known]), axis=1)
    return np.column_stack([parts, rows - known])


def distance(left: Counts, right: Counts) -> Counts:
    """Jensen–Shannon distance (base 2, 0 to 1) between rows of counts; 0 where one is empty.

    Lin (1991), "Divergence measures based on the Shannon entropy".
    """
    p = left / np.maximum(left.sum(axis=-1, keepdims=True), 1e-12)
    q = right / np.maximum(right.sum(axis=-1, keepdims=True), 1e-12)
    m = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        one = np.where(p > 0, p * np.log2(p / m), 0).sum(axis=-1)
        two = np.where(q > 0, q * np.log2(q / m), 0).sum(axis=-1)
    empty = (left.sum(axis=-1) <= 0) | (right.sum(axis=-1) <= 0)
    out: Counts = np.where(empty, 0.0, np.sqrt(np.clip((one + two) / 2, 0, 1)))
    return out
