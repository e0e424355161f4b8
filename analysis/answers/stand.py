"""One stand-in for all snapshots of a chain, and what each snapshot does otherwise than it.

The stand-in never learns from the snapshot that it answers for. A snapshot's difference from it
is described on a few directions: all answers higher, all answers stretched, and the answers to
each of the features that count most. On them snapshots can be compared that served a few hours,
and the same figures of earlier publishes say how far a good retraining moves them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.answers.explanations import Difference
from analysis.inputs import surrogate
from analysis.inputs.familiar import in_filled_cells
from analysis.profile import Bins
from analysis.tables import Role

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]

FEWEST = 40
"""Rows of a snapshot, and twice as many of those before it, at the least."""
FOLDS = 3
DIRECTIONS = 8
"""So many features at most get a direction of their own."""
COUNTS = 0.05
"""And none with less than this part of the most used one's usage, or so little of its own."""
FAR = 4.0
"""Rows lie at most so many standard deviations out in a direction: none decides alone."""
SLOPE = "(all answers)"


@dataclass(frozen=True)
class StandIn:
    """A chain's rows, held against one stand-in.

    ``answer`` and ``guess`` are on the scale that effects add up on, ``left`` is their difference
    in standard deviations of the answers (``spread``). ``basis`` has a column per direction, each
    uncorrelated with those before it and of root mean square 1. ``effects`` are what they were
    made of: the stand-in's output, called SLOPE, and the main effect of each feature.
    ``familiar`` are rows whose inputs the stand-in knows, ``noise`` the variance of ``left`` that
    no direction explains, ``r2`` how much of the answers' variance the stand-in does.
    """

    answer: Floats
    guess: Floats
    left: Floats
    basis: Floats
    effects: Mapping[str, Floats]
    familiar: Mask
    spread: float
    noise: float
    r2: float

    def difference(self, new: Mask, old: Mask, usual: Floats) -> Difference | None:
        """What the rows ``new`` get otherwise than ``old``; None where there are too few.

        ``usual``: covariance, shape (directions, directions), of what snapshots do otherwise.
        """
        new, old = new & self.familiar, old & self.familiar
        if new.sum() < FEWEST // 2 or old.sum() < FEWEST:
            return None
        past, its = self._sums(old)
        left = np.linalg.inv(past + np.linalg.inv(usual))
        precision, weighted = self._sums(new)
        return Difference(precision, weighted - precision @ left @ its, left, int(new.sum()))

    def as_before(self, old: Mask, usual: Floats) -> Floats:
        """What the snapshot of the rows ``old`` would have answered to every row."""
        precision, weighted = self._sums(old & self.familiar)
        ways = np.linalg.solve(precision + np.linalg.inv(usual), weighted)
        out: Floats = self.guess + self.spread * (self.basis @ ways)
        return out

    def where(self, ways: Floats) -> str:
        """What a difference with these coefficients mostly is, in a few words.

        The one thing that alone explains most of it: a level, how far answers lie apart, or how
        much is made of one feature.
        """
        moved = self.basis[self.familiar] @ ways
        level, rest = float(np.mean(moved)), moved - float(np.mean(moved))
        best, found = level**2, f"all answers {'higher' if level > 0 else 'lower'}"
        for name, effect in self.effects.items():
            own = effect[self.familiar] - float(np.mean(effect[self.familiar]))
            slope = float(own @ rest) / float(own @ own + 1e-12)
            alone = slope**2 * float(np.mean(own**2))
            if alone > best:
                best = alone
                way = ("farther apart", "more") if slope > 0 else ("closer together", "less")
                found = f"answers {way[0]}" if name == SLOPE else f"leans {way[1]} on {name}"
        return found

    def _sums(self, rows: Mask) -> tuple[Floats, Floats]:
        z = self.basis[rows]
        return z.T @ z / self.noise, z.T @ self.left[rows] / self.noise


