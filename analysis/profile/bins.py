"""How each column of a table is counted: bins from a sample of its baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from analysis.portable import as_text, timestamp, whole_seconds, without_nan
from analysis.tables import Role

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "age", "level"]

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
            import pandas as pd

            found = pd.Index(self.levels, dtype=object).get_indexer(pd.Index(column, dtype=object))
            other = np.where(column.isna(), self.size - 1, len(self.levels))
            return np.where(found < 0, other, found).astype(np.int64)
        values = column.to_numpy(dtype=float, na_value=np.nan)
        cell = np.searchsorted(np.array(self.edges), values, side="left")
        return np.where(np.isnan(values), self.size - 1, cell).astype(np.int64)


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


def plain(table: Any, kind: Mapping[str, str], also: Sequence[str] = (), nan: bool = False) -> Any:
    """``table`` with its features as floats or strings, and the columns ``also`` as they are.

    With ``nan``, NaN stays NaN, which costs nothing: for rows that are counted in memory, where
    null is NaN as well. Otherwise it is null, as SQL must be told.
    """
    columns: dict[str, Any] = {name: table[name] for name in also}
    for name, what in kind.items():
        column = table[name]
        if what == "level":
            columns[name] = as_text(column)
        elif what == "number":
            number = column.cast("float64")
            columns[name] = number if nan else without_nan(number)
        else:
            then = whole_seconds(timestamp(column))
            columns[name] = (whole_seconds(table[Role.TIME]) - then).cast("float64")
    return table.select(**columns)


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
        # As ``np.quantile(…, method="lower")`` has them, which would sort once more.
        ranks = np.floor(np.linspace(0, 1, CELLS + 1)[1:-1] * (len(values) - 1))
        inner = distinct[np.searchsorted(np.cumsum(counts), ranks, side="right")]
    heavy = distinct[counts >= HEAVY * len(values)]
    edges = [inner, heavy, np.nextafter(heavy, -np.inf)]
    reach = [np.nextafter(distinct[0], -np.inf), distinct[-1]]
    every = np.unique(np.concatenate([*edges, reach]))
    every = every[(every >= reach[0]) & (every <= reach[1])]
    return Bins(kind, edges=tuple(map(float, every)), distinct=len(distinct))
