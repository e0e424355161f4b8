"""Is the alert real, and since when?"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import numpy as np

from analysis import asked, breakage, odds, words
from analysis.charts.series import metric_chart, utc
from analysis.evidence import CannotExamine, Chart, Evidence, How, Onset, Scope, Suspect
from analysis.metrics import Blocks, series
from analysis.quality import NEEDS_LABEL, OF_LABELS, back
from analysis.series.judging import (
    DELAY,
    OUTSIDE,
    Judged,
    ahead,
    judge,
    matched_shift,
    off,
    reaches,
)
from analysis.tables import Metric
from analysis.topline_columns import of_the_subject
from analysis.warehouse import Warehouse, naive

WORTH_A_LOOK = 0.4
"""From this probability on an alert is followed: "false alarm" ends the walk, "real" does not."""
PLACED = 3.0
"""A break's log Bayes factor from which its place is believed: odds of twenty."""
METHOD = (
    "The window against the same hours of earlier days, and a lasting step in a robust seasonal "
    "band (Huber; empirical Bayes) by a Bayesian change point (Smith 1975) on whitened residuals; "
    "the same search on every earlier day says how often nothing looks like this."
)
FEW_LABELS = 0.1
"""Where a smaller share of the labels has come, predictions are judged beside what needs them."""
PRIOR = 0.6
"""How often an alert is real before its series is looked at."""


