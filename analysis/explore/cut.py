"""Segments of any metric: the fewest combinations of values that carry its change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis import words
from analysis.cells import against_usual, inside_of, load_cells, ratio_shift, share_shift
from analysis.charts.bars import Bar, segment_bars
from analysis.drilldown.cuboids import explain
from analysis.evidence import CannotExamine, Chart, Evidence, How, Suspect, Table
from analysis.explore.question import SEEN, Question
from analysis.few import FEWEST_IN_A_CELL, FEWEST_ROWS
from analysis.metrics import BLOCK, Blocks
from analysis.tables import Metric
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

METHOD = (
    "Cells of all dimensions now against the same hours of earlier days; the fewest segments of up "
    "to three dimensions whose cells moved together, by least squares with one parameter each "
    "(after Squeeze, Li et al. 2019)."
)
MOST = 5


@dataclass(frozen=True)
class _Row:
    """One segment: the metric in it usually and now, its share of the change, its rows."""

    where: dict[str, str]
    usual: float
    now: float
    share: float
    rows: float
    effect: str

    @property
    def name(self) -> str:
        """``a=a1, c=c7``."""
        return ", ".join(f"{k}={v}" for k, v in self.where.items())


def segments_of(warehouse: Warehouse, question: Question) -> Evidence:
    """Which segments carry the change of the metric ``question.name``.

    Raises CannotExamine without dimensions, rows, or earlier days to compare with.
    """
    metric = _metric(warehouse, question)
    blocks = Blocks.of(question.scope)
    if not blocks.count:
        raise CannotExamine("There is no earlier day to compare with; choose a shorter window.")
    cells, dims, missing = load_cells(warehouse, metric, blocks)
    frame = against_usual(cells, dims)
    title = metric.title or metric.name
    volume = metric.kind == "volume"
    rows = [r for r in _explained(frame, dims, volume) if _unusual(cells, r)]
    headline = _headline(title, rows, _whole(frame, volume))
    return Evidence(
        SEEN,
        1.0,
        headline,
        suspects=tuple(Suspect("segment", r.name, max(-1.0, min(r.share, 1.0))) for r in rows),
        charts=(_chart(rows or _broad(frame, dims, volume), headline, title, found=bool(rows)),),
        table=_table(rows) if rows else None,
        not_examined=tuple(missing),
        how=How(
            METHOD,
            blocks.window,
            question.scope.baseline,
            int(cells.loc[cells[BLOCK] == 0, "volume"].sum()),
            int(cells.loc[cells[BLOCK] > 0, "volume"].sum()),
            notes=(f"dimensions: {', '.join(dims)}", f"{len(frame):,} cells"),
        ),
    )


def _metric(warehouse: Warehouse, question: Question) -> Metric:
    if question.thing == "metric":
        return warehouse.contract.metric(question.name)
    if question.thing != "model":
        raise CannotExamine(f"`{question.name}` is no metric or model; segments need one.")
    title = f"mean prediction of {question.name}"
    return Metric(name=question.name, kind="mean_prediction", model=question.name, title=title)


def _explained(frame: pd.DataFrame, dims: Sequence[str], volume: bool) -> list[_Row]:
    if volume:
        found = explain(frame, dims, "volume", "usual_volume")
    else:
        below = ("below", "usual_below")
        found = explain(frame, dims, "value", "usual_value", denominator=below)
    rows = [_row(frame, one.where, one.share, one.effect, volume) for one in found]
    return [r for r in rows if r.rows >= FEWEST_ROWS][:MOST]


def _unusual(cells: pd.DataFrame, row: _Row) -> bool:
    """Whether the segment's rate, or its share of traffic, is beyond what earlier days did."""
    inside = inside_of(cells, row.where)
    if row.effect == "mix":
        shift = share_shift(cells, inside.astype(float))
    else:
        shift = ratio_shift(cells[inside], "value", "below")
    return not shift.seen or shift.log_odds > 0


def _row(
    frame: pd.DataFrame, where: dict[str, str], share: float, effect: str, volume: bool
) -> _Row:
    mine = frame[inside_of(frame, where)]
    rows = float(mine["volume"].sum() + mine["usual_volume"].sum())
    if volume or effect == "mix":
        usual, now = float(mine["usual_volume"].sum()), float(mine["volume"].sum())
    else:
        usual, now = _rate(mine, "usual_"), _rate(mine, "")
        if mine["volume"].sum() < FEWEST_IN_A_CELL:
            now = float("nan")
    return _Row(where, usual, now, share, rows, effect)


def _rate(mine: pd.DataFrame, prefix: str) -> float:
    below = float(mine[f"{prefix}below"].sum())
    return float(mine[f"{prefix}value"].sum()) / below if below else float("nan")


def _whole(frame: pd.DataFrame, volume: bool) -> tuple[float, float]:
    """The metric over everything: (usually, now)."""
    if volume:
        return float(frame["usual_volume"].sum()), float(frame["volume"].sum())
    return _rate(frame, "usual_"), _rate(frame, "")


def _broad(frame: pd.DataFrame, dims: Sequence[str], volume: bool) -> list[_Row]:
    """The three largest values of each dimension, where no segment stands out."""
    rows: list[_Row] = []
    for dimension in dims:
        sizes = frame.groupby(dimension)["volume"].sum().sort_values(ascending=False)
        top = sizes[sizes >= FEWEST_ROWS].head(3).index
        rows += [_row(frame, {dimension: str(level)}, 0.0, "rate", volume) for level in top]
    return rows[:9]


def _headline(title: str, rows: Sequence[_Row], whole: tuple[float, float]) -> str:
    moved = f"{words.number(whole[0])} → {words.number(whole[1])}"
    if not rows:
        return f"No segment stands out: {title} moved alike everywhere ({moved})."
    first = rows[0]
    if first.effect == "mix" and first.usual == first.usual:
        moved = f"{words.number(first.usual)} → {words.number(first.now)} rows"
    else:
        moved = f"{words.number(first.usual)} → {words.number(first.now)}"
    share = words.percent(abs(first.share))
    return f"{first.name} carries {share} of the change of {title}: {moved} there."


def _table(rows: Sequence[_Row]) -> Table:
    return Table(
        ("segment", "share of the change", "usually → now", "what moved"),
        tuple(
            (
                r.name,
                words.percent(r.share),
                f"{words.number(r.usual)} → {words.number(r.now)}",
                "its size" if r.effect == "mix" else "its rate",
            )
            for r in rows
        ),
    )


def _chart(rows: Sequence[_Row], headline: str, title: str, *, found: bool) -> Chart:
    rates = [r for r in rows if r.effect != "mix"] or list(rows)
    bars = [Bar(r.name, r.usual, r.now, found) for r in rates]
    alt = f"{title} by segment, usually and now: " + "; ".join(
        f"{b.name} {words.number(b.usual)} → {words.number(b.now)}" for b in bars
    )
    unit = "rows" if rates and rates[0].effect == "mix" else title
    return segment_bars(bars, headline.split(":")[0].rstrip("."), alt, unit)
