"""Every segment of a table that may be named, weighed at once: one sum per value of each cuboid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.drilldown.leaves import Leaves, Noise, key_of
from analysis.quality import Floats

LEAST = 0.03
"""A change of less than this (or than half of a leaf's noise) is no cause, however certain."""
MANY = 100
"""From so many candidates on, the tail of their gains is looked at."""
UPPER = 3.84
"""95th percentile of χ² of one degree of freedom."""
SIBLINGS = 4
CALM = 0.143
"""Mean of the smaller half of χ² values of one degree of freedom."""

Cuboid = tuple[int, ...]
Tallies = Sequence[tuple[Floats, Floats]]
"""By cuboid: weighted sums of difference and of size for each of its candidates."""


@dataclass(frozen=True)
class Candidates:
    """By cuboid, the candidate that each leaf belongs to (n,) and how many there are."""

    cuboids: tuple[Cuboid, ...]
    keys: tuple[NDArray[np.int64], ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, leaves: Leaves, deepest: int) -> Candidates:
        """Those of all cuboids of up to ``deepest`` dimensions."""
        cuboids = tuple(leaves.cuboids(deepest))
        keys, counts = zip(*(_grouped(leaves, one) for one in cuboids), strict=True)
        return cls(cuboids, keys, counts)

    @property
    def count(self) -> int:
        """How many there are, 2 or more."""
        return max(sum(self.counts), 2)

    def tallied(
        self, difference: Floats, size: Floats, noise: Noise, free: NDArray[np.bool_]
    ) -> Tallies:
        """Sums over the leaves that are ``free`` (n,)."""
        weight = np.where(free, noise.weight(size), 0.0)
        above, below = weight * difference, weight * size
        return [
            (
                np.asarray(np.bincount(key, above, count), dtype=float),
                np.asarray(np.bincount(key, below, count), dtype=float),
            )
            for key, count in zip(self.keys, self.counts, strict=True)
        ]

    def best(
        self, tallies: Tallies, size: Floats, noise: Noise, free: NDArray[np.bool_]
    ) -> tuple[Cuboid, NDArray[np.bool_]] | None:
        """The candidate with the largest gain, as cuboid and members (n,); of equal ones, the one
        with the fewest dimensions. None when none gains anything."""
        # A leaf that was not expected at all counts as half a case.
        floor = max(0.5 * float(noise.weight(size[free]).max(initial=0.0)), 1e-12)
        least = max(LEAST, 0.5 * noise.factor)
        found: tuple[float, int, int] | None = None
        for place, (above, below) in enumerate(tallies):
            gain = above**2 / np.maximum(below, floor)
            gain = np.where(np.abs(above) >= least * below, gain, 0.0)
            at = int(np.argmax(gain))
            if found is None or gain[at] > found[0] * 1.0001:
                found = float(gain[at]), place, at
        if found is None or found[0] <= 0:
            return None
        return self.cuboids[found[1]], np.asarray(self.keys[found[1]] == found[2])

    def usual(
        self, tallies: Tallies, cuboid: Cuboid, size: float, expected: float, effect: str
    ) -> float:
        """By how much gains of what is left exceed those of pure noise, 1 or more: of all
        candidates, and of one among those of as many dimensions.

        Its ``size``, and the part of that which was ``expected``, are weighted sums. Forecasts err
        by a part of what they expect, not of what a cause adds to that; and rows that come several
        at a time exceed chance by as much at any size.
        """
        own = _restless(*tallies[self.cuboids.index(cuboid)])
        alike = [
            _restless(*one)
            for one, known in zip(tallies, self.cuboids, strict=True)
            if len(known) == len(cuboid)
        ]
        clustered, factor = np.maximum(own, np.mean(alike, axis=0))
        erring = max(factor * expected, min(factor * size, clustered))
        return max(1 + float(erring), _tail(tallies, effect))


def _grouped(leaves: Leaves, cuboid: Cuboid) -> tuple[NDArray[np.int64], int]:
    key = key_of([leaves.codes[d] for d in cuboid], [len(leaves.levels[d]) for d in cuboid])
    size = math.prod(len(leaves.levels[d]) for d in cuboid)
    if size > 4 * len(key) + 1000:
        import pandas as pd

        key = pd.factorize(key)[0].astype(np.int64)
        size = int(key.max()) + 1
    return key, size


def _tail(tallies: Tallies, effect: str) -> float:
    """Of all candidates, by their 95th percentile: forecasts err together, and by more than their
    bulk shows. What moved all shares of a total alike is no error: where one value of two grows,
    the other shrinks."""
    above, below = (np.concatenate([one[side] for one in tallies]) for side in (0, 1))
    above, below = above[below > 0], below[below > 0]
    if len(below) < MANY:
        return 1.0
    alike = (float(above.sum() / below.sum()),) if effect == "mix" else ()
    return min(
        float(np.quantile((above - factor * below) ** 2 / below, 0.95)) / UPPER
        for factor in (0.0, *alike)
    )


def _restless(above: Floats, below: Floats) -> tuple[float, float]:
    """Variance of the changes of one cuboid's values beyond noise, by the calmer half of them:
    where each level errs by some per cent of its own, one more that does is no cause. What moved
    them all alike is no restlessness. In units of the noise, and by size."""
    above, below = above[below > 0], below[below > 0]
    if len(below) < SIBLINGS:
        return 0.0, 0.0
    gains = np.sort((above - float(np.median(above / below)) * below) ** 2 / below)
    calm = float(np.mean(gains[: (len(gains) + 1) // 2])) / CALM
    return max(calm - 1, 0.0), max(calm - 1, 0.0) / float(np.median(below))
