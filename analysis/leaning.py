"""On which features does a snapshot lean otherwise than those before it?

A snapshot's lean on a feature is how far its answers move when that feature's values are shuffled
between rows (permutation importance without labels; Breiman 2001), from its artifact. Snapshots are
held against each other on the same rows with the same shuffles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import replay
from analysis.evidence import Window
from analysis.inputs import surrogate
from analysis.portable import HASHED, LOT, LOTS, lots
from analysis.replay import RAW, CannotReplay
from analysis.tables import Role
from analysis.training.rows import against
from analysis.training.signs import POSITIVE, Sign
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

ROWS = 300
MOST_FEATURES = 60
EARLIER = 5
LEANS_MOVE = 0.3
"""A retraining moves the logarithm of a lean by about this much."""
MUTE, MUTE_NAME, SURE = 0.2, "answers", 8.0
"""Above this share of rows without an answer, that says it all, for as much as a weight that is no
number does."""
FAINT = 0.02
"""A lean below this part of the answers' spread counts as that much."""


def lean_signs(
    warehouse: Warehouse,
    model: str,
    suspect: str,
    earlier: Sequence[str],
    before: Window,
    seed: int = 0,
) -> list[Sign]:
    """Features that the suspect leans on more or less than ``earlier`` snapshots, surest first.

    Rows are of the window ``before`` it was published. Raises CannotReplay.
    """
    where = replay.artifacts(warehouse)
    names = [n for n in earlier if n != suspect and (model, n) in where][-EARLIER:]
    if (model, suspect) not in where or not names:
        raise CannotReplay("the registry names no artifacts that are there")
    rows = _rows(warehouse, model, names, before, seed)
    features = warehouse.features[:MOST_FEATURES]
    shuffled = _shuffled(rows, features, seed)
    found = replay.cross(warehouse, shuffled, [*names, suspect], where)
    logged = rows[Role.PREDICTION].to_numpy(float, na_value=np.nan)
    probability = surrogate.is_probability(logged)
    answers = {n: surrogate.served(a, probability) for n, a in found.items()}
    own = replay.own(rows[Role.SNAPSHOT].to_numpy(), answers)
    replay.believe(surrogate.served(logged, probability), own)
    mute = float(np.mean(~np.isfinite(answers[suspect][: len(rows)])))
    if mute > MUTE:
        return [Sign(MUTE_NAME, SURE, f"{mute:.0%} of the same rows get no number from it")]
    names = [n for n in names if np.isfinite(answers[n][: len(rows)]).mean() >= 1 - MUTE]
    if not names:
        raise CannotReplay("no snapshot before it answers these rows")
    leans = {n: _leans(answers[n], len(rows)) for n in (*names, suspect)}
    return _signs(features, leans[suspect], np.array([leans[n] for n in names]))


def _rows(
    warehouse: Warehouse, model: str, names: Sequence[str], before: Window, seed: int
) -> pd.DataFrame:
    """Rows that ``names`` served, so that there are logged answers to hold theirs against."""
    log = warehouse.predictions(before, models=(model,), snapshots=names)
    log, copies = replay.as_logged(log, warehouse.features)
    log = log.select(Role.TIME, Role.PREDICTION, Role.MODEL, Role.SNAPSHOT, *copies)
    count = int(log.count().to_pandas())
    if count < replay.FEWEST:
        raise CannotReplay(f"the log has {count} rows of the snapshots before it")
    share = max(1, round(LOTS * min(1.0, 1.2 * ROWS / count)))
    log = lots(log, log.columns[:HASHED], seed)
    frame: pd.DataFrame = log.filter(log[LOT] < share).drop(LOT).limit(2 * ROWS).to_pandas()
    return frame.sort_values([Role.TIME, Role.PREDICTION], kind="stable", ignore_index=True)


def _shuffled(rows: pd.DataFrame, features: Sequence[str], seed: int) -> pd.DataFrame:
    """The rows as they are, then once for each feature with its values shuffled."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    each = [rows]
    for name in features:
        order = rng.permutation(len(rows))
        each.append(rows.assign(**{RAW + name: rows[RAW + name].to_numpy()[order]}))
    return pd.concat(each, ignore_index=True)


def _leans(answers: Floats, count: int) -> Floats:
    """Typical move of the answers per shuffled feature, in their standard deviations, on logs."""
    plain, shuffled = answers[:count], answers[count:].reshape(-1, count)
    spread = float(np.nanstd(plain)) or 1.0
    moved = np.sqrt(np.nanmean((shuffled - plain) ** 2, axis=1)) / spread
    out: Floats = np.log(np.hypot(moved, FAINT))
    return out


def _signs(features: Sequence[str], now: Floats, past: Floats) -> list[Sign]:
    out = []
    for i, name in enumerate(features):
        shift = against(float(now[i]), past[:, i], LEANS_MOVE)
        sure = shift.log_odds - float(np.log(len(features)))
        moved = float(now[i] - np.median(past[:, i]))
        if sure > POSITIVE:
            way = "more" if moved > 0 else "less"
            words = f"leans {np.exp(abs(moved)):.2g} × {way} on {name} than snapshots before it"
            out.append(Sign(name, sure, words, "feature"))
    return sorted(out, key=lambda s: -s.log_odds)


__all__ = ["lean_signs"]
