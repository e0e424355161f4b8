"""The health of a node's runs around the onset, against the node's own history.

Each sign gives a log Bayes factor: runs that fail or do not come, rows that are fewer or more,
data that grow old, a schema or a version that changes just then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import odds
from analysis.evidence import Onset, Scope
from analysis.warehouse import Warehouse, naive
from analysis.words import clock

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

SLACK = 0.25
"""Hours from a run until what it wrote is served."""
NEAR = 1.25
"""Hours around the end of a run in which what it wrote shows, where it serves nothing meanwhile."""
LAG = timedelta(hours=8)
"""From a run of a source until the last job below it has passed on what it wrote."""
PASSES_ON = timedelta(hours=2)
"""A loss of rows that shows so much later is less likely by a factor of e."""
AFTER = 3.0
"""Log odds that a sign loses which shows in a run after it had begun."""
BEFORE = 6.0
"""Hours before the onset that rows per run are compared with."""
SAME_HOURS = 7
"""From so many earlier days with runs at the same hours on, those tell what is usual."""
HISTORY = timedelta(days=14)
"""Runs from so long before the onset on, or from the baseline's start, tell what is usual."""
FAILED = ("fail", "error", "abort", "timeout", "cancel", "killed")


@dataclass(frozen=True)
class Sign:
    """One thing that is off about a node: its log Bayes factor, words, and when it began."""

    kind: str
    log_odds: float
    words: str
    since: datetime | None = None


@dataclass(frozen=True)
class Health:
    """A node's signs, strongest first; ``runs`` is how many runs were seen. ``fresh``: one of them
    wrote in the hours before it began: what did not cannot have changed what comes from it."""

    node: str
    signs: tuple[Sign, ...]
    runs: int
    fresh: bool = True

    @property
    def log_odds(self) -> float:
        """The strongest sign's log Bayes factor, 0 without runs, negative when all looks fine."""
        if not self.runs:
            return 0.0
        return self.signs[0].log_odds if self.signs else -2.0

    @property
    def symptoms(self) -> float:
        """The same without a new version: nothing that feeds a node makes its release."""
        return max((s.log_odds for s in self.signs if s.kind != "version"), default=0.0)

    @property
    def words(self) -> str:
        """What is off, or that nothing is."""
        if not self.runs:
            return "no runs recorded"
        loud = [s for s in self.signs if s.log_odds > 1]
        return ", ".join(s.words for s in loud[:2]) if loud else "usual"


def of_nodes(
    warehouse: Warehouse, scope: Scope, onsets: Sequence[Onset], nodes: Sequence[str]
) -> dict[str, Health]:
    """The health of each node by its runs; of none anything is known where none are recorded."""
    if not warehouse.has("runs"):
        return {n: Health(n, (), 0) for n in nodes}
    table = warehouse.table("runs")
    low = min(scope.baseline.start, onsets[0].low - HISTORY)
    table = table.filter(table["time"] >= naive(low), table["node"].isin(list(nodes)))
    frame = warehouse.fetch(table)
    return {n: examine(n, frame, onsets, scope.window.end) for n in nodes}


def examine(node: str, runs: pd.DataFrame, onsets: Sequence[Onset], end: datetime) -> Health:
    """The health of one node. ``runs`` has the columns of the contract, times naive in UTC.

    ``onsets`` says when it began, the metric's own word first.
    """
    onset = onsets[-1]
    mine = runs[runs["node"] == node].sort_values("time", kind="stable", ignore_index=True)
    if len(mine) < 3:
        return Health(node, (), len(mine))
    slack = max(timedelta(minutes=45), (onset.high - onset.low) / 2)
    late = mine["time"] >= naive(onset.low - slack)
    signs = [
        _failures(mine, late),
        _silence(mine, onset, end),
        _rows(mine, late),
        _age(mine, late),
        _event(mine, "schema", onsets, end),
        _event(mine, "version", onsets, end),
    ]
    by = onset.high + slack
    kept = sorted((_in_time(s, by) for s in signs if s is not None), key=lambda s: -s.log_odds)
    wrote = mine["time"].between(naive(onset.low - slack - LAG), naive(onset.high + slack))
    wrote &= ~_bad(mine)
    return Health(node, tuple(kept), len(mine), bool(wrote.any()))


def _in_time(sign: Sign, by: datetime) -> Sign:
    """What a run wrote after it had begun did not begin it, as far as that is known. When a
    version or a schema changed is weighed already."""
    if sign.since is None or sign.since <= by or sign.kind in ("version", "schema"):
        return sign
    return replace(sign, log_odds=sign.log_odds - AFTER)


