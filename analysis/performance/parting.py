"""Does one arm of an experiment part from the others?

Arms see the same hours: whatever the world or the traffic does, it does to all of them. An arm
whose figures leave those of the others, farther than on any earlier day, was changed itself. The
arms are the control group that every experiment brings along (difference in differences: Snow
1855; Card and Krueger 1994), with earlier days as the yardstick.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis import metrics, odds, quality
from analysis.metrics import BLOCK
from analysis.odds import Shift
from analysis.performance.readings import FEWEST_LABELS, label, worse
from analysis.performance.sums import Sums
from analysis.tables import Role
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

MANY = 12
"""Of each model at most so many arms, those with the most traffic."""
UNTOLD = frozenset({"volume", "mean_label", "auc", "ndcg"})
"""Figures that say nothing of the model, or do not add up over rows."""


@dataclass(frozen=True)
class Parting:
    """The arm that parts from the others: ``log_odds`` that it alone does.

    ``arm`` is "experiment/arm"; ``kind`` is the figure that tells it.
    """

    model: str
    arm: str
    kind: str
    log_odds: float

    @property
    def said(self) -> str:
        """In a few words."""
        where = self.arm.removeprefix("none/")
        return f"{where} of {self.model} parted from the other arms ({label(self.kind)})"


@dataclass(frozen=True)
class _Arm:
    """One arm: log odds that it parts, by its most telling figure, and that it got worse."""

    name: str
    kind: str
    parts: float
    worse: float


def partings(warehouse: Warehouse, sums: Sequence[Sums]) -> dict[str, Parting]:
    """The arm of each model whose figures part most from the others'.

    Without a model whose arms the log does not tell, or tells too few rows of.
    """
    found = {}
    for some in sums:
        if some.by_arm is None:
            continue
        for name, part in some.by_arm.groupby(Role.MODEL, sort=False):
            task = warehouse.contract.model(str(name)).task
            kinds = [k for k in some.of(task) if k not in UNTOLD]
            if arms := list(_arms(part, kinds)):
                found[str(name)] = _alone(str(name), arms, len(kinds))
    return found


def _alone(model: str, arms: Sequence[_Arm], figures: int) -> Parting:
    """The arm of a model that parts; what made another worse as well was not this one's alone.

    Where labels tell, it is the one that got worse: of two arms that part in their predictions it
    may be the other that follows the world.
    """
    parts = max(a.parts for a in arms)
    ranked = sorted(arms, key=lambda a: (max(a.worse, 0.0), a.parts), reverse=True)
    first, rest = ranked[0], ranked[1:]
    looks = math.log(figures * len(arms)) if parts > 0 else 0.0
    others = max((a.worse for a in rest), default=0.0)
    return Parting(model, first.name, first.kind, parts - looks - max(others, 0.0))


def _arms(sums: pd.DataFrame, kinds: Sequence[str]) -> Iterator[_Arm]:
    """Each arm against all other rows of its model, figure by figure."""
    arm = sums[Role.EXPERIMENT].astype(str) + "/" + sums[Role.ARM].astype(str)
    size = sums["n"].groupby(arm).sum().sort_values(ascending=False)
    for name in map(str, size.index[:MANY] if len(size) > 1 else ()):
        here = sums[arm == name].groupby(BLOCK).sum(numeric_only=True)
        there = sums[arm != name].groupby(BLOCK).sum(numeric_only=True)
        days = here.index.intersection(there.index).sort_values()
        if 0 not in days:
            continue
        seen: dict[str, tuple[float, float]] = {}
        for kind in kinds:
            mine, theirs = (_figures(kind, part.loc[days]) for part in (here, there))
            # What moved the others as well may move this one by as much more or less: their models
            # differ.
            error = np.hypot(mine[1], theirs[1])
            error[0] = np.hypot(error[0], _shift(*theirs).beyond_usual)
            apart, own = _shift(mine[0] - theirs[0], error), _shift(*mine)
            if apart.seen:
                hurt = worse(kind, own) if kind in quality.NEEDS_LABEL else 0.0
                seen[kind] = (apart.log_odds, hurt)
        if seen:
            told = max(seen, key=lambda k: seen[k][0])
            yield _Arm(name, told, seen[told][0], max(hurt for _, hurt in seen.values()))


def _shift(values: quality.Floats, errors: quality.Floats) -> Shift:
    """The first figure, which is now's, against every earlier day's."""
    return odds.shift(float(values[0]), values[1:], float(errors[0]), errors[1:])


def _figures(kind: str, sums: pd.DataFrame) -> tuple[quality.Floats, quality.Floats]:
    """Values on their working scale with their errors; NaN where too few rows tell."""
    found = metrics.measure(kind, sums)
    even = quality.working(kind, found, sums)
    few = found.rows < (FEWEST_LABELS if kind in quality.NEEDS_LABEL else 1)
    return np.where(few, np.nan, even.value), np.where(few, np.nan, even.error)
