"""The joint view: how well a feature agrees with the others, with its hour, with its peers.

A join that hands rows the values of other rows leaves every marginal as it was; what breaks is
the agreement. Each feature is predicted from all others by ridge regression on rank-normal
scores, their quantile cells and one-hot levels (an additive model, Hastie and Tibshirani 1990: a
child's age says a lot about its schooling, and nothing linear), and from the other rows of the same
hour and group. The mean squared residual per block says how well it agrees; days are judged by
what was learnt on other days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.profile import Bins

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

ONE_HOT = 12
"""A category's most frequent levels that get a column of their own."""
WIDEST = 240
"""Columns used to predict a feature; the least used features are left out beyond."""
CELLS = 12
"""Quantile cells of a number, fewer where there are many numbers."""
RIDGE = 0.02
FEWEST = 60
"""With fewer rows a half teaches nothing of its own: all of the baseline then does."""


@dataclass(frozen=True)
class Scores:
    """Rows as columns of scores; ``own[feature]`` are its columns, ``cells[feature]`` say more of
    it to others, ``context`` are of none. ``half`` (rows,): 0 or 1 for the baseline's days in turn,
    2 for rows that nothing is learnt from.
    """

    z: Floats
    own: Mapping[str, Ints]
    cells: Mapping[str, Ints]
    context: Ints
    half: Ints

    @cached_property
    def fitted(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Rows of the baseline."""
        return self.half < 2

    @cached_property
    def moments(self) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
        """Means and covariances of all columns over the rows that each half is taught by."""
        return self._moments(0), self._moments(1)

    def taught(self, half: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Rows of a half; of the whole baseline where that has too few, as in less than a day."""
        rows: np.ndarray[Any, np.dtype[np.bool_]] = self.half == half
        return rows if rows.sum() >= FEWEST else self.fitted

    def _moments(self, half: int) -> tuple[Floats, Floats]:
        rows = self.z[self.taught(half)]
        middle = rows.mean(axis=0)
        return middle, (rows - middle).T @ (rows - middle) / len(rows)


def scores(frame: pd.DataFrame, bins: Mapping[str, Bins], context: Floats, half: Ints) -> Scores:
    """Rank-normal scores (by the ranks of the baseline's rows) and centred one-hot levels.

    A missing number scores 0 and, where the baseline has missing values, a column says so.
    ``context`` (rows, columns) helps to predict but is not judged.
    """
    baseline = half < 2
    columns: list[Floats] = []
    own: dict[str, Ints] = {}
    ranks: dict[str, Floats] = {}
    for name, b in bins.items():
        first = len(columns)
        if b.kind == "level":
            columns += _levels(b.cells(frame[name]), b.size, baseline)
        else:
            values = frame[name].to_numpy(dtype=float, na_value=np.nan)
            rank = _rank(values, baseline)
            if rank is not None:
                ranks[name] = rank
                columns += _numbers(rank, baseline)
        own[name] = np.arange(first, len(columns), dtype=np.int64)
    cells: dict[str, Ints] = {}
    most = min(CELLS, (WIDEST - len(columns) - context.shape[1]) // max(len(ranks), 1))
    for name, rank in ranks.items():
        first = len(columns)
        columns += _cells(rank, most, baseline)
        cells[name] = np.arange(first, len(columns), dtype=np.int64)
    start = len(columns)
    z = np.column_stack([*columns, context]) if columns else context
    return Scores(z, own, cells, np.arange(start, z.shape[1], dtype=np.int64), half)


def _levels(cell: Ints, size: int, baseline: Any) -> list[Floats]:
    share = np.bincount(cell[baseline], minlength=size) / max(baseline.sum(), 1)
    top = [int(i) for i in np.argsort(-share)[:ONE_HOT] if share[i] > 0.002]
    return [(cell == i) * 1.0 - share[i] for i in top[: max(len(top) - 1, 1)]]


def _rank(values: Floats, baseline: Any) -> Floats | None:
    """Of each value among the baseline's, 0 to 1, NaN where it is missing; None of a constant."""
    known = np.sort(values[baseline & np.isfinite(values)])
    if len(known) < 10 or known[0] == known[-1]:
        return None
    low = np.searchsorted(known, values, "left")
    high = np.searchsorted(known, values, "right")
    return np.where(np.isfinite(values), (low + high + 1) / 2 / (len(known) + 1), np.nan)


def _numbers(rank: Floats, baseline: Any) -> list[Floats]:
    from scipy.special import ndtri

    missing = np.isnan(rank)
    score = np.clip(ndtri(np.clip(rank, 0.004, 0.996)), -2.7, 2.7)
    columns = [np.where(missing, 0.0, score)]
    if missing[baseline].mean() > 0.005:
        columns.append(missing - missing[baseline].mean())
    return columns


def _cells(rank: Floats, most: int, baseline: Any) -> list[Floats]:
    """A centred column per quantile cell but one; none of a feature with two values."""
    if most < 3:
        return []
    cell = np.floor(np.clip(np.nan_to_num(rank, nan=-1.0), -1.0, 0.999) * most)
    known, count = np.unique(cell[baseline], return_counts=True)
    kept = [v for v, n in zip(known, count, strict=True) if v >= 0 and n > 0.002 * baseline.sum()]
    if len(kept) < 3:
        return []
    return [(cell == v) - float((cell[baseline] == v).mean()) for v in kept[1:]]


def clock(hour: Floats) -> Floats:
    """Two harmonics of the hour of the day, shape (rows, 4)."""
    angle = 2 * np.pi * hour / 24
    return np.column_stack([np.sin(angle), np.cos(angle), np.sin(2 * angle), np.cos(2 * angle)])


@dataclass(frozen=True)
class Linear:
    """A ridge regression of a feature's columns on ``use`` (and on its peers, when given)."""

    use: Ints
    weights: Floats
    middle: Floats
    target: Floats


@dataclass(frozen=True)
class Crossed:
    """What each half of the days teaches of a feature; ``scale`` is the variance of all of its
    columns together: a rare level says little."""

    halves: tuple[Linear, Linear]
    scale: float

    def guesses(self, z: Floats, peers: Floats | None) -> tuple[Floats, Floats]:
        """The feature's columns by all others, shape (rows, columns), as each half taught it."""
        use, count = self.halves[0].use, self.halves[0].weights.shape[1]
        weights = np.hstack([half.weights for half in self.halves])
        every = np.zeros((z.shape[1], weights.shape[1]))
        every[use] = weights[: len(use)]
        out = z @ every + np.concatenate([h.target - h.middle @ h.weights for h in self.halves])
        if peers is not None:
            out += peers[:, None] * weights[len(use) :]
        return out[:, :count], out[:, count:]


def fit(
    s: Scores, name: str, without: Iterable[str] = (), peers: Floats | None = None
) -> Crossed | None:
    """Predicts a feature from the others on the baseline's rows; None for one without columns.

    ``without`` are features that are not trusted as predictors; ``peers`` (rows,) is an extra
    predictor.
    """
    mine = s.own[name]
    if not len(mine) or not s.fitted.any():
        return None
    out = set(without) | {name}
    rest = [o for o in s.own if o not in out]
    others = [s.own[o] for o in rest] + [s.cells[o] for o in rest if o in s.cells]
    use = np.concatenate([s.context, *others])[:WIDEST].astype(np.int64)
    scale = float(np.mean([np.diag(cross)[mine].sum() for _, cross in s.moments]))
    halves = (_half(s, mine, use, peers, 0), _half(s, mine, use, peers, 1))
    return Crossed(halves, max(scale, 1e-9))


def _half(s: Scores, mine: Ints, use: Ints, peers: Floats | None, half: int) -> Linear:
    middle, cross = s.moments[half]
    inner, y = cross[np.ix_(use, use)], cross[np.ix_(use, mine)]
    centre = middle[use]
    if peers is not None:
        rows = s.taught(half)
        extra = peers[rows]
        beside = (extra - extra.mean()) @ s.z[rows] / len(extra)
        side = beside[use][:, None]
        inner = np.block([[inner, side], [side.T, np.array([[extra.var()]])]])
        y = np.vstack([y, beside[mine][None]])
        centre = np.append(centre, extra.mean())
    inner = inner + RIDGE * np.eye(len(inner))
    weights: Floats = np.asarray(np.linalg.solve(inner, y), dtype=np.float64)
    return Linear(use, weights, centre, middle[mine])


def residuals(s: Scores, name: str, model: Crossed | None, peers: Floats | None = None) -> Floats:
    """Squared residual per row over the feature's baseline variance; zeros without a model.

    By what the other half of the days taught; rows of neither half by the mean of both.
    """
    if model is None:
        return np.zeros(len(s.z))
    own = s.z[:, s.own[name]]
    each = [((own - guess) ** 2).sum(axis=1) / model.scale for guess in model.guesses(s.z, peers)]
    left: Floats = np.where(s.half == 0, each[1], np.where(s.half == 1, each[0], np.mean(each, 0)))
    return left


def peer_mean(score: Floats, group: Ints) -> Floats:
    """The mean score of the other rows of each row's group; 0 for a row alone, shape (rows,)."""
    count = np.bincount(group)
    total = np.bincount(group, weights=score)
    others = count[group] - 1
    return np.where(others > 0, (total[group] - score) / np.maximum(others, 1), 0.0)


def sharing(score: Floats, group: Ints) -> float:
    """How much rows of one group share: 1 less the variance within groups over the total."""
    count = np.bincount(group)
    mean = np.bincount(group, weights=score) / np.maximum(count, 1)
    several = count[group] > 1
    if several.sum() < 20:
        return 0.0
    freedom = np.sum(np.maximum(count - 1, 0))
    within = np.sum((score - mean[group])[several] ** 2) / max(freedom, 1)
    return float(max(0.0, 1 - within / max(np.var(score), 1e-9)))
