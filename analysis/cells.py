"""The serving log (or a metric's own table) cut into cells of its dimensions, block by block."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis import metrics, odds, words
from analysis.drilldown.leaves import Noise
from analysis.evidence import CannotExamine, Scope
from analysis.metrics import BLOCK, Blocks
from analysis.odds import Shift
from analysis.portable import as_level, whole_seconds
from analysis.quality import Floats
from analysis.tables import Metric
from analysis.warehouse import MOST_ROWS, ROLES, Warehouse, naive

if TYPE_CHECKING:
    import pandas as pd


CONFIRMED = {
    "mean_label": "labels",
    "label_coverage": "arrivals",
    "mean_prediction": "predictions",
    "positive_rate": "predictions",
    "calibration": "quality",
    "normalised_entropy": "quality",
    "auc": "quality",
    "volume": "volume",
}
"""What has moved once a person has said that a metric of this kind did."""
SURE = 2.0
"""Log odds that such a word is worth at least."""


def metric_of(warehouse: Warehouse, scope: Scope) -> Metric:
    """The metric that the incident is about; for a model or a feature the mean prediction."""
    if scope.entry == "metric":
        try:
            return warehouse.contract.metric(scope.subject)
        except KeyError:
            raise CannotExamine(
                f"There is no metric `{scope.subject}` in the settings; "
                f"there are {', '.join(warehouse.contract.metric_names)}."
            ) from None
    model = scope.subject if scope.entry == "model" else None
    return Metric(name=scope.subject, kind="mean_prediction", model=model)


def load_cells(
    warehouse: Warehouse, metric: Metric, blocks: Blocks, *, arms: bool = False
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Volume, predictions and labels per block and cell of the dimensions (and with ``arms`` of
    the experiments' arms).

    Columns: the dimensions (text), ``_block``, ``volume``, ``value`` and ``below`` (the metric is
    Σ value ÷ Σ below), ``labels`` and ``positives``. Dimensions with too many values for the row
    limit are left out and named. Raises CannotExamine when none is left, or no rows.
    """
    if metric.source is not None:
        return _cells_of_table(warehouse, metric, blocks)
    named = metric.dimensions or warehouse.contract.predictions.dimensions
    columns = _arms(warehouse, metric, named) if arms else {}
    if not named and not columns:
        raise CannotExamine(
            "No dimensions are named in the settings ([predictions] dimensions): traffic can't be "
            "cut into segments."
        )
    wanted = [*(_shown(warehouse, named) if named else ()), *columns]
    models = (metric.model,) if metric.model else ()
    only = (metric.arm,) if metric.arm else ()
    table = metrics.rows_of(warehouse, blocks, models=models, arms=only)
    table = table.mutate(**{name: table[column] for name, column in columns.items()})
    kind, base = _counted(warehouse, metric)
    kinds = tuple(dict.fromkeys((kind, *base)))
    dims, missing = wanted, list[str]()
    try:
        sums = _cut(warehouse, table, kinds, dims)
    except CannotExamine:  # too many cells: count first, and leave some dimensions out
        dims, missing = _affordable(warehouse, table, wanted, blocks.count + 1)
        sums = _cut(warehouse, table, kinds, dims)
    if sums.empty or not (sums[BLOCK] == 0).any():
        raise CannotExamine(
            f"There are no predictions between {words.clock(blocks.window.start)} and "
            f"{words.clock(blocks.window.end)}: choose another window."
        )
    above, below = _PARTS[kind]
    cells = sums[[BLOCK, *dims]].copy()
    cells["volume"] = sums["n"]
    cells["value"] = above(sums)
    cells["below"] = below(sums)
    cells["prediction"], cells["weight"] = sums.get("p", 0.0), sums["w"] if "p" in sums else 0.0
    cells["labels"] = sums["lw"] if "ly" in sums else 0.0
    cells["positives"] = sums.get("ly", 0.0)
    return cells, dims, missing


def _arms(warehouse: Warehouse, metric: Metric, named: Sequence[str]) -> dict[str, str]:
    """The columns that tell arms, by what people call them; none where the metric is of one arm."""
    source = warehouse.contract.predictions
    if source.arm is None or metric.arm or source.arm in {*named, *source.hidden}:
        return {}
    known = source.experiment is not None and source.experiment not in source.hidden
    names = ("experiment", "arm") if known else ("arm",)
    return {name: ROLES[name] for name in names if name not in named}


