"""The same figures at the usual mix of traffic: what is left of a change once the mix is undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.metrics import BLOCK
from analysis.tables import Role

if TYPE_CHECKING:
    import pandas as pd

MOST = 10.0
"""No row counts for more than so many: a few rows can't stand for a segment that is gone."""
KEPT = 0.5
"""Where less of a model's traffic of today than this is of values that were there before, it has no
usual mix."""
SQUARES = frozenset({"w2", "lw2"})
"""Sums of squared weights, which grow with the square of a weight."""


def evened(sums: pd.DataFrame, dimension: str) -> pd.DataFrame | None:
    """Sums per block and model, each value of ``dimension`` at its usual share of the rows.

    ``sums`` are of :func:`analysis.metrics.add_up` per block, model and value. Every value's sums
    are weighted by its mean share over earlier blocks ÷ its share in the block (direct
    standardisation). Without models whose traffic of today has no usual mix; None of none.
    """
    keys = [BLOCK, Role.MODEL]
    share = sums["n"] / sums.groupby(keys)["n"].transform("sum")
    past = sums[BLOCK] > 0
    count = sums[past].groupby(Role.MODEL)[BLOCK].nunique()
    usual = share[past].groupby([sums[Role.MODEL], sums[dimension]]).sum()
    pairs = zip(sums[Role.MODEL], sums[dimension], strict=True)
    mean = np.array([usual.get(pair, 0.0) / max(count.get(pair[0], 0), 1) for pair in pairs])
    now, known = sums[~past], sums["n"].where(mean > 0, 0.0)[~past]
    kept = known.groupby(now[Role.MODEL]).sum() / now.groupby(Role.MODEL)["n"].sum()
    usable = sums[Role.MODEL].isin(kept.index[kept >= KEPT])
    if not usable.any():
        return None
    weight = np.minimum(mean / share.to_numpy(float), MOST)
    out = sums.drop(columns=dimension)
    for name in out.columns.difference(keys):
        out[name] = out[name] * (weight**2 if name in SQUARES else weight)
    return out[usable].groupby(keys, as_index=False).sum()
