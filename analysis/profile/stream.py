"""Counts rows as they pass by in Arrow batches, for an engine that runs in this process.

The engine reads, filters and casts; each batch of columns is counted where it lies and let go, so
that memory does not grow with the rows. A value's cell is the number of edges below it, found by
comparing a piece of the column that fits into the processor's cache with one edge after another:
without branches, that is several times faster than a binary search per value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np

from analysis.profile.bins import Bins
from analysis.profile.counts import Counts, Profile

BATCH = 1 << 15
"""Rows that are asked of the engine at a time: 256 KiB a column."""
PIECE = 1 << 14
"""Rows that are compared at a time: 128 KiB of numbers."""
FEW_EDGES = 40
"""With more edges than these, a binary search is faster."""

Ints = np.ndarray[Any, np.dtype[np.int64]]


def counted(table: Any, bins: Mapping[str, Bins], bucket: str) -> Profile:
    """The profile of a plain Ibis table of an engine in this process, per value of ``bucket``."""
    tally = Tally(bins)
    for batch in batches(coded(table, bins, (bucket,))):
        tally.add(batch.column(0), dict(zip(bins, batch.columns[1:], strict=True)))
    return tally.profile()


def coded(table: Any, bins: Mapping[str, Bins], also: tuple[str, ...]) -> Any:
    """The columns ``also``, then the counted ones: numbers as they are, levels as their cells."""
    columns = {name: table[name] for name in also}
    for name, b in bins.items():
        columns[f"_{name}"] = _cell_of_level(table[name], b) if b.kind == "level" else table[name]
    return table.select(**columns)


def _cell_of_level(column: Any, b: Bins) -> Any:
    import ibis

    place = _list_position()(ibis.literal(list(b.levels), type="array<string>"), column)
    known = ibis.coalesce(place, len(b.levels) + 1) - 1
    return column.isnull().ifelse(b.size - 1, known).cast("uint8")


@cache
def _list_position() -> Any:
    """DuckDB's search in a list: from 1, null where it is not; faster than a chain of cases."""
    import ibis
    import ibis.expr.datatypes as dt

    def list_position(levels, value):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        """Implemented by the engine."""

    signature = ((dt.Array(dt.string), dt.string), dt.int32)
    return ibis.udf.scalar.builtin(list_position, signature=signature)


def batches(table: Any) -> Iterator[Any]:
    """The rows of an Ibis table on DuckDB as Arrow record batches, as they are read."""
    connection = table.get_backend()
    # The relation's reader streams; a statement's result is first copied as a whole.
    yield from connection.con.sql(connection.compile(table)).to_arrow_reader(BATCH)


class Tally:
    """Counts per bucket, added up over batches."""

    def __init__(self, bins: Mapping[str, Bins]) -> None:
        self.bins = bins
        self._place: dict[Any, int] = {}
        self._rows = np.zeros(16, np.int64)
        self._counts = {name: np.zeros((16, b.size), np.int64) for name, b in bins.items()}

    def add(self, bucket: Any, columns: Mapping[str, Any]) -> None:
        """Counts a batch: Arrow arrays of one length, as :func:`coded` gives them."""
        if not len(bucket):
            return
        names, group = _groups(bucket)
        rows = self._rows_of(names)
        self._rows[rows] += np.bincount(group, minlength=len(names))
        first = {size: group * size for size in {b.size for b in self.bins.values()}}
        for name, column in columns.items():
            b = self.bins[name]
            found = np.bincount(first[b.size] + cells(column, b), minlength=len(names) * b.size)
            self._counts[name][rows] += found.reshape(len(names), b.size)

    def _rows_of(self, names: list[Any]) -> Ints:
        for name in names:
            self._place.setdefault(name, len(self._place))
        short = len(self._place) - len(self._rows)
        if short > 0:
            more = max(short, len(self._rows))
            self._rows = np.pad(self._rows, (0, more))
            self._counts = {n: np.pad(c, ((0, more), (0, 0))) for n, c in self._counts.items()}
        return np.array([self._place[name] for name in names], np.int64)

    def profile(self) -> Profile:
        """What was counted, buckets in order."""
        names = sorted(self._place)
        rows = np.array([self._place[name] for name in names], np.int64)
        counts: dict[str, Counts] = {n: c[rows].astype(float) for n, c in self._counts.items()}
        return Profile(tuple(names), self._rows[rows].astype(float), counts)


def _groups(bucket: Any) -> tuple[list[Any], Ints]:
    """The distinct buckets of a batch, and the place of each row's among them.

    Rows mostly come in order of time, so a bucket is looked at where it changes only.
    """
    values = bucket.to_numpy(zero_copy_only=False)
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    names, places = np.unique(values[starts], return_inverse=True)
    runs = np.diff(np.append(starts, len(values)))
    return names.tolist(), np.repeat(places, runs)


def cells(column: Any, b: Bins) -> Ints:
    """The cell of each value of an Arrow array, shape (rows,); null and NaN are in the last."""
    if b.kind == "level":
        found: Ints = column.to_numpy(zero_copy_only=False)
        return found
    values = column.to_numpy(zero_copy_only=False)
    edges = np.array(b.edges)
    if len(edges) > FEW_EDGES:
        code = np.searchsorted(edges, values, side="left")
    else:
        code = _compared(values, edges)
    # Nothing is above NaN by comparing, and everything by searching.
    missing = np.isnan(values)
    if missing.any():
        code[missing] = b.size - 1
    return code


def _compared(values: Any, edges: Any) -> Any:
    code = np.zeros(len(values), np.uint8)
    above = np.empty(PIECE, bool)
    for low in range(0, len(values), PIECE):
        piece, target = values[low : low + PIECE], code[low : low + PIECE]
        seen = above[: len(piece)]
        for edge in edges:
            np.greater(piece, edge, out=seen)
            np.add(target, seen.view(np.uint8), out=target)
    return code
