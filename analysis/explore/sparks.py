"""A day of each monitored thing in 24 numbers, for a line of unicode blocks."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np

from analysis.evidence import CannotExamine, Evidence, How, Scope, Table, Window
from analysis.explore import lines
from analysis.explore.question import SEEN, Question, Thing
from analysis.quality import Floats
from analysis.warehouse import Warehouse

THINGS: dict[str, Thing] = {"metric": "metric", "model": "model", "feature": "feature"}
HOURS = 24
MOST = 40


def of(warehouse: Warehouse, question: Question) -> Evidence:
    """A row per ``thing:name`` of ``question.others``: 24 hourly values, newest last, the newest
    value's distance from its band in its own standard deviations.

    What can't be read has no values; the row says why.
    """
    rows = [_row(warehouse, question.scope, pair) for pair in question.others[:MOST]]
    headers = ("monitor", "hourly values", "in its band", "why not")
    table = Table(headers, tuple(rows))
    return Evidence(SEEN, 1.0, "The last 24 hours.", table=table, how=How("hourly means"))


def _row(warehouse: Warehouse, scope: Scope, pair: str) -> tuple[str, str, str, str]:
    thing, _, name = pair.partition(":")
    asked = Question("chart", _last_day(scope), THINGS[thing], name, HOURS)
    try:
        one = lines.held(warehouse, asked)[0]
    except (CannotExamine, ValueError) as error:
        return pair, "", "", str(error)[:200]
    values = hourly(one.drawn.times, one.drawn.values, scope)
    low, high = one.drawn.low, one.drawn.high
    inside = ""
    known = np.flatnonzero(np.isfinite(one.drawn.values))
    if len(known) and low is not None and high is not None:
        last = int(known[-1])
        inside = "yes" if low[last] <= one.drawn.values[last] <= high[last] else "no"
    return pair, ",".join(values), inside, ""


def _last_day(scope: Scope) -> Scope:
    window = Window(scope.now - timedelta(hours=HOURS), scope.now)
    week = Window(window.start - timedelta(days=7), window.start)
    return replace(scope, window=window, baseline=week, onset=None)


def hourly(times: lines.Times, values: Floats, scope: Scope) -> list[str]:
    """The means of the last 24 hours, oldest first; "" where there is no value."""
    now = np.datetime64(scope.now.replace(tzinfo=None), "s")
    ages = ((now - times) / np.timedelta64(3600, "s")).astype(float)
    hours = np.floor(ages).astype(int)
    out = []
    for age in range(HOURS - 1, -1, -1):
        mine = values[(hours == age) & np.isfinite(values)]
        out.append(f"{mine.mean():.6g}" if len(mine) else "")
    return out
