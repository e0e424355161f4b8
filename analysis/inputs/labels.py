"""The labels' view: does a feature's contribution still go with what happened?

A row that was served another row's value is wrong in what that value made of its prediction: label
minus prediction no longer lies level over the feature's effect, but falls. All labelled rows of a
small log count, not its sample: how often an outcome happens leaves little to see in a few hundred.
Of a large log a rare outcome is sampled more often than it happens: each block's predictions are
shifted to the rate of its rows, which is the prior correction of King and Zeng (2001).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from analysis import odds
from analysis.inputs import surrogate
from analysis.inputs.suspicion import ROBUST_DF, View, middle
from analysis.inputs.views import Reading

Floats = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]

MOST = 4.0
"""Labels alone can't tell a feature's fault from a change of what they mean: a cap."""
LEAST_LOST = 0.05
"""The least part that is looked for of what goes with labels; all parts above are as likely."""
TOGETHER = 3.0
"""What a value does together with others takes part in its fall, up to so many times its own."""
FEWEST, FEWEST_OUTCOMES = 30, 5
"""Rows that a slope is read from, and outcomes that nobody could foresee among them: fewer tell
nothing (Peduzzi and others 1996 ask for 5 to 10 a coefficient)."""


@dataclass(frozen=True)
class Gaps:
    """Labelled rows: ``gap`` is label minus prediction, each block's predictions shifted (on their
    scale) to its labels; ``steep`` by how much a prediction moves with its scale: p (1 - p) for a
    probability, else 1; ``output`` the predictions on their scale. Shapes (labelled rows,).

    Per block, the window first: the ``shift`` that all of its predictions would need, not those of
    its sample alone, with its standard ``error``; NaN where too few rows tell.
    """

    gap: Floats
    steep: Floats
    output: Floats
    shift: Floats
    error: Floats


def gaps(r: Reading) -> Gaps:
    """How often the outcome happens, what counts as one, or how many were sampled, is no feature's
    doing: a broken feature shows in *which* rows are wrong, not in how many. So the gaps of a block
    add up to nothing.
    """
    output = surrogate.served(r.labelled.prediction, r.probability)
    gap, steep = np.full(len(output), np.nan), np.ones(len(output))
    shifts, errors = np.full((2, len(r.days.numbers)), np.nan)
    for i, block in enumerate(r.days.numbers):
        rows = r.labelled.block == block
        if not rows.any():
            continue
        label = r.labelled.label[rows]
        if r.probability:
            by = _to_rate(output[rows], label, np.ones(len(label)))
            every = _to_rate(output[rows], label, r.labelled.weight[rows])
            chance = _chance(output[rows] + by)
            gap[rows], steep[rows] = label - chance, chance * (1 - chance)
        else:
            by = every = float(label.mean() - output[rows].mean())
            gap[rows] = label - output[rows] - by
        if len(label) >= FEWEST and label.min() < label.max():
            error = np.sqrt(float(gap[rows] @ gap[rows])) / float(steep[rows].sum())
            shifts[i], errors[i] = every, error
    return Gaps(gap, steep, output, shifts, errors)


def _to_rate(logit: Floats, label: Floats, weight: Floats) -> float:
    """By how much to shift logits so that as much is foretold as happened, by bisection."""
    happened, low, high = float(weight @ label), -20.0, 20.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if weight @ _chance(logit + middle) < happened else (low, middle)
    return low


def _chance(logit: Floats) -> Floats:
    chance: Floats = 1 / (1 + np.exp(-np.clip(logit, -40, 40)))
    return chance


@dataclass(frozen=True)
class Fall:
    """How far the slope of label minus prediction over an effect ``fell``, its sign turned, against
    earlier blocks; ``whole`` is how far it falls where nothing of the effect goes with labels."""

    fell: odds.Shift
    whole: float

    @property
    def seen(self) -> bool:
        """Whether there was anything to compare."""
        return self.fell.seen and self.whole > 0

    @property
    def part(self) -> float:
        """The part of the effect that no longer goes with labels, 0 to 1."""
        return min(max(self.fell.change / self.whole, 0.0), 1.0)

    @property
    def lost(self) -> float:
        """A log Bayes factor that a part of it was lost, against none: what falls farther than
        ``whole`` lost something else."""
        fell, spread = self.fell.tempered * self.fell.spread, self.fell.spread
        parts = self.whole * np.linspace(LEAST_LOST, 1.0, 20)
        each = [odds.log_density((fell - part) / spread, ROBUST_DF) for part in parts]
        told = float(np.logaddexp.reduce(each)) - float(np.log(len(parts)))
        return told - odds.log_density(fell / spread, ROBUST_DF)


@dataclass(frozen=True)
class Followed:
    """The shift that the window's predictions need to meet their labels, beside earlier blocks; and
    what those predictions moved by themselves. On the predictions' scale.

    ``fall`` is that of all features together.
    """

    needed: odds.Shift = odds.NOT_SEEN
    moved: float = 0.0
    fall: Fall = field(default_factory=lambda: Fall(odds.NOT_SEEN, 0.0))

    def speak_for(self, moved: float) -> float:
        """A log Bayes factor, at most 0, that what moved predictions by so much is no fault.

        Where something moved the predictions and the outcomes moved along, the world changed. Had
        it been a fault, outcomes would have stayed, and the predictions would have to be shifted
        back by as much.
        """
        # What another thing makes up for moved nothing that outcomes could follow.
        moved = min(max(moved, min(self.moved, 0.0)), max(self.moved, 0.0))
        if not self.needed.seen or not np.isfinite(moved):
            return 0.0
        fault, world = ((self.needed.change + by) / self.needed.spread for by in (moved, 0.0))
        speaks = odds.log_density(fault, ROBUST_DF) - odds.log_density(world, ROBUST_DF)
        return min(speaks, 0.0)


class Payoff:
    """Whether what features contribute still goes with the labels; each is looked up once."""

    def __init__(self, r: Reading) -> None:
        self._r = r
        self._gaps = gaps(r)
        self._effects: dict[str, Floats] = {}

    def __call__(self, names: Sequence[str]) -> View:
        """Does what these features contribute together still go with the labels?

        The slope of the gap on the sum of their main effects is near zero while the model is
        calibrated in them, and negative once their values are no longer the row's own.
        """
        r = self._r
        used = [name for name in names if r.usage(name) > 0]
        if not used or not len(self._gaps.gap):
            return View(0.0, 0.0)
        effect = self._effects_of(used)
        fall = self._fall_of(effect)
        if not fall.seen:
            return View(0.0, 0.0)
        now = np.sum([r.effect(name, r.days) for name in used], axis=0)[r.days.block == 0]
        alone = self._alone(effect, fall.part)
        heard = min(fall.lost, MOST + max(alone, 0.0))
        evidence = max(heard + min(alone, 0.0), min(heard, 0.0))
        return View(evidence, float(np.std(now)) * 0.5, -fall.fell.now, -fall.fell.usual)

    def lost(self, name: str) -> float:
        """A log Bayes factor that part of a feature's contribution no longer goes with the labels,
        whatever else does not."""
        fall = self._fall_of(self._effect(name)) if self._r.usage(name) > 0 else None
        return fall.lost if fall and fall.seen else 0.0

    def _alone(self, effect: Floats, share: float) -> float:
        """A log Bayes factor that it is these values that no longer go with labels.

        Where what all others contribute goes with them less as well, and by as large a ``share``,
        outcomes are not what they were. Where the others go with them more, they stand in for what
        was lost. What the values do together with others is left out of both.
        """
        rest = self._fall_of(self._every - effect, effect)
        if not rest.seen:
            return 0.0
        fell = rest.fell
        usual = max(fell.change, 0.0) / fell.spread
        alike = (fell.change - share * rest.whole) / fell.spread
        return odds.log_density(usual, ROBUST_DF) - odds.log_density(alike, ROBUST_DF)

    @cached_property
    def followed(self) -> Followed:
        """What outcomes did as the predictions moved."""
        g = self._gaps
        needed = odds.shift(g.shift[0], g.shift[1:], g.error[0], g.error[1:])
        return Followed(needed, self._moved(g.output), self._fall_of(self._every))

    @cached_property
    def _every(self) -> Floats:
        """What all features together contribute to each labelled row."""
        return self._effects_of([n for n in self._r.features if self._r.usage(n) > 0])

    def moved(self, name: str) -> float:
        """By how much a feature's values moved the predictions of labelled rows; 0 if unused."""
        return self._moved(self._effect(name)) if self._r.usage(name) > 0 else 0.0

    def _moved(self, values: Floats) -> float:
        """By how much the window's mean lies above the usual one, of labelled rows."""
        told, means = self._r.labelled, []
        for b in self._r.days.numbers:
            mine = (told.block == b) & np.isfinite(values)
            known = np.average(values[mine], weights=told.weight[mine]) if mine.any() else np.nan
            means.append(float(known))
        return means[0] - middle(np.array(means[1:]))

    def _fall_of(self, effect: Floats, beside: Floats | None = None) -> Fall:
        return Fall(self._slope(effect, beside), self._whole(effect, beside))

    def _slope(self, effect: Floats, beside: Floats | None) -> odds.Shift:
        """How far the window's slope, its sign turned, lies above those of earlier blocks; of what
        in the effect does not go with another one, where that is ``beside``.

        For outcomes it is the slope of a logistic regression of the label on the effect beside the
        prediction (one step of Newton's): on the logit it is the same whatever part of the rows
        have the outcome.
        """
        g, slopes, errors = self._gaps, [], []
        for b in self._r.days.numbers:
            rows, mine = self._rows(b, effect, beside)
            slope, error = _fall(mine, g.gap[rows], g.steep[rows])
            slopes.append(slope)
            errors.append(error)
        return odds.shift(slopes[0], np.array(slopes[1:]), errors[0], np.array(errors[1:]))

    def _whole(self, effect: Floats, beside: Floats | None) -> float:
        """How far the window's slope would fall if nothing of the effect went with labels.

        At least by what the effect does to predictions by itself; with what the values do together
        with others, at most as far as if predictions told nothing.
        """
        g = self._gaps
        rows, mine = self._rows(0, effect, beside)
        if not rows.any():
            return float("nan")
        foretold = self._r.labelled.label[rows] - g.gap[rows]
        without = surrogate.served(foretold, self._r.probability) + mine.mean() - mine
        without = _chance(without) if self._r.probability else without
        alone, at_most = (
            _fall(mine, left - foretold, g.steep[rows])[0] for left in (without, foretold.mean())
        )
        return min(max(alone, at_most), TOGETHER * alone)

    def _rows(self, block: int, effect: Floats, beside: Floats | None) -> tuple[Bools, Floats]:
        """Labelled rows of a block whose effect is known, and that effect; without what goes with
        ``beside``, where that is given."""
        rows = (self._r.labelled.block == block) & np.isfinite(effect) & np.isfinite(self._gaps.gap)
        if beside is None:
            return rows, effect[rows]
        rows &= np.isfinite(beside)
        mine = effect[rows]
        return rows, mine - _going_with(beside[rows], mine, self._gaps.steep[rows])

    def _effects_of(self, names: Sequence[str]) -> Floats:
        """The sum of features' main effects per labelled row."""
        total: Floats = np.zeros(len(self._gaps.gap))
        for name in names:
            total = total + self._effect(name)
        return total

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


def _going_with(beside: Floats, effect: Floats, steep: Floats) -> Floats:
    """The part of an effect that goes with another one: its weighted least squares line."""
    total = float(steep.sum()) or 1.0
    x = beside - float(steep @ beside) / total
    power = float(steep @ x**2)
    line: Floats = x * (float(steep @ (x * effect)) / power if power > 1e-9 else 0.0)
    return line


def _by_cell(r: Reading, name: str) -> Floats:
    """The mean main effect of the day sample's rows in each cell, NaN where there are none."""
    b = r.bins[name]
    cell = b.cells(r.days.frame[name])
    count = np.bincount(cell, minlength=b.size)
    total = np.bincount(cell, weights=r.effect(name, r.days), minlength=b.size)
    with np.errstate(invalid="ignore"):
        mean: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean
