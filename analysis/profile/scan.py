"""The one-pass summary of a table: per column and bucket, a histogram over baseline bins.

On DuckDB, which runs in this process, the rows pass by in batches and are counted as they come
(:mod:`analysis.profile.stream`); any other engine counts for itself, by sums of conditions, and
only counts come back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.profile.bins import Bins
from analysis.profile.counts import Counts, Profile
from analysis.profile.stream import counted

if TYPE_CHECKING:
    import pandas as pd


def profile(table: Any, bins: Mapping[str, Bins], bucket: str) -> Profile:
    """Counts the columns of ``bins`` per value of the column ``bucket``, in one scan.

    ``table`` is a plain Ibis table (see :func:`analysis.profile.bins.plain`).
    """
    if _here(table):
        return counted(table, bins, bucket)
    return _by_sums(table, bins, bucket)


def _here(table: Any) -> bool:
    """Whether the engine runs in this process, so that rows can pass by without being sent."""
    return bool(table.get_backend().name == "duckdb")


def _by_sums(table: Any, bins: Mapping[str, Bins], bucket: str) -> Profile:
    columns: dict[str, Any] = {"_rows": table.count()}
    for i, (name, b) in enumerate(bins.items()):
        index, edges = _index(table[name], b)
        columns[f"_n{i}"] = table[name].count()
        columns |= {f"_c{i}_{j}": (index <= edge).sum() for j, edge in enumerate(edges)}
    frame = table.group_by(bucket).aggregate(**columns).order_by(bucket).to_pandas()
    rows = frame["_rows"].to_numpy(float)
    counts = {name: _from_sums(frame, i, rows, b) for i, (name, b) in enumerate(bins.items())}
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


def _from_sums(frame: pd.DataFrame, i: int, rows: Counts, b: Bins) -> Counts:
    count = max(len(b.edges) if b.kind != "level" else len(b.levels), 1)
    below = np.column_stack([frame[f"_c{i}_{j}"].fillna(0).to_numpy(float) for j in range(count)])
    known = frame[f"_n{i}"].to_numpy(float)
    if b.kind == "level" and not b.levels:
        return np.column_stack([known, rows - known])
    parts = np.diff(np.column_stack([np.zeros(len(rows)), below, known]), axis=1)
    return np.column_stack([parts, rows - known])
