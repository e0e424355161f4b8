"""Probabilities from evidence: how sure a check may be.

The unit of evidence is a *block*: the same clock hours of one day. Rows of one day share
weather, demand and code, so that intervals that take rows as independent are far too narrow.
A figure of today is therefore held against the spread of the same figure over earlier days.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

AS_USUAL = -1.0
"""Up to these log odds that it moved a thing is said to be as usual; beyond, it is not clear."""
REACH = 6.0
"""How many standard deviations a real shift is spread over before any data are seen."""


@dataclass(frozen=True)
class Shift:
    """Today against earlier blocks: ``z`` in their standard deviations, ``df`` degrees of freedom.

    ``usual`` and ``spread`` describe the blocks, ``now`` is today's figure; ``beyond`` is the
    number of blocks that lie farther out on the same side.
    """

    now: float
    usual: float
    spread: float
    z: float
    df: int
    beyond: int = 0

    @property
    def change(self) -> float:
        """Today's figure minus the usual one."""
        return self.now - self.usual

    @property
    def beyond_usual(self) -> float:
        """How far it moved beyond the blocks' spread, 0 within it or where nothing was seen."""
        return math.sqrt(max(self.change**2 - self.spread**2, 0.0)) if self.seen else 0.0

    @property
    def log_odds(self) -> float:
        """Evidence that something moved, as the logarithm of a Bayes factor."""
        return log_bayes_factor(self.tempered, self.df)

    @property
    def tempered(self) -> float:
        """``z`` held down by ranks: halfway to what the blocks farther out allow for."""
        if not math.isfinite(self.z) or self.beyond == 0:
            return self.z
        from scipy.special import stdtrit

        tail = (self.beyond + 0.5) / (self.df + 2)
        by_rank = -float(stdtrit(self.df, min(tail, 0.5)))
        return math.copysign(min(abs(self.z), 0.5 * (abs(self.z) + by_rank)), self.z)

    @property
    def seen(self) -> bool:
        """Whether there was anything to compare."""
        return math.isfinite(self.z)


NOT_SEEN = Shift(math.nan, math.nan, math.nan, math.nan, 0)


def shift(
    now: float, history: ArrayLike, error: float = 0.0, errors: ArrayLike | None = None
) -> Shift:
    """How far ``now`` is from ``history``, one figure per earlier block.

    The spread is the median absolute deviation, or 0.6 of the root mean square where that is
    larger (storm days belong to what is usual; one freak day should not blind us), of all blocks
    and of those on today's side; ``error`` is the standard error of ``now``.
    When today holds fewer rows than usual, its own error counts on top of the part of the
    blocks' spread that their ``errors`` do not explain. Returns NOT_SEEN below three blocks.
    """
    past = np.asarray(history, dtype=float)
    usable = np.isfinite(past)
    past = past[usable]
    if len(past) < 3 or not math.isfinite(now):
        return NOT_SEEN
    usual = float(np.median(past))
    # Natural figures are skewed: half of what is usual is asked of the side where today lies.
    side = past[(past - usual) * (now - usual) >= 0]
    spread_sq = 0.5 * (_scale(past, usual) ** 2 + _scale(side, usual) ** 2)
    own = 0.0 if not math.isfinite(error) else error**2
    if errors is not None:
        noise = np.asarray(errors, dtype=float)[usable]
        typical = float(np.nanmedian(noise**2)) if np.isfinite(noise).any() else 0.0
        between = max(spread_sq - typical, 0.0)
        spread_sq = max(spread_sq, between + own)
    else:
        spread_sq = max(spread_sq, own)
    spread_sq *= 1 + 1 / len(past)
    floor = 1e-9 * max(abs(usual), abs(now), 1e-9)
    spread = math.sqrt(spread_sq) + floor
    beyond = int(((past - now) * (now - usual) > 0).sum())
    return Shift(now, usual, spread, (now - usual) / spread, len(past) - 1, beyond)


def _scale(past: NDArray[np.float64], usual: float) -> float:
    away = np.abs(past - usual)
    return max(1.4826 * float(np.median(away)), 0.6 * math.sqrt(float((away**2).mean())))


def log_bayes_factor(z: float, df: int, reach: float = REACH) -> float:
    """Log odds, from the data alone, that a figure moved, given ``z`` with ``df``.

    Nothing moved: Student's t. Something moved: the same, widened ``reach`` times. Near zero
    this favours "nothing moved" by about log(reach); it is unknown (0) when z is not finite.
    """
    if not math.isfinite(z) or df < 1:
        return 0.0
    return log_density(z / reach, df) - math.log(reach) - log_density(z, df)


def log_density(z: float, df: int) -> float:
    """Log density of Student's t with ``df`` degrees of freedom."""
    constant = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
    return constant - (df + 1) / 2 * math.log1p(z * z / df)


def probability(log_odds: float) -> float:
    """Log odds as a probability, kept within 0.005 and 0.995: no check knows its own faults."""
    return min(max(1 / (1 + math.exp(-min(max(log_odds, -50.0), 50.0))), 0.005), 0.995)


def mixed(pairs: Sequence[tuple[float, float]]) -> float:
    """Log Bayes factor of "one of these", from (chance, log Bayes factor) of each."""
    total = sum(chance for chance, _ in pairs)
    top = max(value for _, value in pairs)
    return top + math.log(sum(c / total * math.exp(v - top) for c, v in pairs))


def share_out(log_weights: Mapping[str, float]) -> dict[str, float]:
    """Log weights of exclusive answers as probabilities that sum to 1."""
    top = max(log_weights.values())
    raw = {name: math.exp(weight - top) for name, weight in log_weights.items()}
    total = sum(raw.values())
    return {name: weight / total for name, weight in raw.items()}


def shifts(now: ArrayLike, history: NDArray[np.float64]) -> list[Shift]:
    """:func:`shift` for every column of ``history`` (blocks × figures)."""
    return [shift(float(x), history[:, j]) for j, x in enumerate(np.asarray(now, dtype=float))]
