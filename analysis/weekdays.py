"""How much traffic comes on such a day of the week, from the same hours of earlier days."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from analysis import metrics, odds, words
from analysis.metrics import BLOCK, DAY, Blocks
from analysis.odds import Shift
from analysis.quality import Floats
from analysis.tables import Metric
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

FEWEST = 2
"""Earlier blocks on today's weekday, at the least, that say what it is like."""


def totals(warehouse: Warehouse, metric: Metric, blocks: Blocks) -> pd.DataFrame:
    """Rows per block of the serving log, also where it has no dimensions: ``_block``, ``volume``.

    The window is there though nothing came in it.
    """
    import pandas as pd

    models = (metric.model,) if metric.model else ()
    arms = (metric.arm,) if metric.arm else ()
    table = metrics.rows_of(warehouse, blocks, models=models, arms=arms)
    sums = metrics.add_up(warehouse, table, ("volume",), (BLOCK,))
    counted = sums[[BLOCK, "n"]].rename(columns={"n": "volume"})
    if not (counted[BLOCK] == 0).any():
        counted = pd.concat([counted, pd.DataFrame({BLOCK: [0], "volume": [0.0]})])
    return counted


def usual_volumes(cells: pd.DataFrame, blocks: Blocks) -> Floats:
    """Logs of the rows that each earlier block would have had on today's weekday.

    ``cells`` are those of :func:`analysis.cells.load_cells`. Weekdays' means are drawn to each
    other by as much as days of one weekday differ (positive-part James & Stein 1961); what is
    left is widened for the means that were taken off. Empty without earlier rows.
    """
    total = cells[cells[BLOCK] > 0].groupby(BLOCK)["volume"].sum()
    total = total[total > 0]
    level = np.log(total.to_numpy(float) + 0.5)
    day = total.index.to_numpy(int) * round(blocks.period / DAY) % 7
    days, which = np.unique(day, return_inverse=True)
    freedom = len(level) - len(days)
    if (day == 0).sum() < FEWEST or len(days) < 2 or freedom < 1:
        return level
    means = np.bincount(which, level) / np.bincount(which)
    left = level - means[which]
    noise = float((left**2).sum()) / freedom * (len(days) - 1)
    between = float(((means[which] - level.mean()) ** 2).sum())
    real = max(0.0, 1 - noise / max(between, 1e-12))
    today = level.mean() + real * (float(means[days == 0][0]) - level.mean())
    away = left + (1 - real) * (means[which] - level.mean())
    widened = math.sqrt(len(level) / freedom) if real else 1.0
    return np.asarray(today + widened * away)


def volume_shift(cells: pd.DataFrame, usual: Floats) -> Shift:
    """Rows now against earlier blocks, on logs; ``usual`` is of :func:`usual_volumes`."""
    now = float(cells.loc[cells[BLOCK] == 0, "volume"].sum())
    return odds.shift(math.log(now + 0.5), usual, 1 / math.sqrt(now + 0.5), np.exp(-usual / 2))


def level(cells: pd.DataFrame, usual: Floats) -> float:
    """What the weekday makes of the mean volume of earlier blocks, as a factor."""
    total = cells[cells[BLOCK] > 0].groupby(BLOCK)["volume"].sum()
    if not len(usual):
        return 1.0
    return float(np.exp(usual).mean()) / float(total[total > 0].mean() + 0.5)


def rows_said(shift: Shift) -> str:
    """What :func:`volume_shift` found, in words."""
    now, usual = (words.number(round(math.exp(x) - 0.5)) for x in (shift.now, shift.usual))
    return f"{now} rows instead of about {usual}"
