"""What changed around the onset: publishes, runs, schemas, versions, experiments and
infrastructure; nearest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from analysis import infra_series, publishes, words
from analysis.charts import explore as charts
from analysis.charts.explore import Mark, Span
from analysis.evidence import CannotExamine, Chart, Evidence, How, Onset, Scope, Table
from analysis.explore.question import SEEN, Question, onset_of
from analysis.graph import health
from analysis.graph.health import FAILED
from analysis.warehouse import Warehouse, aware, naive

if TYPE_CHECKING:
    import pandas as pd

METHOD = (
    "First and last rows of each snapshot in the serving log and the registry; failed runs, and "
    "changes of schema and version between one run of a node and the next; rows, age and silence "
    "of its runs against its own history; starts and ends of experiments' arms; infrastructure "
    "that broke near the onset."
)
REACH = timedelta(days=7)
"""What changed longer before, or after, is not told."""
MOST_ROWS = 8
TRACE = 1.0
"""A sign of a node's health from this log Bayes factor on is told."""


@dataclass(frozen=True)
class Happened:
    """Something that changed: when, to what, in a few words."""

    at: datetime
    who: str
    what: str


def around(warehouse: Warehouse, question: Question) -> Evidence:
    """Everything that changed within a week of the onset, nearest first."""
    scope = question.scope
    onset, missing = onset_of(scope), list[str]()
    found = [
        *_published(warehouse, scope, missing),
        *_ran(warehouse, scope, onset, missing),
        *_experiments(warehouse, missing),
        *_infrastructure(warehouse, scope, missing),
    ]
    missing.append("changes of configuration that leave no run or snapshot behind")
    near = sorted(
        {h for h in found if abs(h.at - onset.at) <= REACH and h.at <= scope.now},
        key=lambda h: (abs(h.at - onset.at), h.who),
    )
    slack = (onset.high - onset.low) / 2 + timedelta(hours=1)
    headline = _headline(near, onset, slack)
    return Evidence(
        SEEN,
        1.0,
        headline,
        charts=_charts(near, scope, onset, slack, headline),
        table=_table(near, onset) if near else None,
        not_examined=tuple(missing),
        how=How(METHOD, scope.window, scope.baseline),
        figures={"changes": float(len(near))},
    )


def _published(warehouse: Warehouse, scope: Scope, missing: list[str]) -> Iterator[Happened]:
    if warehouse.contract.predictions.snapshot is None:
        missing.append("which snapshot served: the log has no such column")
        return
    arms: dict[tuple[str, str], list[publishes.Publish]] = {}
    for p in publishes.publishes(warehouse, replace(scope, suspects=()), ()):
        arms.setdefault((p.model, p.snapshot), []).append(p)
    for (model, snapshot), served in arms.items():
        named = [p.arm for p in served if p.arm not in ("all", "none")]
        where = f" in {words.listed(named)}" if named else ""
        yield Happened(served[0].at, model, f"snapshot {snapshot} went live{where}")


def _ran(
    warehouse: Warehouse, scope: Scope, onset: Onset, missing: list[str]
) -> Iterator[Happened]:
    if not warehouse.has("runs"):
        missing.append("runs of the pipeline: there is no table `runs` in the settings")
        return
    table = warehouse.table("runs")
    low = min(scope.baseline.start, onset.low - timedelta(days=14))
    frame = warehouse.fetch(table.filter(table["time"] >= naive(low)))
    for node, mine in frame.groupby("node"):
        mine = mine.sort_values("time", kind="stable", ignore_index=True)
        yield from _turns(str(node), mine)
        for sign in health.examine(str(node), frame, (onset,), scope.window.end).signs:
            if sign.kind in ("rows", "freshness", "silence") and sign.log_odds > TRACE:
                yield Happened(sign.since or onset.at, str(node), sign.words)


