"""What a table's columns hold, from its first rows: as much as a guess at their roles needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from analysis.columns import no_time
from analysis.epochs import unit_of

if TYPE_CHECKING:
    import pandas as pd

LOOKED_AT = 20_000
"""Rows; of a table with fewer, all."""
_DATED = re.compile(r"\s*\d{4}-\d\d-\d\d")

Kind = Literal["time", "number", "whole", "yes_no", "text", "empty", "other"]
"""``empty``: text of which no row that was looked at has a value. ``other``: lists, bytes and the
like, and counts of the time since 1970 that are not in seconds."""


@dataclass(frozen=True)
class Column:
    """A column: its kind, in how many of ``rows`` rows how many different values stand, and whether
    all are shares: numbers from 0 to 1, some of them in between."""

    name: str
    kind: Kind
    distinct: int
    rows: int
    share: bool = False

    @property
    def plain(self) -> str:
        """Its name in lower case with words parted by "_": "servedAt" is "served_at"."""
        parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", self.name)
        return re.sub(r"[\W_]+", "_", parted).strip("_").lower()


@dataclass(frozen=True)
class Table:
    """A table: how the settings name it, and its columns in order."""

    source: str
    columns: tuple[Column, ...]


def looked_at(table: Any, source: str) -> Table:
    """The columns of an Ibis table, as its first rows show them."""
    some = table.limit(LOOKED_AT).to_pandas()
    kinds = dict(table.schema().items())
    return Table(source, tuple(_column(name, kinds[name], some[name], table) for name in some))


def _column(name: str, type_: Any, values: pd.Series[Any], table: Any) -> Column:
    there = values.dropna()
    kind = _kind(name, type_, there, table)
    distinct = int(there.nunique()) if kind != "other" else 0
    share = kind == "number" and bool(there.between(0, 1).all() and (there % 1 > 0).any())
    return Column(name, kind, distinct, len(values), share)


def _kind(name: str, type_: Any, there: pd.Series[Any], table: Any) -> Kind:
    """The kind of a column; ``there`` are the values that it has."""
    if type_.is_timestamp() or type_.is_date() or "TIMESTAMP" in str(type_):
        return "time"
    if type_.is_boolean():
        return "yes_no"
    if type_.is_integer() and len(there):
        unit = unit_of(float(there.min()), float(there.max()))
        return {None: "whole", 1: "time"}.get(unit, "other")  # type: ignore[return-value]
    if type_.is_numeric():
        return "whole" if type_.is_integer() else "number"
    if not len(there):
        return "empty"
    if not type_.is_string():
        return "other"
    return "time" if _DATED.match(str(there.iloc[0])) and not no_time(table, name) else "text"
