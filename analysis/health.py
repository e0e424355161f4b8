"""The health of a node's runs around the onset, against the node's own history.

Each sign gives a log Bayes factor: runs that fail or do not come, rows that are fewer or more,
data that grow old, a schema or a version that changes just then.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import odds
from analysis.evidence import Onset
from analysis.warehouse import naive

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

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
    """A node's signs, strongest first; ``runs`` is how many runs were seen."""

    node: str
    signs: tuple[Sign, ...]
    runs: int

    @property
    def log_odds(self) -> float:
        """The strongest sign's log Bayes factor, 0 without runs, negative when all looks fine."""
        if not self.runs:
            return 0.0
        return self.signs[0].log_odds if self.signs else -2.0

    @property
    def words(self) -> str:
        """What is off, or that nothing is."""
        if not self.runs:
            return "no runs recorded"
        loud = [s for s in self.signs if s.log_odds > 1]
        return ", ".join(s.words for s in loud[:2]) if loud else "usual"


def examine(node: str, runs: pd.DataFrame, onset: Onset, end: datetime) -> Health:
    """The health of one node. ``runs`` has the columns of the contract, times naive in UTC."""
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
        _event(mine, "schema", onset, end),
        _event(mine, "version", onset, end),
    ]
    kept = sorted((s for s in signs if s is not None), key=lambda s: -s.log_odds)
    return Health(node, tuple(kept), len(mine))


def _failures(mine: pd.DataFrame, late: pd.Series[bool]) -> Sign | None:
    """Failed runs since the onset against the node's own rate; one that passed is little."""
    known = mine["status"].dropna()
    if known.empty:
        return None
    bad = mine["status"].fillna("").str.lower().str.contains("|".join(FAILED)).to_numpy(bool)
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
    usual = float(np.quantile(gaps, 0.95)) + 1e-3
    if wait < 2 * usual:
        return Sign("silence", -1.0, "runs on time", None)
    found = odds.log_bayes_factor(2 * float(np.log(wait / usual)) + 2, 8)
    near = abs((_utc(times[-1]) - onset.at).total_seconds()) / 3600 < 3 * usual + 1
    words = f"no run for {wait:.0f} h (usually every {np.median(gaps):.1f} h)"
    return Sign("silence", found + (1.0 if near else -2.0), words, _utc(times[-1]))


def _rows(mine: pd.DataFrame, late: pd.Series[bool]) -> Sign | None:
    rows = mine["rows"].to_numpy(float, na_value=np.nan)
    if np.isfinite(rows).sum() < 6 or not np.isfinite(rows[late.to_numpy()]).any():
        return None
    hour = mine["time"].dt.hour
    level = mine["rows"].astype("float64").map(np.log1p)
    # The same hour's usual size where there is history for it, else the node's.
    usual = level[~late].groupby(hour[~late]).median()
    centre = hour.map(usual).fillna(level[~late].median())
    left = (level - centre).to_numpy(float)
    past, now = left[~late.to_numpy()], left[late.to_numpy()]
    now = now[np.isfinite(now)]
    found = odds.shift(float(np.median(now)), past, error=0.03)
    share = float(np.expm1(np.median(now)))
    words = f"rows {share:+.0%} against usual"
    since = _utc(mine["time"][late].iloc[0])
    return Sign("rows", found.log_odds, words, since)


def _age(mine: pd.DataFrame, late: pd.Series[bool]) -> Sign | None:
    if mine["data_time"].notna().sum() < 6:
        return None
    age = ((mine["time"] - mine["data_time"]).dt.total_seconds() / 3600).to_numpy(float)
    past, now = age[~late.to_numpy()], age[late.to_numpy()]
    now = now[np.isfinite(now)]
    if not len(now) or np.isfinite(past).sum() < 3:
        return None
    found = odds.shift(float(np.max(now[-3:])), past, error=0.1)
    if found.z < 0:
        return Sign("freshness", -1.0, "data fresh", None)
    words = f"newest data {np.max(now[-3:]):.1f} h old, usually {np.nanmedian(past):.1f} h"
    return Sign("freshness", found.log_odds, words, _utc(mine["time"][late].iloc[0]))


def _event(mine: pd.DataFrame, column: str, onset: Onset, end: datetime) -> Sign | None:
    """A schema or version that changed near the onset and stayed: rare changes weigh more."""
    known = mine[mine[column].notna()]
    if len(known) < 3:
        return None
    text = known[column].astype(str)
    values = text.to_numpy(object)
    changed = np.append(False, values[1:] != values[:-1])
    moments = [_utc(t) for t in known["time"][changed]]
    if not moments:
        return Sign(column, -1.5, f"{column} unchanged", None)
    from scipy.stats import t

    span = max((end - _utc(known["time"].iloc[0])).total_seconds() / 3600, 24.0)
    rate = len(moments) / span
    width = max((onset.high - onset.low).total_seconds() / 3600 / 2, 0.75)
    width = max(width, float(known["time"].diff().dt.total_seconds().median()) / 3600)
    best = min(moments, key=lambda m: abs((m - onset.at).total_seconds()))
    gap = (best - onset.at).total_seconds() / 3600
    timing = float(t.logpdf(gap / width, 3) - np.log(width) - np.log(rate))
    after = text[known["time"] >= naive(best)]
    stays = bool(after.iloc[-1] == after.iloc[0])
    words = f"{column} changed to {_short(str(after.iloc[0]))} at {best:%a %H:%M}"
    return Sign(column, timing if stays else timing - 2, words, best)


def _short(text: str) -> str:
    return text if len(text) <= 16 else f"{text[:15]}…"


def _utc(moment: Any) -> datetime:
    from analysis.warehouse import aware

    return aware(moment)
