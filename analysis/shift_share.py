"""How much of a ratio's change other traffic makes, and how much happened inside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.metrics import BLOCK

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Split:
    """A change of a ratio split over one dimension: ``mix`` + ``rate`` is the whole change."""

    dimension: str
    mix: float
    rate: float

    @property
    def mix_share(self) -> float:
        """The mix's part of all movement, 0 to 1."""
        total = abs(self.mix) + abs(self.rate)
        return abs(self.mix) / total if total else 0.0


def shift_share(cells: pd.DataFrame, dim: str) -> Split:
    """Mix and rate of the metric's change over one dimension (shift-share, Dunn 1960).

    With shares s and rates r of the values now and usually, mix = Σ (s − s₀) · r̄ and
    rate = Σ s̄ · (r − r₀), bars being midpoints, so that nothing is left over.
    """
    blocks = cells[BLOCK].to_numpy(int)
    levels, codes = np.unique(cells[dim].to_numpy(str), return_inverse=True)
    count = len(levels)
    value, below = cells["value"].to_numpy(float), cells["below"].to_numpy(float)
    now, past = blocks == 0, blocks > 0
    v1, d1 = (np.bincount(codes[now], x[now], count) for x in (value, below))
    v0, d0 = (np.bincount(codes[past], x[past], count) for x in (value, below))
    if not d1.sum() or not d0.sum():
        return Split(dim, 0.0, 0.0)
    s1, s0 = d1 / d1.sum(), d0 / d0.sum()
    whole0, whole1 = v0.sum() / d0.sum(), v1.sum() / d1.sum()
    with np.errstate(all="ignore"):
        r0 = np.where(d0 > 0, v0 / d0, whole0)
        r1 = np.where(d1 > 0, v1 / d1, r0)
    mix = float(((s1 - s0) * ((r1 + r0) / 2 - (whole0 + whole1) / 2)).sum())
    return Split(dim, mix, float(whole1 - whole0) - mix)
