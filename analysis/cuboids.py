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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.quality import Floats

if TYPE_CHECKING:
    import pandas as pd

MOST_CAUSES = 5
MARGIN = 8.0
"""A segment must beat the best of all candidates by chance by this much (χ² units)."""
FEWEST_LEAVES = 12
LEAST = 0.03
"""A change of less than this (or than half of a leaf's noise) is no cause, however certain."""
LARGE = 5.0
"""Counts below this say nothing about relative noise."""
DEEPEST = 3


@dataclass(frozen=True)
class Segment:
    """One segment: ``where`` it is, what kind of change, its share of the whole change.

    ``score`` is its deviation in standard deviations of the leaves' noise.
    """

    where: dict[str, str]
    effect: str
    share: float
    score: float
    actual: float = 0.0
    expected: float = 0.0
    leaves: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64), repr=False)

    @property
    def name(self) -> str:
        """``a=a1, c=c7``."""
        return ", ".join(f"{k}={v}" for k, v in self.where.items())


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
    leaves = _Leaves.of(frame, dims, names)
    if denominator is None:
        return _search(leaves, leaves.sums[0], leaves.sums[1], "mix", deepest, most)
    below_now, below_was = leaves.sums[2], leaves.sums[3]
    mix = _search(leaves, below_now, below_was, "mix", deepest, most)
    with np.errstate(all="ignore"):
        rate = np.where(below_was > 0, leaves.sums[1] / below_was, np.nan)
    overall = leaves.sums[1].sum() / max(below_was.sum(), 1e-12)
    implied = below_now * np.where(np.isfinite(rate), rate, overall)
    return mix + _search(leaves, leaves.sums[0], implied, "rate", deepest, most)


@dataclass(frozen=True)
class _Leaves:
    """Cells as integer codes per dimension, with the sums of each column."""

    dims: tuple[str, ...]
    codes: tuple[NDArray[np.int64], ...]
    levels: tuple[NDArray[Any], ...]
    sums: tuple[Floats, ...]

    @classmethod
    def of(cls, frame: pd.DataFrame, dims: Sequence[str], names: Sequence[str]) -> _Leaves:
        import pandas as pd

        parts, levels = [], []
        for dim in dims:
            text = frame[dim].astype("string").fillna("(null)")
            codes, uniques = pd.factorize(text, sort=True)
            parts.append(codes.astype(np.int64))
            levels.append(np.asarray(uniques, dtype=object))
        key = _key(parts, [len(x) for x in levels])
        cells, first, at = np.unique(key, return_index=True, return_inverse=True)
        columns = (frame[name].to_numpy(float, na_value=0.0) for name in names)
        sums = tuple(np.bincount(at, np.nan_to_num(c), len(cells)).astype(float) for c in columns)
        return cls(tuple(dims), tuple(p[first] for p in parts), tuple(levels), sums)

    def cuboids(self, deepest: int) -> Iterator[tuple[int, ...]]:
        for depth in range(1, min(deepest, len(self.dims)) + 1):
            yield from combinations(range(len(self.dims)), depth)


def _key(parts: Sequence[NDArray[np.int64]], sizes: Sequence[int]) -> NDArray[np.int64]:
    """One integer per combination of codes."""
    key = np.zeros(len(parts[0]), dtype=np.int64)
    for codes, size in zip(parts, sizes, strict=True):
        key = key * max(size, 1) + codes
    return key


def _search(
    leaves: _Leaves, now: Floats, was: Floats, effect: str, deepest: int, most: int
) -> list[Segment]:
    free = np.ones(len(now), dtype=bool)
    grouped = [_group(leaves, cuboid) for cuboid in leaves.cuboids(deepest)]
    bar = 2 * math.log(max(sum(int(size) for _, _, size in grouped), 2)) + MARGIN
    noise = _Noise.of(now, was, free)
    total = float(now.sum() - was.sum())
    found: list[Segment] = []
    for _ in range(most):
        best = _best(grouped, now - was, was, noise, free)
        if best is None:
            break
        cuboid, members = best
        rest = free & ~members
        # What is found must not count as noise; what is left must be enough to know the noise.
        calmer = _Noise.of(now, was, rest) if rest.sum() >= FEWEST_LEAVES else noise
        hit = members & free
        gain = calmer.gain(now[hit] - was[hit], was[hit])
        if gain < bar:
            break
        noise = calmer
        first = int(np.flatnonzero(members)[0])
        where = {leaves.dims[d]: str(leaves.levels[d][leaves.codes[d][first]]) for d in cuboid}
        share = float(now[hit].sum() - was[hit].sum()) / total if total else 0.0
        sums = float(now[hit].sum()), float(was[hit].sum())
        found.append(Segment(where, effect, share, math.sqrt(gain), *sums, np.flatnonzero(hit)))
        free = rest
    return found


