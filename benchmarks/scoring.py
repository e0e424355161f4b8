"""How found changes and alarms are scored against what people marked.

Changes: F1 and covering of the Turing Change Point Dataset (van den Burg and Williams 2020).
Alarms: the Numenta Anomaly Benchmark (Lavin and Ahmad 2015), its standard profile.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

MARGIN = 5
"""Points by which a change may be off."""
FALSE_ALARM = 0.11
"""Weight of an alarm outside every window against a window found or missed (weight 1)."""
PROBATION = 0.15
"""Share of a series (of its first 5,000 points at most) in which nothing counts."""


def f1(marked: Sequence[Sequence[int]], found: Sequence[int], margin: int = MARGIN) -> float:
    """F1 of changes ``found`` against several people's marks; index 0 is a change to all.

    Precision counts what anybody marked, recall is the mean over the people.
    """
    mine = {0, *found}
    people = [{0, *one} for one in marked]
    precision = _matches(set().union(*people), mine, margin) / len(mine)
    recall = sum(_matches(one, mine, margin) / len(one) for one in people) / len(people)
    return 2 * precision * recall / (precision + recall)


def _matches(marks: set[int], found: set[int], margin: int) -> int:
    """Marks with a found change near them; each found change serves one mark."""
    left, matched = set(found), 0
    for mark in sorted(marks):
        near = [(abs(mark - one), one) for one in left if abs(mark - one) <= margin]
        if near:
            left.remove(min(near)[1])
            matched += 1
    return matched


def covering(marked: Sequence[Sequence[int]], found: Sequence[int], size: int) -> float:
    """How well the found stretches cover those of each person (Jaccard index), 0 to 1."""
    mine = _stretches(found, size)
    shares = [
        sum(
            (b - a) * max(_jaccard((a, b), one) for one in mine) for a, b in _stretches(marks, size)
        )
        for marks in marked
    ]
    return sum(shares) / len(shares) / size


def _stretches(changes: Sequence[int], size: int) -> list[tuple[int, int]]:
    return list(pairwise(sorted({0, *changes, size})))


def _jaccard(one: tuple[int, int], other: tuple[int, int]) -> float:
    both = max(min(one[1], other[1]) - max(one[0], other[0]), 0)
    return both / (one[1] - one[0] + other[1] - other[0] - both)


@dataclass(frozen=True)
class Windows:
    """Marked windows as (first, last) indices, both inside, in order; ``size`` points in all."""

    windows: tuple[tuple[int, int], ...]
    size: int

    @property
    def probation(self) -> int:
        """The first point that counts."""
        return int(min(PROBATION * self.size, PROBATION * 5000))


def anomaly_score(alarms: Sequence[NDArray[np.bool_]], marked: Sequence[Windows]) -> float:
    """The benchmark's score over all series: 100 is perfect, 0 is a detector that never speaks."""
    total = sum(_raw(one, windows) for one, windows in zip(alarms, marked, strict=True))
    every = sum(len(windows.windows) for windows in marked)
    return 100 * (total + every) / (2 * every)


def _raw(alarms: NDArray[np.bool_], marked: Windows) -> float:
    """Windows found, by how early, less windows missed, less false alarms."""
    outside = np.flatnonzero(alarms)
    outside = outside[outside >= marked.probation]
    score = 0.0
    for first, last in marked.windows:
        inside = (outside >= first) & (outside <= last)
        hits = outside[inside]
        outside = outside[~inside]
        if len(hits):
            early = -(last - int(hits[0]) + 1) / (last - first + 1)
            score += _sigmoid(early) / _sigmoid(-1.0)
        elif last >= marked.probation:
            score -= 1.0
    return score + FALSE_ALARM * sum(_outside(int(i), marked) for i in outside)


def _outside(index: int, marked: Windows) -> float:
    """What a false alarm costs: less where it follows shortly after a window."""
    before = [(first, last) for first, last in marked.windows if last < index]
    if not before:
        return -1.0
    first, last = before[-1]
    return _sigmoid((index - last) / max(last - first, 1))


def _sigmoid(place: float) -> float:
    """1 well before a window's end (place −1), 0 at its end, −1 well behind it."""
    return -1.0 if place > 3 else 2 / (1 + math.exp(5 * place)) - 1
