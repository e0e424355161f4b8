"""The series of one column that an alert can be about: nulls, its mean, its commonest levels.

A column is a feature, or the predictions of a model: two faults may leave their mean as it was, and
hardly what lies about it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from analysis.evidence import CannotExamine, Scope, Window
from analysis.few import shown
from analysis.metrics import BLOCK, BUCKET, Blocks, Series, bucket_of, regular, rows_of
from analysis.portable import as_number, lacks, middle, without_nan
from analysis.quality import Estimate
from analysis.tables import Metric, Role
from analysis.warehouse import Warehouse

ENDS = {"low": 0.02, "high": 0.98}
"""Shares of values that are followed at either end: of heavy tails no mean tells anything."""
LEVELS = 6
"""So many of a text feature's commonest levels are followed."""


def of_the_subject(
    warehouse: Warehouse, scope: Scope, blocks: Blocks
) -> list[tuple[Metric, Series]]:
    """Those of the feature, or of the model's predictions, that an alert is about."""
    if scope.entry == "metric":
        return []
    of = feature_series if scope.entry == "feature" else prediction_series
    return of(warehouse, scope.subject, blocks)


def feature_series(
    warehouse: Warehouse, feature: str, blocks: Blocks
) -> list[tuple[Metric, Series]]:
    """Hourly series of a feature; CannotExamine when the serving log has no such column."""
    if feature not in warehouse.features:
        raise CannotExamine(
            f"There is no feature `{feature}` in the serving log; there are "
            f"{', '.join(warehouse.features[:12])}."
        )
    table = rows_of(warehouse, blocks, whole=True)
    return _series(warehouse, blocks, table, table[feature], feature, "mean")


def prediction_series(
    warehouse: Warehouse, model: str, blocks: Blocks
) -> list[tuple[Metric, Series]]:
    """Hourly series of a model's predictions, of probabilities on log odds; none of classes."""
    if warehouse.predicts_classes:
        return []
    table = rows_of(warehouse, blocks, models=(model,), whole=True)
    column, mean = as_number(table[Role.PREDICTION]), "mean"
    if warehouse.contract.model(model).task == "binary":
        safe = column.clip(lower=1e-6, upper=1 - 1e-6)
        column, mean = (safe / (1 - safe)).ln(), "mean log odds"
    return _series(warehouse, blocks, table, column, f"{model}'s predictions", mean)


def _series(
    warehouse: Warehouse, blocks: Blocks, table: Any, column: Any, name: str, mean_is: str
) -> list[tuple[Metric, Series]]:
    parts: dict[str, Any] = {"null share": as_number(column.isnull())}
    if column.type().is_numeric() or column.type().is_boolean():
        value = as_number(column)
        value = without_nan(value) if column.type().is_floating() else value
        parts["null share"] = as_number(value.isnull())
        parts[mean_is] = value
        centre = warehouse.fetch(table.aggregate(m=middle(value)))["m"].iloc[0]
        parts["spread"] = (value - float(centre if centre == centre else 0.0)).abs()
        parts |= _ends(warehouse, table, value)
    else:
        common = warehouse.fetch(column.topk(LEVELS))
        for level in common.iloc[:, 0].dropna():
            parts[f"share of {level}"] = as_number(column == level)
    table = table.mutate(**{BUCKET: bucket_of(table[Role.TIME], 3600)})
    table = table.mutate(**{f"x{i}": part for i, part in enumerate(parts.values())})
    sums: dict[str, Any] = {}
    for i in range(len(parts)):
        x = table[f"x{i}"]
        # Of the population: SQLite's function for a sample divides by zero where there is one row.
        sums |= {f"n{i}": x.count(), f"m{i}": x.mean(), f"s{i}": x.std(how="pop")}
    frame = warehouse.fetch(table.group_by(BUCKET).aggregate(**sums)).sort_values(BUCKET)
    span = Window(blocks.window.end - (blocks.count + 1) * blocks.period, blocks.window.end)
    keys = frame[BUCKET].to_numpy(float)
    result = []
    for i, what in enumerate(parts):
        rows = frame[f"n{i}"].to_numpy(float)
        spread = np.nan_to_num(frame[f"s{i}"].to_numpy(float))
        mean = frame[f"m{i}"].to_numpy(float)
        with np.errstate(all="ignore"):
            error = np.sqrt((spread**2 * rows + 0.25 / np.maximum(rows, 1)) / rows**2)
        metric = Metric(name=name, kind="mean_prediction", title=f"{what} of {name}")
        found = shown(warehouse, Estimate(mean, error, rows))
        result.append((metric, regular(keys, found, found, span, metric)))
    return result


def _ends(warehouse: Warehouse, table: Any, value: Any) -> dict[str, Any]:
    """Whether a value is lower, or higher, than nearly all of the baseline's; nothing where the
    engine knows no quantiles."""
    if lacks(value, "Quantile"):
        return {}
    past = table.mutate(_value=value).filter(table[BLOCK] > 0)["_value"]
    ends = {name: past.quantile(share) for name, share in ENDS.items()}
    found = warehouse.fetch(past.as_table().aggregate(**ends)).iloc[0]
    parts = {"low": value < float(found["low"]), "high": value > float(found["high"])}
    return {f"share of {name} values": as_number(part) for name, part in parts.items()}
