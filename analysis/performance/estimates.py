"""Figures of models whose labels are late, read from the log as estimates, with their intervals."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import metrics, odds, quality
from analysis.inputs import surrogate
from analysis.inputs.familiar import in_filled_cells
from analysis.metrics import BLOCK, Blocks
from analysis.performance import unlabelled
from analysis.performance.readings import FEWEST_LABELS, Reading
from analysis.performance.unlabelled import Learned, Record
from analysis.portable import HASHED, LOT, LOTS, lots
from analysis.profile import Bins, bins_of, kinds, plain
from analysis.tables import Role
from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

CELLS = 1_000_000
"""About so many values (rows × features) of one model are sampled to learn from."""
ROWS = 20_000
"""And no more rows than this from earlier days, nor from the window."""
STRANGE = 0.05
"""With more rows of unfamiliar inputs than this (and than usual), an estimate is not believed."""


@dataclass(frozen=True)
class Estimated:
    """Estimates of one model and its arms.

    ``strange`` is the share of the window's rows with inputs that no labelled row had, beyond
    what is usual; ``by_answer`` as in :class:`Learned`.
    """

    readings: tuple[Reading, ...]
    strange: float
    by_answer: bool

    @property
    def believed(self) -> bool:
        """Whether the window's inputs are ones of which the labels are known."""
        return self.strange <= STRANGE


@dataclass(frozen=True)
class _Rows:
    """Sampled rows: scores, labels (NaN: none), blocks, weights (n,) and encoded features."""

    frame: pd.DataFrame
    bins: Mapping[str, Bins]
    x: Floats
    score: Floats
    label: Floats
    block: np.ndarray[Any, np.dtype[np.int64]]
    weight: Floats


def estimate(
    warehouse: Warehouse, blocks: Blocks, model: str, settled: Sequence[int], seed: int = 0
) -> Estimated:
    """Estimate every figure of a binary model and its arms over the window.

    ``settled`` are the earlier blocks that have all of their labels: chances are learnt on them,
    and they are what the estimate is held against. Raises ValueError, with the reason in words,
    when labels or rows are too few.
    """
    rows = _sample(warehouse, blocks, model, settled, seed)
    now, past = rows.block == 0, (rows.block > 0) & np.isfinite(rows.label)
    if past.sum() < 10 * FEWEST_LABELS or now.sum() < FEWEST_LABELS:
        raise ValueError(f"only {past.sum():,} earlier rows with labels to learn from")
    learned = unlabelled.learn(rows.score[past], rows.x[past], rows.label[past], rows.block[past])
    chance = np.zeros(len(rows.frame))
    chance[past] = learned.held
    chance[now] = learned.chance(rows.score[now], rows.x[now])
    readings = []
    for arm, mine in _arms(warehouse, rows.frame):
        for kind in unlabelled.KINDS:
            found = _reading(rows, chance, mine & (now | past), model, arm, kind)
            if found is not None:
                readings.append(found)
    return Estimated(tuple(readings), _strange(rows, learned, seed), learned.by_answer)


