"""Does the log hold what the deployed artifacts answer to its inputs?

Where there is a scorer, nobody needs to guess whether inputs or the model moved the predictions:
what the artifact that served a row answers to it is the inputs' part, and what the log holds beyond
that is the doing of how the model is served.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from analysis import odds, replay
from analysis.evidence import Scope
from analysis.inputs import gather, surrogate
from analysis.inputs.blocks import BLOCK, FEWEST_BLOCKS, Comparison
from analysis.inputs.gather import FEWEST_ROWS
from analysis.inputs.views import arms_of
from analysis.replay import CannotReplay
from analysis.tables import Role
from analysis.warehouse import Warehouse

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

ERROR = 0.02
"""Answers are rounded and clipped on their way into the log: a mean is no surer than this."""
FEWEST = 20


@dataclass(frozen=True)
class Deployed:
    """Rows of a comparison: ``logged`` and ``answered`` (rows,), on the scale that effects add up
    on; ``block`` as in the comparison, 0 is the window. ``r2`` of the answers before it."""

    logged: Floats
    answered: Floats
    block: Ints
    r2: float

    @cached_property
    def shift(self) -> tuple[float, float]:
        """Log Bayes factor that serving does otherwise than before with the artifacts' answers,
        and by how much."""
        left = self.logged - self.answered
        found = [self._shift(left), self._shift(np.abs(left))]
        best = max(found, key=lambda s: s.log_odds)
        return best.log_odds - float(np.log(len(found))), abs(best.change) if best.seen else 0.0

    def _shift(self, values: Floats) -> odds.Shift:
        earlier = [int(b) for b in np.unique(self.block[self.block > 0])]
        means = [self._mean(values, b) for b in earlier]
        return odds.shift(self._mean(values, 0), means, ERROR)

    def _mean(self, values: Floats, block: int) -> float:
        mine = values[self.block == block]
        mine = mine[np.isfinite(mine)]
        return float(mine.mean()) if len(mine) >= FEWEST_ROWS else float("nan")


def read(warehouse: Warehouse, scope: Scope, c: Comparison) -> Deployed | None:
    """Rows of the scope's models and arms, and what was deployed then answers to them.

    None without a scorer, or where a snapshot is in doubt: its artifact is what is suspected.
    Raises CannotReplay.
    """
    if not replay.can_replay(warehouse, scope.named("model")) or scope.named("snapshot"):
        return None
    log = warehouse.predictions(models=scope.named("model"), arms=arms_of(scope))
    log, copies = replay.as_logged(log, warehouse.features)
    roles = (Role.TIME, Role.PREDICTION, Role.MODEL, Role.SNAPSHOT)
    rows = gather.beside(log.select(*roles, *copies), c, scope.seed)
    where = replay.artifacts(warehouse)
    said = replay.answers(warehouse, rows, rows[Role.SNAPSHOT].astype(str).tolist(), where)
    logged = rows[Role.PREDICTION].to_numpy(float, na_value=np.nan)
    probability = surrogate.is_probability(logged)
    logged, answered = (surrogate.served(v, probability) for v in (logged, said))
    block = rows[BLOCK].to_numpy(np.int64)
    both = np.isfinite(logged) & np.isfinite(answered)
    if (both & (block == 0)).sum() < FEWEST:
        raise CannotReplay("too few rows since the onset have an artifact that answers them")
    before = block > 0
    replay.believe(logged[before], answered[before])
    days = np.unique(block[both & before], return_counts=True)[1]
    if (days >= FEWEST_ROWS).sum() < FEWEST_BLOCKS:
        raise CannotReplay("too few days before the onset have artifacts that are still there")
    r2 = replay.faithful(logged[before], answered[before])
    return Deployed(logged, answered, block, r2)


__all__ = ["Deployed", "read"]
