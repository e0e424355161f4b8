"""The series of a metric, a model, a feature or a service, over the incident and its baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import metrics, quality
from analysis.asked import MODEL_KINDS
from analysis.charts.explore import Drawn
from analysis.evidence import CannotExamine, Scope, Window
from analysis.explore.question import Question, onset_of
from analysis.few import FEWEST_IN_A_CELL, FEWEST_ROWS
from analysis.metrics import BUCKET, DAY, Blocks, Series
from analysis.portable import as_level, as_number
from analysis.quality import NEEDS_LABEL, Estimate, back
from analysis.series import seasonal
from analysis.tables import Metric, Role
from analysis.topline_columns import feature_series
from analysis.warehouse import ROLES, Warehouse, naive

Times = NDArray[np.datetime64]
LEVELS = 8
"""So many levels of a dimension are drawn, those with most rows."""


@dataclass(frozen=True)
class Held:
    """A series beside its band: ``now`` and ``usual`` are means since it began, row by row.

    ``out`` of ``points`` buckets since then lie outside the band, ``below`` of them under what
    is expected.
    """

    drawn: Drawn
    now: float
    usual: float
    out: int
    below: int
    points: int
    rows: int


def blocks_of(scope: Scope, hours: float) -> Blocks:
    """Days up to now, as many as the baseline or the wanted hours need."""
    window = Window(scope.now - DAY, scope.now)
    earlier = max((window.start - scope.baseline.start) / DAY, hours / 24)
    return Blocks(window, DAY, max(1, math.ceil(earlier)))


def held(warehouse: Warehouse, question: Question) -> list[Held]:
    """The series that a chart of ``question.name`` shows, the most telling one first.

    Raises CannotExamine when there is none.
    """
    scope = question.scope
    blocks = blocks_of(scope, question.hours)
    found: list[Held] = []
    why: list[str] = []
    for metric, series in _series(warehouse, question, blocks, why):
        try:
            found.append(_against(series, metric.kind or "", metric.title or metric.name, scope))
        except ValueError as error:
            why.append(f"{metric.title or metric.name}: {error}")
    if not found:
        raise CannotExamine(f"`{question.name}` can't be drawn: {'; '.join(why) or 'no series'}.")
    return found


def _series(
    warehouse: Warehouse, question: Question, blocks: Blocks, why: list[str]
) -> list[tuple[Metric, Series]]:
    name = question.name
    if question.thing == "feature":
        pairs = feature_series(warehouse, name, blocks)
        shown = [p for p in pairs if not p[0].title or not p[0].title.startswith("spread")]
        if name in warehouse.hidden:  # what is missing is no value
            shown = [p for p in shown if (p[0].title or "").startswith("null")]
        return sorted(shown, key=lambda p: (p[0].title or "").startswith("null"))[:4]
    if question.thing == "infra":
        return [_service(warehouse, name, blocks)]
    found = []
    for metric in _wanted(warehouse, question):
        try:
            found.append((metric, metrics.series(warehouse, metric, blocks)))
        except CannotExamine as error:
            why.append(str(error))
    return found


def _wanted(warehouse: Warehouse, question: Question) -> list[Metric]:
    name = question.name
    if question.thing == "metric":
        return [warehouse.contract.metric(name)]
    regression = warehouse.contract.model(name).task == "regression"
    instead = {"calibration": "bias", "log_loss": "mae"} if regression else {}
    kinds = [instead.get(k, k) for k in MODEL_KINDS]
    return [
        Metric.model_validate(
            {"name": f"{k} of {name}", "kind": k, "model": name, "title": k.replace("_", " ")}
        )
        for k in kinds
        if warehouse.has_labels or k not in NEEDS_LABEL
    ]


def _service(warehouse: Warehouse, name: str, blocks: Blocks) -> tuple[Metric, Series]:
    """One infrastructure series, "service/metric", in buckets of ten minutes."""
    service, _, figure = name.partition("/")
    table = warehouse.table("infra")
    low = blocks.window.end - (blocks.count + 1) * blocks.period
    table = table.filter(
        table["service"].cast("string") == service,
        table["metric"].cast("string") == figure,
        table["time"] >= naive(low),
        table["time"] < naive(blocks.window.end),
    )
    metric = Metric(name=name, kind="mean_prediction", every=10, title=name)
    table = table.mutate(**{BUCKET: metrics.bucket_of(table["time"], metric.every * 60)})
    value = as_number(table["value"])
    frame = warehouse.fetch(table.group_by(BUCKET).aggregate(v=value.mean(), n=table.count()))
    frame = frame.sort_values(BUCKET)
    rows = frame["n"].to_numpy(float)
    found = Estimate(frame["v"].to_numpy(float), np.full(len(frame), np.nan), rows)
    span = Window(low, blocks.window.end)
    return metric, metrics.regular(frame[BUCKET].to_numpy(float), found, found, span, metric)


def series_names(warehouse: Warehouse) -> tuple[str, ...]:
    """Every infrastructure series as "service/metric"; none without a table of them."""
    if not warehouse.has("infra"):
        return ()
    table = warehouse.table("infra")
    names = table["service"].cast("string") + "/" + table["metric"].cast("string")
    frame = warehouse.fetch(table.select(name=names).distinct())
    return tuple(sorted(str(n) for n in frame["name"].dropna()))


def _against(series: Series, kind: str, title: str, scope: Scope) -> Held:
    """The series with the band learnt from before it began; ValueError with too few points."""
    begun = np.datetime64(naive(onset_of(scope).at), "s")
    train = series.times < np.datetime64(naive(onset_of(scope).low), "s")
    band = seasonal.fit(series.times, series.work, train=train, errors=series.errors)
    since = series.times >= begun
    known = since & np.isfinite(series.values)
    weights = np.maximum(np.where(known, series.rows, 0.0), np.where(known, 1e-9, 0.0))
    usual = back(kind, band.expected)
    total = float(weights.sum())
    off = np.abs(series.work - band.expected) > 2 * band.spread

    def mean(values: quality.Floats) -> float:
        return float((weights * np.nan_to_num(values)).sum() / total) if total else math.nan

    drawn = Drawn(title, series.times, series.values, back(kind, band.low), back(kind, band.high))
    return Held(
        drawn,
        mean(series.values),
        mean(usual),
        int((off & known).sum()),
        int((known & (series.work < band.expected)).sum()),
        int(known.sum()),
        int(np.nansum(series.rows)),
    )


# -- by a dimension -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Level:
    """One value of a dimension: its series, its mean since it began and in the same hours of
    earlier days."""

    drawn: Drawn
    now: float
    usual: float
    rows: int

    @property
    def moved(self) -> float:
        """By how much it changed; 0 where one of the two is not known."""
        gap = self.now - self.usual
        return gap if math.isfinite(gap) else 0.0


def levels(warehouse: Warehouse, question: Question) -> list[Level]:
    """The series of each level of ``question.by``, those with most rows.

    Raises CannotExamine for a hidden dimension, and when the thing can't be cut by it.
    """
    if question.by in warehouse.hidden:
        raise CannotExamine(f"The values of `{question.by}` are hidden in the settings.")
    scope, metric = question.scope, _cut(warehouse, question)
    blocks = blocks_of(scope, question.hours)
    column = ROLES.get(question.by, question.by)
    table = _rows(warehouse, question, metric, blocks)
    if column not in table.columns:
        known = ", ".join((*warehouse.dimensions, *ROLES))
        raise CannotExamine(f"`{question.by}` is no dimension here; there are {known}.")
    table = table.mutate(_level=as_level(table[column]))
    top = warehouse.fetch(table.group_by("_level").aggregate(n=table.count()))
    top = top[top["n"] >= FEWEST_ROWS].sort_values("n", ascending=False).head(LEVELS)
    if top.empty:
        raise CannotExamine(f"No value of `{question.by}` has {FEWEST_ROWS} rows; nothing to show.")
    names = [str(n) for n in top["_level"]]
    table = table.filter(table["_level"].isin(names))
    return _measured(warehouse, table, metric, names, scope, blocks)


def whole(warehouse: Warehouse, question: Question) -> Level:
    """All rows that the levels of :func:`levels` are parts of, as a level of its own."""
    import ibis

    scope, metric = question.scope, _cut(warehouse, question)
    blocks = blocks_of(scope, question.hours)
    table = _rows(warehouse, question, metric, blocks).mutate(_level=ibis.literal("all"))
    return _measured(warehouse, table, metric, ["all"], scope, blocks)[0]


def _rows(warehouse: Warehouse, question: Question, metric: Metric, blocks: Blocks) -> Any:
    """The rows that are cut; of a feature with its values in the place of predictions."""
    models = (metric.model,) if metric.model else ()
    arms = (metric.arm,) if metric.arm else ()
    table = metrics.rows_of(warehouse, blocks, models=models, arms=arms, whole=True)
    if question.thing == "feature":
        table = table.mutate(**{Role.PREDICTION: _number(table, question.name)})
    return table


def _cut(warehouse: Warehouse, question: Question) -> Metric:
    if question.thing == "infra":
        raise CannotExamine("A service's series has no dimensions; chart it without `by`.")
    if question.thing == "metric":
        metric = warehouse.contract.metric(question.name)
        if metric.source is not None:
            raise CannotExamine(
                f"`{metric.name}` has a table of its own, which I chart as a whole; "
                f"`segments {metric.name}` cuts it."
            )
        return metric
    if question.thing == "feature" and question.name not in warehouse.features:
        raise CannotExamine(f"There is no feature `{question.name}` in the serving log.")
    if question.thing == "feature" and question.name in warehouse.hidden:
        raise CannotExamine(f"The values of `{question.name}` are hidden in the settings.")
    model = question.name if question.thing == "model" else None
    title = f"mean prediction of {model}" if model else f"mean of {question.name}"
    return Metric(name=question.name, kind="mean_prediction", model=model, title=title)


def _number(table: Any, feature: str) -> Any:
    column = table[feature]
    if not (column.type().is_numeric() or column.type().is_boolean()):
        raise CannotExamine(
            f"`{feature}` is text, which has no mean to cut; chart it without `by`."
        )
    return as_number(column)


def _measured(
    warehouse: Warehouse,
    table: Any,
    metric: Metric,
    names: Sequence[str],
    scope: Scope,
    blocks: Blocks,
) -> list[Level]:
    width = metric.every * 60
    table = table.mutate(**{BUCKET: metrics.bucket_of(table[Role.TIME], width)})
    kind = metrics.kind_of(metric)
    sums = metrics.add_up(warehouse, table, (kind,), ("_level", BUCKET)).sort_values(BUCKET)
    span = Window(blocks.window.end - (blocks.count + 1) * blocks.period, blocks.window.end)
    found = []
    for name in names:
        mine = sums[sums["_level"] == name]
        estimate = metrics.measure(kind, mine)
        even = quality.working(kind, estimate, mine)
        series = metrics.regular(mine[BUCKET].to_numpy(float), estimate, even, span, metric)
        found.append(_level(name, series, scope))
    return found


def _level(name: str, series: Series, scope: Scope) -> Level:
    begun = np.datetime64(naive(onset_of(scope).at), "s")
    since = series.times >= begun
    hours = series.times.astype("datetime64[h]").astype(int) % 24
    same = ~since & np.isin(hours, np.unique(hours[since]))

    def mean(chosen: Any) -> float:
        keep = chosen & np.isfinite(series.values)
        rows = series.rows[keep]
        few = rows.sum() < FEWEST_IN_A_CELL
        return math.nan if few else float((rows * series.values[keep]).sum() / rows.sum())

    # The line goes on past a point of few rows, and has a gap where there were none.
    kept = (series.rows >= FEWEST_IN_A_CELL) | ~np.isfinite(series.values)
    drawn = Drawn(name, series.times[kept], series.values[kept])
    return Level(drawn, mean(since), mean(same), int(np.nansum(series.rows[since])))


def shown_since(question: Question) -> timedelta:
    """How much a chart shows: what was asked for, else the window and a day and a half before."""
    if question.hours:
        return timedelta(hours=question.hours)
    return question.scope.window.length + timedelta(hours=36)
