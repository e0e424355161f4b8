"""Which metrics an alert is judged by: its own, a model's figures and arms, and their stand-ins."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from analysis.evidence import CannotExamine, Scope
from analysis.metrics import BLOCK, Blocks, rows_of
from analysis.quality import NEEDS_LABEL
from analysis.tables import Metric, Role
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

MODEL_KINDS = ("mean_prediction", "calibration", "log_loss", "volume")
OVERDUE = 0.9
"""Labels of less than this part of the usual share of rows have come: they may be overdue."""
FEWEST_BLOCKS = 3
MOST_ARMS = 6
"""Arms of a model that are judged by themselves, those with the most rows."""


@dataclass(frozen=True)
class Labelled:
    """``now`` is the share of the window's rows with a label, 0 to 1. ``late`` is the share of rows
    with a label, as a metric of the model of which plainly fewer came than at this hour of earlier
    days; None where there is no such model, or the log does not say when labels came."""

    now: float
    late: Metric | None


def metrics(warehouse: Warehouse, scope: Scope) -> list[Metric]:
    """The metric itself; for a model its figures. Raises CannotExamine where there is none."""
    if scope.entry == "metric":
        try:
            metric = warehouse.contract.metric(scope.subject)
            return [metric]
        except KeyError:
            raise CannotExamine(
                f"There is no metric `{scope.subject}` in the settings; "
                f"there are {', '.join(warehouse.contract.metric_names)}."
            ) from None
    kinds = [k for k in MODEL_KINDS if warehouse.has_labels or k not in NEEDS_LABEL]
    if warehouse.contract.model(scope.subject).task == "regression":
        kinds = [{"calibration": "bias", "log_loss": "mae"}.get(k, k) for k in kinds]
    name = scope.subject
    return [
        Metric.model_validate(
            {"name": f"{k} of {name}", "kind": k, "model": name, "title": f"{_plain(k)} of {name}"}
        )
        for k in kinds
    ]


def by_arm(warehouse: Warehouse, scope: Scope, blocks: Blocks) -> list[Metric]:
    """For an alert on a model what each of its arms predicts, the largest first: of one arm little
    shows in the model's mean."""
    source = warehouse.contract.predictions
    told = source.arm is not None and source.arm not in source.hidden
    if scope.entry != "model" or not told or warehouse.predicts_classes:
        return []
    table = rows_of(warehouse, blocks, models=(scope.subject,))
    table = table.filter(table[BLOCK] == 0, table[Role.ARM].notnull())
    counted = table.group_by(Role.ARM).aggregate(rows=table.count())
    found = warehouse.fetch(counted).sort_values(["rows", Role.ARM], ascending=[False, True])
    names = [str(arm) for arm in found[Role.ARM][:MOST_ARMS]]
    shared = {"kind": "mean_prediction", "model": scope.subject}
    title = f"mean prediction of {scope.subject} in"
    each = [{**shared, "name": f"{title} {n}", "title": f"{title} {n}", "arm": n} for n in names]
    return [Metric.model_validate(one) for one in each] if len(each) > 1 else []


def stand_ins(metric: Metric) -> list[Metric]:
    """A metric that waits for labels is made of predictions, which are here at once."""
    if metric.kind not in NEEDS_LABEL or metric.kind in ("accuracy", "ndcg"):
        return []
    changes = {"kind": "mean_prediction", "bad": "both", "source": None}
    title = f"The mean prediction behind {metric.title or metric.name}"
    return [metric.model_copy(update={**changes, "title": title})]


def labelled(warehouse: Warehouse, metric: Metric, blocks: Blocks) -> Labelled:
    """How many of a metric's rows have a label, as of each block's end."""
    counts = _counted(warehouse, metric, blocks, whole=False)
    now = counts[counts[BLOCK] == 0]
    share = float(now["known"].sum() / max(now["n"].sum(), 1.0))
    if warehouse.contract.predictions.label_time is None:
        return Labelled(share, None)
    # The newest rows of a short window may have no labels on any day.
    model = _fewest(counts) or _fewest(_counted(warehouse, metric, blocks, whole=True))
    if model is None:
        return Labelled(share, None)
    alone = counts[Role.MODEL].nunique() == 1
    return Labelled(share, coverage(metric, metric.model if alone else model))


def _fewest(counts: pd.DataFrame) -> str | None:
    """The model of which the fewest labels came beside what is usual, if plainly fewer did. Each by
    itself: one that is new and has none makes no other's late."""
    part = {str(model): _part(mine) for model, mine in counts.groupby(Role.MODEL)}
    worst = min(part, key=lambda name: part[name], default=None)
    return worst if worst is not None and part[worst] < OVERDUE else None


def _counted(warehouse: Warehouse, metric: Metric, blocks: Blocks, whole: bool) -> pd.DataFrame:
    """By block and model the rows, and how many of them have a label."""
    models = (metric.model,) if metric.model else ()
    arms = (metric.arm,) if metric.arm else ()
    table = rows_of(warehouse, blocks, models=models, arms=arms, whole=whole)
    by = table.group_by([BLOCK, Role.MODEL])
    return warehouse.fetch(by.aggregate(n=table.count(), known=table[Role.LABEL].count()))


def _part(counts: pd.DataFrame) -> float:
    """Today's share of rows with a label as a part of what is usual; 1 where that is not known."""
    shares = dict(zip(counts[BLOCK].astype(int), counts["known"] / counts["n"], strict=True))
    past = [share for block, share in shares.items() if block > 0]
    usual = median(past) if len(past) >= FEWEST_BLOCKS else 0.0
    return float(shares[0] / usual) if usual > 0 and 0 in shares else 1.0


def coverage(metric: Metric, model: str | None) -> Metric:
    """The share of a metric's rows, of one model or of all, that have a label."""
    title = f"Label coverage of {metric.title or metric.name}"
    changes = {"kind": "label_coverage", "bad": "down", "source": None, "title": title}
    own = {"dimensions": ()} if metric.source else {}
    return metric.model_copy(update=changes | own | {"model": model})


def _plain(kind: str) -> str:
    return kind.replace("_", " ")
