"""Is the metric back since the mitigation?"""

from __future__ import annotations

import math
import time
from datetime import timedelta

import numpy as np

from analysis import odds, words
from analysis.cells import metric_of
from analysis.charts.series import metric_chart
from analysis.evidence import CannotExamine, Chart, Evidence, How, Scope, Suspect, Window
from analysis.metrics import Blocks, Series, series
from analysis.quality import NEEDS_LABEL, Floats, back
from analysis.series import seasonal
from analysis.series.seasonal import Band
from analysis.tables import Metric
from analysis.warehouse import Warehouse

METHOD = (
    "The metric since the mitigation, bucket by bucket, against its band from before the incident: "
    "is its mean distance nearer to none, or to the one during the incident (likelihood ratio)?"
)
SURE = 0.9
"""Below this probability for either answer, more rows are waited for."""
FEWEST = 2
"""Full buckets needed before anything is said."""


def is_it_back(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Compare the metric since the mitigation with its band and with the incident.

    ``scope.window`` starts when the mitigation was carried out; ``scope.onset`` is when the
    incident began. Verdicts: ``recovered``, ``watching`` (too few rows to tell; at a last look
    the likelier of the others) and ``not_recovering`` (suspects: those that are left). Raises
    CannotExamine when the metric has no history to be compared with.
    """
    began = time.perf_counter()
    metric = metric_of(warehouse, scope)
    one = series(warehouse, metric, _span(scope))
    start = scope.onset.low if scope.onset else min(scope.baseline.end, scope.window.start)
    train = one.times < np.datetime64(start.replace(tzinfo=None), "s")
    try:
        band = seasonal.fit(one.times, one.work, train=train, errors=one.errors)
    except ValueError as error:
        raise CannotExamine(f"`{metric.name}` can't be watched: {error}.") from error
    since = one.times >= np.datetime64(scope.window.start.replace(tzinfo=None), "s")
    during = ~train & ~since
    probability, seen = back_to_normal(one, band, during, since)
    verdict = _verdict(probability, seen, scope.last)
    now, usual = _means(one, back(metric.kind or "", band.expected), since)
    bad, _ = _means(one, back(metric.kind or "", band.expected), during)
    levels = now, usual, bad
    headline = _headline(verdict, metric.title or metric.name, levels, scope, seen, probability)
    left = scope.suspects if verdict == "not_recovering" else ()
    figures = {"probability of recovery": probability, "now": now, "usual": usual, "during": bad}
    confidence = {"recovered": probability, "not_recovering": 1 - probability}.get(
        verdict, 1 - abs(2 * probability - 1)
    )
    return Evidence(
        verdict=verdict,
        confidence=min(max(confidence, 0.005), 0.995),
        headline=headline,
        suspects=left or (Suspect("metric", metric.name, probability),),
        charts=(_chart(scope, metric, one, band, levels, headline),),
        not_examined=_unseen(metric.kind, one, since),
        onset=scope.onset,
        figures={n: v for n, v in figures.items() if math.isfinite(v)} | {"buckets": float(seen)},
        how=How(
            METHOD,
            scope.window,
            scope.baseline,
            int(one.rows[since].sum()),
            int(one.rows[train].sum()),
            time.perf_counter() - began,
        ),
    )


def _chart(
    scope: Scope,
    metric: Metric,
    one: Series,
    band: Band,
    levels: tuple[float, float, float],
    headline: str,
) -> Chart:
    """The metric from before the incident on; the hours since the mitigation are shaded."""
    name, kind = metric.title or metric.name, metric.kind or ""
    now, usual, bad = map(words.number, levels)
    start = scope.window.start
    return metric_chart(
        one.times,
        one.values,
        back(kind, band.low),
        back(kind, band.high),
        window=Window(start, max(scope.window.end, start + _width(one))),
        onset=scope.onset,
        title=headline.rstrip("."),
        alt=(
            f"{name}: usually {usual}, {bad} during the incident, {now} since the mitigation "
            "(shaded)."
        ),
        name=name,
    )


def _span(scope: Scope) -> Blocks:
    """Blocks that reach from the baseline's start to now."""
    length = scope.window.end - scope.baseline.start
    return Blocks(scope.window, timedelta(days=1), max(1, math.floor(length / timedelta(days=1))))


def _width(one: Series) -> timedelta:
    return timedelta(minutes=one.minutes)


def back_to_normal(
    one: Series, band: Band, during: np.ndarray, since: np.ndarray
) -> tuple[float, int]:
    """Probability that the series is back in its band, and how many buckets say so.

    The mean distance since the mitigation is compared under "none" and under "as during the
    incident"; its variance grows with the lag-one correlation of usual residuals. Without
    buckets of the incident three usual residuals stand for it.
    """
    z: Floats = np.clip((one.work - band.expected) / band.spread, -12, 12)
    here = since & np.isfinite(z)
    count = int(here.sum())
    if count == 0:
        return 0.5, 0
    away = z[during & np.isfinite(z)]
    mean = float(z[here].mean())
    bad = float(np.median(away)) if len(away) >= FEWEST else math.copysign(3.0, mean or 1.0)
    if abs(bad) < 1.0:  # it never was far out in this metric: there is nothing to come back from
        bad = math.copysign(1.5, bad)
    memory = band.memory
    variance = (1 + memory) / (1 - memory) / count
    spread = math.sqrt(min(variance, 1.0) * 1.0 + (0.25 * bad) ** 2)
    normal = math.sqrt(min(variance, 1.0))
    log_back = -0.5 * (mean / normal) ** 2 - math.log(normal)
    log_bad = -0.5 * ((mean - bad) / spread) ** 2 - math.log(spread)
    if (mean - bad) * bad > 0:  # even further out than during the incident
        log_bad = -math.log(spread)
    return odds.probability(log_back - log_bad), count


def _verdict(probability: float, seen: int, last: bool) -> str:
    if seen < FEWEST or (1 - SURE < probability < SURE and not last):
        return "watching"
    return "recovered" if probability >= 0.5 else "not_recovering"


def _means(one: Series, expected: Floats, chosen: np.ndarray) -> tuple[float, float]:
    here = chosen & np.isfinite(one.values)
    if not here.any():
        return math.nan, math.nan
    weight = np.maximum(one.rows[here], 1e-9)
    return (
        float((one.values[here] * weight).sum() / weight.sum()),
        float((expected[here] * weight).sum() / weight.sum()),
    )


def _headline(
    verdict: str,
    name: str,
    means: tuple[float, float, float],
    scope: Scope,
    seen: int,
    probability: float,
) -> str:
    (now, usual, bad), after = means, words.span(scope.window.length)
    if scope.last and verdict != "watching" and 1 - SURE < probability < SURE:
        likely = "back in its band" if verdict == "recovered" else "not recovering"
        return (
            f"{after} after the mitigation {name} is {words.number(now)}, usually "
            f"{words.number(usual)}: more likely {likely} than not."
        )
    if verdict == "recovered":
        return f"{name} is back in its band {after} after the mitigation: {words.number(now)}."
    if verdict == "not_recovering":
        return (
            f"{name} is not recovering {after} after the mitigation: {words.number(now)}, "
            f"usually {words.number(usual)}, {words.number(bad)} during the incident."
        )
    if seen == 0 or not math.isfinite(now):
        return f"Nothing of {name} has been seen since the mitigation yet."
    return f"Too early to tell: {name} is {words.number(now)}, usually {words.number(usual)}."


def _unseen(kind: str | None, one: Series, since: np.ndarray) -> tuple[str, ...]:
    if kind in NEEDS_LABEL and since.any() and not np.isfinite(one.work[since]).all():
        missing = int((~np.isfinite(one.work[since])).sum())
        return (f"{words.plural(missing, 'bucket')} whose labels have not arrived",)
    return ()