def _turns(node: str, mine: pd.DataFrame) -> Iterator[Happened]:
    """Changes of schema and version from one run to the next, and first failures in a row."""
    for column in ("schema", "version"):
        known = mine[mine[column].notna()]
        values = known[column].astype(str).to_list()
        for before, after, time in zip(values, values[1:], known["time"].iloc[1:], strict=False):
            if before != after:
                what = f"{column} {_short(before)} → {_short(after)}"
                yield Happened(aware(time), node, what)
    if mine["status"].notna().any():
        bad = mine["status"].fillna("").str.lower().str.contains("|".join(FAILED))
        first = bad & ~bad.shift(fill_value=False)
        for time in mine["time"][first]:
            yield Happened(aware(time), node, "a run failed")


def _short(text: str) -> str:
    return text if len(text) <= 14 else f"{text[:13]}…"


def _experiments(warehouse: Warehouse, missing: list[str]) -> Iterator[Happened]:
    if not warehouse.has("experiments"):
        missing.append("experiments: there is no table `experiments` in the settings")
        return
    try:
        frame = warehouse.fetch(warehouse.table("experiments"))
    except CannotExamine as error:
        missing.append(str(error))
        return
    for row in frame.to_dict("records"):
        share = float(row["share"]) if _there(row["share"]) else 0.0
        part = f" with {words.percent(share)} of traffic" if share else ""
        if _there(row["start"]):
            what = f"arm {row['arm']} began{part}"
            yield Happened(aware(row["start"]), str(row["experiment"]), what)
        if _there(row["end"]):
            yield Happened(aware(row["end"]), str(row["experiment"]), f"arm {row['arm']} ended")


def _infrastructure(warehouse: Warehouse, scope: Scope, missing: list[str]) -> Iterator[Happened]:
    try:
        found = infra_series.breaks(warehouse, scope)
    except CannotExamine as error:
        missing.append(f"infrastructure: {error}")
        return
    for one in found:
        if one.near and one.size >= infra_series.LARGEST and one.log_odds > 0:
            now, usual = infra_series.levels(one)
            moved = f"{words.number(usual)} → {words.number(now)}"
            yield Happened(one.at, one.service, f"{one.metric} {moved}")


def _there(value: Any) -> bool:
    """Whether a cell holds something."""
    import pandas as pd

    return not pd.isna(value)


# -- saying ---------------------------------------------------------------------------------------


def _headline(near: Sequence[Happened], onset: Onset, slack: timedelta) -> str:
    began = words.clock(onset.at)
    if not near:
        return f"Nothing that I can see changed within 7 days of {began}, when it began."
    first = near[0]
    how_far = _distance(first.at, onset.at)
    said = f"{first.who}: {first.what}, {how_far}"
    close = sum(abs(h.at - onset.at) <= slack for h in near)
    if abs(first.at - onset.at) > slack:
        return f"Nothing changed when it began ({began}). Nearest: {said}."
    more = f" {words.plural(close - 1, 'other change')} near it." if close > 1 else ""
    return f"Nearest to the onset: {said}.{more}"


def _distance(at: datetime, onset: datetime) -> str:
    gap = abs(at - onset)
    if gap < timedelta(minutes=2):
        return "just when it began"
    return f"{words.span(gap)} {'before' if at < onset else 'after'} it began"


def _table(near: Sequence[Happened], onset: Onset) -> Table:
    rows = tuple(
        (h.who, h.what, words.clock(h.at), _distance(h.at, onset.at)) for h in near[:MOST_ROWS]
    )
    return Table(("who", "what changed", "when", "from the onset"), rows)


def _charts(
    near: Sequence[Happened], scope: Scope, onset: Onset, slack: timedelta, headline: str
) -> tuple[Chart, ...]:
    if not near:
        return ()
    shown = near[:20]
    since = min(min(h.at for h in shown), onset.low) - timedelta(hours=3)
    found = [Mark(h.at, h.who, abs(h.at - onset.at) <= slack) for h in shown]
    alt = "What changed when: " + "; ".join(
        f"{words.clock(h.at)} {h.who} {h.what}" for h in near[:6]
    )
    title = headline.split(". ")[0].rstrip(".")
    return (charts.marks(found, Span(since, scope.window, onset), title, alt),)
