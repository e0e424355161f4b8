"""Labels that come late, not at all, or wrong: which of them, and what delivers them?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from analysis import asked, cells, label_sources, metrics, odds, quality, topline, words
from analysis.drilldown.cuboids import explain
from analysis.drilldown.leaves import Noise
from analysis.evidence import (
    CannotExamine,
    Evidence,
    How,
    Scope,
    Suspect,
    SuspectKind,
    Table,
    Window,
)
from analysis.label_sources import Ranked
from analysis.metrics import BLOCK, Blocks
from analysis.series.judging import Judged, judge, matched_shift
from analysis.tables import Metric, Role
from analysis.warehouse import Warehouse, naive

if TYPE_CHECKING:
    import pandas as pd

METHOD = (
    "The share of rows with a label, as of the same clock time of earlier days; then the runs of "
    "every node above the label in the lineage (of every node where the lineage does not lead to "
    "it) and the infrastructure series, held against their own history around the onset."
)
MOST_OF_IT = 2 / 3
"""A segment holds what is missing when it has this part of it."""
OF_TRAFFIC = 0.5
"""Where segments lack less than this part of what all lack together, other traffic came."""
HARDLY = 0.1
"""So likely are labels late of which no model has plainly fewer than usual, or each segment as many
as ever."""
SOURCES: Mapping[SuspectKind, str] = {"upstream": "source", "infra": "service"}
"""What a source is, and the verdict that names it."""
BARELY = 0.05
"""Sources less likely than this are not told."""


def who_delivers(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Tell whether labels are late, where, and what broke that delivers them.

    Verdicts: ``source`` (a node of the lineage), ``service``, ``labels`` (late, and nothing that
    is recorded shows why) or ``none``. Raises CannotExamine where there are no labels, or too few
    earlier days tell what is usual.
    """
    began = time.perf_counter()
    judged, moved = _judged(warehouse, scope)
    is_late = judged.metric.kind == "label_coverage"
    missing = _missing(warehouse, scope, judged.metric) if is_late else NOTHING_KNOWN
    moved = min(moved, HARDLY) if missing.of_traffic else moved
    at = _delivered(warehouse, scope, judged) if is_late else scope
    ranked = label_sources.rank(warehouse, at, late=is_late)
    answers = _answers(moved, is_late, ranked)
    verdict = max(answers, key=lambda name: answers[name])
    told = tuple(s for s in ranked.suspects if s.score >= BARELY)
    where = missing.where if verdict == "labels" else None
    named = (where,) if where else ranked.suspects[:1] if verdict in SOURCES.values() else ()
    headline = _headline(verdict, judged, scope, where, ranked)
    onset = topline.onset_of(judged, scope) if verdict != "none" else None
    return Evidence(
        verdict=verdict,
        confidence=min(max(answers[verdict], 0.005), 0.995),
        headline=headline,
        suspects=(*named, *(s for s in told if s not in named)),
        proposed=len(named),
        charts=(topline.chart(scope, judged, onset, judged.title, headline),),
        table=_table(told),
        not_examined=ranked.missing,
        onset=scope.onset,
        figures={f"probability that {'fewer labels came' if is_late else 'labels moved'}": moved},
        how=How(METHOD, scope.window, scope.baseline, seconds=time.perf_counter() - began),
        shares=answers,
    )


def _answers(moved: float, is_late: bool, ranked: Ranked) -> dict[str, float]:
    """The verdicts' probabilities, of those that were looked at. Labels that came and moved may as
    well be the world's, or the model's to follow, where nothing broke that delivers them."""
    nobody = moved * ranked.nobody
    answers = {SOURCES[kind]: 0.0 for kind in ranked.looked}
    answers |= {"none": 1 - moved, "labels": nobody} if is_late else {"none": 1 - moved + nobody}
    for one in ranked.suspects:
        answers[SOURCES[one.kind]] += moved * one.score
    return answers


def _judged(warehouse: Warehouse, scope: Scope) -> tuple[Judged, float]:
    """The share of rows with a label, or what labels are where that alone moved, held against
    earlier days; and the probability that it moved."""
    about = cells.metric_of(warehouse, scope)
    told = f"The mean label behind {about.title or about.name}"
    mean = {"kind": "mean_label", "bad": "both", "source": None, "title": told}
    timed = warehouse.contract.predictions.label_time is not None
    late = asked.labelled(warehouse, about, Blocks.of(scope)).late if timed else None
    first = _judge(warehouse, late, scope) if late else None
    if first is not None and first.log_odds > 0:
        return first, odds.probability(first.log_odds)
    second = _judge(warehouse, about.model_copy(update=mean), scope)
    if second.log_odds > 0 or not timed:
        return second, odds.probability(second.log_odds)
    return first or _judge(warehouse, asked.coverage(about, about.model), scope), HARDLY


def _judge(warehouse: Warehouse, metric: Metric, scope: Scope) -> Judged:
    blocks = Blocks.of(scope)
    matched = matched_shift(warehouse, metric, blocks)
    try:
        return judge(metric, metrics.series(warehouse, metric, blocks), blocks, scope, matched)
    except ValueError as error:
        raise CannotExamine(f"Too few earlier hours tell how labels come ({error}).") from None


