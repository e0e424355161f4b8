"""Which metrics can be worked out from a serving log, and which say nothing of its models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

from analysis.quality import OF_LABELS
from analysis.tables import Contract, Metric, MetricKind, Task

OF_PROBABILITIES = frozenset({"log_loss", "normalised_entropy", "auc"})
OF_CLASSES = frozenset({"volume", "accuracy", "label_coverage"})
UNFIT: Mapping[Task, frozenset[str]] = {
    "regression": OF_PROBABILITIES,
    "multiclass": frozenset(get_args(MetricKind)) - OF_CLASSES,
}
"""Kinds that say nothing of a task. What is not here fits: a ranking model may well answer with
probabilities, and a regression has a threshold."""
INSTEAD: Mapping[Task, str] = {
    "regression": "`mae`, `rmse` or `bias`",
    "multiclass": "`accuracy` or `volume`",
}


def unfit(contract: Contract, metric: Metric) -> str:
    """Why a metric has no figure in this log whatever its rows are; "" where it may have one."""
    log, kind = contract.predictions, metric.kind
    if kind is None:
        return ""
    if kind in OF_LABELS and log.label is None:
        return f"`{kind}` needs a `label` in [tables.predictions]"
    if kind == "label_coverage" and log.label_time is None:
        return f"`{kind}` needs a `label_time` in [tables.predictions]: who has none waits"
    if kind == "ndcg" and log.group is None:
        return "`ndcg` needs a `group` in [tables.predictions]: the query that rows are ordered for"
    tasks = [m.task for m in contract.models if metric.model in (None, m.name)]
    if tasks and all(kind in UNFIT.get(task, ()) for task in tasks):
        return f"`{kind}` says nothing of a {tasks[0]} model; {INSTEAD[tasks[0]]} would"
    return ""