def is_it_real(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Judge the subject's series over the window against earlier days.

    Verdicts: ``real`` with an onset and its bounds, or ``false_alarm``. Raises CannotExamine
    when no series of the subject can be built or there are too few earlier points.
    """
    began = time.perf_counter()
    blocks = Blocks.of(scope)
    judged, missing = _candidates(warehouse, scope, blocks)
    if not judged:
        why = "; ".join(one.rstrip(".") for one in missing) or "it has no series"
        raise CannotExamine(f"`{scope.subject}` can't be judged: {why}.")
    # The kinds of figures of a model share the prior evenly; what it predicts is one of them.
    count = Counter(one.metric.kind for one in judged)
    evidence = odds.mixed([(1 / count[one.metric.kind], one.log_odds) for one in judged])
    probability = odds.probability(evidence + math.log(PRIOR / (1 - PRIOR)))
    best = max(judged, key=lambda one: one.log_odds)
    alone, broke = probability, breakage.look(warehouse, scope, probability)
    probability = broke.weighed(alone) if broke else alone
    told = broke.said if broke and alone < WORTH_A_LOOK <= probability else ""
    return _evidence(scope, best, probability, missing, told, time.perf_counter() - began)


def _candidates(
    warehouse: Warehouse, scope: Scope, blocks: Blocks
) -> tuple[list[Judged], list[str]]:
    judged: list[Judged] = []
    missing: list[str] = []
    for metric, one in of_the_subject(warehouse, scope, blocks):
        _try(partial(judge, metric, one, blocks, scope), metric, judged, missing)
    if scope.entry == "feature":
        return judged, missing
    alerted = asked.metrics(warehouse, scope)
    for metric in (*alerted, *asked.by_arm(warehouse, scope, blocks)):
        _try(partial(_judge_log, warehouse, metric, blocks, scope), metric, judged, missing)
    if scope.entry != "metric" or blocks.count < 3:
        return judged, missing
    if alerted[0].kind not in NEEDS_LABEL:
        return judged, missing
    labelled, stand_ins = asked.labelled(warehouse, alerted[0], blocks), asked.stand_ins(alerted[0])
    if late := labelled.late:
        _try(partial(_judge_log, warehouse, late, blocks, scope), late, judged, missing)
    share = labelled.now
    if share < FEW_LABELS or not any(one.matched.seen for one in judged):
        for metric in stand_ins:
            if not missing:
                why = f"only {words.percent(share)} have arrived"
                if share >= FEW_LABELS:
                    why = "too few have arrived on earlier days"
                missing.append(f"its labels: {why}, so the predictions are judged as well")
            _try(partial(_judge_log, warehouse, metric, blocks, scope), metric, judged, missing)
    return judged, missing


def _judge_log(warehouse: Warehouse, metric: Metric, blocks: Blocks, scope: Scope) -> Judged:
    one = series(warehouse, metric, blocks)
    if metric.kind in NEEDS_LABEL and one.rows.any() and not np.isfinite(one.values).any():
        raise CannotExamine(
            f"`{metric.name}` has no value at any hour: are its labels all of one class?"
        )
    return judge(metric, one, blocks, scope, matched_shift(warehouse, metric, blocks))


def _try(
    ask: Callable[[], Judged], metric: Metric, judged: list[Judged], missing: list[str]
) -> None:
    """Add what a judgement finds, or why there is none."""
    try:
        judged.append(ask())
    except CannotExamine as error:
        missing.append(str(error))
    except ValueError as error:
        missing.append(
            f"{metric.title or metric.name}: too few earlier hours to know what is usual ({error})"
        )


def _evidence(
    scope: Scope,
    best: Judged,
    probability: float,
    missing: list[str],
    told: str,
    seconds: float,
) -> Evidence:
    real = probability >= WORTH_A_LOOK
    onset = onset_of(best, scope) if real else None
    headline = _headline(scope, best, onset) + told
    one, width = best.series, timedelta(minutes=best.series.minutes)
    inside = one.times >= np.datetime64(scope.window.start.replace(tzinfo=None), "s")
    name = best.metric.title or best.metric.name
    suspect = Suspect(
        "metric",
        best.metric.name,
        probability,
        changed=_change(best, scope),
        since=onset.at if onset else None,
    )
    if scope.onset is not None and real:
        onset = scope.onset
    notes: tuple[str, ...] = (
        f"{best.days} earlier days searched in the same way",
        f"seasons found: {', '.join(best.band.seasons) or 'none'}",
        f"longest run outside the band: {words.span(best.out * width)} now, "
        f"{words.span(best.longest * width)} before",
    )
    if best.metric.kind in OF_LABELS:
        notes += ("each day counts the labels that had arrived by the same clock time",)
    return Evidence(
        verdict="real" if real else "false_alarm",
        confidence=probability if real else 1 - probability,
        headline=headline,
        suspects=(suspect,),
        charts=(chart(scope, best, onset, name, headline),),
        not_examined=tuple(missing),
        onset=onset,
        figures=_figures(best, scope),
        how=How(
            METHOD,
            scope.window,
            scope.baseline,
            int(np.nansum(one.rows[inside])),
            int(np.nansum(one.rows[~inside])),
            seconds,
            notes,
        ),
    )


def _placed(best: Judged) -> bool:
    """Whether the search for a break says when; else only the window as a whole may be off."""
    if best.found is None:
        return False
    return best.found.evidence >= PLACED or best.unusual.log_odds >= best.matched.log_odds


def onset_of(best: Judged, scope: Scope) -> Onset | None:
    """The break's bucket and bounds as times; never after now.

    Where the window as a whole is off but no bucket stands out, the alert's own start is kept:
    the likeliest bucket of a search that found nothing says nothing about when.
    """
    if best.found is None:
        return None
    moments = utc(best.series.times)
    if not _placed(best):
        start = scope.window.start
        first = int(np.searchsorted(best.series.times, np.datetime64(naive(start))))
        low = min(start - DELAY, moments[_unseen(best, min(first, len(moments) - 1))])
        return Onset(start, low, min(start + ahead(scope), scope.now))
    width = timedelta(minutes=best.series.minutes)

    def within(moment: datetime) -> datetime:
        return min(moment, scope.now)

    at, start = moments[best.found.index], scope.window.start
    low = moments[_unseen(best, best.found.low)]
    high = moments[best.found.high] + width
    # Within a bucket the alert says more exactly when. It also decides between neighbours that
    # the series can't tell apart: a wide bucket holds hours of both kinds.
    if low <= start < high and at - width <= start < at + 2 * width:
        at = start
    return Onset(within(at), within(low), within(high))


def _unseen(best: Judged, index: int) -> int:
    """The first of the buckets without a value that end at ``index``: what shows first after a
    closed night may have begun at any hour of it."""
    known = np.flatnonzero(np.isfinite(best.series.values[:index]))
    return int(known[-1]) + 1 if len(known) else index


def levels(best: Judged, scope: Scope) -> tuple[float, float]:
    """Mean of the series and of its expectation (weighted by rows) since the break where there
    is one that hurts, otherwise over the window."""
    start = np.datetime64(scope.window.start.replace(tzinfo=None), "s")
    if best.matched.seen and not reaches(best.series, start):
        figures = np.array([best.matched.now, best.matched.usual])
        now, usual = back(best.metric.kind or "", figures)
        return float(now), float(usual)
    first = min(int(np.searchsorted(best.series.times, start)), len(best.series) - 1)
    found = best.found
    hurts = found is not None and best.metric.bad in ("both", found.direction)
    if found is not None and found.evidence > 0 and hurts and _placed(best):
        first = found.index
    since = slice(first, None)
    values = best.series.values[since]
    expected = back(best.metric.kind or "", best.band.expected[since])
    weights = np.where(np.isfinite(values), np.maximum(best.series.rows[since], 1e-9), 0.0)
    if best.metric.kind == "volume" or not weights.sum():
        weights = np.isfinite(values).astype(float)
    if not weights.sum():
        return math.nan, float(np.mean(expected))
    return (
        float(np.nansum(weights * np.nan_to_num(values)) / weights.sum()),
        float((weights * expected).sum() / weights.sum()),
    )


def _change(best: Judged, scope: Scope) -> str:
    now, usual = levels(best, scope)
    return f"{words.level(now)}, usually {words.number(usual)}"


def _headline(scope: Scope, best: Judged, onset: Onset | None) -> str:
    name = best.metric.title or best.metric.name
    now, usual = levels(best, scope)
    figures = f"{words.level(now)} instead of about {words.number(usual)}"
    width = timedelta(minutes=best.series.minutes)
    if onset is None:
        better = now < usual if best.metric.bad == "up" else now > usual
        if best.metric.bad != "both" and better:
            return f"{name} moved for the better, if at all: {figures}."
        return (
            f"{name} is within what is usual at these hours: {figures}, and earlier days "
            "wandered as far."
        )
    usual_run = f"it never stayed out longer than {words.span(best.longest * width)}"
    if best.longest == 0:
        usual_run = "it never left it"
    tail = f"; in {words.plural(best.days, 'earlier day')} {usual_run}" if best.days >= 3 else ""
    if best.out <= best.longest:
        tail = ""
    return f"{name} {_happened(best, onset)}: since then {figures}{tail}."


def _happened(best: Judged, onset: Onset) -> str:
    """What the series did: it may be off without a single bucket outside its band."""
    began = words.clock(onset.at)
    if best.out:
        left = _left(best)
        if left is None or left <= onset.high:
            return f"left its band at {began}"
        return f"shifted at {began} and left its band {words.span(left - onset.at)} later"
    if _placed(best):
        return f"shifted at {began}, without leaving its band"
    return f"is off as a whole since {began}, without leaving its band"


def _left(best: Judged) -> datetime | None:
    """When the first bucket since the break was outside the band; None where none was."""
    since = best.found.index if best.found else 0
    out = np.flatnonzero(off(best.series, best.band, best.metric)[since:] > OUTSIDE)
    return utc(best.series.times)[since + int(out[0])] if len(out) else None


def _figures(best: Judged, scope: Scope) -> dict[str, float]:
    now, usual = levels(best, scope)
    raw = {
        "now": now,
        "usual": usual,
        "z": best.matched.z,
        "z of the break": best.unusual.z,
        "log_odds": best.log_odds,
        "evidence": best.found.evidence if best.found else math.nan,
        "buckets_out": float(best.out),
        "longest_before": float(best.longest),
        "earlier_days": float(best.days),
        "memory": best.band.memory,
    }
    return {name: value for name, value in raw.items() if math.isfinite(value)}


def chart(scope: Scope, best: Judged, onset: Onset | None, name: str, headline: str) -> Chart:
    """The series with its band, the onset marked."""
    now, usual = levels(best, scope)
    alt = f"{name} over time: {words.number(now)} lately, {words.number(usual)} expected. " + (
        f"It {_happened(best, onset)}." if onset else "It stays usual."
    )
    return metric_chart(
        best.series.times,
        best.series.values,
        back(best.metric.kind or "", best.band.low),
        back(best.metric.kind or "", best.band.high),
        window=scope.window,
        onset=onset,
        title=headline.split(";")[0].rstrip("."),
        alt=alt,
        name=name,
        bad=best.metric.bad,
    )