def _delivered(warehouse: Warehouse, scope: Scope, judged: Judged) -> Scope:
    """The scope with the onset by when labels came: the first predictions without one are older,
    by as long as labels take."""
    metric = judged.metric.model_copy(update={"kind": "volume", "bad": "down"})
    blocks = Blocks.of(scope)
    try:
        came = judge(
            metric, _arrivals(warehouse, metric, blocks), blocks, replace(scope, onset=None)
        )
    except (CannotExamine, ValueError):
        return scope
    fewer = came.found is not None and came.found.direction == "down"
    onset = topline.onset_of(came, scope) if fewer else None
    return replace(scope, onset=onset or scope.onset)


def _arrivals(warehouse: Warehouse, metric: Metric, blocks: Blocks) -> metrics.Series:
    """How many labels came, by when they did."""
    models = (metric.model,) if metric.model else ()
    arms = (metric.arm,) if metric.arm else ()
    table = metrics.in_blocks(warehouse, blocks, models=models, arms=arms, whole=True)
    end = blocks.window.end
    table = table.filter(table[Role.LABEL].notnull(), table[Role.LABEL_TIME] < naive(end))
    bucket = metrics.bucket_of(table[Role.LABEL_TIME], metric.every * 60)
    counts = table.group_by(bucket.name("bucket")).aggregate(n=table.count())
    sums = warehouse.fetch(counts).sort_values("bucket").astype(float)
    sums = sums.assign(w=sums["n"], w2=sums["n"])
    found = quality.estimate("volume", sums)
    span = Window(end - (blocks.count + 1) * blocks.period, end)
    even = quality.working("volume", found, sums)
    return metrics.regular(sums["bucket"].to_numpy(float), found, even, span, metric)


# -- where they are missing ---------------------------------------------------------------------


@dataclass(frozen=True)
class Missing:
    """``where`` labels are missing, if in one segment alone; ``of_traffic``: each segment has as
    many as ever, and other traffic came."""

    where: Suspect | None = None
    of_traffic: bool = False


NOTHING_KNOWN = Missing()


def _missing(warehouse: Warehouse, scope: Scope, metric: Metric) -> Missing:
    """Held against what each segment usually has."""
    try:
        rows, dims, _ = cells.load_cells(warehouse, metric, Blocks.of(scope))
    except CannotExamine:
        return NOTHING_KNOWN
    past = rows[rows[BLOCK] > 0].groupby(dims)[["value", "below"]].sum()
    usual = float(past["value"].sum() / max(past["below"].sum(), 1.0))
    share = (past["value"] / past["below"].where(past["below"] > 0)).rename("usual")
    rows = rows.join(share, on=dims).fillna({"usual": usual})
    rows["expected"] = rows["below"] * rows["usual"]
    now = rows[rows[BLOCK] == 0]
    came, due, all_rows = (float(now[c].sum()) for c in ("value", "expected", "below"))
    if came >= due or (due - came) < OF_TRAFFIC * (usual * all_rows - came):
        return Missing(of_traffic=True)
    return Missing(_segment(rows, dims))


def _segment(rows: pd.DataFrame, dims: Sequence[str]) -> Suspect | None:
    """The segment that holds what is missing, if one does."""
    now, before = rows[rows[BLOCK] == 0], rows[rows[BLOCK] > 0]
    came, due = (before[name].to_numpy(float) for name in ("value", "expected"))
    noise = Noise.of(came, due, np.ones(len(before), dtype=bool))
    found = explain(now, dims, "value", "expected", noise=noise)
    best = max(found, key=lambda one: one.share, default=None)
    if best is None or best.share < MOST_OF_IT:
        return None
    inside = now[cells.inside_of(now, best.where)]
    sums = inside[["value", "expected", "below"]].sum()
    shares = [words.percent(sums[c] / max(sums["below"], 1.0)) for c in ("value", "expected")]
    changed = f"{shares[0]} of its rows have a label, {shares[1]} is usual"
    return Suspect("segment", best.name, min(best.share, 1.0), changed)


# -- saying -------------------------------------------------------------------------------------


def _headline(
    verdict: str, judged: Judged, scope: Scope, where: Suspect | None, ranked: Ranked
) -> str:
    now, usual = _levels(judged, scope)
    late = judged.metric.kind == "label_coverage"
    if late:
        figures = f"{words.percent(now)} of rows have a label, {words.percent(usual)} is usual"
        told, what = f"{figures} at this hour", "Labels are late"
    else:
        told = f"their mean is {words.level(now)}, usually {words.number(usual)}"
        what = "Labels changed"
    if verdict == "none":
        start = "Labels come as they usually do" if late else "Nothing broke that delivers labels"
        return f"{start}: {told}."
    if verdict in SOURCES.values():
        best, *rest = ranked.suspects
        others = sum(s.score > 0.5 * best.score for s in rest)
        more = f" (and {words.plural(others, 'other')})" if others else ""
        return f"{what} ({told}), and `{best.name}`{more} broke: {best.changed}."
    only = f", most of all in {where.name} ({where.changed})" if where else ""
    why = "nothing recorded shows why" if ranked.looked else "no runs and no services are recorded"
    return f"{told[:1].upper()}{told[1:]}{only}; {why}."


def _levels(judged: Judged, scope: Scope) -> tuple[float, float]:
    """Now and usually, like with like where rows of whole windows could be compared."""
    matched = judged.matched
    return (matched.now, matched.usual) if matched.seen else topline.levels(judged, scope)


def _table(told: Sequence[Suspect]) -> Table | None:
    rows = tuple((s.name, s.changed, words.percent(s.score)) for s in told[:6])
    return Table(("may deliver labels", "since the onset", "likely"), rows) if rows else None
