"""The fewest segments beside which nothing else moved, by least squares with a factor each.

Each leaf cell (a value of every dimension) has a deviation from what was expected of it, and a
cause moves all of its leaves by one factor. Fitting that factor on a candidate lowers the weighted
squared error by (Σ w (a − e))² / Σ w e, where a leaf of expectation e weighs w = e / variance:
more than any of its parents (whose other leaves did not move) and more than any of its children
(which miss leaves). Sparse counts add up before they are squared, so that leaves of one or two rows
do no harm. The best candidate over all cuboids is taken, its leaves are set aside, and so on, until
the gain is no more than the best of that many candidates would have by chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analysis.drilldown.candidates import Candidates
from analysis.drilldown.leaves import ROUNDING, Leaves, Noise, Segment, bases, sizes
from analysis.drilldown.settling import absorbed, merged, settled
from analysis.quality import Floats

MARGIN = 8.0
"""A segment must beat the best of all candidates by chance by this much (χ² units)."""
FEWEST_LEAVES = 12
FEW = 40
"""Of fewer leaves most may belong to a cause: their scatter is better known from other days."""
RELATIVE = 0.05
"""What is a twentieth as clear as the clearest cause is what the model of the noise leaves over."""
STRAYS = 5
CLOSER = 3
"""So often the factor of everything is asked for again: the first is of the causes' leaves too."""
CLEAR = 2.5
"""A leaf alone is a cause when it is so many times as far off as the fifth of all other leaves."""


@dataclass(frozen=True)
class Search:
    """A search of one table's candidates for up to ``most`` segments of up to ``deepest``
    dimensions; ``bar`` is the least gain (χ² of one degree) that is not chance. ``scatter`` is what
    is known of the leaves' noise, where there are few."""

    leaves: Leaves
    candidates: Candidates
    deepest: int
    most: int
    bar: float
    scatter: Noise | None = None

    @classmethod
    def of(cls, leaves: Leaves, deepest: int, most: int, noise: Noise | None = None) -> Search:
        """With a bar for as many candidates as the table has."""
        candidates = Candidates.of(leaves, deepest)
        bar = 2 * math.log(candidates.count) + MARGIN
        few = noise if len(leaves.sums[0]) < FEW else None
        return cls(leaves, candidates, deepest, most, bar, few)

    def run(self, now: Floats, was: Floats, effect: str) -> list[Segment]:
        """Segments whose change from ``was`` to ``now`` (n,) is not everybody's, clearest first.

        What no segment holds should not have moved. Where it did, everything may have: the search
        is made again beside an expectation that moves along, and the shorter description is kept.
        """
        size = sizes(now, was)
        found, base = self._found(now, was, effect), was
        along, moved = found, was
        for _ in range(CLOSER if found.segments else 0):
            factor = along.left_over(now, moved)
            if factor is None:
                break
            moved = moved * factor
            along = self._found(now, moved, effect)
            variance = min(found.noise, along.noise, key=lambda n: n.factor).variance(size)
            extra = self.bar if base is was else 0.0
            if along.length(now, moved, variance) + extra < found.length(now, base, variance):
                found, base = along, moved
        kept = absorbed(merged(self.leaves, found.segments, now, base, found.noise), now, base)
        return kept if base is was else [_as_told(one, now, was) for one in kept]

    def _found(self, now: Floats, was: Floats, effect: str) -> Found:
        """The clearest candidate, then the clearest without its leaves, and so on."""
        free = np.ones(len(now), dtype=bool)
        noise = self.scatter or Noise.of(now, was, free)
        difference, base = now - was, bases(now, was)
        # A rate of the whole past is known better than a count that may have been low by luck.
        size = base if effect == "rate" else sizes(now, was)
        total = float(difference.sum())
        if abs(total) < ROUNDING * float(size.sum()):
            total = 0.0
        found: list[Segment] = []
        tallies = self.candidates.tallied(difference, size, noise, free)
        for _ in range(2 * self.most):
            if len(found) == self.most:
                break
            best = self.candidates.best(tallies, size, noise, free)
            if best is None:
                break
            cuboid, members = settled(
                self.leaves, *best, difference, base, noise, free, self.deepest
            )
            hit, rest = members & free, free & ~members
            # What is found must not count as noise; what is left must be enough to know the noise.
            calmer = noise
            if rest.sum() >= FEWEST_LEAVES and self.scatter is None:
                calmer = Noise.of(now, was, rest)
            gain = calmer.gain(difference[hit], size[hit])
            clearest = max((s.score for s in found), default=0.0)
            left = self.candidates.tallied(difference, size, calmer, rest)
            weight, known = calmer.weight(size[hit]), was[hit] ** 2 / np.maximum(size[hit], 1e-12)
            whole, old = float((weight * size[hit]).sum()), float((weight * known).sum())
            bar = self.bar * self.candidates.usual(left, cuboid, whole, old, effect)
            if gain < bar or math.sqrt(gain) < RELATIVE * clearest:
                break
            stray = _stray(hit, rest, difference, size, calmer, bar)
            if stray is not None:
                free[stray] = False
                tallies = self.candidates.tallied(difference, size, noise, free)
                continue
            where = self.leaves.where(cuboid, int(np.flatnonzero(members)[0]))
            share = float(difference[hit].sum()) / total if total else 0.0
            sums = float(now[hit].sum()), float(was[hit].sum())
            found.append(Segment(where, effect, share, math.sqrt(gain), *sums, np.flatnonzero(hit)))
            noise, free, tallies = calmer, rest, left
        return Found(found, free, noise, self.bar)


