"""Labels that come late or not at all: which of them, and what delivers them?"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from analysis import asked, cells, infra, metrics, odds, quality, topline, words
from analysis.drilldown.cuboids import explain
from analysis.drilldown.leaves import Noise
from analysis.evidence import (
    CannotExamine,
    Evidence,
    How,
    Onset,
    Scope,
    Suspect,
    SuspectKind,
    Table,
    Window,
)
from analysis.graph import health
from analysis.graph.lineage import Graph
from analysis.infra_series import breaks
from analysis.metrics import BLOCK, Blocks
from analysis.series.judging import Judged, judge, matched_shift
from analysis.tables import Metric, Role
from analysis.warehouse import Warehouse, naive

METHOD = (
    "The share of rows with a label, as of the same clock time of earlier days; then the runs of "
    "every node above the label in the lineage (of every node where the lineage does not lead to "
    "it) and the infrastructure series, held against their own history around the onset."
)
CLEAREST = 12.0
"""No source counts for more log odds than this."""
WAITS = 0.0
"""Log odds at most of a source that another one feeds which broke."""
MOST_OF_IT = 2 / 3
"""A segment holds what is missing when it has this part of it."""
BARELY = 0.05
"""Sources less likely than this are not told."""
HISTORY = timedelta(days=14)


@dataclass(frozen=True)
class Source:
    """What may deliver labels, the log odds that it broke, and how that shows."""

    kind: SuspectKind
    name: str
    log_odds: float
    changed: str
    since: datetime | None = None


def who_delivers(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Tell whether labels are late, where, and what broke that delivers them.

    Verdicts: ``upstream`` (a node of the lineage), ``service``, ``labels`` (late, and nothing that
    is recorded shows why) or ``none``. Raises CannotExamine where the log does not say when labels
    came, or too few earlier days tell what is usual.
    """
    began = time.perf_counter()
    judged = _judged(warehouse, scope)
    late = odds.probability(judged.log_odds)
    sources, missing = _sources(warehouse, _delivered(warehouse, scope, judged))
    shares = odds.share_out({"": 0.0} | {s.name: s.log_odds for s in sources})
    ranked = sorted(sources, key=lambda s: -shares[s.name])
    answers = {"none": 1 - late, "labels": late * shares[""], "upstream": 0.0, "service": 0.0}
    for one in ranked[:1]:
        answers["upstream" if one.kind == "upstream" else "service"] = late * shares[one.name]
    verdict = max(answers, key=lambda name: answers[name])
    told = tuple(_suspect(s, shares[s.name]) for s in ranked if shares[s.name] >= BARELY)
    where = _segment(warehouse, scope, judged.metric) if verdict == "labels" else None
    named = (where,) if where else told[:1] if verdict in ("upstream", "service") else ()
    headline = _headline(verdict, judged, scope, where, ranked)
    onset = topline.onset_of(judged, scope)
    return Evidence(
        verdict=verdict,
        confidence=min(max(answers[verdict], 0.005), 0.995),
        headline=headline,
        suspects=(*named, *(s for s in told if s not in named)),
        proposed=len(named),
        charts=(topline.chart(scope, judged, onset, judged.title, headline),),
        table=_table(ranked, shares),
        not_examined=missing,
        onset=scope.onset,
        figures={"probability that labels are late": late},
        how=How(METHOD, scope.window, scope.baseline, seconds=time.perf_counter() - began),
        shares=answers,
    )


def _judged(warehouse: Warehouse, scope: Scope) -> Judged:
    """The share of rows with a label, held against earlier days."""
    if warehouse.contract.predictions.label_time is None:
        raise CannotExamine(
            "The settings name no `label_time` in [tables.predictions]: when labels came is not "
            "known, so nobody can say which are late."
        )
    metric, blocks = asked.coverage(cells.metric_of(warehouse, scope)), Blocks.of(scope)
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
    return replace(scope, onset=topline.onset_of(came, scope) or scope.onset)


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


# -- what may have broken -----------------------------------------------------------------------


