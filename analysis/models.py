"""Which models, and which arms of an experiment, got worse?"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

from analysis import odds, words
from analysis.charts.forest import Interval, forest
from analysis.evidence import CannotExamine, Chart, Evidence, How, Scope, Suspect, Table
from analysis.metrics import Blocks
from analysis.performance import judging
from analysis.performance.readings import Reading, describe, label, read
from analysis.warehouse import Warehouse

METHOD = (
    "Calibration (mean prediction ÷ observed rate) and normalised entropy as in He et al. 2014, "
    "AUC with DeLong's error, log loss; each against the same clock hours of earlier days, whose "
    "spread is the yardstick. Arms are compared with each other on the same days."
)
WORTH_A_LOOK = 0.2
"""From this probability on a confirmed incident is followed: later questions can still say no."""


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
    by_model = {m: judging.worst(readings, m) for m in dict.fromkeys(r.model for r in readings)}
    names = judging.focus(scope, list(by_model))
    prior = judging.prior(warehouse, scope)
    probability = {m: odds.probability(judging.evidence(readings, m) + prior(m)) for m in by_model}
    names.sort(key=lambda m: -probability[m])
    degraded = [m for m in names if probability[m] >= 0.5]
    if not degraded and scope.onset is not None and probability[names[0]] >= WORTH_A_LOOK:
        degraded = names[:1]
    none = float(np.prod([1 - probability[m] for m in names]))
    since = scope.onset.at if scope.onset else None
    arms = [s for m in degraded for s in judging.confined(readings, m, since)]
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
            rows.append((f"{model} {label(r.kind)}", words.number(r.usual), interval, verdict))
    return Table(("figure", "usual", "now (95%)", "verdict"), tuple(rows[:8]))


def _chart(
    readings: Sequence[Reading], names: list[str], degraded: list[str], headline: str
) -> Chart:
    order = [*degraded, *(n for n in names if n not in degraded)]
    rows: list[Interval] = []
    for model in order[:3]:
        for r in readings:
            if r.model == model and r.kind not in ("volume", "mean_label") and r.shift.seen:
                name = f"{label(r.kind)} · {model if not r.arm else judging.arm_name(r.arm)}"
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