@dataclass(frozen=True)
class _Noise:
    """Variance of a leaf's count around its expectation e: ``poisson``·e + (``factor``·e)².

    The first part is that of counts, the second that of forecasts, which err by a factor.
    """

    poisson: float
    factor: float

    @classmethod
    def of(cls, now: Floats, was: Floats, chosen: NDArray[np.bool_]) -> _Noise:
        """Estimated robustly by size of leaf; integers scatter at least as counts do."""
        live = chosen & (was > 0)
        if not live.any():
            return cls(1.0, 0.0)
        counts = bool(np.all(now[live] == np.round(now[live])))
        order = np.flatnonzero(live)[np.argsort(was[live], kind="stable")]
        sizes, spreads = [], []
        for part in np.array_split(order, min(10, max(1, len(order) // 20))):
            off = (now[part] - was[part]) / was[part]
            spread = 1.4826 * float(np.median(np.abs(off - np.median(off))))
            if not counts or np.median(was[part]) >= LARGE:
                sizes.append(float(np.median(was[part])))
                spreads.append(spread**2)
        if not sizes:
            return cls(1.0, 0.0)
        least = 1.0 if counts else 0.0
        factor = max(min(v - least / e for v, e in zip(spreads, sizes, strict=True)), 1e-6)
        poisson = float(np.median([(v - factor) * e for v, e in zip(spreads, sizes, strict=True)]))
        return cls(max(poisson, least), math.sqrt(factor))

    def weight(self, was: Floats) -> Floats:
        """Weight of a unit of difference: the inverse of variance over expectation."""
        return np.asarray(1 / np.maximum(self.poisson + self.factor**2 * was, 1e-12))

    def gain(self, difference: Floats, was: Floats) -> float:
        """Squared error that one common factor on these leaves saves (χ² of one degree)."""
        weight = self.weight(was)
        below = max(float((weight * was).sum()), 0.5 * float(weight.max(initial=0.0)))
        above = float((weight * difference).sum())
        return above**2 / below


def _group(leaves: _Leaves, cuboid: tuple[int, ...]) -> tuple[tuple[int, ...], Any, int]:
    key = _key([leaves.codes[d] for d in cuboid], [len(leaves.levels[d]) for d in cuboid])
    size = math.prod(len(leaves.levels[d]) for d in cuboid)
    if size > 4 * len(key) + 1000:
        _, key = np.unique(key, return_inverse=True)
        size = int(key.max()) + 1
    return cuboid, key, size


def _best(
    grouped: Sequence[tuple[tuple[int, ...], Any, int]],
    difference: Floats,
    was: Floats,
    noise: _Noise,
    free: NDArray[np.bool_],
) -> tuple[tuple[int, ...], NDArray[np.bool_]] | None:
    """The candidate with the largest gain; of equal ones, the one with the fewest dimensions."""
    weight = np.where(free, noise.weight(was), 0.0)
    least = max(LEAST, 0.5 * noise.factor)
    best: tuple[float, tuple[int, ...], Any, int] | None = None
    for cuboid, key, size in grouped:
        below = np.bincount(key, weight * was, size)
        above = np.bincount(key, weight * difference, size)
        # A leaf that was not expected at all counts as half a case.
        floor = 0.5 * float(weight.max(initial=0.0))
        gain = above**2 / np.maximum(below, max(floor, 1e-12))
        gain = np.where(np.abs(above) >= least * below, gain, 0.0)
        at = int(np.argmax(gain))
        if best is None or gain[at] > best[0] * 1.0001:
            best = (float(gain[at]), cuboid, key, at)
    if best is None or best[0] <= 0:
        return None
    return best[1], np.asarray(best[2] == best[3])
