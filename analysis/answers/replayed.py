"""What two snapshots answer to the very same rows, from their artifacts.

Nothing is guessed: the difference is known on every row, for rows from before it began, whose
inputs nothing has broken. It is described on the stand-in's directions, so that words and weighing
stay the same, and on one more for all that they do not hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import replay
from analysis.answers import explanations
from analysis.answers.explanations import Difference, Usual
from analysis.answers.stand import FEWEST, Mask, StandIn
from analysis.inputs import surrogate
from analysis.publishes import Publish
from analysis.tables import Role
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

ROWS_EARLY = 1_500
"""Rows from before it began that every snapshot answers."""
ROWS_LABELLED = 1_500
"""And rows with a label that snapshots in question served."""
PAST = 8
"""Earlier publishes that say what is usual."""
LEAST = 1e-4
"""Variance of answers, in their own, below which rounding counts as much as difference."""


@dataclass(frozen=True)
class Replayed:
    """Answers of artifacts to the same ``rows`` (indices into the chain's frame).

    ``answers`` has an array (rows,) for each snapshot, on the scale that effects add up on;
    ``early`` are the rows from before it began; ``past`` are earlier publishes.
    """

    stand: StandIn
    rows: Ints
    early: Mask
    answers: Mapping[str, Floats]
    past: tuple[Publish, ...]

    @cached_property
    def usual(self) -> Usual:
        """What earlier publishes changed."""
        each = [self.difference(p.snapshot, p.before) for p in self.past]
        directions = self.stand.basis.shape[1] + 1
        return explanations.usual([d for d in each if d is not None], directions)

    def difference(self, new: str, old: str) -> Difference | None:
        """What the one answers otherwise than the other; None where an artifact is not known."""
        if new not in self.answers or old not in self.answers:
            return None
        apart = (self.answers[new] - self.answers[old]) / self.stand.spread
        known = self.early & np.isfinite(apart)
        count = int(known.sum())
        if count < FEWEST:
            return None
        basis = self.stand.basis[self.rows][known]
        ways = np.linalg.lstsq(basis, apart[known], rcond=None)[0]
        rest = float(np.sqrt(np.mean((apart[known] - basis @ ways) ** 2)))
        ways = np.append(ways, rest)
        precision = np.eye(len(ways)) * count / max(rest**2, LEAST)
        return Difference(precision, precision @ ways, np.zeros_like(precision), count)


def replayed(
    warehouse: Warehouse,
    model: str,
    frame: pd.DataFrame,
    late: Mask,
    stand: StandIn,
    publishes: tuple[Sequence[Publish], Sequence[Publish]],
    probability: bool,
    seed: int,
) -> Replayed | None:
    """Scores rows of a chain's ``frame`` with the snapshots of ``publishes``: asked and earlier.

    ``probability``: whether the stand-in's answers are logits. None where artifacts of too few
    are known. Raises CannotReplay, also where the scorer does not give back what the log has.
    """
    asked, earlier = publishes
    earlier = sorted(earlier, key=lambda p: p.at)[-PAST:]
    where = replay.artifacts(warehouse)
    names = [n for p in (*asked, *earlier) for n in (p.snapshot, p.before)]
    if not any((model, p.snapshot) in where and (model, p.before) in where for p in asked):
        return None
    rows = _rows(frame, late, stand, {n for p in asked for n in (p.snapshot, p.before)}, seed)
    part = frame.iloc[rows].assign(**{Role.MODEL: model}).reset_index(drop=True)
    found = {
        name: surrogate.served(answers, probability)
        for name, answers in replay.cross(warehouse, part, names, where).items()
    }
    early = ~late[rows]
    own = replay.own(part[Role.SNAPSHOT].to_numpy(), found)
    replay.believe(stand.answer[rows][early], own[early])
    return Replayed(stand, rows, early, found, tuple(earlier))


def _rows(frame: pd.DataFrame, late: Mask, stand: StandIn, names: set[str], seed: int) -> Ints:
    rng = np.random.default_rng(seed)
    labelled = frame[Role.LABEL].notna().to_numpy() & np.isin(
        frame[Role.SNAPSHOT].to_numpy(), sorted(names)
    )
    early = np.flatnonzero(~late & stand.familiar)
    told = np.flatnonzero(labelled)
    some = rng.permutation(early)[:ROWS_EARLY], rng.permutation(told)[:ROWS_LABELLED]
    return np.unique(np.concatenate(some))


__all__ = ["Replayed", "replayed"]
