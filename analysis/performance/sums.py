"""The sums that every figure of a model and of its arms is made from, one query for them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis import metrics
from analysis.evidence import Scope
from analysis.metrics import BLOCK, Blocks
from analysis.performance.evened import evened
from analysis.portable import as_level
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
ARM = (Role.MODEL, Role.EXPERIMENT, Role.ARM)


@dataclass(frozen=True)
class Sums:
    """What one query added up of some models.

    ``kinds`` are the figures by the models' task. ``by_model`` has a row per model and block (0 is
    now), ``by_arm`` one per arm too; None where the log tells no arms.
    """

    kinds: Mapping[str, tuple[str, ...]]
    by_model: pd.DataFrame
    by_arm: pd.DataFrame | None

    def of(self, task: str) -> tuple[str, ...]:
        """The figures of a model of that task."""
        return self.kinds.get(task) or next(iter(self.kinds.values()))


def add_up(
    warehouse: Warehouse, scope: Scope, models: Sequence[str] = (), *, brief: bool = False
) -> list[Sums]:
    """The sums of ``models`` (none: of all) over the window and the same hours of earlier days.

    Binary models and regressions share a query; others need their own. ``brief`` leaves out AUC,
    which costs a query more.
    """
    table = metrics.rows_of(warehouse, Blocks.of(scope), models=models)
    return [
        _add_up(warehouse, _rows(table, only, but), kinds)
        for only, but, kinds in _asked(warehouse, brief)
    ]


def add_up_evenly(
    warehouse: Warehouse, scope: Scope, models: Sequence[str], dimension: str
) -> list[Sums]:
    """:func:`add_up` of the models alone, in brief, at the usual mix of ``dimension``.

    Without NDCG, which is no sum, and where today's traffic has no usual mix.
    """
    table = metrics.rows_of(warehouse, Blocks.of(scope), models=models)
    table = table.mutate(**{dimension: as_level(table[dimension])})
    out = []
    for only, but, asked in _asked(warehouse, brief=True):
        kinds = {task: tuple(k for k in some if k != "ndcg") for task, some in asked.items()}
        every = tuple(dict.fromkeys(k for some in kinds.values() for k in some))
        cut = (BLOCK, Role.MODEL, dimension)
        even = evened(metrics.add_up(warehouse, _rows(table, only, but), every, cut), dimension)
        if even is not None:
            out.append(Sums(kinds, even, None))
    return out


def at_usual_arms(sums: Sequence[Sums]) -> list[Sums]:
    """The models' sums with each arm at its usual share of a model's rows; none of rankings."""
    out = []
    for some in sums:
        if some.by_arm is None or any("ndcg" in kinds for kinds in some.kinds.values()):
            continue
        arm = some.by_arm[Role.EXPERIMENT] + "/" + some.by_arm[Role.ARM]
        frame = some.by_arm.drop(columns=[Role.EXPERIMENT]).assign(**{Role.ARM: arm})
        if (even := evened(frame, Role.ARM)) is not None:
            out.append(Sums(some.kinds, even, None))
    return out


def _add_up(warehouse: Warehouse, rows: Any, kinds: Mapping[str, tuple[str, ...]]) -> Sums:
    every = tuple(dict.fromkeys(k for some in kinds.values() for k in some))
    cuts: list[tuple[str, ...]] = [(BLOCK, Role.MODEL)]
    if warehouse.contract.predictions.arm is not None:
        cuts.append((BLOCK, *ARM))
    by_model, *by_arm = metrics.add_up_cuts(warehouse, rows, every, cuts)
    return Sums(kinds, by_model, by_arm[0] if by_arm else None)


def _rows(table: Any, only: tuple[str, ...], but: tuple[str, ...]) -> Any:
    if only:
        return table.filter(table[Role.MODEL].isin(only))
    return table.filter(~table[Role.MODEL].isin(but)) if but else table


_Asked = tuple[tuple[str, ...], tuple[str, ...], Mapping[str, tuple[str, ...]]]


def _asked(warehouse: Warehouse, brief: bool) -> list[_Asked]:
    """For each query: the models alone that it is of, or those that it is not of; its figures."""
    labels = warehouse.has_labels
    if warehouse.predicts_classes:
        return [((), (), {"multiclass": _kinds("multiclass", labels, brief)})]
    by_task: dict[str, list[str]] = {}
    for model in warehouse.contract.models:
        by_task.setdefault(model.task, []).append(model.name)
    apart = {task: tuple(by_task[task]) for task in ("multiclass", "ranking") if task in by_task}
    tasks = ("binary", "regression") if "regression" in by_task else ("binary",)
    others = tuple(name for names in apart.values() for name in names)
    asked: list[_Asked] = [((), others, {t: _kinds(t, labels, brief) for t in tasks})]
    asked += [(names, (), {t: _kinds(t, labels, brief)}) for t, names in apart.items()]
    return asked


def _kinds(task: str, labels: bool, brief: bool) -> tuple[str, ...]:
    kinds = KINDS_OF[task] if labels else ()
    kinds += ("mean_prediction", "volume") if task != "multiclass" else ("volume",)
    if task != "multiclass" and labels:
        kinds += ("mean_label",)
    return tuple(k for k in kinds if not (brief and k == "auc"))
