"""Where a series turns away and is soon back: an alarm, but no lasting change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
BACK = 0.5
"""A series that stays away by less than this part of an excursion has come back from it."""


def without_excursions(x: Floats, cuts: Sequence[int], passing: int) -> list[int]:
    """The ``cuts`` of a series (n,) less those of excursions, away and back in less than
    ``passing`` points.

    What came back is no lasting change: its points stay outliers.
    """
    inside = [cuts[i:end] for i, end in _away(x, cuts, passing)]
    gone = {cut for excursion in inside for cut in excursion}
    return [cut for cut in cuts if cut not in gone]


def excursions(x: Floats, cuts: Sequence[int], passing: int) -> list[int]:
    """The cuts at which the excursions among them begin."""
    return [cuts[i] for i, _ in _away(x, cuts, passing)]


def _away(x: Floats, cuts: Sequence[int], passing: int) -> Iterator[tuple[int, int]]:
    """The first cut of each excursion and the one after its last, as places among the cuts."""
    i = 0
    while i < len(cuts):
        ends = [j for j in range(i + 1, len(cuts)) if cuts[j] - cuts[i] < passing]
        back = [j for j in ends if _returns(x, cuts[i], cuts[j], passing)]
        if back:
            yield i, back[-1] + 1
        i = back[-1] + 1 if back else i + 1


def _returns(x: Floats, start: int, end: int, reach: int) -> bool:
    """Whether the series goes on after ``end`` about where it was before ``start``."""
    parts = x[max(start - reach, 0) : start], x[start:end], x[end : end + reach]
    left, inside, right = (float(np.median(part)) for part in parts)
    return abs(right - left) < BACK * abs(inside - (left + right) / 2)