def _counted(warehouse: Warehouse, metric: Metric) -> tuple[str, tuple[str, ...]]:
    """What is summed per cell, and what besides; names of classes have no mean."""
    if warehouse.predicts_classes:
        known = metric.kind in ("accuracy", "label_coverage")
        return (str(metric.kind) if known else "volume"), ()
    kind = metric.kind if metric.kind in _PARTS else "mean_prediction"
    return str(kind), ("mean_prediction", *(("mean_label",) if warehouse.has_labels else ()))


def _cut(
    warehouse: Warehouse, table: Any, kinds: Sequence[str], dims: Sequence[str]
) -> pd.DataFrame:
    table = table.mutate(**{d: as_level(table[d]) for d in dims})
    return metrics.add_up(warehouse, table, kinds, (BLOCK, *dims))


_PARTS: dict[str, tuple[Any, Any]] = {
    "volume": (lambda s: s["n"], lambda s: s["n"]),
    "mean_prediction": (lambda s: s["p"], lambda s: s["w"]),
    "positive_rate": (lambda s: s["pos"], lambda s: s["w"]),
    "mean_label": (lambda s: s["ly"], lambda s: s["lw"]),
    "label_coverage": (lambda s: s["ln"], lambda s: s["n"]),
    "precision": (lambda s: s["tp"], lambda s: s["tp"] + s["fp"]),
    "recall": (lambda s: s["tp"], lambda s: s["tp"] + s["fn"]),
    "accuracy": (lambda s: s["ok"], lambda s: s["lw"]),
    "calibration": (lambda s: s["lp"], lambda s: s["ly"]),
    "log_loss": (lambda s: s["ll"], lambda s: s["lw"]),
    "mae": (lambda s: s["ae"], lambda s: s["lw"]),
    "bias": (lambda s: s["lp"] - s["ly"], lambda s: s["lw"]),
}
"""Metrics that are one sum over another, which mix and rate can be told apart for."""


def _affordable(
    warehouse: Warehouse, table: Any, wanted: Sequence[str], blocks: int
) -> tuple[list[str], list[str]]:
    """Dimensions whose cells fit the row limit, those with few values first."""
    counts = warehouse.fetch(
        table.aggregate(
            rows=table.count(), **{f"d{i}": table[d].nunique() for i, d in enumerate(wanted)}
        )
    )
    sizes = {d: max(int(counts[f"d{i}"].iloc[0]), 1) for i, d in enumerate(wanted)}
    rows = int(counts["rows"].iloc[0])
    kept: list[str] = []
    dropped: list[str] = []
    cells = 1
    for d in sorted(wanted, key=lambda d: sizes[d]):
        if min(cells * sizes[d] * blocks, rows) > 0.9 * MOST_ROWS:
            dropped.append(
                f"dimension `{d}`: {sizes[d]:,} values are too many to cross with the rest"
            )
        else:
            cells *= sizes[d]
            kept.append(d)
    if not kept:
        raise CannotExamine("Every dimension has too many values: " + "; ".join(dropped))
    return [d for d in wanted if d in kept], dropped


def _shown(warehouse: Warehouse, dimensions: Sequence[str]) -> list[str]:
    """The dimensions whose values may be told; CannotExamine when there are none."""
    shown = list(warehouse.shown(dimensions))
    if not shown:
        raise CannotExamine("Every dimension is hidden in the settings.")
    return shown


