"""Which models, and which arms of an experiment, got worse?"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import metrics, odds, quality, words
from analysis.cells import metric_of
from analysis.charts.forest import Interval, forest
from analysis.evidence import CannotExamine, Chart, Evidence, How, Scope, Suspect, Table
from analysis.metrics import BLOCK, Blocks
from analysis.odds import Shift
from analysis.tables import Role
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

METHOD = (
    "Calibration (mean prediction ÷ observed rate) and normalised entropy as in He et al. 2014, "
    "AUC with DeLong's error, log loss; each against the same clock hours of earlier days, whose "
    "spread is the yardstick. Arms are compared with each other on the same days."
)
KINDS_OF = {
    "binary": ("calibration", "normalised_entropy", "auc", "log_loss"),
    "regression": ("bias", "mae", "rmse"),
    "multiclass": ("accuracy",),
    "ranking": ("ndcg",),
}
FEWEST_LABELS = 30
"""With fewer labelled rows in the window, quality is not judged."""
WORTH_A_LOOK = 0.2
"""From this probability on a confirmed incident is followed: later questions can still say no."""
MANY = 40
"""At most so many models × arms are looked at, those with the most traffic."""


@dataclass(frozen=True)
class Reading:
    """One figure of one model (and arm): now, usual, and how far apart on the working scale."""

    model: str
    arm: str
    kind: str
    now: float
    usual: float
    low: float
    high: float
    shift: Shift
    rows: int

    @property
    def worse(self) -> float:
        """Log odds that the figure moved in a way that hurts."""
        better = quality.GOOD_IS.get(self.kind)
        if not self.shift.seen:
            return 0.0
        if better is not None and (self.shift.z > 0) == (better == "up"):
            return odds.log_bayes_factor(0.0, self.shift.df)
        return self.shift.log_odds


def which_models(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Judge every model and arm over the window against earlier days.

    Verdicts: ``degraded`` with suspects of kind "model" (and "arm" where the damage is confined
    to one), or ``none``. Raises CannotExamine when the window has no predictions.
    """
    began = time.perf_counter()
    readings, missing = read(warehouse, scope)
    if not readings:
        raise CannotExamine(_nothing(warehouse, scope))
    if not any(r.shift.seen for r in readings):
        raise CannotExamine(
            f"No figure of a model can be held against earlier days: {'; '.join(missing)}."
        )
    by_model = {m: worst(readings, m) for m in dict.fromkeys(r.model for r in readings)}
    names = _focus(scope, list(by_model))
    prior = _prior(warehouse, scope)
    probability = {m: odds.probability(_evidence(readings, m) + prior(m)) for m in by_model}
    names.sort(key=lambda m: -probability[m])
    degraded = [m for m in names if probability[m] >= 0.5]
    if not degraded and scope.onset is not None and probability[names[0]] >= WORTH_A_LOOK:
        degraded = names[:1]
    none = float(np.prod([1 - probability[m] for m in names]))
    since = scope.onset.at if scope.onset else None
    arms = [s for m in degraded for s in _arms(readings, m, since)]
    suspects = tuple(
        Suspect("model", m, probability[m], changed=describe(by_model[m]), since=since)
        for m in degraded
    )
    verdict = "degraded" if degraded else "none"
    sure = bool(degraded) and probability[degraded[0]] >= 0.5
    headline = _headline(degraded, by_model, arms, names, sure)
    confidence = max(probability[m] for m in degraded) if degraded else none
    blocks = Blocks.of(scope)
    return Evidence(
        verdict=verdict,
        confidence=min(max(confidence, 0.005), 0.995),
        headline=headline,
        suspects=(*suspects, *arms),
        charts=(_chart(readings, names, degraded, headline),),
        table=_table(readings, [*degraded, *(n for n in names if n not in degraded)]),
        not_examined=tuple(missing),
        onset=scope.onset,
        figures={f"probability of {m}": p for m, p in probability.items()},
        how=How(
            METHOD,
            blocks.window,
            scope.baseline,
            sum(r.rows for r in readings if r.kind == "volume" and not r.arm),
            seconds=time.perf_counter() - began,
            notes=(f"{words.plural(blocks.count, 'earlier day')} at the same clock hours",),
        ),
    )


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
    for some in _together(warehouse, brief):
        out += _read_cuts(warehouse, table, cuts, some)
    out.sort(key=lambda r: bool(r.arm))
    if not warehouse.has_labels:
        missing.append("quality: the serving log has no labels; the shift of predictions is shown")
    elif out and not any(r.kind in quality.NEEDS_LABEL and r.shift.seen for r in out):
        missing.append(
            f"quality: fewer than {FEWEST_LABELS} labels of the window have arrived; the shift "
            "of predictions is shown, which is an estimate"
        )
    return out, missing


