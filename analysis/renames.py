"""Did a value of a dimension only get another name?

An app that writes "short_feed" for "shorts" moves no traffic: one value is gone, one that nobody
ever saw has come, and together they are as large as the one always was. The model, which knows the
old name alone, is what such a change hurts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from analysis.cells import share_shift
from analysis.metrics import BLOCK
from analysis.portable import NULL

if TYPE_CHECKING:
    import pandas as pd

UNHEARD = 0.001
"""A value with a smaller share of earlier traffic is a new one."""
LARGE = 0.02
"""A smaller share tells nothing of a name."""
LEFT = 0.1
"""A value that keeps more than this part of its share is not gone."""


def as_before(
    cells: pd.DataFrame, dims: Collection[str]
) -> tuple[pd.DataFrame, dict[str, tuple[str, str]]]:
    """The cells with new names of today's rows given back, and by dimension the old and the new.

    ``cells`` are those of :func:`analysis.cells.load_cells`; ``dims`` are looked at, those that
    models read: of others a new value, such as a version, may well be new traffic.
    """
    found: dict[str, tuple[str, str]] = {}
    for dim in dims:
        if (pair := _pair(cells, dim)) is not None:
            found[dim] = pair
            mine = (cells[BLOCK] == 0) & (cells[dim] == pair[1])
            cells = cells.assign(**{dim: cells[dim].mask(mine, pair[0])})
    return cells, found


def told_of(renamed: Mapping[str, tuple[str, str]]) -> tuple[str, ...]:
    """What :func:`as_before` found, a sentence each."""
    return tuple(
        f"{dim}={old} seems to be called {new} now: counted as one here, and a model may not know."
        for dim, (old, new) in renamed.items()
    )


def _pair(cells: pd.DataFrame, dim: str) -> tuple[str, str] | None:
    """The value that is gone and the one that came for it; None where there are none."""
    today = cells[BLOCK] == 0
    now = cells[today].groupby(dim)["volume"].sum()
    past = cells[~today].groupby(dim)["volume"].sum()
    now, past = now / max(now.sum(), 1e-9), past / max(past.sum(), 1e-9)
    came = [v for v in now.index if now[v] >= LARGE and past.get(v, 0.0) < UNHEARD]
    gone = [v for v in past.index if past[v] >= LARGE and now.get(v, 0.0) < LEFT * past[v]]
    if NULL in (*came, *gone):  # a value that is missing has no name
        return None
    text = cells[dim]
    for old in gone:
        for new in came:
            inside = text.isin((old, new)).to_numpy().astype(float)
            both = share_shift(cells, inside)
            if both.seen and both.log_odds <= 0:
                return str(old), str(new)
    return None
