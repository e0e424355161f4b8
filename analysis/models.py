"""Which models, and which arms of an experiment, got worse?"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis import odds, words
from analysis.charts.forest import Interval, forest
from analysis.evidence import CannotExamine, Chart, Evidence, How, Scope, Suspect, Table
from analysis.metrics import Blocks
from analysis.performance import judging
from analysis.performance.parting import partings
from analysis.performance.readings import Reading, describe, label, read, too_short
from analysis.performance.sums import add_up
from analysis.performance.waiting import Waiting, wait_for
from analysis.quality import NEEDS_LABEL
from analysis.warehouse import Warehouse

METHOD = (
    "Calibration (mean prediction ÷ observed rate) and normalised entropy as in He et al. 2014, "
    "AUC with DeLong's error, log loss; each against the same clock hours of earlier days, whose "
    "spread is the yardstick. Arms are compared with each other on the same days."
)
ESTIMATED = (
    "Where most labels are still to come: the chance of each outcome is learnt from the inputs on "
    "earlier days and stands in for the label; the interval is as wide as such estimates were off "
    "on days whose labels are known."
)
NO_DAYS = "less than three earlier days have rows at these hours"
WORTH_A_LOOK = 0.2
"""From this probability on a confirmed incident is followed: later questions can still say no."""


@dataclass(frozen=True)
class _Found:
    """What is known of the models: names by how likely they got worse, and their probability.

    ``degraded`` is what the verdict names; ``unjudged`` wait for labels that could say more.
    """

    names: list[str]
    probability: Mapping[str, float]
    worst: Mapping[str, Reading | None]
    degraded: list[str]
    unjudged: list[str]
    waiting: Waiting

    @property
    def verdict(self) -> str:
        """degraded, none or unsure."""
        return "degraded" if self.degraded else "unsure" if self.unjudged else "none"

    @property
    def confidence(self) -> float:
        """Probability that the verdict is right, 0.005 to 0.995."""
        top = max(self.probability[m] for m in self.degraded or self.names)
        if self.verdict == "none":
            top = float(np.prod([1 - self.probability[m] for m in self.names]))
        if self.verdict == "unsure":
            top = max(0.5, 1 - abs(2 * top - 1))
        return min(max(top, 0.005), 0.995)


def which_models(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Judge every model and arm over the window against earlier days.

    Verdicts: ``degraded`` with suspects of kind "model" (and "arm" where the damage is confined
    to one), ``none``, or ``unsure`` where labels that could tell have not come and no estimate
    sees damage. Raises CannotExamine when the window has no predictions.
    """
    began = time.perf_counter()
    sums = add_up(warehouse, scope)
    measured, missing = read(warehouse, sums), too_short(scope)
    if not measured:
        raise CannotExamine(_nothing(warehouse, scope))
    names = judging.focus(scope, list(dict.fromkeys(r.model for r in measured)))
    waiting = wait_for(warehouse, scope, names)
    if not any(r.shift.seen for r in [*measured, *waiting.readings]):
        missing += waiting.said
        raise CannotExamine(
            f"No figure of a model can be held against earlier days: "
            f"{'; '.join(missing) or NO_DAYS}."
        )
    found = _judge(warehouse, scope, measured, names, waiting)
    since = scope.onset.at if scope.onset else None
    figures = [*measured, *waiting.readings]
    apart = partings(warehouse, sums)
    arms = [s for m in found.degraded for s in judging.confined(figures, m, since, apart.get(m))]
    models = tuple(
        Suspect("model", m, found.probability[m], describe(found.worst[m]), since=since)
        for m in found.degraded
    )
    headline = _headline(found, arms)
    blocks = Blocks.of(scope)
    order = [*found.degraded, *(n for n in found.names if n not in found.degraded)]
    return Evidence(
        verdict=found.verdict,
        confidence=found.confidence,
        headline=headline,
        suspects=(*models, *arms),
        charts=(_chart(figures, order, headline),),
        table=_table(figures, order),
        not_examined=(*missing, *waiting.said),
        onset=scope.onset,
        figures={f"probability of {m}": p for m, p in found.probability.items()},
        how=How(
            f"{METHOD} {ESTIMATED}" if waiting.estimated else METHOD,
            blocks.window,
            scope.baseline,
            sum(r.rows for r in measured if r.kind == "volume" and not r.arm),
            seconds=time.perf_counter() - began,
            notes=(f"{words.plural(blocks.count, 'earlier day')} at the same clock hours",),
        ),
    )


def _judge(
    warehouse: Warehouse,
    scope: Scope,
    measured: Sequence[Reading],
    names: list[str],
    waiting: Waiting,
) -> _Found:
    figures = [*measured, *waiting.readings]
    unjudged = [m for m in names if waiting.unjudged(m, measured)]
    prior = judging.prior(warehouse, scope)
    seen = {m: judging.evidence(figures, m, unjudged=m in unjudged) for m in names}
    probability = {m: odds.probability(seen[m] + prior(m)) for m in names}
    names = sorted(names, key=lambda m: -probability[m])
    # What was not seen is not blamed either, whatever is usual of models at this point.
    blamed = [m for m in names if m not in unjudged or seen[m] > 0]
    degraded = [m for m in blamed if probability[m] >= 0.5]
    if not degraded and blamed and not unjudged and scope.onset is not None:
        degraded = [m for m in blamed[:1] if probability[m] >= WORTH_A_LOOK]
    worst = {m: judging.worst(figures, m) for m in names}
    return _Found(names, probability, worst, degraded, unjudged, waiting)


