"""Does the log hold what the deployed artifacts answer to its inputs?

Where there is a scorer, nobody needs to guess whether inputs or the model moved the predictions:
what the artifact that served a row answers to it is the inputs' part, and what the log holds beyond
that is the doing of how the model is served.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import odds, replay
from analysis.evidence import Scope
from analysis.inputs import effects, gather, surrogate
from analysis.inputs.blocks import BLOCK, FEWEST_BLOCKS
from analysis.inputs.effects import Effect, Question
from analysis.inputs.gather import FEWEST_ROWS
from analysis.inputs.views import Reading, arms_of
from analysis.profile import plain
from analysis.replay import CannotReplay, TooSlow
from analysis.tables import Role
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

ERROR = 0.02
"""Answers are rounded and clipped on their way into the log: a mean is no surer than this."""
FEWEST = 20


@dataclass(frozen=True)
class Deployed:
    """Rows of a comparison: ``logged`` and ``answered`` (rows,), on the scale that effects add up
    on; ``block`` as in the comparison, 0 is the window. ``r2`` of the answers before it;
    ``effects`` of the features, by what is deployed in the window."""

    logged: Floats
    answered: Floats
    block: Ints
    r2: float
    effects: Mapping[str, Effect] = field(default_factory=dict)

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


def read(
    warehouse: Warehouse, scope: Scope, r: Reading, ask_effects: bool = True
) -> Deployed | None:
    """Rows of the scope's models and arms, and what was deployed then answers to them; with what it
    makes of each feature when ``ask_effects``.

    None without a scorer, or where a snapshot is in doubt: its artifact is what is suspected.
    Raises CannotReplay.
    """
    if not replay.can_replay(warehouse, scope.named("model")) or scope.named("snapshot"):
        return None
    rows = _rows(warehouse, scope, r)
    asked = _question(rows, r, scope.seed) if ask_effects else None
    answered, put = _answers(warehouse, rows, asked, r.probability)
    # On the scale of the reading: effects stand beside those of its surrogate.
    logged = surrogate.served(rows[Role.PREDICTION].to_numpy(float, na_value=np.nan), r.probability)
    block = rows[BLOCK].to_numpy(np.int64)
    r2 = _believed(logged, answered, block)
    found = {} if asked is None or put is None else asked.effects(put)
    return Deployed(logged, answered, block, r2, found)


def _question(rows: pd.DataFrame, r: Reading, seed: int) -> Question:
    bins = {n: r.bins[n] for n in r.features}
    return effects.question(rows, bins, {n: r.usage(n) for n in bins}, seed)


def _answers(
    warehouse: Warehouse, rows: pd.DataFrame, asked: Question | None, probability: bool
) -> tuple[Floats, Floats | None]:
    """What served each row answers to it, and what is deployed now to what is ``asked``, in one
    call; None where that is too much for the scorer."""
    import pandas as pd

    snapshots, where = rows[Role.SNAPSHOT].astype(str).tolist(), replay.artifacts(warehouse)
    if asked is None:
        said = replay.answers(warehouse, rows, snapshots, where)
        return surrogate.served(said, probability), None
    put, now = asked.asked(rows), _latest(rows)
    serving = [now.get(m, "") for m in put[Role.MODEL].astype(str)]
    every = pd.concat([rows, put], ignore_index=True)
    try:
        said = replay.answers(warehouse, every, [*snapshots, *serving], where)
    except TooSlow:
        # What was served comes before what might have been.
        said = replay.answers(warehouse, rows, snapshots, where, again=True)
        return surrogate.served(said, probability), None
    found = surrogate.served(said, probability)
    return found[: len(rows)], found[len(rows) :]


def _rows(warehouse: Warehouse, scope: Scope, r: Reading) -> pd.DataFrame:
    """A sample in the blocks, with the features both as they are counted and as logged."""
    log = warehouse.predictions(models=scope.named("model"), arms=arms_of(scope))
    log, copies = replay.as_logged(log, warehouse.features)
    roles = (Role.TIME, Role.PREDICTION, Role.MODEL, Role.SNAPSHOT)
    kind = {n: r.bins[n].kind for n in r.features}
    return gather.beside(plain(log, kind, (*roles, *copies)), r.comparison, scope.seed)


def _latest(rows: pd.DataFrame) -> dict[str, str]:
    """The snapshot that answers most of each model's rows in the window."""
    now = rows[rows[BLOCK] == 0]
    return {
        str(model): str(mine[Role.SNAPSHOT].astype(str).mode().iloc[0])
        for model, mine in now.groupby(now[Role.MODEL].astype(str))
    }


def _believed(logged: Floats, answered: Floats, block: Ints) -> float:
    """R² of the answers before the window; raises CannotReplay where they are too few or wrong."""
    both = np.isfinite(logged) & np.isfinite(answered)
    if (both & (block == 0)).sum() < FEWEST:
        raise CannotReplay("too few rows since the onset have an artifact that answers them")
    before = block > 0
    replay.believe(logged[before], answered[before])
    days = np.unique(block[both & before], return_counts=True)[1]
    if (days >= FEWEST_ROWS).sum() < FEWEST_BLOCKS:
        raise CannotReplay("too few days before the onset have artifacts that are still there")
    return replay.faithful(logged[before], answered[before])


__all__ = ["Deployed", "read"]
