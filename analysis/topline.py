"""Is the alert real, and since when?"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from analysis import odds, seasonal, words
from analysis.charts.series import metric_chart, utc
from analysis.evidence import CannotExamine, Chart, Evidence, How, Onset, Scope, Suspect
from analysis.metrics import Blocks, Series, series
from analysis.odds import Shift
from analysis.quality import NEEDS_LABEL, Floats, back
from analysis.seasonal import Band, Break
from analysis.tables import Metric
from analysis.warehouse import Warehouse

METHOD = (
    "The series is held against a robust profile of the same hours of earlier days (Huber; "
    "empirical Bayes). The onset is a Bayesian change point (Smith 1975) on whitened residuals; "
    "the same search on every earlier day says how often nothing looks like this."
)
MODEL_KINDS = ("mean_prediction", "calibration", "log_loss", "volume")
LOOK_BACK = timedelta(hours=24)
"""An alert may come this much later than its cause."""


@dataclass(frozen=True)
class Judged:
    """A series held against its band: the break, and how unusual it is among earlier days."""

    metric: Metric
    series: Series
    band: Band
    found: Break | None
    unusual: Shift
    log_odds: float
    out: int
    longest: int
    days: int


def is_it_real(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Judge the subject's series over the window against earlier days.

    Verdicts: ``real`` with an onset and its bounds, or ``false_alarm``. Raises CannotExamine
    when no series of the subject can be built or there are too few earlier points.
    """
    began = time.perf_counter()
    blocks = Blocks.of(scope)
    judged, missing = _candidates(warehouse, scope, blocks)
    if not judged:
        raise CannotExamine(
            f"`{scope.subject}` can't be judged: {'; '.join(missing) or 'it has no series'}."
        )
    # Several series of one subject are looked at: the best of them has to be that much better.
    best = max(judged, key=lambda one: one.log_odds)
    log_odds = best.log_odds - (math.log(len(judged)) if best.log_odds > 0 else 0.0)
    probability = odds.probability(log_odds)
    return _evidence(scope, best, probability, missing, time.perf_counter() - began)


def _candidates(
    warehouse: Warehouse, scope: Scope, blocks: Blocks
) -> tuple[list[Judged], list[str]]:
    judged: list[Judged] = []
    missing: list[str] = []
    if scope.entry == "feature":
        from analysis.topline_features import feature_series

        pairs = feature_series(warehouse, scope.subject, blocks)
    else:
        pairs = []
        for metric in _metrics(warehouse, scope):
            try:
                pairs.append((metric, series(warehouse, metric, blocks)))
            except CannotExamine as error:
                missing.append(str(error))
    for metric, one in pairs:
        try:
            judged.append(judge(metric, one, blocks, scope))
        except ValueError as error:
            missing.append(f"{metric.title or metric.name}: {error}")
    return judged, missing


def _metrics(warehouse: Warehouse, scope: Scope) -> list[Metric]:
    if scope.entry == "metric":
        try:
            metric = warehouse.contract.metric(scope.subject)
            return [metric, *_companions(metric)]
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


def _companions(metric: Metric) -> list[Metric]:
    """A metric that waits for labels is made of predictions, which are here at once."""
    if metric.kind not in NEEDS_LABEL or metric.kind in ("accuracy", "ndcg"):
        return []
    changes = {"kind": "mean_prediction", "bad": "both", "source": None}
    title = f"The mean prediction behind {metric.title or metric.name}"
    return [metric.model_copy(update={**changes, "title": title})]


def _plain(kind: str) -> str:
    return kind.replace("_", " ")


def judge(metric: Metric, one: Series, blocks: Blocks, scope: Scope) -> Judged:
    """Hold a series against its band, and today's break against that of each earlier day.

    Raises ValueError when there are fewer than 8 points before the window.
    """
    start = np.datetime64(scope.window.start.replace(tzinfo=None), "s")
    back = timedelta(0) if scope.onset is not None else max(LOOK_BACK, 2 * scope.window.length)
    since = start - np.timedelta64(round(back.total_seconds()), "s")
    train = one.times < since
    if (np.isfinite(one.work) & train).sum() < 3 * LOOK_BACK / timedelta(minutes=one.minutes):
        since = start - np.timedelta64(round(scope.window.length.total_seconds() / 2), "s")
        train = one.times < start
    band = seasonal.fit(one.times, one.work, train=train, errors=one.errors)
    per_block = max(1, round(blocks.period.total_seconds() / 60 / one.minutes))
    first = int(np.searchsorted(one.times, since))
    first = max(min(first, len(one) - 1), FIRST_AFTER)
    found = seasonal.locate(one.work, band, first)
    past = _earlier_breaks(metric, one, band, first, per_block)
    now = _strength(found, metric)
    unusual = odds.shift(now, past, error=1.0)  # a strength has a spread of about 1 by chance
    if unusual.seen:
        log_odds = unusual.log_odds if unusual.z > 0 else odds.log_bayes_factor(0.0, unusual.df)
    else:  # too few days to know what is usual: the series' own noise has to do
        log_odds = 0.5 * now**2 / 2 - 1.0
    z = _off(one, band, metric)
    return Judged(
        metric, one, band, found, unusual, log_odds, _run(z[first:]), _run(z[:first]), len(past)
    )


