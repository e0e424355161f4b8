"""The joint view: how well a feature agrees with the others, with its hour, with its peers.

A join that hands rows the values of other rows leaves every marginal as it was; what breaks is
the agreement. Each feature is predicted from all others by ridge regression on rank-normal
scores and one-hot levels (a Gaussian copula in spirit), and from the other rows of the same
hour and group. The mean squared residual per block says how well it agrees.
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
WIDEST = 160
"""Columns used to predict a feature; the least used features are left out beyond."""
RIDGE = 0.02


@dataclass(frozen=True)
class Scores:
    """Rows as columns of scores; ``own[feature]`` are its columns, ``context`` those of none."""

    z: Floats
    own: Mapping[str, Ints]
    context: Ints
    fitted: np.ndarray[Any, np.dtype[np.bool_]]

    @cached_property
    def moments(self) -> tuple[Floats, Floats]:
        """Means and covariances of all columns over the fitted rows."""
        rows = self.z[self.fitted]
        middle = rows.mean(axis=0)
        return middle, (rows - middle).T @ (rows - middle) / len(rows)


def scores(frame: pd.DataFrame, bins: Mapping[str, Bins], context: Floats, baseline: Any) -> Scores:
    """Rank-normal scores (by the ranks of the ``baseline`` rows) and centred one-hot levels.

    A missing number scores 0 and, where the baseline has missing values, a column says so.
    ``context`` (rows, columns) helps to predict but is not judged.
    """
    from scipy.special import ndtri

    columns: list[Floats] = []
    own: dict[str, Ints] = {}
    for name, b in bins.items():
        first = len(columns)
        if b.kind == "level":
            cell = b.cells(frame[name])
            share = np.bincount(cell[baseline], minlength=b.size) / max(baseline.sum(), 1)
            top = [int(i) for i in np.argsort(-share)[:ONE_HOT] if share[i] > 0.002]
            columns += [(cell == i) * 1.0 - share[i] for i in top[: max(len(top) - 1, 1)]]
        else:
            values = frame[name].to_numpy(dtype=float, na_value=np.nan)
            known = np.sort(values[baseline & np.isfinite(values)])
            if len(known) < 10 or known[0] == known[-1]:
                own[name] = np.array([], dtype=np.int64)
                continue
            low = np.searchsorted(known, values, "left")
            high = np.searchsorted(known, values, "right")
            rank = (low + high + 1) / 2 / (len(known) + 1)
            score = np.clip(ndtri(np.clip(rank, 0.004, 0.996)), -2.7, 2.7)
            missing = ~np.isfinite(values)
            columns.append(np.where(missing, 0.0, score))
            if missing[baseline].mean() > 0.005:
                columns.append(missing - missing[baseline].mean())
        own[name] = np.arange(first, len(columns), dtype=np.int64)
    start = len(columns)
    z = np.column_stack([*columns, context]) if columns else context
    return Scores(z, own, np.arange(start, z.shape[1], dtype=np.int64), np.asarray(baseline))


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
    scale: Floats


def fit(
    s: Scores, name: str, without: Iterable[str] = (), peers: Floats | None = None
) -> Linear | None:
    """Predicts a feature from the others on the baseline rows; None for one without columns.

    ``without`` are features that are not trusted as predictors; ``peers`` (rows,) is an extra
    predictor.
    """
    mine = s.own[name]
    if not len(mine) or not s.fitted.any():
        return None
    out = set(without) | {name}
    others = [s.own[o] for o in s.own if o not in out]
    use = np.concatenate([s.context, *others])[:WIDEST].astype(np.int64)
    middle, cross = s.moments
    inner, y = cross[np.ix_(use, use)], cross[np.ix_(use, mine)]
    centre = middle[use]
    if peers is not None:
        extra = peers[s.fitted]
        rows = s.z[s.fitted]
        beside = (extra - extra.mean()) @ rows / len(rows)
        side = beside[use][:, None]
        inner = np.block([[inner, side], [side.T, np.array([[extra.var()]])]])
        y = np.vstack([y, beside[mine][None]])
        centre = np.append(centre, extra.mean())
    inner = inner + RIDGE * np.eye(len(inner))
    weights: Floats = np.asarray(np.linalg.solve(inner, y), dtype=np.float64)
    scale = np.maximum(np.diag(cross)[mine], 1e-9)
    return Linear(use, weights, centre, middle[mine], scale)


def residuals(s: Scores, name: str, model: Linear | None, peers: Floats | None = None) -> Floats:
    """Squared residual per row over the feature's baseline variance; zeros without a model."""
    if model is None:
        return np.zeros(len(s.z))
    known = len(model.use)
    every = np.zeros((s.z.shape[1], model.weights.shape[1]))
    every[model.use] = model.weights[:known]
    guess = s.z @ every + (model.target - model.middle @ model.weights)
    if peers is not None:
        guess += peers[:, None] * model.weights[known:]
    left: Floats = ((s.z[:, s.own[name]] - guess) ** 2 / model.scale).mean(axis=1)
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