def learn(
    frame: pd.DataFrame,
    bins: Mapping[str, Bins],
    learnable: Mask,
    probability: bool,
    seed: int = 0,
) -> StandIn | None:
    """A stand-in for the snapshots of ``frame``, learned from its ``learnable`` rows.

    Rows that it learned from are answered by a model that saw no row of their snapshot (of their
    day, where a few snapshots served for long); the others by all models together.
    None where there is too little to learn from.
    """
    fold = _folds(frame, learnable)
    if min((int((learnable & (fold != j)).sum()) for j in range(FOLDS)), default=0) < 2 * FEWEST:
        return None
    answer = surrogate.served(frame[Role.PREDICTION].to_numpy(float), probability)
    models = [
        surrogate.fit(frame[mine], answer[mine], bins, seed)
        for mine in (learnable & (fold != j) for j in range(FOLDS))
    ]
    x = surrogate.encode(frame, bins)
    each = np.column_stack([m(x) for m in models])
    together = each.mean(axis=1)
    guess = np.where(learnable, each[np.arange(len(x)), fold], together)
    usage = {n: float(np.mean([m.usage[n] for m in models])) for n in bins}
    familiar = np.isfinite(answer) & in_filled_cells(bins, frame[learnable], frame, usage)
    known = learnable & familiar
    spread = float(np.std(answer[known])) if known.sum() >= FEWEST else 0.0
    if spread < 1e-9:
        return None
    effects = _effects(models[0], x, together, usage, known)
    basis = _basis(effects, known)
    left = np.where(np.isfinite(answer), answer - guess, 0.0) / spread
    noise = _noise(left, basis, frame[Role.SNAPSHOT].to_numpy(), known)
    r2 = max(0.0, 1 - float(np.mean(left[known] ** 2)))
    return StandIn(answer, guess, left, basis, effects, familiar, spread, noise, r2)


def _folds(frame: pd.DataFrame, learnable: Mask) -> Any:
    snapshots = frame[Role.SNAPSHOT].to_numpy()
    unit = snapshots
    if len(set(snapshots[learnable])) < 2 * FOLDS:
        unit = frame[Role.TIME].dt.floor("D").astype("int64").to_numpy()
    order: dict[Any, int] = {}
    for one in unit:
        order.setdefault(one, len(order))
    return np.array([order[one] for one in unit]) % FOLDS


def _effects(
    model: surrogate.Surrogate, x: Floats, output: Floats, usage: Mapping[str, float], known: Mask
) -> dict[str, Floats]:
    """The output, and the main effects of the features that count most."""
    top = sorted(usage, key=lambda n: -usage[n])[:DIRECTIONS]
    curves = model.curves(x[known])
    names = list(usage)
    return {SLOPE: output} | {
        n: curves[n](x[:, names.index(n)])
        for n in top
        if n in curves and usage[n] > COUNTS * usage[top[0]]
    }


def _basis(effects: Mapping[str, Floats], known: Mask) -> Floats:
    """Directions by Gram and Schmidt: a constant first, then each effect's own part."""
    kept = [np.ones(len(known))]
    for column in effects.values():
        rest = column.copy()
        for done in kept:
            rest -= done * float(np.mean(rest[known] * done[known]))
        size = float(np.sqrt(np.mean(rest[known] ** 2)))
        if size > COUNTS * float(np.std(column[known])) > 0:
            kept.append(rest / size)
    return np.clip(np.column_stack(kept), -FAR, FAR)


def _noise(left: Floats, basis: Floats, snapshots: Any, known: Mask) -> float:
    """Variance of ``left`` about each snapshot's own ways."""
    rest: list[Floats] = []
    for name in dict.fromkeys(snapshots[known]):
        mine = known & (snapshots == name)
        if mine.sum() < 2 * basis.shape[1]:
            continue
        ways = np.linalg.lstsq(basis[mine], left[mine], rcond=None)[0]
        own = left[mine] - basis[mine] @ ways
        rest.append(own**2 * len(own) / (len(own) - basis.shape[1] + 1e-9))
    every = np.concatenate(rest) if rest else left[known] ** 2
    return max(float(np.mean(every)), 1e-4)


__all__ = ["StandIn", "learn"]
