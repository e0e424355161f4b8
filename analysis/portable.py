"""The same expression on every engine, also on one that lacks the function for it.

SQLite, for one, has no NaN (it stores null), no hash, no median, and keeps times as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LOTS = 1_000_000
"""Lots are whole numbers from 0 to one less than this."""
LOT = "_lot"
HASHED = 12
"""Of so many columns a row's lot is made: the roles, and a few features."""


def lacks(expression: Any, operation: str) -> bool:
    """Whether the expression's engine has no such Ibis operation (``"IsNan"``)."""
    import ibis.expr.operations as ops

    return not expression.get_backend().has_operation(getattr(ops, operation))


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
        return column.as_timestamp("s").cast("timestamp")
    engine = column.get_backend().name
    if engine == "sqlite":
        return column.cast("string").cast("timestamp")
    if engine == "duckdb" and (kind.is_string() or kind.is_unknown()):
        # Straight to a naive timestamp, text would lose what stands after "+", and times with a
        # zone in nanoseconds (a type that Ibis does not know) have no cast.
        column = column.cast("timestamp('UTC')")
    return column.cast("timestamp")


def parsed(text: Any) -> Any:
    """A column of text as timestamps, with null where it is none."""
    if lacks(text, "TryCast"):
        return text.cast("timestamp")
    return text.try_cast("timestamp")


def whole_seconds(time: Any) -> Any:
    """Whole seconds since 1970, rounded down (a cast would round to the nearest)."""
    if time.get_backend().name == "sqlite":
        return time.epoch_seconds()
    return time.truncate("s").epoch_seconds()


def middle(column: Any) -> Any:
    """The median, or the mean on an engine without one."""
    return column.mean() if lacks(column, "Median") else column.median()


def lots(table: Any, columns: Sequence[str], seed: int = 0) -> Any:
    """``table`` with a column LOT in 0 … LOTS - 1 to sample by, the same for the same seed.

    Rows that are alike in all of ``columns`` draw the same lot: name enough of them. An engine
    without a hash goes by the number of the row instead, in the order in which it is read.
    """
    import ibis

    if lacks(table, "Hash"):
        # 618,033 has no factor in common with LOTS, so that lots are spread evenly.
        number = ibis.row_number().over(ibis.window())
        return table.mutate(**{LOT: (number * 618_033 + seed * 7919) % LOTS})
    key = ibis.literal(seed * 7919, type="int64")
    for name in columns:
        key = (
            key // 2 + table[name].hash().fill_null(0) // 2
        )  # halved, so that the sum stays within 64 bits
    return table.mutate(**{LOT: key.abs() % LOTS})
