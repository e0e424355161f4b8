"""What is predicted, and which metrics have a figure for it: by the ranges of the log's columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from analysis.portable import as_number, as_text, without_nan
from analysis.tables import Task
from analysis.warehouse import ONE_MODEL
from bot.first.columns import Column, Table
from bot.first.roles import Roles

MOST_MODELS = 5
"""So many get metrics of their own, those with the most rows."""
MOST_CLASSES = 50


@dataclass(frozen=True)
class Model:
    """A model of the log: its task, whether its predictions and labels lie within 0 and 1, and
    whether it has labels at all."""

    name: str
    task: Task
    within: bool
    labelled: bool


@dataclass(frozen=True)
class Metric:
    """A metric to propose, with the direction that hurts."""

    name: str
    kind: str
    model: str = ""
    bad: str = ""


def models_of(rows: Any, table: Table, roles: Roles) -> list[Model]:
    """The models of a log, an Ibis table, those with the most rows first."""
    columns = {c.name: c for c in table.columns}
    predicted = columns[roles.columns["prediction"]]
    label = columns.get(roles.columns.get("label", ""))
    name = roles.columns.get("model")
    key = as_text(rows[name]) if name else None
    asked = {"rows": rows.count()}
    for what, column in (("prediction", predicted), ("label", label)):
        if column is not None and column.kind != "text":
            values = without_nan(as_number(rows[column.name]))
            asked |= {f"{what}_low": values.min(), f"{what}_high": values.max()}
    grouped = rows.group_by(model=key) if key is not None else rows
    found = grouped.aggregate(**asked)
    if key is not None:
        found = found.filter(found["model"].notnull())
        found = found.order_by(found["rows"].desc()).limit(MOST_MODELS)
    return [
        _model(str(row.get("model", ONE_MODEL)), row, predicted, label, "group" in roles.columns)
        for row in found.to_pandas().to_dict("records")
    ]


def _model(
    name: str, row: dict[Any, Any], predicted: Column, label: Column | None, ranked: bool
) -> Model:
    labelled = label is not None and (label.kind == "text" or _is_there(row.get("label_low")))
    within = _within(row, "prediction") and (not labelled or _within(row, "label"))
    return Model(name, _task(row, predicted, label, labelled, ranked), within, labelled)


def _task(
    row: dict[Any, Any], predicted: Column, label: Column | None, labelled: bool, ranked: bool
) -> Task:
    """Classes are text, or few whole numbers that predictions and labels share; amounts lie
    outside 0 to 1."""
    if predicted.kind == "text":
        return "multiclass"
    if ranked:
        return "ranking"
    what = "label" if labelled else "prediction"
    if _within(row, what):
        return "binary"
    both = (predicted, label) if label is not None else (predicted,)
    classes = labelled and all(c.kind == "whole" and c.distinct <= MOST_CLASSES for c in both)
    return "multiclass" if classes else "regression"


def _within(row: dict[Any, Any], what: str) -> bool:
    low, high = row.get(f"{what}_low"), row.get(f"{what}_high")
    return low is not None and high is not None and bool(low >= 0 and high <= 1)


def _is_there(value: Any) -> bool:
    return value is not None and value == value


def metrics_of(models: list[Model]) -> Iterator[Metric]:
    """The volume, and for each model what its task is measured by."""
    yield Metric("volume", "volume")
    for model in models:
        for kind, bad in _kinds(model):
            name = kind if len(models) == 1 else f"{model.name} {kind}"
            yield Metric(name, kind, model.name if len(models) > 1 else "", bad)


def _kinds(model: Model) -> Iterator[tuple[str, str]]:
    if model.task != "multiclass":
        yield "mean_prediction", ""
    if not model.labelled:
        return
    match model.task:
        case "binary" if model.within:
            yield "calibration", ""
            yield "log_loss", "up"
        case "binary":
            # Scores of another scale: they say who is above whom, but are no probabilities.
            yield "mean_label", ""
        case "regression":
            yield "mae", "up"
            yield "bias", ""
        case "multiclass":
            yield "accuracy", "down"
        case "ranking":
            yield "ndcg", "down"