@dataclass(frozen=True)
class Found:
    """Segments, the leaves (n,) that none of them holds, and how those scatter."""

    segments: list[Segment]
    free: NDArray[np.bool_]
    noise: Noise
    bar: float

    def left_over(self, now: Floats, was: Floats) -> float | None:
        """The factor by which what no segment holds moved; None when it did not. Where they hold
        everything, that of all but the clearest."""
        left = self.free.copy()
        if not left.any():
            left[:] = True
            left[self.segments[0].leaves] = len(self.segments) == 1
        size, difference = sizes(now, was)[left], (now - was)[left]
        if self.noise.gain(difference, size) < self.bar:
            return None
        weight = self.noise.weight(size)
        return 1 + float((weight * difference).sum() / (weight * size).sum())

    def length(self, now: Floats, base: Floats, variance: Floats) -> float:
        """Squared error that is left when each segment has a factor of its own, in units of
        ``variance`` (n,), and a bar for each factor (a description's length, Rissanen 1978)."""
        fitted = base.copy()
        for one in self.segments:
            fitted[one.leaves] *= now[one.leaves].sum() / (base[one.leaves].sum() or 1.0)
        error = float(((now - fitted) ** 2 / np.maximum(variance, 1e-12)).sum())
        return error + self.bar * len(self.segments)


def _as_told(one: Segment, now: Floats, was: Floats) -> Segment:
    """With amounts and a share of the change as they are before anything moves along."""
    after, before = float(now[one.leaves].sum()), float(was[one.leaves].sum())
    total = float((now - was).sum())
    still = abs(total) < ROUNDING * float(np.abs(was).sum())
    share = 0.0 if still else (after - before) / total
    return replace(one, share=share, actual=after, expected=before)


def _stray(
    hit: NDArray[np.bool_],
    rest: NDArray[np.bool_],
    difference: Floats,
    size: Floats,
    noise: Noise,
    bar: float,
) -> int | None:
    """The one leaf without which a segment would not have been found, where other leaves stand out
    nearly as much: tails are no causes. None where there is no such leaf."""
    gain = difference**2 / np.maximum(noise.variance(size), 1e-12)
    at = int(np.argmax(np.where(hit, gain, 0.0)))
    others = hit.copy()
    others[at] = False
    if others.any() and noise.gain(difference[others], size[others]) >= bar:
        return None
    loud = np.sort(gain[rest])[-STRAYS:]
    return at if len(loud) and gain[at] < CLEAR**2 * loud[0] else None
