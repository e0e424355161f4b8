"""How each feature of the training data goes with the label, against earlier snapshots' data.

The correlation ratio (Pearson 1905): the part of the labels' variance that lies between the cells
of a feature, less what chance puts there (Kelley 1935, the unbiased ratio). It knows no direction
and no shape. What holds the label goes with it far more than before; what was joined to the wrong
rows hardly does any more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from analysis.training.rows import Sign, Trainings, against

Floats = np.ndarray[Any, np.dtype[np.float64]]

FEWEST = 60
"""Labelled rows that a snapshot needs, of the rarer kind where there are two."""
ALIKE = 0.5, 2.0
"""Chance puts more into a ratio of fewer rows: an earlier training has so many times as many."""
WANDERS = 0.03
"""A retraining's data move the ratio's root by about this much without a reason."""


def bonds(t: Trainings, looser: bool = True) -> Iterator[Sign]:
    """A sign for each feature; none where labels are few. Labels that were spoilt go less with
    every feature: without ``looser`` only those are told that go more with them."""
    frame = t.frame[t.frame["_label"].notna()]
    label = frame["_label"].to_numpy(float)
    rows = {s: (frame["snapshot"] == s).to_numpy() for s in (t.suspect, *t.earlier)}
    rare = {s: _rarer(label[mine]) for s, mine in rows.items()}
    size = {s: mine.sum() / max(rows[t.suspect].sum(), 1) for s, mine in rows.items()}
    known = [s for s in t.earlier if rare[s] >= FEWEST and ALIKE[0] <= size[s] <= ALIKE[1]]
    if rare[t.suspect] < FEWEST or not known:
        return
    for name, b in t.bins.items():
        cell = b.cells(frame[name])
        now = strength(cell[rows[t.suspect]], label[rows[t.suspect]])
        past = np.array([strength(cell[rows[s]], label[rows[s]]) for s in known])
        found = against(now, past, math.hypot(WANDERS, 1 / math.sqrt(rows[t.suspect].sum())))
        if found.z < 0 and not looser:
            continue
        way = "far more" if found.z > 0 else "less"
        words = f"{name} goes {way} with the label than before ({now:.2f}, was {found.usual:.2f})"
        yield Sign(name, found.log_odds - math.log(len(t.bins)), words)


def _rarer(label: Floats) -> int:
    """Rows of the rarer of two outcomes; of amounts all rows."""
    kinds, counts = np.unique(label, return_counts=True)
    return int(counts.min()) if len(kinds) <= 2 else len(label)


def strength(cell: Any, label: Floats) -> float:
    """Root of the correlation ratio of labels (n,) over the cells (n,) of a feature, 0 to 1.

    What chance makes of none (a standard deviation of it) is the least: below, it only scatters.
    """
    count = np.bincount(cell)
    mean = np.bincount(cell, label) / np.maximum(count, 1)
    inside, every = float(((label - mean[cell]) ** 2).sum()), float(np.var(label)) * len(label)
    filled = int((count > 0).sum())
    freedom, chance = len(label) - filled, math.sqrt(2 * filled) / len(label)
    if every <= 0 or freedom < 1:
        return 0.0
    return math.sqrt(max(1 - inside / freedom * (len(label) - 1) / every, chance))