def _bad(mine: pd.DataFrame) -> pd.Series[bool]:
    """Which runs failed."""
    return mine["status"].fillna("").astype(str).str.lower().str.contains("|".join(FAILED))


def _failures(mine: pd.DataFrame, late: pd.Series[bool]) -> Sign | None:
    """Failed runs since the onset against the node's own rate; one that passed is little."""
    known = mine["status"].dropna()
    if known.empty:
        return None
    bad = _bad(mine).to_numpy(bool)
    before, after = bad[~late], bad[late]
    if not len(after):
        return None
    usual = (before.sum() + 0.5) / (len(before) + 1)
    k, n = int(after.sum()), len(after)
    if not k:
        return Sign("status", -1.0, "runs finish", None)
    from scipy.stats import betabinom, binom

    broken = float(betabinom.logpmf(k, n, 4, 1))  # a node that broke fails most of the time
    fine = float(binom.logpmf(k, n, min(usual, 0.95)))
    first = mine["time"][late][after].iloc[0]
    return Sign("status", broken - fine, f"{k} of {n} runs failed", _utc(first))


def _silence(mine: pd.DataFrame, onset: Onset, end: datetime) -> Sign | None:
    """Runs that no longer come: the time since the last against the usual gaps."""
    times = mine["time"].to_numpy()
    gaps = np.diff(times) / np.timedelta64(1, "h")
    if len(gaps) < 4:
        return None
    wait = float((np.datetime64(naive(end)) - times[-1]) / np.timedelta64(1, "h"))
    wont = max(_wait_at_this_hour(times, end), float(np.median(gaps)))
    usual = min(float(np.quantile(gaps, 0.95)), wont) + 1e-3
    if wait < 2 * usual:
        return Sign("silence", -1.0, "runs on time", None)
    found = odds.log_bayes_factor(2 * float(np.log(wait / usual)) + 2, 8)
    near = abs((_utc(times[-1]) - onset.at).total_seconds()) / 3600 < 3 * usual + 1
    words = f"no run for {wait:.0f} h (usually every {np.median(gaps):.1f} h)"
    return Sign("silence", found + (1.0 if near else -2.0), words, _utc(times[-1]))


def _wait_at_this_hour(times: Any, end: datetime) -> float:
    """How long the last run was ago, at the most, at this time of most earlier days, in hours;
    infinite below a week of them: a job that rests at night is missed in the morning."""
    day = np.timedelta64(1, "D")
    moments = np.datetime64(naive(end)) - day * np.arange(1, 29)
    moments = moments[moments > times[0]]
    if len(moments) < 7:
        return float("inf")
    last = times[np.searchsorted(times, moments, side="right") - 1]
    return float(np.quantile((moments - last) / np.timedelta64(1, "h"), 0.9))


def _rows(mine: pd.DataFrame, late: pd.Series[bool]) -> Sign | None:
    """Rows per run since the onset against the same hours of earlier days, and across the onset.

    Runs of one day share what the day brings, so the day is the unit; a day that was smaller from
    its morning on did not break at noon. The jobs below take their time to pass a loss on: it is
    looked for since some hours before too, the earlier the less likely.
    """
    rows = mine["rows"].to_numpy(float, na_value=np.nan)
    if np.isfinite(rows).sum() < 6 or not np.isfinite(rows[late.to_numpy()]).any():
        return None
    onset = mine["time"][late].iloc[0]
    begins = mine["time"][mine["time"].between(onset - LAG, onset)]
    each = [_rows_since(mine, begin, onset) for begin in begins.groupby(begins.dt.hour).first()]
    return max(each, key=lambda sign: sign.log_odds)


def _rows_since(mine: pd.DataFrame, start: Any, onset: Any) -> Sign:
    late = mine["time"] >= start
    hour = mine["time"].dt.hour
    level = mine["rows"].astype("float64").map(np.log1p)
    # The same hour's usual size where there is history for it, else the node's.
    usual = level[~late].groupby(hour[~late]).median()
    left = (level - hour.map(usual).fillna(level[~late].median())).to_numpy(float)
    after, before = _by_day(mine["time"], left, start)
    past = after[1:][np.isfinite(after[1:])]
    if len(past) < 3:
        past = left[~late.to_numpy()]
    found = odds.shift(float(after[0]), past, error=0.03)
    jump = odds.shift(float(after[0] - before[0]), after[1:] - before[1:], error=0.03)
    evidence = min(found.log_odds, jump.log_odds) if jump.seen else found.log_odds
    evidence -= (onset - start) / PASSES_ON
    share = float(np.expm1(after[0]))
    return Sign("rows", evidence, f"rows {share:+.0%} against usual", _utc(start))


