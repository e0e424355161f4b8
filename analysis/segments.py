"""Which segment of traffic moved, or did the world move everywhere?"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis import odds, words
from analysis.cells import (
    CONFIRMED,
    SURE,
    against_usual,
    label_shift,
    load_cells,
    metric_of,
    share_shift,
)
from analysis.charts.bars import Bar, segment_bars
from analysis.drilldown.cuboids import explain
from analysis.drilldown.leaves import Segment
from analysis.evidence import Chart, Evidence, How, Scope, Suspect, Table
from analysis.metrics import BLOCK, Blocks
from analysis.odds import Shift
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Segment", "explain", "which_traffic"]

METHOD = (
    "Cells of all dimensions now against the same hours of earlier days; the fewest segments of up "
    "to three dimensions whose cells moved together, by least squares with one parameter each "
    "(after Squeeze, Li et al. 2019). Each is then held against its own spread over earlier days."
)


def which_traffic(warehouse: Warehouse, scope: Scope) -> Evidence:
    """Which segment of traffic moved, or did the world move everywhere?

    Verdicts: ``segment`` (suspects of kind "segment" named ``dimension=value, …``), ``world``
    (labels or rates moved broadly), ``none``. Raises CannotExamine without dimensions or rows.
    """
    began = time.perf_counter()
    metric = metric_of(warehouse, scope)
    blocks = Blocks.of(scope)
    cells, dims, missing = load_cells(warehouse, metric, blocks)
    frame = against_usual(cells, dims)
    found = explain(frame, dims, "volume", "usual_volume")
    judged = [(one, _against_history(cells, one)) for one in found]
    judged = [(one, s) for one, s in judged if s.seen or blocks.count < 3]
    judged.sort(key=lambda pair: -pair[1].log_odds)
    labels = label_shift(cells)
    weights = {"none": 0.0}
    candidates = math.log(max(len(frame), 2))
    if judged:
        weights["segment"] = min(judged[0][1].log_odds - 0.25 * candidates, 12.0)
    if labels.seen:
        moved = labels.log_odds
        if scope.entry == "metric" and CONFIRMED.get(metric.kind or "") == "labels":
            moved = max(moved, SURE)
        weights["world"] = min(moved, 12.0)
    shares = odds.share_out(weights)
    verdict = max(shares, key=lambda v: shares[v])
    strong = _strong(judged, candidates * 0.25)
    suspects = tuple(
        Suspect("segment", one.name, max(min(one.share, 1.0), -1.0), changed=_moved(s))
        for one, s in strong
    )
    headline = _headline(verdict, strong, labels, blocks)
    return Evidence(
        verdict=verdict,
        confidence=min(max(shares[verdict], 0.005), 0.995),
        headline=headline,
        suspects=suspects if verdict == "segment" else (),
        charts=(_bars(frame, dims, strong, verdict, headline),),
        table=_table(strong) if strong else None,
        not_examined=tuple(missing),
        onset=scope.onset,
        figures={f"probability of {v}": p for v, p in shares.items()},
        how=How(
            METHOD,
            blocks.window,
            scope.baseline,
            int(cells.loc[cells[BLOCK] == 0, "volume"].sum()),
            int(cells.loc[cells[BLOCK] > 0, "volume"].sum()),
            time.perf_counter() - began,
            (f"dimensions: {', '.join(dims)}", f"{len(frame):,} cells"),
        ),
    )


def _strong(judged: list[tuple[Segment, Shift]], bar: float) -> list[tuple[Segment, Shift]]:
    """Segments that are unusual and not small beside the largest; at least the clearest one."""
    largest = max((abs(one.actual - one.expected) for one, _ in judged), default=0.0)
    return [
        (one, s)
        for one, s in judged
        if s.log_odds > bar and abs(one.actual - one.expected) >= 0.25 * largest
    ] or judged[:1]


def _against_history(cells: pd.DataFrame, one: Segment) -> Shift:
    """The segment's share of traffic now against that of earlier blocks."""
    inside = np.ones(len(cells))
    for d, v in one.where.items():
        inside *= (cells[d].astype(str) == v).to_numpy(float)
    return share_shift(cells, inside)


def _moved(s: Shift) -> str:
    if not s.seen:
        return "moved; too few earlier days to say how unusual that is"
    return f"{words.percent(_share(s.usual))} → {words.percent(_share(s.now))} of traffic"


def _share(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def _headline(
    verdict: str, strong: list[tuple[Segment, Shift]], labels: Shift, blocks: Blocks
) -> str:
    if verdict == "segment":
        names = words.listed([one.name for one, _ in strong], 2)
        return f"Traffic moved in {names}: {_moved(strong[0][1])}."
    if verdict == "world":
        return (
            f"No segment of traffic moved; what happens did: the rate of positives is "
            f"{words.percent(labels.now)}, usually {words.percent(labels.usual)}."
        )
    days = words.plural(blocks.count, "earlier day")
    return f"No segment of traffic moved beyond what it does in {days}."


def _table(strong: list[tuple[Segment, Shift]]) -> Table:
    rows = tuple(
        (one.name, words.percent(one.share), f"{one.expected:,.0f} → {one.actual:,.0f}", _moved(s))
        for one, s in strong[:6]
    )
    return Table(("segment", "share of the change", "rows", "changed"), rows)


def _bars(
    frame: pd.DataFrame,
    dims: Sequence[str],
    strong: list[tuple[Segment, Shift]],
    verdict: str,
    headline: str,
) -> Chart:
    bars = [Bar(one.name, one.expected, one.actual, verdict == "segment") for one, _ in strong[:3]]
    for d in dims:
        part = frame.groupby(d)[["volume", "usual_volume"]].sum()
        part = part.sort_values("volume", ascending=False).head(3)
        bars += [
            Bar(f"{d}={level}", float(row["usual_volume"]), float(row["volume"]), False)
            for level, row in part.iterrows()
            if f"{d}={level}" not in {b.name for b in bars}
        ]
    bars = bars[:9]
    alt = "Rows by segment, usual and now: " + "; ".join(
        f"{b.name} {b.usual:,.0f} → {b.now:,.0f}" for b in bars
    )
    return segment_bars(bars, headline.rstrip("."), alt, "rows in the window")
