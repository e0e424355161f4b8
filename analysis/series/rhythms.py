"""What comes back in a series of its own accord: a season of fixed period, or a cycle of none.

The season is found from the autocorrelation of differences, so that it asks for no clock. A cycle
of changing length (a counter that is reset, a balance that is filled up) is found from the
stretches between its jumps, which look alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SEASONAL = 0.4
"""Autocorrelation of differences at the period from which a season is taken out."""
ALIKE = 0.3
"""Share of the variance that the stretches' common shape explains, from which they are a cycle."""
FEWEST_CYCLES = 5


def recurs(x: Floats, cuts: Sequence[int]) -> bool:
    """Whether the stretches between ``cuts`` of a series (n,) repeat one another.

    They do when one shape explains much of them all, beyond what the mean of so many would
    explain by chance. Stretches alternate (up, down) as often as not: pairs are tried as well.
    """
    share = 0.0
    for stride in (1, 2):
        for first in range(stride):
            edges = cuts[first::stride]
            if len(edges) > FEWEST_CYCLES:
                share = max(share, _common(x, edges))
    return share > ALIKE


def _common(x: Floats, edges: Sequence[int]) -> float:
    """Share of variance that the mean shape of the stretches explains, 0 when it is chance."""
    grid = np.linspace(0, 1, 12)
    shapes = np.array(
        [np.interp(grid, np.linspace(0, 1, b - a), x[a:b]) for a, b in pairwise(edges)]
    )
    total = float(((shapes - shapes.mean()) ** 2).sum())
    if total <= 0:
        return 0.0
    mean = shapes.mean(axis=0)
    chance = 1 / len(shapes)
    return (len(shapes) * float(((mean - mean.mean()) ** 2).sum()) / total - chance) / (1 - chance)


def without_season(x: Floats) -> Floats:
    """The series less its strongest season, where there is one; at least four rounds are asked."""
    period = _period(x)
    if period == 0:
        return x
    rest = x - _middle(x, period)
    rounds = np.append(rest, np.full(-len(x) % period, np.nan)).reshape(-1, period)
    profile = np.nanmedian(rounds, axis=0)
    return np.asarray(x - (profile - profile.mean())[np.arange(len(x)) % period])


def _period(x: Floats) -> int:
    """The lag at which differences repeat themselves most clearly; 0 when none does."""
    steps = np.diff(x)
    scale = 1.4826 * float(np.median(np.abs(steps - np.median(steps))))
    if scale <= 0:
        return 0
    steps = np.clip(steps - np.median(steps), -4 * scale, 4 * scale)
    longest = min(len(x) // 4, 400)
    if longest < 4:
        return 0
    size = 1 << (2 * len(steps) - 1).bit_length()
    power = np.abs(np.fft.rfft(steps, size)) ** 2
    own = np.fft.irfft(power)[: longest + 1]
    own = own / own[0]
    peaks = [
        lag
        for lag in range(3, longest)
        if own[lag] >= own[lag - 1] and own[lag] >= own[lag + 1] and own[lag] > SEASONAL
    ]
    if not peaks:
        return 0
    top = max(own[lag] for lag in peaks)
    return next(lag for lag in peaks if own[lag] > 0.9 * top)


def _middle(x: Floats, period: int) -> Floats:
    """Running mean over one period, its ends held."""
    kernel = np.ones(period) / period
    padded = np.concatenate(
        (np.full(period, x[:period].mean()), x, np.full(period, x[-period:].mean()))
    )
    return np.convolve(padded, kernel, mode="same")[period : period + len(x)]