FIRST_AFTER = 4


def _strength(found: Break | None, metric: Metric) -> float:
    """A break's evidence on the scale of standard deviations; none when it is for the better."""
    if found is None or found.evidence <= 0 or metric.bad not in ("both", found.direction):
        return 0.0
    return math.sqrt(2 * found.evidence)


def _earlier_breaks(
    metric: Metric, one: Series, band: Band, first: int, per_block: int
) -> list[float]:
    """The strongest break that the same search finds as of the same clock time of earlier days."""
    past: list[float] = []
    for earlier in range(per_block, first - FIRST_AFTER, per_block):
        end = len(one) - earlier
        cut = Band(band.expected[:end], band.spread[:end], band.memory, band.seasons)
        found = seasonal.locate(one.work[:end], cut, first - earlier)
        if found is not None:
            past.append(_strength(found, metric))
    return past


def _off(one: Series, band: Band, metric: Metric) -> Floats:
    """Distance from what is expected in usual standard deviations, in the sense that hurts."""
    z: Floats = (one.work - band.expected) / band.spread
    if metric.bad == "down":
        return -z
    return np.abs(z) if metric.bad == "both" else z


def _run(z: Floats) -> int:
    """Longest run of buckets outside the band; a gap neither breaks nor lengthens it."""
    longest = run = 0
    for x in z[np.isfinite(z)]:
        run = run + 1 if x > 2 else 0
        longest = max(longest, run)
    return longest


def _evidence(
    scope: Scope, best: Judged, probability: float, missing: list[str], seconds: float
) -> Evidence:
    real = probability >= 0.5
    onset = _onset(best, scope) if real else None
    headline = _headline(scope, best, onset)
    one, width = best.series, timedelta(minutes=best.series.minutes)
    inside = one.times >= np.datetime64(scope.window.start.replace(tzinfo=None), "s")
    name = best.metric.title or best.metric.name
    suspect = Suspect(
        "metric",
        best.metric.name,
        probability,
        changed=_change(best),
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
    if best.metric.kind in NEEDS_LABEL:
        notes += ("each day counts the labels that had arrived by the same clock time",)
    return Evidence(
        verdict="real" if real else "false_alarm",
        confidence=probability if real else 1 - probability,
        headline=headline,
        suspects=(suspect,),
        charts=(_chart(scope, best, onset, name, headline),),
        not_examined=tuple(missing),
        onset=onset,
        figures=_figures(best),
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


def _onset(best: Judged, scope: Scope) -> Onset | None:
    """The break's bucket and bounds as times; never after now."""
    if best.found is None:
        return None
    moments = utc(best.series.times)
    width = timedelta(minutes=best.series.minutes)

    def within(moment: datetime) -> datetime:
        return min(moment, scope.now)

    at = moments[best.found.index]
    return Onset(
        within(at), within(moments[best.found.low]), within(moments[best.found.high] + width)
    )


def _levels(best: Judged) -> tuple[float, float]:
    """Mean of the series and of its expectation since the break (weighted by rows)."""
    since = slice(best.found.index if best.found else len(best.series) - 1, None)
    values = best.series.values[since]
    expected = back(best.metric.kind or "", best.band.expected[since])
    weights = np.where(np.isfinite(values), np.maximum(best.series.rows[since], 1e-9), 0.0)
    if best.metric.kind == "volume" or not weights.sum():
        weights = np.isfinite(values).astype(float)
    if not weights.sum():
        return math.nan, math.nan
    return (
        float(np.nansum(weights * np.nan_to_num(values)) / weights.sum()),
        float((weights * expected).sum() / weights.sum()),
    )


def _change(best: Judged) -> str:
    now, usual = _levels(best)
    return f"{words.number(now)}, usually {words.number(usual)}"


def _headline(scope: Scope, best: Judged, onset: Onset | None) -> str:
    name = best.metric.title or best.metric.name
    now, usual = _levels(best)
    figures = f"{words.number(now)} instead of about {words.number(usual)}"
    width = timedelta(minutes=best.series.minutes)
    if onset is None:
        if best.found is not None and best.metric.bad not in ("both", best.found.direction):
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
    return f"{name} left its band at {words.clock(onset.at, scope.now)}: {figures}{tail}."


def _figures(best: Judged) -> dict[str, float]:
    now, usual = _levels(best)
    raw = {
        "now": now,
        "usual": usual,
        "z": best.unusual.z,
        "log_odds": best.log_odds,
        "evidence": best.found.evidence if best.found else math.nan,
        "buckets_out": float(best.out),
        "longest_before": float(best.longest),
        "earlier_days": float(best.days),
        "memory": best.band.memory,
    }
    return {name: value for name, value in raw.items() if math.isfinite(value)}


def _chart(scope: Scope, best: Judged, onset: Onset | None, name: str, headline: str) -> Chart:
    now, usual = _levels(best)
    alt = f"{name} over time: {words.number(now)} lately, {words.number(usual)} expected. " + (
        f"It leaves its band at {words.clock(onset.at)} UTC." if onset else "It stays usual."
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
    )
