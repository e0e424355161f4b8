"""How large a move of the predictions must be to count, and what evidence is worth below it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from analysis import odds
from analysis.inputs.suspicion import View
from analysis.inputs.views import Reading

Floats = np.ndarray[Any, np.dtype[np.float64]]

SMALL_IMPACT = 0.04
"""A feature moves predictions too little below this part of their standard deviation, or below
what their mean moves by from day to day."""


def least_that_counts(r: Reading) -> float:
    """The smallest move that counts, in the output's units: no alert is about less."""
    served = r.target(r.days)
    scale = float(np.nanstd(served[r.days.block != 0])) or 1.0
    means = r.days.means(served)
    usual = odds.shift(float(means[0]), means[1:])
    if not usual.seen:
        return SMALL_IMPACT * scale
    return float(np.hypot(SMALL_IMPACT * scale, min(usual.spread, spread_by_weekday(r, means))))


def spread_by_weekday(r: Reading, means: Floats) -> float:
    """How far an earlier block's mean lies from those of its weekday; infinite without three
    weeks: what a week brings by itself surprises nobody."""
    if r.comparison.period != timedelta(days=1):
        return np.inf
    weekday = np.array(r.days.numbers[1:]) % 7
    away = []
    for i, mean in enumerate(means[1:]):
        others = means[1:][(weekday == weekday[i]) & (np.arange(len(weekday)) != i)]
        others = others[np.isfinite(others)]
        if len(others) >= 2 and np.isfinite(mean):
            away.append((mean - others.mean()) / np.sqrt(1 + 1 / len(others)))
    if len(away) < 14:
        return np.inf
    found = odds.shift(0.0, np.array(away))
    return found.spread if found.seen else np.inf


def heard(view: View, least: float) -> float:
    """A view's log odds, less where the effect is too small to matter."""
    return view.log_odds + large(view.impact, least)


def large(size: float, beside: float) -> float:
    """0 for what is large beside something, falling fast below it."""
    return float(np.log(size**4 / (size**4 + beside**4 + 1e-30) + 1e-30))
