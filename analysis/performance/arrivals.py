"""Which labels have come, and when the rest will: how long labels take, from earlier days."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from analysis import metrics, words
from analysis.evidence import Scope
from analysis.metrics import BLOCK, Blocks
from analysis.portable import middle, whole_seconds
from analysis.tables import Role
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

ENOUGH = 0.5
"""From half of its labels on, a window is judged by them: with all, the standard error would be
smaller by a factor of √2 at most."""
ALL = 0.95
"""A block with so much of the share of labels that comes in the end has all of them."""
AGES = 1_000
"""In so many steps of a row's age the share of rows with a label is counted."""


@dataclass(frozen=True)
class Arrivals:
    """Labels of one model: shares of rows with a label, 0 to 1.

    ``now`` is the window's; ``then`` what was usual at this hour of earlier days (NaN where the
    log does not say when labels came); ``ever`` what comes in the end. ``half``: so long after
    the predictions half of their labels are here (None: not known). ``settled`` are the earlier
    blocks that have all of their labels.
    """

    now: float
    then: float
    ever: float
    half: timedelta | None
    settled: tuple[int, ...]

    @property
    def late(self) -> bool:
        """Whether the window still waits for most of its labels."""
        return self.ever > 0 and self.now < ENOUGH * self.ever

    @property
    def overdue(self) -> bool:
        """Whether fewer have come than half of what is usual at this hour."""
        return self.late and self.then > 0 and self.now < ENOUGH * self.then

    @property
    def have(self) -> str:
        """How many have come of the labels that come in the end, in a few words."""
        share = words.percent(self.now / self.ever) if self.now > 0 else "none"
        return f"{share} of these hours' labels have come"

    def words(self, now: datetime, end: datetime) -> str:
        """How many have come, and when the rest may, in a sentence; ``end`` is the window's."""
        have = self.have
        if self.half is None:
            return f"{have}; the log does not tell when the rest will"
        half = f"half of the labels arrive within {words.span(self.half)} of the prediction"
        due = end + self.half
        if self.overdue or due <= now:
            usual = f", {words.percent(self.then / self.ever)} is usual" if self.then > 0 else ""
            return f"{have}{usual}: they are overdue ({half}), look at what delivers them"
        return f"{have}; {half}, so look again after {words.clock(due)}"


def arrivals(warehouse: Warehouse, scope: Scope, models: Sequence[str]) -> dict[str, Arrivals]:
    """How labels of each of ``models`` arrive; without a label column, and for models without
    rows in the window, there is nothing."""
    if not warehouse.has_labels or not models:
        return {}
    blocks = Blocks.of(scope)
    table = metrics.in_blocks(warehouse, blocks, models=models)
    timed = warehouse.contract.predictions.label_time is not None
    has = table[Role.LABEL].notnull()
    then = (has & metrics.arrived(table, blocks)) if timed else has
    counts = warehouse.fetch(
        table.group_by([Role.MODEL, BLOCK]).aggregate(n=table.count(), now=has.sum(), at=then.sum())
    )
    halves = (_timed if timed else _aged)(warehouse, scope, models)
    out = {}
    for model, part in counts.groupby(Role.MODEL):
        if (part[BLOCK] == 0).any():
            out[str(model)] = _of(part, _old(blocks), timed, halves.get(str(model)))
    return out


def _of(part: pd.DataFrame, old: int, timed: bool, half: timedelta | None) -> Arrivals:
    block = part[BLOCK].to_numpy(int)
    n, known, at = (part[c].to_numpy(float) for c in ("n", "now", "at"))
    share, past = known / n, block > 0
    ever = float(np.median(share[past & (block >= old)])) if (past & (block >= old)).any() else 0.0
    then = float(np.median((at / n)[past])) if timed and past.any() else math.nan
    settled = block[past & (share >= ALL * ever) & (known > 0)]
    return Arrivals(float(share[~past][0]), then, ever, half, tuple(map(int, np.sort(settled))))


def _timed(warehouse: Warehouse, scope: Scope, models: Sequence[str]) -> dict[str, timedelta]:
    """Median delay per model, of labels of blocks old enough to have them all."""
    blocks = Blocks.of(scope)
    table = metrics.in_blocks(warehouse, blocks, models=models)
    rows = table.filter(table[BLOCK] >= max(_old(blocks), 1), table[Role.LABEL].notnull())
    wait = whole_seconds(rows[Role.LABEL_TIME]) - whole_seconds(rows[Role.TIME])
    rows = rows.mutate(_wait=wait.cast("float64"))
    frame = warehouse.fetch(rows.group_by(Role.MODEL).aggregate(wait=middle(rows["_wait"])))
    return {
        str(m): timedelta(seconds=max(float(w), 0.0))
        for m, w in zip(frame[Role.MODEL], frame["wait"], strict=True)
        if np.isfinite(w)
    }


def _aged(warehouse: Warehouse, scope: Scope, models: Sequence[str]) -> dict[str, timedelta]:
    """Without arrival times: the age at which half of the rows that ever get a label have one.

    The share of rows with a label rises with age; a rising step function is fitted to it.
    """
    table = metrics.in_blocks(warehouse, Blocks.of(scope), models=models, whole=True)
    width = max(60, round((scope.now - scope.baseline.start).total_seconds() / AGES))
    age = math.ceil(scope.now.timestamp()) - whole_seconds(table[Role.TIME])
    rows = table.mutate(_age=(age / width).floor().cast("int64"))
    has = rows[Role.LABEL].notnull()
    frame = warehouse.fetch(
        rows.group_by([Role.MODEL, "_age"]).aggregate(n=rows.count(), known=has.sum())
    )
    out = {}
    for model, part in frame.groupby(Role.MODEL):
        steps = _half_age(part.sort_values("_age"))
        if steps is not None:
            out[str(model)] = timedelta(seconds=steps * width)
    return out


def _old(blocks: Blocks) -> int:
    """From this block on earlier days are taken to have all labels that they will have."""
    return math.ceil(blocks.count / 2)


def _half_age(part: pd.DataFrame) -> float | None:
    from sklearn.isotonic import IsotonicRegression

    n, known = part["n"].to_numpy(float), part["known"].to_numpy(float)
    age = part["_age"].to_numpy(float)
    share = IsotonicRegression().fit_transform(age, known / n, sample_weight=n)
    enough = np.flatnonzero(share >= 0.5 * share[-1])
    if not share[-1] > 0 or not len(enough):
        return None
    return float(age[enough[0]]) + 0.5
