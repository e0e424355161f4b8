"""Classes as numbers: one class against the rest, where a model answers with one of several."""

from __future__ import annotations

from typing import Any

from analysis.evidence import Scope
from analysis.portable import as_number, as_text
from analysis.tables import Role
from analysis.warehouse import Warehouse, naive

MOST_CLASSES = 1000
"""Classes beyond the most frequent ones are no candidates."""


def one_against_rest(warehouse: Warehouse, log: Any, scope: Scope) -> tuple[Any, str]:
    """The log with predictions and labels 1 for one class and 0 for the others, and that class.

    It is the class whose share of the predictions changed the most between the scope's baseline
    and its window: what moved the answers moved that share. Classes that are numbers have names
    too: 3 is no more than 1. A log of other tasks comes back as it was, with ""; a class whose
    column is hidden is called "(hidden)".
    """
    if not _answers_with_classes(warehouse, log, scope.named("model")):
        return log, ""
    named = _named(log)
    chosen = _most_moved(warehouse, named, scope)
    against = {r: as_number(named[r] == chosen) for r in (Role.PREDICTION, Role.LABEL)}
    told = "(hidden)" if warehouse.contract.predictions.prediction in warehouse.hidden else chosen
    return named.mutate(**against), told


def _answers_with_classes(warehouse: Warehouse, log: Any, models: tuple[str, ...]) -> bool:
    if log[Role.PREDICTION].type().is_string():
        return True
    known = warehouse.contract.models
    tasks = {m.task for m in known if not models or m.name in models}
    return tasks == {"multiclass"}


def _named(log: Any) -> Any:
    """Predictions and labels as text; 1 and 1.0 are the same class."""
    columns = {}
    for role in (Role.PREDICTION, Role.LABEL):
        columns[role] = as_text(log[role])
    return log.mutate(**columns)


def _most_moved(warehouse: Warehouse, log: Any, scope: Scope) -> str:
    recent = log.filter(
        log[Role.TIME] >= naive(scope.baseline.start), log[Role.TIME] < naive(scope.window.end)
    )
    inside = recent[Role.TIME] >= naive(scope.window.start)
    weight = as_number(recent[Role.WEIGHT]).fill_null(1.0)
    sums = recent.group_by(recent[Role.PREDICTION]).aggregate(
        now=inside.ifelse(weight, 0.0).sum(), before=inside.ifelse(0.0, weight).sum()
    )
    found = warehouse.fetch(sums.order_by(sums["before"].desc()).limit(MOST_CLASSES)).dropna()
    if found.empty:
        return ""
    share = found[["now", "before"]] / found[["now", "before"]].sum().clip(lower=1e-12)
    moved = (share["now"] - share["before"]).abs()
    return str(found[Role.PREDICTION].iloc[int(moved.to_numpy().argmax())])
