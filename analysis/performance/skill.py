"""Did a model lose what makes it worth asking? Its loss beside that of predicting a constant.

A skill score against climatology (Murphy 1988), turned round: 0 is a perfect model, 1 one that
tells no more than the usual mean of the labels does. A storm moves labels and predictions, and
hardly this; wrong inputs, answers or labels do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import odds
from analysis.metrics import BLOCK
from analysis.performance.readings import FEWEST_LABELS
from analysis.performance.sums import Sums
from analysis.quality import SUMS
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
            losses = next((f for kind, f in _LOSSES.items() if kind in kinds), None)
            if losses and (one := _skill(str(name), part, losses)):
                yield one


def _skill(model: str, part: pd.DataFrame, losses: Losses) -> Skill | None:
    from scipy.special import stdtr

    part = part[(part["ln"] > 0) & (part["lw"] > 0)]
    now = (part[BLOCK] == 0).to_numpy()
    rows = part["ln"].to_numpy(float)
    if rows[now].sum() < FEWEST_LABELS or now.all():
        return None
    usual = float(part["ly"][~now].sum() / part["lw"][~now].sum())
    if losses is _log_losses and min(usual, 1 - usual) * rows[now].sum() < FEWEST_OUTCOMES:
        return None
    ratio, error = losses({k: part[k].to_numpy(float) for k in SUMS if k in part}, usual)
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


Losses = Callable[[dict[str, Floats], float], tuple[Floats, Floats]]


def _log_losses(s: dict[str, Floats], usual: float) -> tuple[Floats, Floats]:
    """Log loss over that of predicting ``usual``, and its standard error, by block (n,)."""
    usual = min(max(usual, 1e-6), 1 - 1e-6)
    slope = math.log((1 - usual) / usual)
    loss, rate = s["ll"] / s["lw"], s["ly"] / s["lw"]
    plain = rate * slope - math.log(1 - usual)
    ratio = loss / plain
    both = s["lly"] / s["lw"] - loss * rate
    variance = s["ll2"] / s["lw"] - loss**2 + (ratio * slope) ** 2 * rate * (1 - rate)
    return ratio, _error(variance - 2 * ratio * slope * both, s) / plain


def _squares(s: dict[str, Floats], usual: float) -> tuple[Floats, Floats]:
    """The same of squared errors; those of the usual mean are taken to be known."""
    loss = (s["lpp"] - 2 * s["lpy"] + s["lyy"]) / s["lw"]
    plain = (s["lyy"] - 2 * usual * s["ly"]) / s["lw"] + usual**2
    with np.errstate(all="ignore"):
        return loss / plain, _error(s["e4"] / s["lw"] - loss**2, s) / plain


def _error(variance: Floats, s: dict[str, Floats]) -> Floats:
    rows = s["lw"] ** 2 / s["lw2"]
    return np.asarray(np.sqrt(np.maximum(variance, 0) / np.maximum(rows - 1, 1)))


_LOSSES: dict[str, Losses] = {"log_loss": _log_losses, "rmse": _squares}
"""By the figure that brings the sums."""
