"""The labels' view: does a feature's contribution still go with what happened?

A row that was served another row's value is wrong in what that value made of its prediction: label
minus prediction no longer lies level over the feature's effect, but falls. All labelled rows of a
small log count, not its sample: how often an outcome happens leaves little to see in a few hundred.
Of a large log a rare outcome is sampled more often than it happens: each block's predictions are
shifted to the rate of its rows, which is the prior correction of King and Zeng (2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis import odds
from analysis.inputs import surrogate
from analysis.inputs.suspicion import View
from analysis.inputs.views import Reading

Floats = np.ndarray[Any, np.dtype[np.float64]]

MOST = 4.0
"""Labels alone can't tell a feature's fault from a change of what they mean: a cap."""
FEWEST, FEWEST_OUTCOMES = 30, 5
"""Rows that a slope is read from, and outcomes that nobody could foresee among them: fewer tell
nothing (Peduzzi and others 1996 ask for 5 to 10 a coefficient)."""


def gaps(r: Reading) -> tuple[Floats, Floats]:
    """Label minus prediction, each block's predictions shifted (on their scale) to its labels; and
    by how much a prediction moves with its scale: p (1 - p) for a probability, else 1.

    How often the outcome happens, what counts as one, or how many were sampled, is no feature's
    doing: a broken feature shows in *which* rows are wrong, not in how many. Shapes (labelled
    rows,).
    """
    output = surrogate.served(r.labelled.prediction, r.probability)
    gap, steep = np.full(len(output), np.nan), np.ones(len(output))
    for block in r.days.numbers:
        rows = r.labelled.block == block
        if not rows.any():
            continue
        label = r.labelled.label[rows]
        if r.probability:
            chance = _at_rate(output[rows], float(label.mean()))
            gap[rows], steep[rows] = label - chance, chance * (1 - chance)
        else:
            gap[rows] = label - _at_mean(output[rows], float(label.mean()))
    return gap, steep


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
        self._gap, self._steep = gaps(r)
        self._effects: dict[str, Floats] = {}

    def __call__(self, names: Sequence[str]) -> View:
        """Does what these features contribute together still go with the labels?

        The slope of the gap on the sum of their main effects is near zero while the model is
        calibrated in them, and negative once their values are no longer the row's own.
        """
        r = self._r
        used = [name for name in names if r.usage(name) > 0]
        if not used or not len(self._gap):
            return View(0.0, 0.0)
        found = self._slope(np.sum([self._effect(name) for name in used], axis=0))
        if not found.seen:
            return View(0.0, 0.0)
        now = np.sum([r.effect(name, r.days) for name in used], axis=0)[r.days.block == 0]
        evidence = min(found.log_odds, MOST) if found.z > 0 else 0.0
        return View(evidence, float(np.std(now)) * 0.5, -found.now, -found.usual)

    def _slope(self, effect: Floats) -> odds.Shift:
        """How far the window's slope, its sign turned, lies above those of earlier blocks.

        For outcomes it is the slope of a logistic regression of the label on the effect beside the
        prediction (one step of Newton's): on the logit it is the same whatever part of the rows
        have the outcome.
        """
        known = np.isfinite(effect) & np.isfinite(self._gap)
        slopes, errors = [], []
        for b in self._r.days.numbers:
            rows = (self._r.labelled.block == b) & known
            slope, error = _fall(effect[rows], self._gap[rows], self._steep[rows])
            slopes.append(slope)
            errors.append(error)
        return odds.shift(slopes[0], np.array(slopes[1:]), errors[0], np.array(errors[1:]))

    def _effect(self, name: str) -> Floats:
        """The main effect of a feature per labelled row."""
        if name not in self._effects:
            self._effects[name] = _by_cell(self._r, name)[self._r.labelled.cells[name]]
        return self._effects[name]


def _fall(effect: Floats, gap: Floats, steep: Floats) -> tuple[float, float]:
    """How fast the gap falls with the effect, and its standard error; NaN where nothing tells."""
    total = float(steep.sum())
    if len(effect) < FEWEST or total < FEWEST_OUTCOMES:
        return float("nan"), float("nan")
    x, y = effect - float(steep @ effect) / total, gap - steep * float(gap.sum()) / total
    power = float(steep @ x**2)
    if power <= 1e-9:
        return float("nan"), float("nan")
    return -float(x @ y) / power, float(np.sqrt(float(y @ y) / total / power))


def _by_cell(r: Reading, name: str) -> Floats:
    """The mean main effect of the day sample's rows in each cell, NaN where there are none."""
    b = r.bins[name]
    cell = b.cells(r.days.frame[name])
    count = np.bincount(cell, minlength=b.size)
    total = np.bincount(cell, weights=r.effect(name, r.days), minlength=b.size)
    with np.errstate(invalid="ignore"):
        mean: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean
