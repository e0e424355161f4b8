"""The labels' view: does a feature's contribution still go with what happened?

A row that was served another row's value is wrong in what that value made of its prediction: label
minus prediction no longer lies level over the feature's effect, but falls. All labelled rows of a
small log count, not its sample: how often an outcome happens leaves little to see in a few hundred.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis import odds
from analysis.inputs import surrogate
from analysis.inputs.suspicion import View, middle
from analysis.inputs.views import Reading

Floats = np.ndarray[Any, np.dtype[np.float64]]

MOST = 4.0
"""Labels alone can't tell a feature's fault from a change of what they mean: a cap."""
FEWEST = 30


def gaps(r: Reading) -> Floats:
    """Label minus prediction, each block's predictions shifted (on their scale) to its labels.

    How often the outcome happens, or what counts as one, is no feature's doing: a broken feature
    shows in *which* rows are wrong, not in how many. Shape (labelled rows,).
    """
    output = surrogate.served(r.labelled.prediction, r.probability)
    gap = np.full(len(output), np.nan)
    shifted = _at_rate if r.probability else _at_mean
    for block in r.days.numbers:
        rows = r.labelled.block == block
        if rows.any():
            label = r.labelled.label[rows]
            gap[rows] = label - shifted(output[rows], float(label.mean()))
    return gap


def _at_mean(output: Floats, mean: float) -> Floats:
    """The outputs moved so that their mean is ``mean``."""
    shifted: Floats = output + (mean - float(output.mean()))
    return shifted


def _at_rate(logit: Floats, rate: float) -> Floats:
    """Probabilities of the shifted logits whose mean is ``rate``, by bisection."""
    low, high = -20.0, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        mean = float((1 / (1 + np.exp(-np.clip(logit + middle, -40, 40)))).mean())
        low, high = (middle, high) if mean < rate else (low, middle)
    shifted: Floats = 1 / (1 + np.exp(-np.clip(logit + low, -40, 40)))
    return shifted


class Payoff:
    """Whether what features contribute still goes with the labels; each is looked up once."""

    def __init__(self, r: Reading) -> None:
        self._r = r
        self._gap = gaps(r)
        self._effects: dict[str, Floats] = {}

    def __call__(self, names: Sequence[str]) -> View:
        """Does what these features contribute together still go with the labels?

        The slope of the gap on the sum of their main effects is near zero while the model is
        calibrated in them, and negative once their values are no longer the row's own.
        """
        used = [name for name in names if self._r.usage(name) > 0]
        if not used or not len(self._gap):
            return View(0.0, 0.0)
        effect = np.sum([self._effect(name) for name in used], axis=0)
        return _slope(self._r, effect, self._gap)

    def _effect(self, name: str) -> Floats:
        """The main effect of a feature per labelled row."""
        if name not in self._effects:
            self._effects[name] = _by_cell(self._r, name)[self._r.labelled.cells[name]]
        return self._effects[name]


def _slope(r: Reading, effect: Floats, gap: Floats) -> View:
    """The slope of the window's gap on an effect, against earlier blocks."""
    known = np.isfinite(effect) & np.isfinite(gap)
    slopes, errors = [], []
    for b in r.days.numbers:
        rows = (r.labelled.block == b) & known
        x, y = effect[rows] - effect[rows].mean() if rows.any() else effect[rows], gap[rows]
        power = float(np.sum(x**2))
        enough = rows.sum() >= FEWEST and power > 1e-9
        slopes.append(float(x @ (y - y.mean())) / power if enough else np.nan)
        errors.append(float(np.std(y) / np.sqrt(power)) if enough else np.nan)
    found = odds.shift(-slopes[0], -np.array(slopes[1:]), errors[0], np.array(errors[1:]))
    now = effect[(r.labelled.block == 0) & known]
    spread = float(np.std(now)) if len(now) else 0.0
    evidence = min(found.log_odds, MOST) if found.seen and found.z > 0 else 0.0
    return View(evidence, spread * 0.5, slopes[0], middle(np.array(slopes[1:])))


def _by_cell(r: Reading, name: str) -> Floats:
    """The mean main effect of the day sample's rows in each cell, NaN where there are none."""
    b = r.bins[name]
    cell = b.cells(r.days.frame[name])
    count = np.bincount(cell, minlength=b.size)
    total = np.bincount(cell, weights=r.effect(name, r.days), minlength=b.size)
    with np.errstate(invalid="ignore"):
        mean: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean
