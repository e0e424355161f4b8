"""Did a model get worse, and in which arm? The evidence of its figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import datetime

from analysis import odds, quality
from analysis.cells import metric_of
from analysis.evidence import CannotExamine, Scope, Suspect
from analysis.odds import Shift
from analysis.performance.parting import Parting
from analysis.performance.readings import Reading, describe
from analysis.warehouse import Warehouse

SHOWN = 1.0
"""From this log Bayes factor on labels show that predictions moved rightly."""
ONE_ALONE = math.log(0.3 / 0.7)
"""Log odds that a fault of a model is one arm's alone, before anything is seen."""


def worst(readings: Sequence[Reading], model: str, arm: str = "") -> Reading | None:
    """The reading that speaks most clearly against a model; predictions only where no figure of
    labels shows whether they moved rightly.

    An estimate that sees nothing is no news beside what labels say.
    """
    mine = [r for r in readings if r.model == model and r.arm == arm]
    told = [r for r in mine if r.kind in quality.NEEDS_LABEL - {"mean_label"} and r.shift.seen]
    judged = [r for r in told if not r.estimated]
    if judged:
        judged += [r for r in told if r.estimated and r.worse > 0]
        judged += [
            r for r in mine if r.kind == "mean_prediction" and r.worse > 0 and not _right(r, told)
        ]
    else:
        judged = told + [r for r in mine if r.kind == "mean_prediction"]
    return max(judged, key=_log_odds, default=None)


def _right(predictions: Reading, told: Sequence[Reading]) -> bool:
    """Whether labels show that predictions moved as what happens did: had they moved alone,
    calibration (or a bias) would have moved as far. An order is blind to scores that moved alike.
    """
    now, usual = predictions.now, predictions.usual
    alone = {"bias": now - usual}
    if min(now, usual) > 0:
        alone["calibration"] = math.log(now / usual)
    able = [(r.shift, alone[r.kind]) for r in told if r.kind in alone and not r.estimated]
    return any(_density(seen, 0.0) - _density(seen, by) > SHOWN for seen, by in able)


def _density(seen: Shift, by: float) -> float:
    """The log density of what was seen, had it moved ``by`` so much."""
    return odds.log_density((seen.change - by) / seen.spread, seen.df)


def evidence(readings: Sequence[Reading], model: str, *, unjudged: bool = False) -> float:
    """Log odds that a model got worse: as a whole, or in one of its arms.

    Nothing clears a model that is ``unjudged`` for want of labels.
    """
    whole = _log_odds(worst(readings, model))
    arms = dict.fromkeys(r.arm for r in readings if r.model == model and r.arm)
    parts = [_log_odds(worst(readings, model, arm)) for arm in arms]
    if len(parts) >= 2:
        whole = odds.mixed([(0.6, whole), *((0.4 / len(parts), part) for part in parts)])
    return max(whole, 0.0) if unjudged else whole


def _log_odds(one: Reading | None) -> float:
    """Evidence against a model; what is no measurement counts for half, and clears nobody."""
    if one is None:
        return -1.0
    if one.estimated or one.kind == "mean_prediction":
        return 0.5 * max(one.worse, 0.0) if one.estimated or one.worse > 0 else one.worse
    return one.worse - math.log(2) if one.worse > 0 else one.worse


def prior(warehouse: Warehouse, scope: Scope) -> Callable[[str], float]:
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


def focus(scope: Scope, models: list[str]) -> list[str]:
    """The models that the incident is about: named on the way, else the metric's, else all."""
    wanted = [m for m in scope.named("model") if m in models]
    if scope.entry == "model" and scope.subject in models:
        wanted = wanted or [scope.subject]
    return wanted or models


def confined(
    readings: Sequence[Reading], model: str, since: datetime | None, apart: Parting | None
) -> list[Suspect]:
    """The arm that the damage is confined to, if there is one: the one that parts from the others
    (``apart``), or, where no figure can tell that, the one whose own figures alone got worse."""
    if apart is not None:
        likely = odds.probability(apart.log_odds + ONE_ALONE)
        mine = [r for r in readings if (r.model, r.arm) == (model, apart.arm)]
        told = next((r for r in mine if r.kind == apart.kind), None)
        one = Suspect("arm", arm_name(apart.arm), likely, describe(told), since=since)
        return [one] if likely > 0.5 else []
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
    return [Suspect("arm", arm_name(hit), confined, changed=describe(by_arm[hit]), since=since)]


def arm_name(arm: str) -> str:
    """An arm without its experiment, where it has none."""
    experiment, _, name = arm.partition("/")
    return name if experiment == "none" else arm