def _headline(found: _Found, arms: Sequence[Suspect]) -> str:
    if found.verdict == "unsure":
        return _unsure(found)
    if not found.degraded:
        return f"No model got worse: {words.listed(found.names)} predict as well as on other days."
    first = found.degraded[0]
    told = describe(found.worst[first])
    if len(found.degraded) > 1:
        told = f"{first} {told}"
    if found.probability[first] < 0.5:
        return f"No model is plainly worse. {first} may be: {told}."
    where = f", in {words.listed([a.name for a in arms])} alone" if arms else ""
    others = [n for n in found.names if n not in found.degraded]
    unknown = [n for n in others if n in found.unjudged]
    fine = [n for n in others if n not in unknown]
    also = f"; {words.listed(fine)} as usual" if fine else ""
    also += f"; {words.listed(unknown)} not known yet" if unknown else ""
    if first in found.waiting.labels:
        also += f"; {found.waiting.labels[first].have}"
    figures = [r for m in found.degraded if (r := found.worst[m]) is not None]
    # A shift of predictions alone may be right: only labels tell.
    verb = "got worse" if any(r.kind in NEEDS_LABEL for r in figures) else "answers otherwise"
    if verb != "got worse" and len(found.degraded) > 1:
        verb = "answer otherwise"
    return f"{words.listed(found.degraded)} {verb}{where}: {told}{also}."


def _unsure(found: _Found) -> str:
    """Nothing was seen, and the labels that could show it are not here."""
    who = words.listed(found.unjudged)
    estimated = [m for m in found.unjudged if m in found.waiting.estimated]
    start = f"Not known yet whether {who} got worse: too few labels of these hours have come"
    if found.waiting.never:
        start = f"Not known whether {who} got worse: the serving log has no labels"
    if not estimated:
        return f"{start}, and no estimate can stand in for them."
    readings = [r for m in estimated for r in found.waiting.estimated[m].readings]
    if not all(found.waiting.estimated[m].believed for m in estimated):
        return f"{start}, and inputs are too strange for an estimate."
    shown = next((r for r in readings if r.kind == "auc" and not r.arm), readings[0])
    return (
        f"{start}. An estimate from the inputs sees no damage ({_plain(shown)}), but there is "
        "damage that no estimate can see."
    )


def _plain(one: Reading) -> str:
    return (
        f"{label(one.kind)} {words.number(one.low)} to {words.number(one.high)}, "
        f"usually {words.number(one.usual)}"
    )


def _table(figures: Sequence[Reading], models: Sequence[str]) -> Table:
    rows = []
    for model in models:
        mine = [r for r in figures if r.model == model and not r.arm]
        guessed = {r.kind for r in mine if r.estimated}
        for r in mine:
            hidden = r.kind in guessed and not r.estimated and not r.shift.seen
            if r.kind in ("volume", "mean_label") or hidden:
                continue
            interval = f"{words.number(r.now)} ({words.number(r.low)} to {words.number(r.high)})"
            name = f"{model} {label(r.kind)}" + (", estimate" if r.estimated else "")
            rows.append((name, words.number(r.usual), interval, _word(r)))
    order = ("worse", "moved", "not clear")  # what got worse comes first
    rows.sort(key=lambda row: order.index(row[-1]) if row[-1] in order else len(order))
    return Table(("figure", "usual", "now (95%)", "verdict"), tuple(rows[:8]))


def _word(r: Reading) -> str:
    if not r.shift.seen:
        return "?"
    if r.worse > math.log(2):
        return "moved" if r.kind == "mean_prediction" else "worse"
    if r.worse > odds.AS_USUAL:
        return "not clear"
    return "nothing seen" if r.estimated else "as usual"


def _chart(figures: Sequence[Reading], order: Sequence[str], headline: str) -> Chart:
    chosen: list[Reading] = []
    for model in order[:3]:
        mine = [r for r in figures if r.model == model and r.shift.seen]
        if len({r.arm for r in mine if r.arm}) < 2:  # one arm alone is the model once more
            mine = [r for r in mine if not r.arm]
        chosen += [r for r in mine if r.kind not in ("volume", "mean_label")]
    chosen.sort(key=lambda r: bool(r.arm))  # each model has its rows before any arm has
    rows = [_row(r) for r in chosen[:14]]
    outside = [r.name for r in rows if r.suspect]
    alt = (
        "How far each figure is from its usual value, in standard deviations of earlier days. "
        + (f"Outside: {', '.join(outside)}." if outside else "All are within 2.")
    )
    if any(r.estimated for r in rows):
        alt += " Hollow dots are estimates, made without labels of these hours."
    return forest(rows, headline.partition(". ")[0].rstrip("."), alt)


def _row(r: Reading) -> Interval:
    name = f"{label(r.kind)} · {judging.arm_name(r.arm) if r.arm else r.model}"
    name += ", estimate" if r.estimated else ""
    half = r.reach * r.error / r.shift.spread
    return Interval(name, r.shift.z, r.worse > math.log(2), half, r.estimated)


def _nothing(warehouse: Warehouse, scope: Scope) -> str:
    return (
        f"There are no predictions between {words.clock(scope.window.start)} and "
        f"{words.clock(scope.window.end)} in {warehouse.contract.predictions.source}: "
        "choose another window."
    )
