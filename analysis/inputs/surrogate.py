"""A stand-in for the served model, learned from the log: inputs in, served prediction out.

It learns the prediction, not the label: on the logit for probabilities, on the raw value
otherwise. What it explains of a shift is the inputs' part; what it does not is the model's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.profile import Bins

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

CLIP = 1e-4
"""Probabilities are kept this far from 0 and 1 before the logit."""
MOST_TREES = 70
GRID = 18
"""Points at which a main effect is read."""


def served(prediction: Floats, probability: bool) -> Floats:
    """Predictions on the scale that effects add up on: the logit, or the raw value."""
    values = np.asarray(prediction, dtype=float)
    if not probability:
        return values
    clipped = np.clip(values, CLIP, 1 - CLIP)
    out: Floats = np.log(clipped / (1 - clipped))
    return out


def is_probability(prediction: Floats) -> bool:
    """Whether all predictions lie in 0..1, so that the logit is their natural scale.

    Decisions, which are 0 or 1 and nothing between, have no logit.
    """
    known = prediction[np.isfinite(prediction)]
    if not len(known) or known.min() < 0 or known.max() > 1:
        return False
    return bool(((known > 0) & (known < 1)).any())


def encode(frame: pd.DataFrame, bins: Mapping[str, Bins]) -> Floats:
    """Features as numbers, shape (rows, features): levels by index, other = last, null = NaN."""
    columns = []
    for name, b in bins.items():
        if b.kind == "level":
            cell = b.cells(frame[name]).astype(float)
            cell[cell == b.size - 1] = np.nan
            columns.append(cell)
        else:
            columns.append(frame[name].to_numpy(dtype=float, na_value=np.nan))
    return np.column_stack(columns) if columns else np.empty((len(frame), 0))


@dataclass(frozen=True)
class Surrogate:
    """A fitted stand-in. ``r2`` is on rows that it did not see; ``usage`` per feature is the
    root mean square change of the output when the feature is shuffled, in output units."""

    bins: Mapping[str, Bins]
    model: Any
    r2: float
    rows: int
    usage: Mapping[str, float]
    background: Floats

    def __call__(self, x: Floats) -> Floats:
        """The output for encoded rows, shape (rows,)."""
        if self.model is None or not len(x):
            return np.zeros(len(x))
        out: Floats = self.model.predict(x)
        return out

    def curves(self, news: Floats) -> dict[str, Curve]:
        """The main effect of every used feature, on a grid that covers background and ``news``.

        Partial dependence (Friedman 2001), centred; all grids go through the model at once.
        ``news`` are encoded rows whose range the grids must cover as well.
        """
        if self.model is None:
            return {}
        top = max(self.usage.values(), default=0.0)
        used = [n for n in self.bins if self.usage[n] > 0.005 * top]
        names = list(self.bins)
        rows = self.background[: 30 if len(used) > 30 else 50]
        grids = {n: self._grid(names.index(n), n, news) for n in used}
        stacks = []
        for name, grid in grids.items():
            stack = np.repeat(rows[None, :, :], len(grid) + 1, axis=0)
            stack[:, :, names.index(name)] = np.append(grid, np.nan)[:, None]
            stacks.append(stack.reshape(-1, rows.shape[1]))
        if not stacks:
            return {}
        out = self(np.vstack([rows, *stacks]))
        middle, at, found = float(out[: len(rows)].mean()), len(rows), {}
        for name, grid in grids.items():
            size = (len(grid) + 1) * len(rows)
            flat = out[at : at + size].reshape(len(grid) + 1, -1).mean(axis=1) - middle
            found[name] = Curve(grid, flat[:-1], float(flat[-1]))
            at += size
        return found

    def _grid(self, column: int, name: str, news: Floats) -> Floats:
        parts = [part[np.isfinite(part)] for part in (self.background[:, column], news[:, column])]
        if self.bins[name].kind == "level":
            return np.unique(np.concatenate(parts))
        ends = [np.quantile(p, np.linspace(0, 1, GRID)) for p in parts if len(p)]
        return np.unique(np.concatenate(ends)) if ends else np.zeros(1)


@dataclass(frozen=True)
class Curve:
    """A main effect: its value at the points of ``grid``, and where the feature is missing."""

    grid: Floats
    value: Floats
    missing: float

    def __call__(self, values: Floats) -> Floats:
        """The effect at encoded values, linear between grid points, shape (rows,)."""
        known = np.interp(np.nan_to_num(values, nan=self.grid[0]), self.grid, self.value)
        out: Floats = np.where(np.isnan(values), self.missing, known)
        return out


def fit(frame: pd.DataFrame, target: Floats, bins: Mapping[str, Bins], seed: int = 0) -> Surrogate:
    """Gradient-boosted trees of ``target`` on the features of ``bins``; deterministic.

    With fewer than 60 rows or a constant target there is nothing to learn: ``r2`` is 0 and
    every effect is 0.
    """
    x = encode(frame, bins)
    rng = np.random.default_rng(seed)
    some = rng.permutation(len(x))[: 60 if len(x) < 400 else 120]
    usable = np.isfinite(target)
    if usable.sum() < 60 or np.std(target[usable]) < 1e-9 or not bins:
        return Surrogate(bins, None, 0.0, len(x), dict.fromkeys(bins, 0.0), x[some])
    from sklearn.ensemble import HistGradientBoostingRegressor

    held = rng.random(len(x)) < 0.2
    wide = len(bins) > 60
    model = HistGradientBoostingRegressor(
        max_iter=MOST_TREES // 2 if wide else MOST_TREES,
        learning_rate=0.18 if wide else 0.15,
        max_leaf_nodes=15,
        min_samples_leaf=max(5, min(20, len(x) // 100)),
        max_bins=64,
        early_stopping=False,
        random_state=seed,
    )
    learned = x[usable & ~held].copy()
    # A column without two known values splits nothing, and the binning stumbles over it.
    dead = [j for j in range(x.shape[1]) if not _varies(learned[:, j])]
    learned[:, dead] = 0.0
    model.fit(learned, target[usable & ~held])
    test = usable & held
    spread = float(np.var(target[test])) if test.sum() > 10 else 0.0
    error = float(np.mean((model.predict(x[test]) - target[test]) ** 2)) if spread else 0.0
    r2 = max(0.0, 1 - error / spread) if spread else 0.0
    usage = _usage(model, x[rng.permutation(len(x))[:300]], list(bins), rng)
    return Surrogate(bins, model, r2, len(x), usage, x[some])


def _varies(column: Floats) -> bool:
    known = column[np.isfinite(column)]
    return bool(len(known) and known.min() < known.max())


def _usage(
    model: Any, x: Floats, names: Sequence[str], rng: np.random.Generator
) -> dict[str, float]:
    """Root mean square change of the output when one feature's values are shuffled."""
    n, d = x.shape
    order = rng.permutation(n)
    rows = np.repeat(x[None], d, axis=0)
    for j in range(d):
        rows[j, :, j] = x[order, j]
    plain = model.predict(x)
    moved = model.predict(rows.reshape(-1, d)).reshape(d, n)
    size = np.sqrt(np.mean((moved - plain) ** 2, axis=1))
    return {name: float(size[j]) for j, name in enumerate(names)}
