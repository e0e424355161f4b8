"""Holds the settings against the tables themselves: are they there, and are they what is said?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from analysis import replay
from analysis.columns import ONLY_CLASSES, TIMES, example, no_time
from analysis.engine import engine_errors
from analysis.epochs import NAMES, unit_of
from analysis.evidence import CannotExamine
from analysis.fitting import OF_PROBABILITIES, unfit
from analysis.portable import as_number, as_text
from analysis.tables import Metric, Predictions
from analysis.warehouse import Warehouse
from bot.config.problems import Places, Problem, nearest
from bot.config.settings import Settings, Tables

_TIMES = {"time", "label_time", "published", "trained", "train_start", "train_end", "start", "end"}
_TIMES |= {"data_time"}
_NUMBERS = {"prediction", "label", "weight", "value", "denominator", "share", "rows"}
_LOOKED_AT = 10_000
_MOST_MODELS = 200
_LAST_LINES = 5
_SECONDS_END = 10**11
"""The year 5138 in seconds since 1970: a larger integer is no count of seconds."""


@dataclass(frozen=True)
class _Place:
    """A table of the settings: where it is declared, and what it says about its columns."""

    key: tuple[str | int, ...]
    source: str
    columns: tuple[tuple[str, str], ...]
    """(key, the team's column) pairs; a list contributes one pair per element."""


def check(settings: Settings) -> list[str]:
    """What does not fit between the settings and the tables, a block of text each.

    Opens every table: missing ones, missing columns, times that are no times, numbers that are
    no numbers, models and metrics without a row. An empty list means that all is well.
    """
    return [str(problem) for problem in problems(settings)]


def problems(settings: Settings) -> Iterator[Problem]:
    """The same as values, in the order of the settings."""
    text = settings.path.read_text(encoding="utf-8-sig") if settings.path.exists() else ""
    places = Places(settings.path, text)
    warehouse = settings.warehouse(datetime.now(UTC))
    labels_may_be_words = any(model.task == "multiclass" for model in settings.models)
    try:
        warehouse.connected()
    except CannotExamine as error:
        said = settings.data.url.partition("://")[0] + "://…"
        yield places.problem(("data", "url"), f'"{said}"', f"an address to connect to; {error}")
        return
    sound = True
    for place in _places(settings):
        found = list(_in_table(place, warehouse, places, labels_may_be_words))
        sound = sound and not (found and place.key == ("tables", "predictions"))
        yield from found
    if not sound:
        return
    try:
        with engine_errors(warehouse.contract.url):
            missing = list(_models(settings, warehouse, places))
            missing += _probabilities(settings, warehouse, places)
            missing += _amounts(settings, warehouse, places) if not missing else []
            missing += _scorer(settings, warehouse, places)
    except CannotExamine as error:
        key = ("tables", "predictions", "source")
        missing = [places.problem(key, "rows that could not be looked at", str(error))]
    yield from missing
    yield from _metrics(settings, places)


def _metrics(settings: Settings, places: Places) -> Iterator[Problem]:
    """Metrics that no rows can give a figure for."""
    for index, metric in enumerate(settings.metrics):
        if why := unfit(settings.contract, metric):
            yield places.problem(
                ("metrics", index, "kind"), f'"{metric.kind}"', f"another kind: {why}"
            )


def _probabilities(settings: Settings, warehouse: Warehouse, places: Places) -> Iterator[Problem]:
    """Predictions and labels outside 0 to 1, where all models are binary and a metric needs them
    inside."""
    kinds = OF_PROBABILITIES | {"calibration"}
    metric = next((m for m in settings.metrics if m.kind in kinds), None)
    log = settings.tables.predictions
    if metric is None or any(model.task != "binary" for model in settings.models):
        return
    wanted = (("prediction", log.prediction, "probabilities"), ("label", log.label, "labels"))
    for key, name, what in wanted:
        if name is None or name in log.hidden:
            continue
        column = as_number(warehouse.rows(log.source)[name])
        ends = column.as_table().aggregate(low=column.min(), high=column.max())
        low, high = ends.to_pandas().iloc[0][["low", "high"]]
        if low < 0 or high > 1:
            said = f'"{name}", which holds {low:g} to {high:g}'
            expected = f"{what} from 0 to 1: `{metric.name}` ({metric.kind}) needs them"
            yield places.problem(("tables", "predictions", key), said, expected)


def _amounts(settings: Settings, warehouse: Warehouse, places: Places) -> Iterator[Problem]:
    """Models taken to be binary, by default or by word, whose labels are amounts: several values,
    some of them outside 0 to 1. So many rows are looked at, and no more."""
    log = settings.tables.predictions
    if log.label is None or log.label in log.hidden:
        return
    rows = warehouse.rows(log.source)
    kind = rows[log.label].type()
    if not (kind.is_numeric() or kind.is_boolean()):
        return
    rows = rows.filter(rows[log.label].notnull())
    name = rows[log.model] if log.model else rows[log.label]
    some = rows.select(label=as_number(rows[log.label]), model=as_text(name)).limit(_LOOKED_AT)
    seen = some.to_pandas().dropna()
    named = {model.name: index for index, model in enumerate(settings.models)}
    alone = next(iter(named), None)
    for model, labels in seen.groupby("model" if log.model else (lambda _: alone or ""))["label"]:
        tasks = [m.task for m in settings.models if not log.model or m.name == model]
        if any(task != "binary" for task in tasks) or labels.nunique() <= 2:
            continue
        low, high = labels.min(), labels.max()
        if low < 0 or high > 1:
            where: tuple[str | int, ...] = ("tables", "predictions", "label")
            where = ("models", named[str(model)], "task") if str(model) in named else where
            whose = f" of {model}" if model else ""
            said = f'labels{whose} of {low:g} to {high:g}, where `task` is "binary"'
            block = f'`task = "regression"` in its `[[models]]` block (name = "{model or "…"}")'
            yield places.problem(where, said, f"{block}, if it predicts amounts")


def _scorer(settings: Settings, warehouse: Warehouse, places: Places) -> Iterator[Problem]:
    """A scorer that nothing can be asked of, that fails, or that answers otherwise than the log."""
    if (scorer := warehouse.contract.scorer) is None:
        return
    step = settings.budget.seconds or settings.walk.seconds
    if scorer.seconds >= step:
        expected = f"fewer than the {step:g} that a step may take ([budget] or [walk])"
        yield places.problem(("scorer", "seconds"), f"{scorer.seconds:g} seconds", expected)
    registry, log = warehouse.contract.snapshots, warehouse.contract.predictions
    if registry is None or registry.artifact is None:
        found, expected = "no column to take artifacts from", "the column of `[tables.snapshots]`"
        yield places.problem(("tables", "snapshots", "artifact"), found, expected)
    elif log.snapshot is None:
        found, expected = "no column to tell snapshots by", "the column that says what served a row"
        yield places.problem(("tables", "predictions", "snapshot"), found, expected)
    elif replay.can_replay(warehouse):
        try:
            replay.tried(warehouse)
        except replay.CannotReplay as error:
            last = "\n".join(error.said.splitlines()[-_LAST_LINES:])
            tail = f"; the last that it printed:\n{last}" if last else ""
            expected = f"a program whose answers are those in the log (docs/scorer.md){tail}"
            yield places.problem(("scorer", "command"), f"{error}", expected)


def _places(settings: Settings) -> Iterator[_Place]:
    for name in Tables.model_fields:
        if (table := getattr(settings.tables, name)) is not None:
            yield _Place(("tables", name), table.source, tuple(_pairs(table)))
    for index, metric in enumerate(settings.metrics):
        if metric.source is not None:
            yield _Place(("metrics", index), metric.source, tuple(_pairs(metric)))


def _pairs(table: BaseModel) -> Iterator[tuple[str, str]]:
    """A default that names a column is a claim like any other, so unset keys are looked at too."""
    not_columns = {"source", "name", "kind", "model", "arm", "bad", "every", "owner", "title"}
    skipped = not_columns if isinstance(table, Metric) else {"source"}
    for field, info in type(table).model_fields.items():
        value = getattr(table, field)
        if field in skipped or value is None or value == "*":
            continue
        for column in value if isinstance(value, tuple) else (value,):
            yield info.alias or field, column


def _in_table(
    place: _Place, warehouse: Warehouse, places: Places, words: bool
) -> Iterator[Problem]:
    try:
        schema = dict(warehouse.rows(place.source).schema().items())
    except CannotExamine as error:
        reason = str(error).partition(": ")[2] or str(error)
        expected = f"a table that can be read; there `{place.source}` gave: {reason}"
        yield places.problem((*place.key, "source"), f'"{place.source}"', expected)
        return
    if _is_empty_text(place.source, schema, warehouse):
        said = f'"{place.source}", which has no row'
        yield places.problem((*place.key, "source"), said, "rows: without any, no type is known")
        return
    for key, column in place.columns:
        if column not in schema:
            yield _no_such_column((*place.key, key), column, list(schema), places)
        else:
            try:
                with engine_errors(warehouse.contract.url):
                    kind = schema[column]
                    found = list(_type(place, key, column, kind, warehouse, places, words))
            except CannotExamine as error:
                said = f'"{column}", which could not be looked at'
                found = [places.problem((*place.key, key), said, str(error))]
            yield from found


def _is_empty_text(source: str, schema: dict[str, Any], warehouse: Warehouse) -> bool:
    """Whether it is a text file (CSV) of a header alone, whose every column is taken for text."""
    if not schema or not all(kind.is_string() for kind in schema.values()):
        return False
    return bool(warehouse.rows(source).limit(1).to_pandas().empty)


def _no_such_column(
    key: tuple[str | int, ...], column: str, there: list[str], places: Places
) -> Problem:
    shown = ", ".join(there[:12]) + (f" and {len(there) - 12} more" if len(there) > 12 else "")
    found = f'"{column}", a column that is not there'
    return places.problem(key, found, f"one of {shown}", nearest(column, there))


def _type(
    place: _Place,
    key: str,
    column: str,
    kind: Any,
    warehouse: Warehouse,
    places: Places,
    words: bool,
) -> Iterator[Problem]:
    where, said = (*place.key, key), f'"{column}", which holds {_plain(kind)}'
    if key in _TIMES:
        wrong = _no_time(warehouse.rows(place.source), column, kind)
        if wrong is not None:
            shown = "" if column in warehouse.hidden else wrong
            yield places.problem(where, f"{said}{shown}", f"times: {TIMES}")
    elif key in _NUMBERS and not (kind.is_numeric() or kind.is_boolean()):
        may_be_words = words and key in ("prediction", "label") and kind.is_string()
        if not may_be_words:
            if kind.is_string() and column not in warehouse.hidden:
                said += example(warehouse.rows(place.source), column)
            classes = key in ("prediction", "label") and kind.is_string()
            yield places.problem(where, said, f"numbers; {ONLY_CLASSES}" if classes else "numbers")


def _no_time(table: Any, column: str, kind: Any) -> str | None:
    """Why a column holds no times ("" when its type says it all); None when it does."""
    if kind.is_timestamp() or kind.is_date() or "TIMESTAMP" in str(kind):
        return None
    some = table.limit(_LOOKED_AT)
    if kind.is_integer():
        most = some.aggregate(most=some[column].max()).to_pandas()["most"].iloc[0]
        if most != most or most <= _SECONDS_END:
            return None
        unit = unit_of(float(most))
        return f" up to {most:,}: {NAMES[unit]}?" if unit else f" up to {most:,}"
    return no_time(table, column) or None if kind.is_string() else ""


def _plain(kind: Any) -> str:
    if kind.is_string():
        return "text"
    if kind.is_integer():
        return "whole numbers"
    if kind.is_floating() or kind.is_decimal():
        return "numbers"
    return f"values of type {kind}"


def _models(settings: Settings, warehouse: Warehouse, places: Places) -> Iterator[Problem]:
    """Models that the settings name and the serving log never mentions."""
    table: Predictions = settings.tables.predictions
    if table.model is None:
        return
    rows = warehouse.rows(table.source)
    names = rows.select(name=as_text(rows[table.model])).distinct().limit(_MOST_MODELS + 1)
    there = sorted(str(name) for name in names.to_pandas()["name"].dropna())
    if len(there) > _MOST_MODELS:
        return
    expected = f"a model of the serving log: {', '.join(there)}" if there else "rows in the log"
    named = [(("models", i, "name"), m.name) for i, m in enumerate(settings.models)]
    named += [(("metrics", i, "model"), m.model) for i, m in enumerate(settings.metrics) if m.model]
    for key, name in named:
        if name not in there:
            found = f'"{name}", which has no row in {table.source}'
            yield places.problem(key, found, expected, nearest(name, there))
