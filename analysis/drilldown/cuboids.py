"""The minimal set of dimension=value combinations that explains a change.

``explain`` is least squares with one parameter per segment. Each leaf cell (a value of every
dimension) has a deviation from what was expected of it; a root cause moves all of its leaves by
the same factor (Squeeze, Li et al. 2019: "generalised ripple effect"). Fitting one factor on a
candidate segment lowers the weighted squared error by (Σ w (a − e))² / Σ w e, where a leaf of
expectation e weighs w = e / variance: more than any of its parents (whose other leaves did not
move) and more than any of its children (which miss leaves). Sparse counts add up before they are
squared, so that leaves of one or two rows do no harm. So the best candidate over all cuboids is
taken, its leaves are set aside, and so on, until the gain is no more than the best of that many
candidates would have by chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.drilldown.leaves import ROUNDING, Leaves, Noise, Segment, bases, key_of, sizes
from analysis.drilldown.settling import absorbed, merged, settled
from analysis.quality import Floats

if TYPE_CHECKING:
    import pandas as pd

MOST_CAUSES = 5
MARGIN = 8.0
"""A segment must beat the best of all candidates by chance by this much (χ² units)."""
FEWEST_LEAVES = 12
LEAST = 0.03
"""A change of less than this (or than half of a leaf's noise) is no cause, however certain."""
RELATIVE = 0.05
"""What is a twentieth as clear as the clearest cause is what the model of the noise leaves over."""
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
    deepest: int = DEEPEST,
    most: int = MOST_CAUSES,
) -> list[Segment]:
    """Minimal segments that explain why ``actual`` differs from ``expected``, clearest first.

    ``frame`` has a row per leaf cell with the columns ``dims``, ``actual``, ``expected``. With
    ``denominator`` (its actual and expected columns) the change of the ratio's rate is explained
    (effect "rate") beside the change of the denominator (effect "mix"). Rows of equal cells are
    added up. Returns an empty list when nothing stands out. Raises ValueError without rows or
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
        return _search(leaves, leaves.sums[0], leaves.sums[1], "mix", deepest, most)
    return _of_a_ratio(leaves, deepest, most)


def _of_a_ratio(leaves: Leaves, deepest: int, most: int) -> list[Segment]:
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
    for one in _search(leaves, now, usual, "rate", deepest, most):
        part = one.leaves
        share = float((now - usual)[part].sum()) / every / whole if whole else 0.0
        amounts = float(leaves.sums[0][part].sum()), float(leaves.sums[1][part].sum())
        found.append(replace(one, share=share, actual=amounts[0], expected=amounts[1]))
    for one in _search(leaves, below_now, below_was, "mix", deepest, most):
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


def _search(
    leaves: Leaves, now: Floats, was: Floats, effect: str, deepest: int, most: int
) -> list[Segment]:
    free = np.ones(len(now), dtype=bool)
    grouped = [_group(leaves, cuboid) for cuboid in leaves.cuboids(deepest)]
    bar = 2 * math.log(max(sum(int(count) for _, _, count in grouped), 2)) + MARGIN
    noise = Noise.of(now, was, free)
    difference, base = now - was, bases(now, was)
    # A rate of the whole past is known better than a count that may have been low by luck.
    size = base if effect == "rate" else sizes(now, was)
    total = float(difference.sum())
    if abs(total) < ROUNDING * float(size.sum()):
        total = 0.0
    found: list[Segment] = []
    tallies = _tallied(grouped, difference, size, noise, free)
    for _ in range(most):
        best = _best(grouped, tallies, size, noise, free)
        if best is None:
            break
        cuboid, members = settled(leaves, *best, difference, base, noise, free, deepest)
        rest = free & ~members
        # What is found must not count as noise; what is left must be enough to know the noise.
        calmer = Noise.of(now, was, rest) if rest.sum() >= FEWEST_LEAVES else noise
        hit = members & free
        gain = calmer.gain(difference[hit], size[hit])
        clearest = max((s.score for s in found), default=0.0)
        tallies = _tallied(grouped, difference, size, calmer, rest)
        usual = _inflation(tallies)
        if gain < bar * usual or math.sqrt(gain) < RELATIVE * clearest:
            break
        noise = calmer
        first = int(np.flatnonzero(members)[0])
        where = {leaves.dims[d]: str(leaves.levels[d][leaves.codes[d][first]]) for d in cuboid}
        share = float(difference[hit].sum()) / total if total else 0.0
        sums = float(now[hit].sum()), float(was[hit].sum())
        found.append(Segment(where, effect, share, math.sqrt(gain), *sums, np.flatnonzero(hit)))
        free = rest
    found = merged(leaves, found, now, was, noise)
    return absorbed(found, now, was)


def _tallied(
    grouped: Sequence[tuple[tuple[int, ...], Any, int]],
    difference: Floats,
    size: Floats,
    noise: Noise,
    free: NDArray[np.bool_],
) -> list[tuple[Floats, Floats]]:
    """Weighted sums of difference and of size for every candidate of every cuboid."""
    weight = np.where(free, noise.weight(size), 0.0)
    above, below = weight * difference, weight * size
    return [
        (
            np.asarray(np.bincount(key, above, count), dtype=float),
            np.asarray(np.bincount(key, below, count), dtype=float),
        )
        for _, key, count in grouped
    ]


def _inflation(tallies: Sequence[tuple[Floats, Floats]]) -> float:
    """By how much gains of what is left exceed those of pure noise (95th percentile of χ²), 1 or
    more: forecasts err together, and by more than their bulk shows."""
    gains = [above[below > 0] ** 2 / below[below > 0] for above, below in tallies]
    every = np.concatenate(gains) if gains else np.zeros(0)
    if len(every) < 100:
        return 1.0
    return max(1.0, float(np.quantile(every, 0.95)) / 3.84)


def _group(leaves: Leaves, cuboid: tuple[int, ...]) -> tuple[tuple[int, ...], Any, int]:
    key = key_of([leaves.codes[d] for d in cuboid], [len(leaves.levels[d]) for d in cuboid])
    size = math.prod(len(leaves.levels[d]) for d in cuboid)
    if size > 4 * len(key) + 1000:
        import pandas as pd

        key = pd.factorize(key)[0]
        size = int(key.max()) + 1
    return cuboid, key, size


def _best(
    grouped: Sequence[tuple[tuple[int, ...], Any, int]],
    tallies: Sequence[tuple[Floats, Floats]],
    size: Floats,
    noise: Noise,
    free: NDArray[np.bool_],
) -> tuple[tuple[int, ...], NDArray[np.bool_]] | None:
    """The candidate with the largest gain; of equal ones, the one with the fewest dimensions."""
    # A leaf that was not expected at all counts as half a case.
    floor = max(0.5 * float(noise.weight(size[free]).max(initial=0.0)), 1e-12)
    least = max(LEAST, 0.5 * noise.factor)
    best: tuple[float, tuple[int, ...], Any, int] | None = None
    for (cuboid, key, _), (above, below) in zip(grouped, tallies, strict=True):
        gain = above**2 / np.maximum(below, floor)
        gain = np.where(np.abs(above) >= least * below, gain, 0.0)
        at = int(np.argmax(gain))
        if best is None or gain[at] > best[0] * 1.0001:
            best = (float(gain[at]), cuboid, key, at)
    if best is None or best[0] <= 0:
        return None
    return best[1], np.asarray(best[2] == best[3])
