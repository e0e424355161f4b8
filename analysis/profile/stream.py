"""Counts rows as they pass by in Arrow batches, for an engine that runs in this process.

The engine reads, filters and casts; each batch of columns is counted where it lies and let go, so
that memory does not grow with the rows. A value's cell is the number of edges below it, found by
comparing the batch's column, which fits into the processor's cache, with one edge after another:
without branches, that is several times faster than a binary search per value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from analysis.profile.bins import Bins
from analysis.profile.counts import Counts, Profile

BATCH = 1 << 15
"""Rows that are asked of the engine, and compared, at a time: 256 KiB a column."""
MOST_COLUMNS = 128
"""Columns that pass by at a time: the engine holds a whole row group of what a query needs, so that
memory grows with them. Of more columns, each is still read once, and the time once a pass."""
FEW_EDGES = 40
"""With more edges than these, a binary search is faster."""

Ints = np.ndarray[Any, np.dtype[np.int64]]


def counted(table: Any, bins: Mapping[str, Bins], bucket: str) -> Profile:
    """The profile of a plain Ibis table of an engine in this process, per value of ``bucket``."""
    found = [_passed(table, {n: bins[n] for n in names}, bucket) for names in passes(list(bins))]
    counts = {name: c for part in found for name, c in part.counts.items()}
    return Profile(found[0].buckets, found[0].rows, counts)


def passes(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """The columns of each pass; one pass without any where there are none."""
    for start in range(0, max(len(names), 1), MOST_COLUMNS):
        yield names[start : start + MOST_COLUMNS]


def _passed(table: Any, bins: Mapping[str, Bins], bucket: str) -> Profile:
    tally = Tally(bins)
    for batch in batches(coded(table, bins, (bucket,))):
        runs = Runs.of(batch.column(0).to_numpy(zero_copy_only=False))
        tally.add(runs, dict(zip(bins, batch.columns[1:], strict=True)))
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
    reader = connection.con.sql(connection.compile(table)).to_arrow_reader(BATCH)
    yield from (batch for batch in reader if len(batch))


@dataclass(frozen=True)
class Runs:
    """Which bucket each row of a batch belongs to, told where it changes.

    Rows mostly come in order of time, so that runs are long. ``names`` are the distinct buckets;
    run ``i`` is of ``names[place[i]]`` and begins at row ``starts[i]``.
    """

    names: list[Any]
    place: Ints
    starts: Ints
    lengths: Ints

    @classmethod
    def of(cls, bucket: Any) -> Runs:
        """The runs of a NumPy array, shape (rows,), with at least one row."""
        starts = np.flatnonzero(np.concatenate([[True], bucket[1:] != bucket[:-1]]))
        names, place = np.unique(bucket[starts], return_inverse=True)
        return cls(names.tolist(), place, starts, np.diff(np.append(starts, len(bucket))))

    @cached_property
    def group(self) -> Ints:
        """The place of each row's bucket among ``names``, shape (rows,)."""
        return np.repeat(self.place, self.lengths)

    def sums(self, values: Any) -> Any:
        """The sum of each bucket's values, shape (names,)."""
        found = np.add.reduceat(values, self.starts, dtype=float)
        return np.bincount(self.place, weights=found, minlength=len(self.names))


class Tally:
    """Counts per bucket, added up over batches; with ``moments`` of numbers too."""

    def __init__(self, bins: Mapping[str, Bins], moments: bool = False) -> None:
        self.bins = bins
        numbers = [n for n, b in bins.items() if moments and b.kind != "level"]
        self._middle = {n: _middle(bins[n]) for n in numbers}
        self._place: dict[Any, int] = {}
        self._rows = np.zeros(16, np.int64)
        self._counts = {name: np.zeros((16, b.size), np.int64) for name, b in bins.items()}
        self._moments = {name: np.zeros((16, 3)) for name in numbers}

    def add(self, runs: Runs, columns: Mapping[str, Any]) -> None:
        """Counts a batch: Arrow arrays of one length, as :func:`coded` gives them."""
        rows = self._rows_of(runs.names)
        self._rows[rows] += np.bincount(runs.group, minlength=len(rows))
        first = {size: runs.group * size for size in {b.size for b in self.bins.values()}}
        for name, column in columns.items():
            b, values = self.bins[name], column.to_numpy(zero_copy_only=False)
            found = np.bincount(first[b.size] + cells(values, b), minlength=len(rows) * b.size)
            self._counts[name][rows] += found.reshape(len(rows), b.size)
            if name in self._middle:
                self._moments[name][rows] += self._of(runs, values, self._middle[name])

    def _of(self, runs: Runs, values: Any, middle: float) -> Any:
        known = np.isfinite(values)
        off = values - middle
        if not known.all():
            off[~known] = 0.0
        return np.column_stack([runs.sums(known), runs.sums(off), runs.sums(off * off)])

    def _rows_of(self, names: list[Any]) -> Ints:
        for name in names:
            self._place.setdefault(name, len(self._place))
        short = len(self._place) - len(self._rows)
        if short > 0:
            more = ((0, max(short, len(self._rows))), (0, 0))
            self._rows = np.pad(self._rows, more[0])
            self._counts = {n: np.pad(c, more) for n, c in self._counts.items()}
            self._moments = {n: np.pad(m, more) for n, m in self._moments.items()}
        return np.array([self._place[name] for name in names], np.int64)

    def profile(self) -> Profile:
        """What was counted, buckets in order."""
        rows = self._order
        counts: dict[str, Counts] = {n: c[rows].astype(float) for n, c in self._counts.items()}
        return Profile(tuple(sorted(self._place)), self._rows[rows].astype(float), counts)

    def moments(self) -> dict[str, Counts]:
        """Per column, shape (buckets, 3): finite values, their sum and the sum of their squares,
        both about the middle of the column's bins."""
        return {n: m[self._order] for n, m in self._moments.items()}

    @property
    def _order(self) -> Ints:
        return np.array([self._place[name] for name in sorted(self._place)], np.int64)


def _middle(b: Bins) -> float:
    return b.edges[len(b.edges) // 2]


def cells(values: Any, b: Bins) -> Any:
    """The cell of each value, shape (rows,): of levels as :func:`coded` gives them, and of
    floats; NaN is in the last one."""
    if b.kind == "level":
        return values
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
    code, above = np.zeros(len(values), np.uint8), np.empty(len(values), bool)
    one = above.view(np.uint8)
    for edge in edges:
        np.greater(values, edge, out=above)
        np.add(code, one, out=code)
    return code
