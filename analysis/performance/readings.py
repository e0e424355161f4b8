"""Every figure of every model and arm, by the labels that have come: now, and as is usual."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import metrics, odds, quality, words
from analysis.evidence import Scope
from analysis.metrics import BLOCK, Blocks
from analysis.odds import Shift
from analysis.tables import Role
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

KINDS_OF = {
    "binary": ("calibration", "normalised_entropy", "auc", "log_loss"),
    "regression": ("bias", "mae", "rmse"),
    "multiclass": ("accuracy",),
    "ranking": ("ndcg",),
}
FEWEST_LABELS = 30
"""With fewer labelled rows in the window, quality is not judged."""
MANY = 40
"""At most so many models × arms are looked at, those with the most traffic."""


@dataclass(frozen=True)
class Reading:
    """One figure of one model (and arm): now, usual, and how far apart on the working scale.

    ``low`` and ``high`` bound ``now`` at 95 %: ``reach`` standard errors to either side on the
    working scale, where one is ``error``. ``estimated``: without labels of the window, and held
    against what labels of earlier days say.
    """

    model: str
    arm: str
    kind: str
    now: float
    usual: float
    low: float
    high: float
    error: float
    shift: Shift
    rows: int
    reach: float = 1.96
    estimated: bool = False

    @property
    def worse(self) -> float:
        """Log odds that the figure moved in a way that hurts."""
        return worse(self.kind, self.shift)


def worse(kind: str, shift: Shift) -> float:
    """Log odds that a figure of that kind moved in a way that hurts; 0 where nothing was seen."""
    better = quality.GOOD_IS.get(kind)
    if not shift.seen:
        return 0.0
    if better is not None and (shift.z > 0) == (better == "up"):
        return odds.log_bayes_factor(0.0, shift.df)
    return shift.log_odds


def read(
    warehouse: Warehouse, scope: Scope, models: Sequence[str] = (), *, brief: bool = False
) -> tuple[list[Reading], list[str]]:
    """All readings of models (``arm`` empty) and of their arms, and what could not be read.

    ``brief`` leaves the arms and AUC out, which cost queries of their own.
    """
    blocks = Blocks.of(scope)
    missing: list[str] = []
    if blocks.count < 3:
        missing.append(
            f"the usual spread between days: the baseline holds {blocks.count} earlier "
            "copies of these hours, 3 are needed"
        )
    table = metrics.rows_of(warehouse, blocks, models=models)
    cuts: list[tuple[str, ...]] = [(Role.MODEL,)]
    if not brief and warehouse.contract.predictions.arm is not None:
        cuts.append((Role.MODEL, Role.EXPERIMENT, Role.ARM))
    out: list[Reading] = []
    for some in together(warehouse, brief):
        out += _read_cuts(warehouse, table, cuts, some)
    out.sort(key=lambda r: bool(r.arm))
    return out, missing


@dataclass(frozen=True)
class Asked:
    """What is read in one query: of which models (None: all but ``but``), which kinds by task."""

    only: tuple[str, ...] | None
    but: tuple[str, ...]
    kinds: Mapping[str, tuple[str, ...]]

    def rows(self, table: Any) -> Any:
        """The rows of these models."""
        if self.only is not None:
            return table.filter(table[Role.MODEL].isin(self.only))
        return table.filter(~table[Role.MODEL].isin(self.but)) if self.but else table

    def of(self, task: str) -> tuple[str, ...]:
        """The kinds of a model of that task."""
        return self.kinds.get(task) or next(iter(self.kinds.values()))


def together(warehouse: Warehouse, brief: bool) -> list[Asked]:
    """Sums of binary models and regressions are added up in one query; others need their own."""
    if warehouse.predicts_classes:
        return [Asked(None, (), {"multiclass": _kinds("multiclass", warehouse.has_labels, brief)})]
    by_task: dict[str, list[str]] = {}
    for model in warehouse.contract.models:
        by_task.setdefault(model.task, []).append(model.name)
    apart = {task: tuple(by_task[task]) for task in ("multiclass", "ranking") if task in by_task}
    tasks = ("binary", "regression") if "regression" in by_task else ("binary",)
    others = tuple(name for names in apart.values() for name in names)
    asked = [Asked(None, others, {t: _kinds(t, warehouse.has_labels, brief) for t in tasks})]
    for task, names in apart.items():
        asked.append(Asked(names, (), {task: _kinds(task, warehouse.has_labels, brief)}))
    return asked


def _kinds(task: str, labels: bool, brief: bool) -> tuple[str, ...]:
    kinds = KINDS_OF[task] if labels else ()
    kinds += ("mean_prediction", "volume") if task != "multiclass" else ("volume",)
    if task == "binary" and labels:
        kinds += ("mean_label",)
    return tuple(k for k in kinds if not (brief and k == "auc"))


def _read_cuts(
    warehouse: Warehouse, table: Any, cuts: Sequence[tuple[str, ...]], asked: Asked
) -> list[Reading]:
    every = tuple(dict.fromkeys(k for kinds in asked.kinds.values() for k in kinds))
    frames = metrics.add_up_cuts(warehouse, asked.rows(table), every, [(BLOCK, *by) for by in cuts])
    out: list[Reading] = []
    for by, sums in zip(cuts, frames, strict=True):
        groups = list(sums.groupby(list(by), sort=False))
        groups.sort(key=lambda g: -float(g[1]["n"].sum()))
        for key, part in groups[:MANY]:
            name, arm = str(key[0]), f"{key[1]}/{key[2]}" if len(by) > 1 else ""
            kinds = asked.of(warehouse.contract.model(name).task)
            out += [r for kind in kinds if (r := reading(name, arm, kind, part)) is not None]
    return out


def reading(model: str, arm: str, kind: str, sums: pd.DataFrame) -> Reading | None:
    """One figure from sums per block (block 0 is now); None when the window has no rows."""
    part = sums.sort_values(BLOCK)
    found = metrics.measure(kind, part)
    even = quality.working(kind, found, part)
    current = (part[BLOCK] == 0).to_numpy()
    if not current.any():
        return None
    own = np.flatnonzero(current)[0]
    past = ~current
    enough = kind not in quality.NEEDS_LABEL or found.rows[own] >= FEWEST_LABELS
    shift = odds.NOT_SEEN
    if enough:
        reliable = past & (found.rows >= 0.1 * np.median(found.rows[past])) if past.any() else past
        error = float(even.error[own])
        shift = odds.shift(
            float(even.value[own]), even.value[reliable], error, even.error[reliable]
        )
    value, error = float(even.value[own]), float(np.nan_to_num(even.error[own]))
    half = Reading.reach * error
    low, high = quality.back(kind, np.array([value - half, value + half]))
    usual = float(quality.back(kind, np.array([shift.usual]))[0]) if shift.seen else math.nan
    now = float(found.value[own])
    return Reading(
        model, arm, kind, now, usual, float(low), float(high), error, shift, int(found.rows[own])
    )


def describe(one: Reading | None) -> str:
    """A reading in a few words: "NE 0.76 → 0.98"; an estimate says so."""
    if one is None:
        return ""
    told = f"{label(one.kind)} {words.number(one.usual)} → {words.number(one.now)}"
    return f"{told} by an estimate" if one.estimated else told


_LABELS = {"normalised_entropy": "NE", "auc": "AUC", "mae": "MAE", "rmse": "RMSE", "ndcg": "NDCG"}


def label(kind: str) -> str:
    """What people call a kind of figure."""
    return _LABELS.get(kind, kind.replace("_", " "))
