"""The minimal set of dimension=value combinations that explains a change, of an amount or a ratio.

A root cause moves all of its leaf cells by the same factor (Squeeze, Li et al. 2019: "generalised
ripple effect"). How the fewest of them are found stands in `analysis/drilldown/search.py`; here a
ratio is taken apart into what happens inside (rate) and how much of it came (mix).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from analysis.drilldown.leaves import ROUNDING, Leaves, Noise, Segment
from analysis.drilldown.search import Search
from analysis.quality import Floats

if TYPE_CHECKING:
    import pandas as pd

MOST_CAUSES = 5
DEEPEST = 3
MIX_LEAST = 0.15
"""A shift of traffic is told when it carries at least this part of a ratio's change."""
PLAIN = 3.0
"""A ratio that moved by less than so many standard errors did not move: nothing carries a part of
what is chance."""
APART = 2.0
"""A segment whose usual rate is within so many standard errors of everybody's moves no ratio."""


def explain(
    frame: pd.DataFrame,
    dims: Sequence[str],
    actual: str = "actual",
    expected: str = "expected",
    *,
    denominator: tuple[str, str] | None = None,
    noise: Noise | None = None,
    deepest: int = DEEPEST,
    most: int = MOST_CAUSES,
) -> list[Segment]:
    """Minimal segments that explain why ``actual`` differs from ``expected``, clearest first.

    ``frame`` has a row per leaf cell with the columns ``dims``, ``actual``, ``expected``. With
    ``denominator`` (its actual and expected columns) the change of the ratio's rate is explained
    (effect "rate") beside the change of the denominator (effect "mix"). Rows of equal cells are
    added up. ``noise`` is how much leaves scatter on other days: of few, a cause's own would count
    as noise. Returns an empty list when nothing stands out. Raises ValueError without rows or
    with a missing column.
    """
    names = [actual, expected, *(denominator or ())]
    missing = [c for c in (*dims, *names) if c not in frame.columns]
    if missing or not len(frame) or not dims:
        raise ValueError(
            f"needs rows and the columns {', '.join((*dims, *names))}; "
            f"{len(frame)} rows, missing: {', '.join(missing) or 'none'}"
        )
    leaves = Leaves.of(frame, dims, names)
    if denominator is None:
        return Search.of(leaves, deepest, most, noise).run(leaves.sums[0], leaves.sums[1], "mix")
    return _of_a_ratio(leaves, Search.of(leaves, deepest, most))


def _of_a_ratio(leaves: Leaves, search: Search) -> list[Segment]:
    """Segments whose rate changed, and segments whose share of the denominator changed where that
    moved the ratio; shares are of the ratio's change."""
    now, was, below_now, below_was = leaves.sums
    if _is_part(now, below_now) and _is_part(was, below_was) and 2 * was.sum() > below_was.sum():
        # 9,990 of 10,000 scatter as the other 10 do, by far less than counts of 9,990.
        now, was = below_now - now, below_was - was
    before = was.sum() / max(below_was.sum(), 1e-12)
    whole = float(now.sum() / max(below_now.sum(), 1e-12) - before)
    with np.errstate(all="ignore"):
        rate = np.where(below_was > 0, was / below_was, before)
    if abs(whole) < ROUNDING * abs(before):
        whole = 0.0
    usual, every = below_now * rate, max(float(below_now.sum()), 1e-12)
    noise = Noise.of(now, usual, np.ones(len(now), dtype=bool))
    plain = PLAIN * math.sqrt(float(noise.variance(usual).sum())) / every
    still = abs(whole) < plain  # a shift of traffic is no part of a ratio that stood still
    found = []
    for one in search.run(now, usual, "rate"):
        part = one.leaves
        share = float((now - usual)[part].sum()) / every / whole if whole else 0.0
        amounts = float(leaves.sums[0][part].sum()), float(leaves.sums[1][part].sum())
        found.append(replace(one, share=share, actual=amounts[0], expected=amounts[1]))
    for one in search.run(below_now, below_was, "mix"):
        moved, by_chance = _shifted(one, below_now, below_was, rate, before, noise)
        share = 0.0 if still or not whole else moved / whole
        # Where the ratio stands still, two that cancel out may each have moved it plainly.
        carries = abs(moved) >= plain if still else share >= MIX_LEAST
        if carries and abs(moved) > APART * by_chance:
            found.append(replace(one, share=share))
    return sorted(found, key=lambda s: -abs(s.share))


def _shifted(
    one: Segment, below_now: Floats, below_was: Floats, rate: Floats, before: float, noise: Noise
) -> tuple[float, float]:
    """By how much a segment's part of the denominator moved the ratio, and how uncertain its usual
    rate leaves that (a standard error)."""
    part = one.leaves
    was = below_was[part]
    more = below_now[part] / below_now.sum() - was / below_was.sum()
    with np.errstate(all="ignore"):
        loose = np.where(was > 0, noise.variance(was * before) / was**2, 0.0)
    moved = float((more * (rate[part] - before)).sum())
    return moved, math.sqrt(float((more**2 * loose).sum()))


def _is_part(some: Floats, every: Floats) -> bool:
    return bool(np.all(some >= 0) and np.all(some <= every))
