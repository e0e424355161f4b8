"""Which segment of traffic moved, or did the world move everywhere?"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from analysis import odds, words
from analysis.cells import (
    CONFIRMED,
    SURE,
    against_usual,
    inside_of,
    label_shift,
    load_cells,
    metric_of,
    scatter,
    share_shift,
)
from analysis.charts.bars import Bar, segment_bars
from analysis.drilldown.cuboids import explain
from analysis.drilldown.leaves import Segment
from analysis.evidence import Chart, Evidence, How, Scope, Suspect, Table
from analysis.metrics import BLOCK, Blocks
from analysis.odds import NOT_SEEN, Shift
from analysis.outcomes import Held, held
from analysis.renames import as_before, told_of
from analysis.tables import Metric
from analysis.warehouse import Warehouse
from analysis.weekdays import level, rows_said, usual_volumes, volume_shift

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
    (labels or rates moved; the suspect is the segment that holds that, if one does), ``none``.
    Raises CannotExamine without dimensions or rows.
    """
    began = time.perf_counter()
    metric = metric_of(warehouse, scope)
    blocks = Blocks.of(scope)
    cells, dims, missing = load_cells(warehouse, metric, blocks, arms=True)
    cells, renamed = as_before(cells, [d for d in dims if d in warehouse.features])
    frame = against_usual(cells, dims)
    frame["usual_volume"] *= level(cells, usual_volumes(cells, blocks))
    bar = 0.25 * math.log(max(len(frame), 2))
    found = explain(frame, dims, "volume", "usual_volume", noise=scatter(cells, dims))
    judged, rest = _judged(cells, found, bar)
    judged = [(one, s) for one, s in judged if s.seen or blocks.count < 3]
    judged.sort(key=lambda pair: -pair[1].log_odds)
    labels = label_shift(rest)  # a segment brings labels of its own
    confirmed = CONFIRMED.get(metric.kind or "", "") if scope.entry == "metric" else ""
    everywhere = NOT_SEEN
    if confirmed == "volume":
        everywhere = volume_shift(rest, usual_volumes(rest, blocks))
    # What was said to move did so in all traffic: of labels without a segment's it says nothing.
    said = "" if confirmed == "labels" and rest is not cells else confirmed
    shares = _shares(_world_weights(labels, everywhere, said), judged, bar)
    verdict = max(shares, key=lambda v: shares[v])
    strong = _strong(judged, bar)
    suspects: tuple[Suspect, ...] = ()
    told = ""
    if verdict == "segment":
        suspects = tuple(_suspect(one.name, one.share, _moved(s)) for one, s in strong)
    elif verdict == "world":
        moved_too = [one.name for one, s in strong if s.log_odds > bar]
        rate = _is_rate(warehouse, metric, cells)
        holds = held(rest, dims) if labels.seen and not _by_volume(labels, everywhere) else None
        told = _world(moved_too, labels, everywhere, rate, holds)
        suspects = (_suspect(holds.name, holds.share, _went(holds, rate)),) if holds else ()
    headline = _headline(verdict, strong, told, cells)
    return Evidence(
        verdict=verdict,
        confidence=min(max(shares[verdict], 0.005), 0.995),
        headline=headline,
        suspects=suspects,
        proposed=len(suspects),
        charts=(_bars(frame, dims, strong, verdict, headline),),
        table=_table(strong) if strong else None,
        not_examined=tuple(missing),
        disagreements=told_of(renamed),
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


def _suspect(name: str, share: float, changed: str) -> Suspect:
    return Suspect("segment", name, max(min(share, 1.0), -1.0), changed=changed)


def _shares(
    world: Sequence[float], judged: Sequence[tuple[Segment, Shift]], bar: float
) -> dict[str, float]:
    """Probabilities of the verdicts; ``judged`` has the clearest segment first."""
    weights = {"none": 0.0}
    if world:
        weights["world"] = min(max(world), 12.0)
    if judged:
        weights["segment"] = min(judged[0][1].log_odds - bar, 12.0)
    return odds.share_out(weights)


def _world_weights(labels: Shift, everywhere: Shift, confirmed: str) -> list[float]:
    """Log odds that what happens moved, and that traffic did everywhere.

    ``confirmed`` is what somebody said to have moved, which counts where figures say less of it or,
    of the volume, nothing.
    """
    found = []
    if labels.seen:
        found.append(max(labels.log_odds, SURE) if confirmed == "labels" else labels.log_odds)
    if confirmed == "volume":
        found.append(everywhere.log_odds if everywhere.seen else SURE)
    return found


def _strong(judged: list[tuple[Segment, Shift]], bar: float) -> list[tuple[Segment, Shift]]:
    """Segments that are unusual and not small beside the largest; at least the clearest one."""
    largest = max((abs(one.actual - one.expected) for one, _ in judged), default=0.0)
    return [
        (one, s)
        for one, s in judged
        if s.log_odds > bar and abs(one.actual - one.expected) >= 0.25 * largest
    ] or judged[:1]


def _judged(
    cells: pd.DataFrame, found: Sequence[Segment], bar: float
) -> tuple[list[tuple[Segment, Shift]], pd.DataFrame]:
    """Segments with their share of traffic against earlier blocks, and the cells outside of those
    that moved by more than ``bar``.

    Where one grows, the shares of all others shrink: each but the clearest has to have moved in
    the traffic that is left without those before it as well.
    """
    out: list[tuple[Segment, Shift]] = []
    left = cells
    for one in found:
        inside = inside_of(cells, one.where).astype(float)
        moved = share_shift(left, inside).log_odds > bar
        if moved or not out:
            out.append((one, share_shift(cells, inside)))
        if moved:  # its cells stay, empty, so that every block is there
            sums = ["volume", "labels", "positives"]
            left = left.assign(**{name: left[name] * (1 - inside) for name in sums})
    return out, left


def _moved(s: Shift) -> str:
    if not s.seen:
        return "moved; too few earlier days to say how unusual that is"
    return f"{words.percent(_share(s.usual))} → {words.percent(_share(s.now))} of traffic"


def _share(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def _headline(
    verdict: str,
    strong: list[tuple[Segment, Shift]],
    world: str,
    cells: pd.DataFrame,
) -> str:
    if verdict == "segment":
        others = [f"in {one.name}" for one, _ in strong[1:]]
        also = f"; also {words.listed(others, 2)}" if others else ""
        return f"Traffic moved in {strong[0][0].name}: {_moved(strong[0][1])}{also}."
    if world:
        return world
    days = words.plural(int(cells.loc[cells[BLOCK] > 0, BLOCK].nunique()), "earlier day")
    return f"No segment of traffic moved beyond what it does in {days}."


def _by_volume(labels: Shift, everywhere: Shift) -> bool:
    """Whether the volume of a world that moved says more of that than labels do."""
    return everywhere.seen and everywhere.log_odds >= labels.log_odds


def _world(
    moved: Sequence[str],
    labels: Shift,
    everywhere: Shift,
    rate: bool,
    holds: Held | None = None,
) -> str:
    """The headline of a world that moved; the figures are of traffic outside of ``moved``, or of
    the segment that ``holds`` what labels did."""
    names = words.listed(list(moved), 2)
    if _by_volume(labels, everywhere):
        rows = rows_said(everywhere)
        if moved:
            return f"Traffic moved everywhere, in {names} most: {rows} in the rest."
        return f"Traffic moved everywhere alike: {rows}."
    if not labels.seen:
        return "No segment of traffic stands out, and too few earlier days tell what its volume is."
    name, told = _label(rate)
    one, where, there = holds or labels, "", ""
    if holds:
        where, there = f", {'only' if holds.alone else 'most of all'} in {holds.name}", " there"
    figures = f"the {name}{there} is {told(one.now)}, usually {told(one.usual)}"
    if moved:
        beside = f"What happens moved, and not only where traffic did ({names})"
        return f"{beside}: elsewhere{where and where + ','} {figures}."
    return f"No segment of traffic moved; what happens did{where}: {figures}."


def _label(rate: bool) -> tuple[str, Callable[[float], str]]:
    """What the mean of labels is called, and how its figures are told."""
    return ("rate of positives", words.percent) if rate else ("mean label", words.number)


def _went(holds: Held, rate: bool) -> str:
    name, told = _label(rate)
    return f"{name} {told(holds.usual)} → {told(holds.now)}"


def _is_rate(warehouse: Warehouse, metric: Metric, cells: pd.DataFrame) -> bool:
    """Whether labels are counted as a share of positives; amounts and grades have a mean."""
    known = warehouse.contract.models
    tasks = {m.task for m in known if metric.model in (None, m.name)}
    whole = bool(cells["positives"].between(0, cells["labels"]).all())
    return whole and not tasks & {"regression", "ranking"}


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