def _sample(
    warehouse: Warehouse, blocks: Blocks, model: str, settled: Sequence[int], seed: int
) -> _Rows:
    table = metrics.in_blocks(warehouse, blocks, models=(model,))
    table = table.filter(table[BLOCK].isin([0, *settled]))
    kind = kinds(table, warehouse.features)
    roles = (Role.PREDICTION, Role.LABEL, Role.WEIGHT, Role.EXPERIMENT, Role.ARM)
    table = plain(table.filter(table[Role.PREDICTION].notnull()), kind, (Role.TIME, *roles, BLOCK))
    sizes = warehouse.fetch(table.group_by(BLOCK).aggregate(n=table.count()))
    most = min(ROWS, CELLS // max(len(kind), 1))
    cases = []
    for block, n in zip(sizes[BLOCK], sizes["n"], strict=True):
        wanted = most if block == 0 else most / max(len(settled), 1)
        cases.append((int(block), max(1, round(LOTS * min(1.0, wanted / n)))))
    table = lots(table, table.columns[:HASHED], seed)
    table = table.filter(table[LOT] < table[BLOCK].cases(*cases, else_=0)).drop(LOT)
    frame = warehouse.fetch(table.limit(4 * most))
    frame = frame.sort_values([Role.TIME, Role.PREDICTION], kind="stable", ignore_index=True)
    block = frame[BLOCK].to_numpy(np.int64)
    bins = bins_of(frame[block > 0], kind)
    return _Rows(
        frame,
        bins,
        surrogate.encode(frame, bins),
        frame[Role.PREDICTION].to_numpy(float),
        frame[Role.LABEL].to_numpy(float, na_value=np.nan),
        block,
        frame[Role.WEIGHT].to_numpy(float, na_value=1.0),
    )


def _arms(warehouse: Warehouse, frame: pd.DataFrame) -> Iterator[tuple[str, Any]]:
    """The whole model, then each of its arms, with the rows that are theirs."""
    yield "", np.ones(len(frame), dtype=bool)
    if warehouse.contract.predictions.arm is not None:
        name = frame[Role.EXPERIMENT] + "/" + frame[Role.ARM]
        for arm in name.value_counts().index[:8]:
            yield str(arm), (name == arm).to_numpy()


def _reading(
    rows: _Rows, chance: Floats, mine: Any, model: str, arm: str, kind: str
) -> Reading | None:
    """One estimate, held against the figures that labels gave on earlier days."""
    pairs = []
    for block in np.unique(rows.block[mine & (rows.block > 0)]):
        here = mine & (rows.block == block)
        if here.sum() >= FEWEST_LABELS:
            truth, _ = _figure(rows, rows.label, here, kind)
            pairs.append((*_figure(rows, chance, here, kind), truth))
    here = mine & (rows.block == 0)
    if len(pairs) < unlabelled.FEWEST_BLOCKS or here.sum() < FEWEST_LABELS:
        return None
    estimates, noises, truths = np.array(pairs).T
    record = Record.of(estimates, truths, noises)
    value, noise = _figure(rows, chance, here, kind)
    value, error = value - record.bias, record.error(noise)
    if not math.isfinite(value) or not math.isfinite(error):
        return None
    shift = odds.shift(value, truths, error, noises)
    half = record.reach * error
    ends = quality.back(kind, np.array([value, value - half, value + half, shift.usual]))
    now, low, high, usual = map(float, ends)
    seen = int(here.sum())
    return Reading(
        model, arm, kind, now, usual, low, high, error, shift, seen, record.reach, estimated=True
    )


def _figure(rows: _Rows, chance: Floats, here: Any, kind: str) -> tuple[float, float]:
    return unlabelled.expected(kind, rows.score[here], chance[here], rows.weight[here])


def _strange(rows: _Rows, learned: Learned, seed: int) -> float:
    """Share of the window's rows in cells that earlier days leave empty, beyond what is usual."""
    old, new = rows.frame[rows.block > 0], rows.frame[rows.block == 0]
    usage = _usage(rows, learned, seed)
    usual = in_filled_cells(rows.bins, old, old, usage)
    return max(0.0, float(usual.mean() - in_filled_cells(rows.bins, old, new, usage).mean()))


def _usage(rows: _Rows, learned: Learned, seed: int) -> dict[str, float]:
    """Mean change of the chance when one feature is shuffled, on a few hundred rows."""
    rng = np.random.default_rng(seed)
    some = rng.choice(len(rows.x), min(300, len(rows.x)), replace=False)
    x, score = rows.x[some], rows.score[some]
    plain = learned.chance(score, x)
    out = {}
    for j, name in enumerate(rows.bins):
        shuffled = x.copy()
        shuffled[:, j] = rng.permutation(x[:, j])
        out[name] = float(np.mean(np.abs(learned.chance(score, shuffled) - plain)))
    return out
