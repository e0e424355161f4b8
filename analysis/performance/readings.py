"""Every figure of every model and arm, by the labels that have come: now, and as is usual."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis import metrics, odds, quality, words
from analysis.evidence import Scope
from analysis.metrics import BLOCK, Blocks
from analysis.odds import Shift
from analysis.performance.sums import ARM, Sums
from analysis.tables import Role
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

FEWEST_LABELS = 30
"""With fewer labelled rows in the window, quality is not judged."""
MANY = 40
"""At most so many models × arms are looked at, those with the most traffic."""


@dataclass(frozen=True)
class Reading:
    """One figure of one model (and arm): now, usual, and how far apart on the working scale.

    ``low`` and ``high`` bound ``now`` at 95 %: ``reach`` standard errors to either side on the
    working scale, where one is ``error``. ``estimated``: without labels of the window, and held
    against what labels of earlier days say.
    """

    model: str
    arm: str
    kind: str
    now: float
    usual: float
    low: float
    high: float
    error: float
    shift: Shift
    rows: int
    reach: float = 1.96
    estimated: bool = False

    @property
    def worse(self) -> float:
        """Log odds that the figure moved in a way that hurts."""
        return worse(self.kind, self.shift)


def worse(kind: str, shift: Shift) -> float:
    """Log odds that a figure of that kind moved in a way that hurts; 0 where nothing was seen."""
    better = quality.GOOD_IS.get(kind)
    if not shift.seen:
        return 0.0
    if better is not None and (shift.z > 0) == (better == "up"):
        return odds.log_bayes_factor(0.0, shift.df)
    return shift.log_odds


def read(warehouse: Warehouse, sums: Sequence[Sums]) -> list[Reading]:
    """All readings of models (``arm`` empty), then those of their arms."""
    out: list[Reading] = []
    for some in sums:
        out += _of_cut(warehouse, some, some.by_model, (Role.MODEL,))
        if some.by_arm is not None:
            out += _of_cut(warehouse, some, some.by_arm, ARM)
    out.sort(key=lambda r: bool(r.arm))
    return out


def too_short(scope: Scope) -> list[str]:
    """What a baseline that is too short to compare with leaves unsaid; nothing where it is not."""
    count = Blocks.of(scope).count
    if count >= 3:
        return []
    return [
        f"the usual spread between days: the baseline holds {count} earlier copies of these hours, "
        "3 are needed"
    ]


def _of_cut(
    warehouse: Warehouse, sums: Sums, frame: pd.DataFrame, by: tuple[str, ...]
) -> Iterator[Reading]:
    groups = list(frame.groupby(list(by), sort=False))
    groups.sort(key=lambda g: -float(g[1]["n"].sum()))
    for key, part in groups[:MANY]:
        name, arm = str(key[0]), f"{key[1]}/{key[2]}" if len(by) > 1 else ""
        for kind in sums.of(warehouse.contract.model(name).task):
            if (one := reading(name, arm, kind, part)) is not None:
                yield one


def reading(model: str, arm: str, kind: str, sums: pd.DataFrame) -> Reading | None:
    """One figure from sums per block (block 0 is now); None when the window has no rows."""
    part = sums.sort_values(BLOCK)
    found = metrics.measure(kind, part)
    even = quality.working(kind, found, part)
    current = (part[BLOCK] == 0).to_numpy()
    if not current.any():
        return None
    own = np.flatnonzero(current)[0]
    past = ~current
    enough = kind not in quality.NEEDS_LABEL or found.rows[own] >= FEWEST_LABELS
    shift = odds.NOT_SEEN
    if enough:
        reliable = past & (found.rows >= 0.1 * np.median(found.rows[past])) if past.any() else past
        error = float(even.error[own])
        shift = odds.shift(
            float(even.value[own]), even.value[reliable], error, even.error[reliable]
        )
    value, error = float(even.value[own]), float(np.nan_to_num(even.error[own]))
    half = Reading.reach * error
    low, high = quality.back(kind, np.array([value - half, value + half]))
    usual = float(quality.back(kind, np.array([shift.usual]))[0]) if shift.seen else math.nan
    now = float(found.value[own])
    return Reading(
        model, arm, kind, now, usual, float(low), float(high), error, shift, int(found.rows[own])
    )


def describe(one: Reading | None) -> str:
    """A reading in a few words: "NE 0.76 → 0.98"; an estimate says so."""
    if one is None:
        return ""
    now = words.number(one.now) if math.isfinite(one.now) else "none (all labels are alike)"
    told = f"{label(one.kind)} {words.number(one.usual)} → {now}"
    return f"{told} by an estimate" if one.estimated else told


_LABELS = {"normalised_entropy": "NE", "auc": "AUC", "mae": "MAE", "rmse": "RMSE", "ndcg": "NDCG"}


def label(kind: str) -> str:
    """What people call a kind of figure."""
    return _LABELS.get(kind, kind.replace("_", " "))