def _cells_of_table(
    warehouse: Warehouse, metric: Metric, blocks: Blocks
) -> tuple[pd.DataFrame, list[str], list[str]]:
    if not metric.dimensions:
        raise CannotExamine(
            f"The metric `{metric.name}` has no dimensions in the settings: it can't be cut."
        )
    dims = _shown(warehouse, metric.dimensions)
    table = warehouse.metric_table(metric)
    start = blocks.window.end - (blocks.count + 1) * blocks.period
    table = table.filter(table["time"] >= naive(start), table["time"] < naive(blocks.window.end))
    elapsed = math.ceil(blocks.window.end.timestamp()) - whole_seconds(table["time"]) - 1
    block = (elapsed / round(blocks.period.total_seconds())).floor().cast("int64")
    inside = elapsed - block * round(blocks.period.total_seconds())
    table = table.filter(inside < round(blocks.window.length.total_seconds()))
    table = table.mutate(**{BLOCK: block}, **{d: as_level(table[d]) for d in dims})
    below = table["denominator"].sum() if metric.denominator else table["value"].sum()
    cells = warehouse.fetch(
        table.group_by([BLOCK, *dims]).aggregate(value=table["value"].sum(), below=below)
    )
    if cells.empty or not (cells[BLOCK] == 0).any():
        raise CannotExamine(f"The metric `{metric.name}` has no rows in the window.")
    cells = cells.assign(
        volume=cells["below"], labels=0.0, positives=0.0, weight=0.0, prediction=0.0
    )
    return cells, dims, []


def against_usual(cells: pd.DataFrame, dims: Sequence[str]) -> pd.DataFrame:
    """A row per cell: now beside the mean of earlier blocks (``usual_…``)."""
    columns = ["volume", "value", "below", "prediction", "weight", "labels", "positives"]
    past = cells[cells[BLOCK] > 0]
    count = max(past[BLOCK].nunique(), 1)
    usual = past.groupby(list(dims))[columns].sum() / count
    now = cells[cells[BLOCK] == 0].groupby(list(dims))[columns].sum()
    both = now.join(usual.add_prefix("usual_"), how="outer").fillna(0.0)
    return both.reset_index()


def scatter(cells: pd.DataFrame, dims: Sequence[str]) -> Noise | None:
    """How much cells' shares of the volume scatter from day to day; None of less than 3 days."""
    past = cells[cells[BLOCK] > 0]
    days = past.pivot_table(
        index=BLOCK, columns=list(dims), values="volume", aggfunc="sum", fill_value=0.0
    ).to_numpy(float)
    total = days.sum(axis=1)
    days, total = days[total > 0], total[total > 0]
    if len(days) < 3:
        return None
    others = (days.sum(axis=0) - days) / (total.sum() - total)[:, None]
    was = others * total[:, None]
    return Noise.of(days.ravel(), was.ravel(), np.ones(days.size, dtype=bool))


def inside_of(cells: pd.DataFrame, where: Mapping[str, str]) -> NDArray[np.bool_]:
    """Which cells have all of these values of dimensions (n,)."""
    inside = np.ones(len(cells), dtype=bool)
    for dimension, value in where.items():
        inside &= (cells[dimension].astype(str) == value).to_numpy(bool)
    return inside


def label_shift(cells: pd.DataFrame) -> Shift:
    """The rate of positives now against earlier blocks; not seen with fewer than 30 labels."""
    return ratio_shift(cells, "positives", "labels")


def ratio_shift(cells: pd.DataFrame, above: str, below: str, fewest: float = 30) -> Shift:
    """Σ ``above`` ÷ Σ ``below`` in block 0 against the same in earlier blocks."""
    sums = cells.groupby(BLOCK)[[above, below]].sum()
    blocks = sums.index.to_numpy(int)
    top, bottom = sums[above].to_numpy(float), sums[below].to_numpy(float)
    now = (blocks == 0) & (bottom >= fewest)
    past = (blocks > 0) & (bottom >= 1)
    if not now.any():
        return odds.NOT_SEEN
    with np.errstate(all="ignore"):
        rate = top / bottom
        error = np.sqrt(np.clip(rate * (1 - rate), 1e-6, None) / bottom)
    return odds.shift(float(rate[now][0]), rate[past], float(error[now][0]), error[past])


def share_shift(cells: pd.DataFrame, inside: Floats) -> Shift:
    """Log odds of the cells marked ``inside`` in all traffic, now against earlier blocks."""
    blocks = cells[BLOCK].to_numpy(int)
    count = int(blocks.max()) + 1
    volume = cells["volume"].to_numpy(float)
    total = np.bincount(blocks, volume, count)
    mine = np.bincount(blocks, volume * inside, count)
    share = np.log((mine + 0.5) / (total - mine + 0.5))
    error = np.sqrt(1 / (mine + 0.5) + 1 / (total - mine + 0.5))
    past = (np.arange(count) > 0) & (total > 0)
    return odds.shift(float(share[0]), share[past], float(error[0]), error[past])
