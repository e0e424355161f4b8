"""Did what happens change in one part of the traffic alone?

Labels as a whole may be as usual while those of one segment are not: a competitor's offer in one
region, a holiday that empties stations and fills malls. A segment's mean label is held against that
of all other traffic in the same hours, and that against earlier days: what a weekday brings to all
of them says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import odds, words
from analysis.cells import inside_of
from analysis.drilldown.cuboids import explain
from analysis.drilldown.leaves import Noise, Segment
from analysis.metrics import BLOCK
from analysis.odds import Shift

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

FEWEST = 30
"""Labels of the window that a segment needs."""
MOST = 12
"""Values of a dimension that are looked at, those with the most traffic."""
PLAIN = 3.0
"""Log Bayes factor from which it is told, the number of segments looked at taken off."""
MOST_OF_IT = 2 / 3
"""A segment holds a change when it has this part of it: twice as much as all others."""


@dataclass(frozen=True)
class Held:
    """A segment that holds a change of the mean label.

    ``usual`` and ``now`` are its own mean labels on earlier days and now, ``share`` is its part of
    the whole change (1: all of it), and ``alone`` says whether what comes of predictions elsewhere
    is as on other days.
    """

    name: str
    usual: float
    now: float
    share: float
    alone: bool


def held(cells: pd.DataFrame, dims: Sequence[str]) -> Held | None:
    """The segment of up to three dimensions that plainly holds the change of the mean label; None
    where no single one does.

    Labels are searched beside the predictions for the same rows, which know what other requests
    bring; what is found is held against earlier days. ``cells`` are those of
    :func:`analysis.cells.load_cells`.
    """
    rows = _foreseen(cells, dims)
    past, now = rows[rows[BLOCK] > 0], rows[rows[BLOCK] == 0]
    total, expected = (past[name].to_numpy(float) for name in ("positives", "expected"))
    noise = Noise.of(total, expected, np.ones(len(past), dtype=bool))
    found = explain(now, dims, "positives", "expected", noise=noise)
    known = [_held(rows, one) for one in found]
    least = PLAIN + math.log(max(len(found), 1))
    plain = [one for one, log_odds in known if one.share >= MOST_OF_IT and log_odds > least]
    return max(plain, key=lambda one: one.share, default=None)


def _held(cells: pd.DataFrame, one: Segment) -> tuple[Held, float]:
    """What a segment holds both of all labels' change and of what nobody foresaw, and the log odds
    that its labels left all others'."""
    inside = inside_of(cells, one.where)
    usual, now = _means(cells)
    before, after = _means(cells[inside])
    labels = cells.loc[cells[BLOCK] == 0, "labels"]
    part = float(labels[inside[labels.index]].sum() / max(labels.sum(), 1e-9))
    share = min((after - before) * part / (now - usual), one.share) if now != usual else 0.0
    rest = _as_foreseen(cells[~inside])
    alone = rest.seen and rest.log_odds <= odds.AS_USUAL
    return Held(one.name, before, after, share, alone), _beside_others(cells, inside).log_odds


def _as_foreseen(cells: pd.DataFrame) -> Shift:
    """The log of what happened over what was expected, now against earlier blocks."""
    count = int(cells[BLOCK].max()) + 1 if len(cells) else 1
    total, labels = _sums(cells, count)
    expected = np.bincount(cells[BLOCK].to_numpy(int), cells["expected"].to_numpy(float), count)
    if labels[0] < FEWEST or (total < 0).any():
        return odds.NOT_SEEN
    ratio = np.log((total + 0.5) / (expected + 0.5))
    ratio[(labels <= 0) | (expected <= 0)] = np.nan
    # As in :func:`_beside_others`: of rare outcomes those that happen count.
    return odds.shift(float(ratio[0]), ratio[1:], 1 / math.sqrt(min(expected[0], labels[0]) + 0.5))


def _foreseen(cells: pd.DataFrame, dims: Sequence[str]) -> pd.DataFrame:
    """With the sum of labels that is ``expected`` by what predictions are for the labelled rows,
    and by what came of those in the same cell on earlier days. Predictions that are no amounts, a
    part of which could come true, say nothing."""
    mean = cells["prediction"] / cells["weight"].clip(lower=1e-12)
    amounts = bool((mean >= 0).all() and mean.sum() > 0)
    rows = cells.assign(foreseen=(mean if amounts else 1.0) * cells["labels"])
    past = rows[rows[BLOCK] > 0]
    sums = past.groupby(list(dims))[["positives", "foreseen"]].sum()
    usual = float(past["positives"].sum() / max(past["foreseen"].sum(), 1e-12))
    came = (sums["positives"] / sums["foreseen"].where(sums["foreseen"] > 0)).rename("came")
    rows = rows.join(came, on=list(dims))
    return rows.assign(expected=rows["foreseen"] * rows["came"].fillna(usual))


def parted(cells: pd.DataFrame, dims: Sequence[str]) -> str:
    """The segment whose labels parted most plainly from all others', in a few words; "" for none.

    ``cells`` are those of :func:`analysis.cells.load_cells`.
    """
    found: list[tuple[float, str]] = []
    looked = 0
    if cells.empty:
        return ""
    for dim in dims:
        volume = cells.groupby(dim)["labels"].sum().sort_values(ascending=False)
        for level in volume.index[:MOST]:
            inside = (cells[dim] == level).to_numpy()
            shift = _beside_others(cells, inside)
            if not shift.seen:
                continue
            looked += 1
            usual, now = _means(cells[inside])
            told = f"{dim}={level}: {words.number(usual)} → {words.number(now)}"
            found.append((shift.log_odds, told))
    best = max(found, default=(-math.inf, ""))
    return best[1] if best[0] - math.log(max(looked, 1)) > PLAIN else ""


def _beside_others(cells: pd.DataFrame, inside: np.ndarray[Any, np.dtype[np.bool_]]) -> Shift:
    """The log of a segment's mean label over all others', now against earlier blocks."""
    means, errors, seen = [], [], np.ones(int(cells[BLOCK].max()) + 1, dtype=bool)
    for rows in (inside, ~inside):
        total, labels = _sums(cells[rows], len(seen))
        seen &= labels > 0
        if labels[0] < FEWEST or (total < 0).any():  # a mean below nothing is no part of another
            return odds.NOT_SEEN
        means.append(np.log((total + 0.5) / (labels + 1)))
        # Of rare outcomes those that happen count (Poisson), now and usually; of amounts the rows.
        usual = float(total[1:].sum() / max(labels[1:].sum(), 1e-9)) * labels[0]
        errors.append(1 / math.sqrt(min((total[0] + usual) / 2, labels[0]) + 0.5))
    ratio = np.where(seen, means[0] - means[1], np.nan)
    return odds.shift(float(ratio[0]), ratio[1:], math.hypot(*errors))


def _sums(cells: pd.DataFrame, count: int) -> tuple[Floats, Floats]:
    """Sums of labels and how many there are, per block, each of shape (count,)."""
    block = cells[BLOCK].to_numpy(int)
    total = np.bincount(block, cells["positives"].to_numpy(float), count)
    return np.asarray(total), np.asarray(np.bincount(block, cells["labels"].to_numpy(float), count))


def _means(cells: pd.DataFrame) -> tuple[float, float]:
    """A segment's mean label on earlier days, and now."""
    total, labels = _sums(cells, int(cells[BLOCK].max()) + 1)
    past = float(total[1:].sum() / max(labels[1:].sum(), 1e-9))
    return past, float(total[0] / max(labels[0], 1e-9))
