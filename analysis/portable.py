"""The same expression on every engine, also on one that lacks the function for it.

SQLite, for one, has no NaN (it stores null), no hash, no median, and keeps times as text. Where
engines differ in what they call a type (BigQuery's ``DATETIME`` is Ibis's timestamp, its
``TIMESTAMP`` one with a zone), the difference stands here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

NULL = "(null)"
"""What stands for a missing value of a dimension."""
LOTS = 1_000_000
"""Lots are whole numbers from 0 to one less than this."""
LOT = "_lot"
HASHED = 12
"""Of so many columns a row's lot is made: the roles, and a few features."""


def lacks(expression: Any, operation: str) -> bool:
    """Whether the expression's engine has no such Ibis operation (``"IsNan"``)."""
    import ibis.expr.operations as ops

    return not expression.get_backend().has_operation(getattr(ops, operation))


def as_number(column: Any) -> Any:
    """A column of numbers, or of yes and no as 1 and 0, as floats."""
    if column.type().is_boolean():
        column = column.cast("int32")  # PostgreSQL has no cast to floats, nor to smaller integers
    return column.cast("float64")


def as_text(column: Any) -> Any:
    """A column as text, the same on every engine: a whole number is "1", never "1.0"."""
    import ibis

    kind = column.type()
    if kind.is_boolean():
        return ibis.cases((column, "true"), (~column, "false"))
    if not kind.is_floating() and not kind.is_decimal():
        return column.cast("string")
    value = column.cast("float64")
    bounded = (value.abs() < 1e15).ifelse(value, ibis.null("float64"))  # NaN has no whole number
    whole = bounded == bounded.round()
    return whole.ifelse(bounded.cast("int64").cast("string"), value.cast("string"))


def without_nan(column: Any) -> Any:
    """A column of floats, with null where it is NaN."""
    import ibis

    if lacks(column, "IsNan"):
        return column
    return column.isnan().ifelse(ibis.null("float64"), column)


def timestamp(column: Any) -> Any:
    """A column of times as a naive UTC timestamp: integers are seconds since 1970.

    On an engine that keeps times as text, they are brought into the one form in which comparing
    texts compares times; what is no time is null there.
    """
    kind = column.type()
    if kind.is_integer():
        if lacks(column, "TimestampFromUNIX"):
            return column.cast("timestamp")
        # What Ibis calls naive is a time with a zone on most engines, and BigQuery compares no two.
        return column.as_timestamp("s").cast("timestamp('UTC')").cast("timestamp")
    if column.get_backend().name == "sqlite":
        return column.cast("string").cast("timestamp")
    if kind.is_string() or kind.is_unknown():
        # Straight to a naive timestamp, text would lose what stands after "+", and DuckDB's times
        # with a zone in nanoseconds (a type that Ibis does not know) have no cast.
        column = column.cast("timestamp('UTC')")
    return column.cast("timestamp")


def as_level(column: Any) -> Any:
    """A value of a dimension as text, NULL where it is missing."""
    return as_text(column).fill_null(NULL)


def parsed(text: Any) -> Any:
    """A column of text as timestamps, with null where it is none."""
    if lacks(text, "TryCast"):
        return text.cast("timestamp")
    return text.try_cast("timestamp")


def whole_seconds(time: Any) -> Any:
    """Whole seconds since 1970, rounded down (a cast would round to the nearest)."""
    engine = time.get_backend().name
    if engine == "sqlite":
        return time.epoch_seconds()
    if engine == "bigquery":
        # Its function takes times with a zone alone, and rounds down by itself.
        return time.cast("timestamp('UTC')").epoch_seconds()
    return time.truncate("s").epoch_seconds()


def middle(column: Any) -> Any:
    """The median; an engine without one gives its estimate of it, or the mean."""
    if not lacks(column, "Median"):
        return column.median()
    return column.mean() if lacks(column, "ApproxMedian") else column.approx_median()


def lots(table: Any, columns: Sequence[str], seed: int = 0) -> Any:
    """``table`` with a column LOT in 0 … LOTS - 1 to sample by, the same for the same seed.

    Rows that are alike in all of ``columns`` draw the same lot: name enough of them; nested ones,
    which not every engine can hash, are passed over. An engine
    without a hash goes by the number of the row instead, in the order in which it is read.
    """
    import ibis

    engine = table.get_backend().name
    if lacks(table, "Hash") and engine not in _HASHES:
        # 618,033 has no factor in common with LOTS, so that lots are spread evenly.
        number = ibis.row_number().over(ibis.window())
        return table.mutate(**{LOT: (number * 618_033 + seed * 7919) % LOTS})
    key = ibis.literal(seed * 7919, type="int64")
    for name in columns:
        if table[name].type().is_nested():
            continue
        # Halved, so that the sum stays within 64 bits.
        key = key // 2 + _hashed(table[name], engine).fill_null(0) // 2
    return table.mutate(**{LOT: key.abs() % LOTS})


_HASHES = {"trino": ("to_utf8", "xxhash64", "from_big_endian_64")}
"""Functions, the innermost first, that make a whole number of a text on engines whose hash Ibis
does not know."""


def _hashed(column: Any, engine: str) -> Any:
    if engine != "duckdb":  # PostgreSQL's and BigQuery's take few types, but text
        column = column.cast("string")
    for name in _HASHES.get(engine, ()):
        column = _builtin(name)(column)
    return column if engine in _HASHES else column.hash()


@cache
def _builtin(name: str) -> Any:
    import ibis
    import ibis.expr.datatypes as dt

    def function(value):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        """Implemented by the engine."""

    taken = dt.string if name == "to_utf8" else dt.binary
    given = dt.int64 if name == "from_big_endian_64" else dt.binary
    return ibis.udf.scalar.builtin(function, name=name, signature=((taken,), given))