@dataclass(frozen=True)
class _Asked:
    """What is read in one query: of which models (None: all but ``but``), which kinds by task."""

    only: tuple[str, ...] | None
    but: tuple[str, ...]
    kinds: Mapping[str, tuple[str, ...]]


def _together(warehouse: Warehouse, brief: bool) -> list[_Asked]:
    """Sums of binary models and regressions are added up in one query; others need their own."""
    if warehouse.predicts_names:
        return [_Asked(None, (), {"multiclass": _kinds("multiclass", warehouse.has_labels, brief)})]
    by_task: dict[str, list[str]] = {}
    for model in warehouse.contract.models:
        by_task.setdefault(model.task, []).append(model.name)
    apart = {task: tuple(by_task[task]) for task in ("multiclass", "ranking") if task in by_task}
    tasks = ("binary", "regression") if "regression" in by_task else ("binary",)
    others = tuple(name for names in apart.values() for name in names)
    asked = [_Asked(None, others, {t: _kinds(t, warehouse.has_labels, brief) for t in tasks})]
    for task, names in apart.items():
        asked.append(_Asked(names, (), {task: _kinds(task, warehouse.has_labels, brief)}))
    return asked


def _kinds(task: str, labels: bool, brief: bool) -> tuple[str, ...]:
    kinds = KINDS_OF[task] if labels else ()
    kinds += ("mean_prediction", "volume") if task != "multiclass" else ("volume",)
    if task == "binary" and labels:
        kinds += ("mean_label",)
    return tuple(k for k in kinds if not (brief and k == "auc"))


def _read_cuts(
    warehouse: Warehouse, table: Any, cuts: Sequence[tuple[str, ...]], asked: _Asked
) -> list[Reading]:
    rows = table
    if asked.only is not None:
        rows = table.filter(table[Role.MODEL].isin(asked.only))
    elif asked.but:
        rows = table.filter(~table[Role.MODEL].isin(asked.but))
    every = tuple(dict.fromkeys(k for kinds in asked.kinds.values() for k in kinds))
    frames = metrics.add_up_cuts(warehouse, rows, every, [(BLOCK, *by) for by in cuts])
    out: list[Reading] = []
    for by, sums in zip(cuts, frames, strict=True):
        groups = list(sums.groupby(list(by), sort=False))
        groups.sort(key=lambda g: -float(g[1]["n"].sum()))
        for key, part in groups[:MANY]:
            name, arm = str(key[0]), f"{key[1]}/{key[2]}" if len(by) > 1 else ""
            task = warehouse.contract.model(name).task
            kinds = asked.kinds.get(task) or next(iter(asked.kinds.values()))
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
    value, error = float(even.value[own]), 1.96 * float(np.nan_to_num(even.error[own]))
    low, high = quality.back(kind, np.array([value - error, value + error]))
    usual = float(quality.back(kind, np.array([shift.usual]))[0]) if shift.seen else math.nan
    now = float(found.value[own])
    return Reading(
        model, arm, kind, now, usual, float(low), float(high), shift, int(found.rows[own])
    )


def worst(readings: Sequence[Reading], model: str, arm: str = "") -> Reading | None:
    """The reading that speaks most clearly against a model; predictions only without labels."""
    mine = [r for r in readings if r.model == model and r.arm == arm]
    judged = [r for r in mine if r.kind in quality.NEEDS_LABEL - {"mean_label"} and r.shift.seen]
    if not judged:
        judged = [r for r in mine if r.kind == "mean_prediction"]
    return max(judged, key=lambda r: r.worse, default=None)


def _evidence(readings: Sequence[Reading], model: str) -> float:
    """Log odds that a model got worse: as a whole, or in one of its arms."""
    whole = _log_odds(worst(readings, model))
    arms = dict.fromkeys(r.arm for r in readings if r.model == model and r.arm)
    parts = [_log_odds(worst(readings, model, arm)) for arm in arms]
    if len(parts) < 2:
        return whole
    return odds.mixed([(0.6, whole), *((0.4 / len(parts), part) for part in parts)])


def _log_odds(one: Reading | None) -> float:
    """Evidence against a model; without labels the shift of predictions counts for half."""
    if one is None:
        return -1.0
    if one.kind == "mean_prediction":
        return 0.5 * one.worse if one.worse > 0 else one.worse
    return one.worse - math.log(2) if one.worse > 0 else one.worse