def _sources(warehouse: Warehouse, scope: Scope) -> tuple[list[Source], tuple[str, ...]]:
    """Nodes and services that deliver labels, or may; and what could not be looked at."""
    graph, missing = infra.callees(warehouse), list[str]()
    above = frozenset(graph.of_feature(warehouse.contract.predictions.label or ""))
    found: list[Source] = []
    for look in (_nodes, _services):
        try:
            found += look(warehouse, scope, graph, above)
        except CannotExamine as error:
            missing.append(str(error))
    ill = {s.name for s in found if s.log_odds > 0}
    fed = {s.name for s in found if ill & set(graph.above(s.name)) - {s.name}}
    return [replace(s, log_odds=min(s.log_odds, WAITS)) if s.name in fed else s for s in found], (
        *missing,
    )


def _nodes(warehouse: Warehouse, scope: Scope, graph: Graph, above: frozenset[str]) -> list[Source]:
    """By their runs. Every node has to be as much clearer as there are others."""
    onset = scope.onset or Onset(scope.window.start, scope.window.start, scope.window.end)
    runs = warehouse.table("runs")
    low = min(scope.baseline.start, onset.low - HISTORY)
    frame = warehouse.fetch(runs.filter(runs["time"] >= naive(low)))
    names = sorted(above or graph.nodes or set(frame["node"].astype(str)))
    ills = [health.examine(name, frame, (onset,), scope.window.end) for name in names]
    looks = math.log(max(sum(h.runs > 0 for h in ills), 1))
    return [
        Source("upstream", h.node, min(h.log_odds - looks, CLEAREST), h.words, h.signs[0].since)
        for h in ills
        if h.runs and h.signs
    ]


def _services(
    warehouse: Warehouse, scope: Scope, graph: Graph, above: frozenset[str]
) -> list[Source]:
    """By their infrastructure series; where the lineage leads from none to the label, all."""
    nobody, shares = infra.blame(breaks(warehouse, scope), graph)
    mine = above & set(shares) or set(shares)
    return [
        Source("infra", name, min(math.log(share / nobody), CLEAREST), infra.change(one), one.at)
        for name, (share, one) in shares.items()
        if name in mine
    ]


def _suspect(source: Source, share: float) -> Suspect:
    return Suspect(source.kind, source.name, share, source.changed, since=source.since)


# -- where they are missing ---------------------------------------------------------------------


def _segment(warehouse: Warehouse, scope: Scope, metric: Metric) -> Suspect | None:
    """The segment that holds what is missing, if one does."""
    try:
        rows, dims, _ = cells.load_cells(warehouse, metric, Blocks.of(scope))
    except CannotExamine:
        return None
    past = rows[rows[BLOCK] > 0].groupby(dims)[["value", "below"]].sum()
    usual = (past["value"] / past["below"]).rename("usual")
    rows = rows.join(usual, on=dims).fillna({"usual": past["value"].sum() / past["below"].sum()})
    rows["expected"] = rows["below"] * rows["usual"]
    now, before = rows[rows[BLOCK] == 0], rows[rows[BLOCK] > 0]
    whole = before["value"].notna().to_numpy(bool)
    noise = Noise.of(before["value"].to_numpy(float), before["expected"].to_numpy(float), whole)
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
    verdict: str, judged: Judged, scope: Scope, where: Suspect | None, ranked: Sequence[Source]
) -> str:
    now, usual = (words.percent(x) for x in topline.levels(judged, scope))
    told = f"{now} of rows have a label, {usual} is usual at this hour"
    if verdict == "none":
        return f"Labels come as they usually do: {told}."
    if verdict in ("upstream", "service"):
        return f"Labels are late ({told}), and `{ranked[0].name}` broke: {ranked[0].changed}."
    only = f", most of all in {where.name} ({where.changed})" if where else ""
    return f"Labels are late: {told}{only}; nothing recorded shows why."


def _table(ranked: Sequence[Source], shares: dict[str, float]) -> Table | None:
    rows = tuple((s.name, s.changed, words.percent(shares[s.name])) for s in ranked[:6])
    return Table(("may deliver labels", "since the onset", "likely"), rows) if rows else None
