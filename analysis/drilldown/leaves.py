"""Leaf cells of a table of dimensions, segments of them, and how much leaves scatter by chance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from analysis.portable import NULL
from analysis.quality import Floats

if TYPE_CHECKING:
    import pandas as pd

MANY = 20
"""From so many leaves on the tail of their deviations is looked at; among fewer, a cause's own
leaves would count as noise."""
TAIL = 5.0
"""Deviations beyond so many robust standard deviations are no noise."""
LARGE = 5.0
"""Counts below this say nothing about relative noise."""
ROUNDING = 1e-9
"""A total that moved by less than this part of itself did not move."""
GROWN = 5.0
"""A leaf that grew to more than this many times its expectation counts as grown to that many: one
that nobody expected then has a base, and changed as all of its kind did."""


@dataclass(frozen=True, eq=False)
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


@dataclass(frozen=True)
class Leaves:
    """Cells as integer codes per dimension, with the sums of each column."""

    dims: tuple[str, ...]
    codes: tuple[NDArray[np.int64], ...]
    levels: tuple[NDArray[Any], ...]
    sums: tuple[Floats, ...]

    @classmethod
    def of(cls, frame: pd.DataFrame, dims: Sequence[str], names: Sequence[str]) -> Leaves:
        """Rows of equal cells added up; ``names`` are the columns of sums."""
        import pandas as pd

        parts, levels = [], []
        for dim in dims:
            text = frame[dim].astype("string").fillna(NULL)
            codes, uniques = pd.factorize(text, sort=True)
            parts.append(codes.astype(np.int64))
            levels.append(np.asarray(uniques, dtype=object))
        key = key_of(parts, [len(x) for x in levels])
        cells, first, at = np.unique(key, return_index=True, return_inverse=True)
        columns = (frame[name].to_numpy(float, na_value=0.0) for name in names)
        sums = tuple(np.bincount(at, np.nan_to_num(c), len(cells)).astype(float) for c in columns)
        return cls(tuple(dims), tuple(p[first] for p in parts), tuple(levels), sums)

    def cuboids(self, deepest: int) -> Iterator[tuple[int, ...]]:
        """Combinations of up to ``deepest`` dimensions, by place."""
        for depth in range(1, min(deepest, len(self.dims)) + 1):
            yield from combinations(range(len(self.dims)), depth)

    def where(self, cuboid: Sequence[int], leaf: int) -> dict[str, str]:
        """A leaf's values of some dimensions, by name."""
        return {self.dims[d]: str(self.levels[d][self.codes[d][leaf]]) for d in cuboid}


def key_of(parts: Sequence[NDArray[np.int64]], sizes: Sequence[int]) -> NDArray[np.int64]:
    """One integer per combination of codes."""
    key = np.zeros(len(parts[0]), dtype=np.int64)
    for codes, size in zip(parts, sizes, strict=True):
        key = key * max(size, 1) + codes
    return key


def sizes(now: Floats, was: Floats) -> Floats:
    """What each leaf's change is held against when chance is asked about (n,): its count if
    nothing had changed.

    Both columns tell of that count, so it is their mean: an expectation is often itself a count
    (the same hours a week ago), and among thousands of leaves some were low by luck, of which
    3 → 17 would be sixteen times its variance. What fell keeps its expectation: a forecast knows
    it, and a count of before overstates it at most.
    """
    return np.asarray(np.maximum(np.abs(was), (np.abs(now) + np.abs(was)) / 2))


def bases(now: Floats, was: Floats) -> Floats:
    """What each leaf's change is a part of when changes are compared (n,): its expectation, or
    what it grew to by GROWN."""
    return np.asarray(np.maximum(np.abs(was), np.abs(now) / GROWN))


@dataclass(frozen=True)
class Noise:
    """Variance of a leaf's count around its expectation e: ``poisson``·e + (``factor``·e)².

    The first part is that of counts, the second that of forecasts, which err by a factor.
    """

    poisson: float
    factor: float

    @classmethod
    def of(cls, now: Floats, was: Floats, chosen: NDArray[np.bool_]) -> Noise:
        """Estimated robustly by size of leaf; integers scatter at least as counts do."""
        was, now = np.abs(was), np.where(was < 0, -now, now)
        live = chosen & (was > 0)
        if not live.any():
            return cls(1.0, 0.0)
        counts = bool(np.all(now[live] == np.round(now[live])))
        order = np.flatnonzero(live)[np.argsort(was[live], kind="stable")]
        sizes, spreads = [], []
        for part in np.array_split(order, min(10, max(1, len(order) // 20))):
            off = (now[part] - was[part]) / was[part]
            spread = _of_the_calmer_half(off) if len(part) < MANY else _with_tail(off)
            if not counts or np.median(was[part]) >= LARGE:
                sizes.append(float(np.median(was[part])))
                spreads.append(spread**2)
        if not sizes:
            return cls(1.0, 0.0)
        least = 1.0 if counts else 0.0
        factor = max(min(v - least / e for v, e in zip(spreads, sizes, strict=True)), 1e-6)
        poisson = float(np.median([(v - factor) * e for v, e in zip(spreads, sizes, strict=True)]))
        return cls(max(poisson, least), math.sqrt(factor))

    def variance(self, size: Floats) -> Floats:
        """Of the counts of leaves of this size (n,)."""
        return np.asarray(self.poisson * np.abs(size) + (self.factor * size) ** 2)

    def weight(self, size: Floats) -> Floats:
        """Weight of a unit of difference: the inverse of variance over size."""
        return np.asarray(1 / np.maximum(self.poisson + self.factor**2 * size, 1e-12))

    def gain(self, difference: Floats, size: Floats) -> float:
        """Squared error that one common factor on these leaves saves (χ² of one degree)."""
        weight = self.weight(size)
        below = max(float((weight * size).sum()), 0.5 * float(weight.max(initial=0.0)))
        above = float((weight * difference).sum())
        return above**2 / below


def _with_tail(off: Floats) -> float:
    """Standard deviation of the bulk: forecasts err with heavier tails than the median deviation
    knows of, and a cause's own leaves lie beyond TAIL of it."""
    away = np.abs(off - np.median(off))
    most = TAIL * 1.4826 * float(np.median(away))
    return math.sqrt(float(np.mean(np.minimum(away, most) ** 2)))


def _of_the_calmer_half(off: Floats) -> float:
    """Standard deviation from the shortest interval that holds half of few values (Rousseeuw and
    Leroy 1988), widened for their number: half of them may belong to a cause."""
    ordered = np.sort(off)
    half = len(ordered) // 2 + 1
    widths = ordered[half - 1 :] - ordered[: len(ordered) - half + 1]
    return 1.5 * float(widths.min()) / 1.349
