"""The values that traffic can be filtered by: the commonest of each dimension in the window."""

from __future__ import annotations

from analysis.evidence import Evidence, How, Table
from analysis.explore.question import MOST_LEVELS, SEEN, Question
from analysis.few import FEWEST_ROWS
from analysis.portable import as_level
from analysis.warehouse import ROLES, Warehouse


def of(warehouse: Warehouse, question: Question) -> Evidence:
    """A row (dimension, value, its rows in the window) for each value, commonest first.

    A hidden dimension has no rows, and neither has one with a single value: no filter is left.
    """
    log = warehouse.predictions(question.scope.window)
    columns = {d: d for d in warehouse.dimensions} | ROLES
    rows: list[tuple[str, ...]] = []
    for dimension, column in columns.items():
        named = log.mutate(_level=as_level(log[column]))
        counted = named.group_by("_level").aggregate(n=named.count())
        often = counted.filter(counted["n"] >= FEWEST_ROWS)
        top = warehouse.fetch(often.order_by(often["n"].desc(), "_level").limit(MOST_LEVELS))
        if len(top) > 1:
            rows += [
                (dimension, str(v), str(n)) for v, n in zip(top["_level"], top["n"], strict=True)
            ]
    table = Table(("dimension", "value", "rows"), tuple(rows))
    return Evidence(SEEN, 1.0, "Values to filter by.", table=table, how=How("counted"))
