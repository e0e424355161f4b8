"""A chart of one series with its seasonal band, or of the levels of a dimension."""

from __future__ import annotations

import math
from dataclasses import replace

from analysis import words
from analysis.charts import explore as charts
from analysis.charts.explore import Drawn, Facet, Span
from analysis.evidence import Chart, Evidence, How, Table
from analysis.explore import lines
from analysis.explore.lines import Held, Level
from analysis.explore.question import SEEN, Question, onset_of
from analysis.few import FEWEST_IN_A_CELL
from analysis.warehouse import Warehouse

METHOD = (
    "The series in buckets, against a robust seasonal band (Huber; empirical Bayes) learnt from "
    "before it began."
)
IN_ONE_PANEL = 4
"""More levels than that are drawn in a panel each: more colours are not told apart."""
FEWEST_TO_LEAN = 6
"""From so many points on, nearly all on one side of what is expected are told."""
_INSIDE = "does not leave the band that is drawn here"
BY = (
    "The series of each value of the dimension with most rows; since it began against the same "
    "hours of the days before."
)


def draw(warehouse: Warehouse, question: Question) -> Evidence:
    """A chart of ``question.name``, by ``question.by`` where one is named.

    Raises CannotExamine when there is nothing to draw.
    """
    return _by(warehouse, question) if question.by else _whole(warehouse, question)


def _whole(warehouse: Warehouse, question: Question) -> Evidence:
    held = lines.held(warehouse, question)
    span, title = _span(question), _title(question, held)
    off = _is_off(question)
    told = " ".join(_said(h, off=off) for h in held)
    alt = f"{question.name} since {words.clock(span.since)}. {told}"
    chart = charts.panels([h.drawn for h in held], span, title, alt)
    rest = " ".join(_said(h, off=off) for h in held[1:] if h.out > h.points / 4)
    return _evidence(question, f"{title}. {rest}".strip(), chart, METHOD, held[0].rows, span)


def _title(question: Question, held: list[Held]) -> str:
    one, name = held[0], question.name
    if question.thing == "model":
        name = f"{one.drawn.name} of {name}"
    elif question.thing == "feature":
        name = one.drawn.name
    return _said(one, name, _is_off(question)).rstrip(".")


def _is_off(question: Question) -> bool:
    """Whether the walk found what is charted to be off, by one of its series, and since when."""
    scope = question.scope
    subject = (question.thing, question.name) == (scope.entry, scope.subject)
    return subject and scope.onset is not None


def _said(one: Held, name: str = "", off: bool = False) -> str:
    """What the series did beside its band. Of what is ``off`` only that is told: it may be off by
    all points together, or by another series or band, and is not called usual."""
    name = name or one.drawn.name
    if not one.points:
        return f"{name} has no values since it began."
    figures = f"{words.number(one.now)} since it began, usually {words.number(one.usual)}"
    if one.out > one.points / 2:
        return f"{name} is out of its band: {figures}."
    if one.out > max(1, one.points / 10):
        return f"{name} left its band {one.out} of {one.points} times: {figures}."
    side = max(one.below, one.points - one.below)
    left = f"left its band {one.out} of {one.points} times"
    if one.points >= FEWEST_TO_LEAN and side >= 0.9 * one.points:
        where = "low" if one.below == side else "high"
        if one.out:
            return f"{name} {left}, and is {where} {side} of {one.points} times: {figures}."
        lean = f"{where} in it {side} of {one.points} times: {figures}."
        return f"{name} {_INSIDE if off else 'is in its band'}, {'' if off else 'but '}{lean}"
    if one.out:
        return f"{name} {left}{'' if off else ', which is usual'}: {figures}."
    if off:
        return f"{name} {_INSIDE}: {figures}."
    return f"{name} stays in its band: {figures}."


def _by(warehouse: Warehouse, question: Question) -> Evidence:
    found = lines.levels(warehouse, question)
    span = _span(question)
    ranked = sorted(found, key=lambda one: -abs(one.moved))
    title = _moved(question, ranked)
    alt = f"{question.name} by {question.by}: " + "; ".join(_level(one) for one in found)
    unit = f"{question.name} by {question.by}"
    if len(found) > IN_ONE_PANEL:
        chart = charts.facets(_facets(warehouse, question, ranked), span, title, alt)
    else:
        chart = charts.lines([one.drawn for one in found], span, title, alt, unit)
    rows = tuple(
        (one.drawn.name, words.number(one.usual), words.number(one.now), _count(one.rows))
        for one in ranked
    )
    table = Table((question.by, "usually", "since it began", "rows"), rows)
    count = sum(one.rows for one in found)
    return _evidence(question, f"{title}.", chart, BY, count, span, table)


def _facets(warehouse: Warehouse, question: Question, ranked: list[Level]) -> list[Facet]:
    """A panel for each level with all rows behind it, those that moved most in colour."""
    whole = lines.whole(warehouse, question)
    whole = replace(whole, drawn=replace(whole.drawn, name=f"{question.name}, all rows"))
    most = max(abs(one.moved) for one in ranked)
    return [
        Facet(
            one.drawn,
            _scaled(whole, one) if _counts(warehouse, question) else whole.drawn,
            f"{words.number(one.usual)} → {words.number(one.now)}",
            0 < most <= 2 * abs(one.moved),
        )
        for one in ranked
    ]


def _counts(warehouse: Warehouse, question: Question) -> bool:
    """Whether levels add up to the whole, so that it stands far above each of them."""
    return question.thing == "metric" and warehouse.contract.metric(question.name).kind == "volume"


def _scaled(whole: Level, one: Level) -> Drawn:
    """The whole times the level's usual share: where the level would be if all moved alike."""
    share = one.usual / whole.usual if whole.usual else math.nan
    name = f"{whole.drawn.name}, times its usual share"
    return replace(whole.drawn, name=name, values=whole.drawn.values * share)


def _moved(question: Question, ranked: list[Level]) -> str:
    first, rest = ranked[0], ranked[1:]
    if not math.isfinite(first.now):
        return f"{question.name}: no {question.by} has {FEWEST_IN_A_CELL} rows since it began"
    head = f"{first.drawn.name} moved most: {words.number(first.usual)} → {words.number(first.now)}"
    if not rest:
        return head
    most = max(abs(one.moved) for one in rest)
    if abs(first.moved) >= 2 * most:
        return f"{head}; the others by at most {words.number(most)}"
    if all(2 * one.moved * first.moved >= first.moved**2 for one in ranked):
        most = abs(first.moved)
        return f"{question.name} moved alike in every {question.by}, by up to {words.number(most)}"
    return f"{head}, then {_level(rest[0])}"


def _count(rows: int) -> str:
    few = FEWEST_IN_A_CELL
    return f"{rows:,}" if rows >= few else f"under {few}"


def _level(one: Level) -> str:
    return f"{one.drawn.name} {words.number(one.usual)} → {words.number(one.now)}"


def _span(question: Question) -> Span:
    scope = question.scope
    since = scope.now - lines.shown_since(question)
    return Span(since, scope.window, onset_of(scope))


def _evidence(
    question: Question,
    headline: str,
    chart: Chart,
    method: str,
    rows: int,
    span: Span,
    table: Table | None = None,
) -> Evidence:
    scope = question.scope
    return Evidence(
        SEEN,
        1.0,
        headline,
        charts=(chart,),
        table=table,
        how=How(method, scope.window, scope.baseline, rows),
        figures={"hours shown": (scope.now - span.since).total_seconds() / 3600},
    )