def _by_day(times: pd.Series[Any], left: Floats, start: Any) -> tuple[Floats, Floats]:
    """Medians after ``start`` and in the hours before it, of that day and each day before."""
    hours = (times - start).dt.total_seconds().to_numpy(float) / 3600
    length = min(max(float(hours.max()), 1.0) + 0.01, 24.0 - BEFORE)
    days = int(-hours.min() // 24) + 1

    def median(low: float, high: float) -> float:
        inside = left[(hours >= low) & (hours < high) & np.isfinite(left)]
        return float(np.median(inside)) if len(inside) else float("nan")

    after = [median(-24.0 * d, -24.0 * d + length) for d in range(days)]
    return np.array(after), np.array([median(-24.0 * d - BEFORE, -24.0 * d) for d in range(days)])


def _age(mine: pd.DataFrame, late: pd.Series[bool]) -> Sign | None:
    import pandas as pd

    if mine["data_time"].notna().sum() < 6:
        return None
    age = ((mine["time"] - mine["data_time"]).dt.total_seconds() / 3600).to_numpy(float)
    hour, before = mine["time"].dt.hour.to_numpy(), ~late.to_numpy()
    alike = before & np.isin(hour, hour[late.to_numpy()][-3:]) & np.isfinite(age)
    nights = pd.Series(age[alike]).groupby(mine["time"].dt.date.to_numpy()[alike]).max()
    # At night nothing new may come: it is held against other nights, a figure each.
    past = nights.to_numpy(float) if len(nights) >= SAME_HOURS else age[before]
    now = age[late.to_numpy()]
    now = now[np.isfinite(now)]
    if not len(now) or np.isfinite(past).sum() < 3:
        return None
    found = odds.shift(float(np.max(now[-3:])), past, error=0.1)
    if found.z < 0:
        return Sign("freshness", -1.0, "data fresh", None)
    words = f"newest data {np.max(now[-3:]):.1f} h old, usually {np.nanmedian(past):.1f} h"
    return Sign("freshness", found.log_odds, words, _utc(mine["time"][late].iloc[0]))


def _event(mine: pd.DataFrame, column: str, onsets: Sequence[Onset], end: datetime) -> Sign | None:
    """A schema or version that changed near the onset and stayed: rare changes weigh more.

    The change came after the run before it and no later than its own: the onset's error (Student's
    t, 3 degrees of freedom) is averaged over that stretch and held against the node's own rate of
    changes. Of several opinions on when it began, each counts alike.
    """
    known = mine[mine[column].notna()]
    if len(known) < 3:
        return None
    text = known[column].astype(str)
    values = text.to_numpy(object)
    places = 1 + np.flatnonzero(values[1:] != values[:-1])
    if not len(places):
        return Sign(column, -1.5, f"{column} unchanged", None)
    hours = (known["time"] - naive(onsets[0].at)).dt.total_seconds().to_numpy(float) / 3600
    span = max(float((naive(end) - known["time"].iloc[0]).total_seconds()) / 3600, 24.0)
    rate = len(places) / span
    found = {int(i): _timing(hours[i - 1], hours[i], onsets) - float(np.log(rate)) for i in places}
    best = max(found, key=lambda i: found[i])
    at = _utc(known["time"].iloc[best])
    stays = bool((values[best:] == values[best]).all())
    words = f"{column} changed to {_short(str(values[best]))} at {clock(at)}"
    return Sign(column, found[best] if stays else found[best] - 2, words, at)


def _timing(before: float, at: float, onsets: Sequence[Onset]) -> float:
    """Log density per hour that it began with a change between two runs, hours from the first
    onset.

    Either anywhere between them (a node that serves meanwhile), or as what the later one wrote was
    served: both count half.
    """
    from scipy.stats import t

    end, density = at + SLACK, 0.0
    near = max(before, end - NEAR)
    for onset in onsets:
        middle = (onset.at - onsets[0].at).total_seconds() / 3600
        width = max((onset.high - onset.low).total_seconds() / 3600 / 2, 0.5)
        ends = t.cdf((np.array([before, near, end]) - middle) / width, 3)
        between = float(ends[2] - ends[0]) / (end - before)
        served = float(ends[2] - ends[1]) / (end - near)
        density += (between + served) / 2 / len(onsets)
    return float(np.log(density + 1e-9))


def _short(text: str) -> str:
    return text if len(text) <= 16 else f"{text[:15]}…"


def _utc(moment: Any) -> datetime:
    from analysis.warehouse import aware

    return aware(moment)
