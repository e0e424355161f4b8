"""Did a model lose what makes it worth asking? Its loss beside that of predicting a constant.

A skill score against climatology (Murphy 1988), turned round: 0 is a perfect model, 1 one that
tells no more than the usual mean of the labels does. A storm moves labels and predictions, and
hardly this; wrong inputs, answers or labels do.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import odds, quality
from analysis.metrics import BLOCK
from analysis.performance.readings import FEWEST_LABELS
from analysis.performance.sums import Sums
from analysis.tables import Role
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]
LEFT = 0.5
"""A model that keeps less of its usual skill than this part has lost it."""
MOST = 4.0
"""Log odds are no larger than that, either way: quality tells a part of the same."""
FEWEST_OUTCOMES = 20
"""Outcomes, and rows without, that are to be expected of a window: of fewer any loss is chance."""


@dataclass(frozen=True)
class Skill:
    """A model's loss over that of always predicting the usual mean: now, and on earlier days.

    ``log_odds``: that it lost its skill, from the spread between days.
    """

    model: str
    now: float
    usual: float
    log_odds: float


def skills(warehouse: Warehouse, sums: Sequence[Sums]) -> Iterator[Skill]:
    """Of each model with enough labels, now and on three earlier days, that usually has some."""
    for some in sums:
        for name, part in some.by_model.groupby(Role.MODEL):
            kinds = some.of(warehouse.contract.model(str(name)).task)
            kind = next((k for k in ("log_loss", "rmse") if k in kinds), "")
            if kind and (one := _skill(str(name), kind, part)):
                yield one


def _skill(model: str, kind: str, part: pd.DataFrame) -> Skill | None:
    from scipy.special import stdtr

    part = part[(part["ln"] > 0) & (part["lw"] > 0)]
    now = (part[BLOCK] == 0).to_numpy()
    rows = part["ln"].to_numpy(float)
    if rows[now].sum() < FEWEST_LABELS or now.all():
        return None
    usual = float(part["ly"][~now].sum() / part["lw"][~now].sum())
    if kind == "log_loss" and min(usual, 1 - usual) * rows[now].sum() < FEWEST_OUTCOMES:
        return None
    ratio, error = _beside_constant(kind, part, usual)
    own = int(np.flatnonzero(now)[0])
    # Few outcomes look steadier than they are: a row scatters at least as on earlier days.
    least = float(np.sqrt(np.nanmedian(error[~now] ** 2 * rows[~now]) / rows[own]))
    own_error = max(float(error[own]), least)
    seen = odds.shift(float(ratio[own]), ratio[~now], own_error, error[~now])
    if not seen.seen or seen.usual >= 1:
        return None
    lost = seen.usual + (1 - LEFT) * (1 - seen.usual)
    z = (seen.now - lost) / seen.spread
    beyond, within = (float(stdtr(seen.df, side)) for side in (z, -z))
    told = math.log(max(beyond, 1e-9)) - math.log(max(within, 1e-9))
    return Skill(model, seen.now, seen.usual, min(max(told, -MOST), MOST))


def _beside_constant(kind: str, part: pd.DataFrame, usual: float) -> tuple[Floats, Floats]:
    """Log loss, or squared error, over that of predicting ``usual``, by block (n,); and its
    standard error, that of the constant taken to be known."""
    found = quality.estimate(kind, part)
    weight, label = part["lw"].to_numpy(float), part["ly"].to_numpy(float)
    with np.errstate(all="ignore"):
        if kind == "log_loss":
            rate = label / weight
            constant = -(rate * np.log(usual) + (1 - rate) * np.log1p(-usual))
            return found.value / constant, found.error / constant
        constant = (part["lyy"].to_numpy(float) - 2 * usual * label) / weight + usual**2
        return found.value**2 / constant, 2 * found.value * found.error / constant
