"""All changes of level in a series, with their bounds.

Binary segmentation (Vostrikova 1981) with a Bayes factor at each split: two levels against one,
in noise with a lag-one correlation, the step's size integrated out. The correlation and the
noise come from differences, which a change of level touches once: for an AR(1) series the
lag-one correlation of differences is −(1 − φ)/2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
REACH = 4.0
"""Standard deviation of a real step before any data are seen, in units of the noise."""
SHORTEST = 3
"""Points that a regime has at least."""


@dataclass(frozen=True)
class Change:
    """``index`` is the first point of the new regime; ``low`` … ``high`` hold it at 95 %.

    ``evidence`` is the log odds against no change, all places being equally likely.
    """

    index: int
    low: int
    high: int
    direction: str
    evidence: float


def changes(values: ArrayLike, *, most: int = 50) -> list[Change]:
    """Changes of level in order of time; gaps (NaN) are passed over.

    One setting for all series: a split is kept when it is more likely than none by e².
    """
    y = np.asarray(values, dtype=float)
    known = np.flatnonzero(np.isfinite(y))
    x = y[known]
    if len(x) < 2 * SHORTEST:
        return []
    memory, noise = _noise(x)
    if noise <= 0:
        return []
    found: list[Change] = []
    queue = [(0, len(x))]
    while queue and len(found) < most:
        start, end = queue.pop()
        change = _split(x[start:end] / noise, memory, len(x))
        if change is None:
            continue
        cut = start + change.index
        found.append(
            Change(
                int(known[cut]),
                int(known[start + change.low]),
                int(known[start + change.high]),
                change.direction,
                change.evidence,
            )
        )
        queue += [(start, cut), (cut, end)]
    return sorted(found, key=lambda c: c.index)


def levels(values: ArrayLike, cuts: list[Change]) -> Floats:
    """The median of each regime, at each point."""
    y = np.asarray(values, dtype=float)
    out = np.full(len(y), np.nan)
    edges = [0, *(c.index for c in cuts), len(y)]
    for start, end in pairwise(edges):
        part = y[start:end]
        if np.isfinite(part).any():
            out[start:end] = np.nanmedian(part)
    return out


def _noise(x: Floats) -> tuple[float, float]:
    """Lag-one correlation and the standard deviation of the noise, from clipped differences."""
    steps = np.diff(x)
    scale = 1.4826 * float(np.median(np.abs(steps - np.median(steps))))
    if scale <= 0:
        scale = float(np.std(steps))
    if scale <= 0:
        return 0.0, 0.0
    clipped = np.clip(steps - np.median(steps), -4 * scale, 4 * scale)
    power = float((clipped**2).mean())
    linked = float((clipped[1:] * clipped[:-1]).mean()) / power if len(clipped) > 2 else -0.5
    memory = min(max(1 + 2 * linked, 0.0), 0.9)
    return memory, math.sqrt(power / (2 * (1 - memory)))


def _split(z: Floats, memory: float, whole: int) -> Change | None:
    """The best split of one regime, or None when one level is likelier."""
    count = len(z)
    if count < 2 * SHORTEST:
        return None
    centred = np.clip(z - np.median(z), -8, 8)
    shock = np.concatenate((centred[:1] * math.sqrt(1 - memory**2), np.diff(centred)))
    shock[1:] += (1 - memory) * centred[:-1]
    shock /= math.sqrt(1 - memory**2)
    base = np.full(count, (1 - memory) / math.sqrt(1 - memory**2))
    base[0] = 1.0
    first = 1 / math.sqrt(1 - memory**2)  # how a step shows in its first whitened point
    hit = _tail(base * shock) + first * shock
    power = _tail(base**2) + first**2
    cross = _tail(base**2) + first * base
    level, total = float((base * shock).sum()), float((base**2).sum())
    hit = hit - cross * level / total
    power = np.maximum(power - cross**2 / total, 1e-9)
    gain = REACH**2 * hit**2 / (2 * (1 + REACH**2 * power)) - 0.5 * np.log1p(REACH**2 * power)
    gain[:SHORTEST] = gain[count - SHORTEST + 1 :] = -np.inf
    index = int(np.argmax(gain))
    weight = np.exp(gain - gain[index])
    evidence = float(gain[index]) + math.log(float(weight.sum())) - math.log(whole)
    if evidence < 2.0:
        return None
    held = np.cumsum(weight / weight.sum())
    low, high = (int(np.searchsorted(held, share)) for share in (0.025, 0.975))
    rose = np.median(z[index:]) > np.median(z[:index])
    return Change(index, low, min(high, count - 1), "up" if rose else "down", evidence)


def _tail(x: Floats) -> Floats:
    """Sum of everything after each point."""
    return np.asarray(np.cumsum(x[::-1])[::-1] - x)