def _prior(warehouse: Warehouse, scope: Scope) -> Callable[[str], float]:
    """Log odds that a model got worse, before its figures are seen.

    A person has come here because a metric moved and the model is thought to be why: that
    speaks for the metric's own model, the more if the metric measures quality.
    """
    try:
        metric = metric_of(warehouse, scope)
    except CannotExamine:
        return lambda _: 0.0
    measured = metric.kind in quality.NEEDS_LABEL and metric.kind != "mean_label"
    own = 1.5 if measured else 0.7
    if metric.model is None or scope.onset is None:
        return lambda _: 0.0
    return lambda name: own if name == metric.model else -0.7


def _focus(scope: Scope, models: list[str]) -> list[str]:
    """The models that the incident is about: named on the way, else the metric's, else all."""
    wanted = [m for m in scope.named("model") if m in models]
    if scope.entry == "model" and scope.subject in models:
        wanted = wanted or [scope.subject]
    return wanted or models


def _arms(readings: Sequence[Reading], model: str, since: datetime | None) -> list[Suspect]:
    """The arm that the damage is confined to, if there is one."""
    arms = list(dict.fromkeys(r.arm for r in readings if r.model == model and r.arm))
    if len(arms) < 2:
        return []
    by_arm = {a: worst(readings, model, a) for a in arms}
    weight = {a: _log_odds(one) for a, one in by_arm.items()}
    hit = max(arms, key=lambda a: weight[a])
    rest = max((weight[a] for a in arms if a != hit), default=0.0)
    confined = odds.probability(weight[hit] - max(rest, 0.0)) * odds.probability(-rest)
    if weight[hit] < 0 or confined < 0.5:
        return []
    return [Suspect("arm", _arm_name(hit), confined, changed=describe(by_arm[hit]), since=since)]


def _arm_name(arm: str) -> str:
    experiment, _, name = arm.partition("/")
    return name if experiment == "none" else arm


def describe(one: Reading | None) -> str:
    """A reading in a few words: "NE 0.76 → 0.98"."""
    if one is None:
        return ""
    return f"{_label(one.kind)} {words.number(one.usual)} → {words.number(one.now)}"


_LABELS = {"normalised_entropy": "NE", "auc": "AUC", "mae": "MAE", "rmse": "RMSE", "ndcg": "NDCG"}


def _label(kind: str) -> str:
    return _LABELS.get(kind, kind.replace("_", " "))


def _headline(
    degraded: list[str],
    by_model: dict[str, Reading | None],
    arms: list[Suspect],
    names: list[str],
    sure: bool,
) -> str:
    if degraded and not sure:
        first = by_model[degraded[0]]
        return f"No model is plainly worse. {degraded[0]} may be: {describe(first)}."
    if not degraded:
        return f"No model got worse: {words.listed(names)} predict as well as on other days."
    first = by_model[degraded[0]]
    where = f", in {words.listed([a.name for a in arms])} alone" if arms else ""
    others = [n for n in names if n not in degraded]
    fine = f"; {words.listed(others)} as usual" if others else ""
    return f"{words.listed(degraded)} got worse{where}: {describe(first)}{fine}."


def _table(readings: Sequence[Reading], models: list[str]) -> Table:
    rows = []
    for model in models:
        for r in readings:
            if r.model != model or r.arm or r.kind in ("volume", "mean_label"):
                continue
            interval = f"{words.number(r.now)} ({words.number(r.low)}–{words.number(r.high)})"
            verdict = "worse" if r.worse > math.log(2) else "as usual" if r.shift.seen else "?"
            if r.kind == "mean_prediction" and verdict == "worse":
                verdict = "moved"
            rows.append((f"{model} {_label(r.kind)}", words.number(r.usual), interval, verdict))
    return Table(("figure", "usual", "now (95%)", "verdict"), tuple(rows[:8]))


def _chart(
    readings: Sequence[Reading], names: list[str], degraded: list[str], headline: str
) -> Chart:
    order = [*degraded, *(n for n in names if n not in degraded)]
    rows: list[Interval] = []
    for model in order[:3]:
        for r in readings:
            if r.model == model and r.kind not in ("volume", "mean_label") and r.shift.seen:
                name = f"{_label(r.kind)} · {model if not r.arm else _arm_name(r.arm)}"
                rows.append(Interval(name, r.shift.z, r.worse > math.log(2)))
    rows = rows[:14]
    worst_rows = [r.name for r in rows if r.suspect]
    alt = (
        "How far each figure is from its usual value, in standard deviations of earlier days. "
        + (f"Outside: {', '.join(worst_rows)}." if worst_rows else "All are within 2.")
    )
    return forest(rows, headline.rstrip("."), alt)


def _nothing(warehouse: Warehouse, scope: Scope) -> str:
    return (
        f"There are no predictions between {scope.window.start:%d %b %H:%M} and "
        f"{scope.window.end:%d %b %H:%M} UTC in {warehouse.contract.predictions.source}: "
        "choose another window."
    )
