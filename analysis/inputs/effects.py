"""What the deployed artifact itself makes of each feature: its main effect and its usage.

A surrogate knows nothing of values that it never saw, and little of features that seldom matter;
the artifact answers whatever it is asked. Partial dependence (Friedman 2001) over values that
stand in the log, so that every feature keeps the type that the scorer expects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.inputs.blocks import BLOCK
from analysis.inputs.surrogate import GRID, Curve
from analysis.profile import Bins
from analysis.replay import RAW

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

MOST_ROWS = 20_000
"""Rows that are asked about at the most; features beyond, the least used ones, are left out."""
BACKGROUND = 40, 12
"""Rows that each value is put into, and how few will do."""


@dataclass(frozen=True)
class Effect:
    """``usage`` as :class:`analysis.inputs.surrogate.Surrogate` gives it; the main effect."""

    usage: float
    curve: Curve


@dataclass(frozen=True)
class Points:
    """Values of one feature: the ``rows`` (n,) that hold them, ``at`` (n,) as encoded, NaN where it
    is missing, and the ``share`` (n,) of the earlier rows that each stands for."""

    rows: Ints
    at: Floats
    share: Floats


@dataclass(frozen=True)
class Question:
    """Rows to score: each value of each feature in each of the ``background`` rows, in turn."""

    points: Mapping[str, Points]
    background: Ints

    def asked(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The background rows as they are, then with each feature's values put in.

        ``rows`` are those of :func:`question`; columns with :data:`RAW` names are exchanged.
        """
        import pandas as pd

        size = len(self.background)
        puts = sum(len(p.rows) for p in self.points.values())
        plain = np.tile(self.background, puts + 1)
        columns = {c: rows[c].take(plain).array for c in rows.columns if not c.startswith(RAW)}
        start = size
        places = {}
        for name, p in self.points.items():
            places[RAW + name] = (start, np.repeat(p.rows, size))
            start += len(p.rows) * size
        for column in (c for c in rows.columns if c.startswith(RAW)):
            at = plain
            if column in places:
                first, put = places[column]
                at = np.concatenate([plain[:first], put, plain[first + len(put) :]])
            columns[column] = rows[column].take(at).array
        return pd.DataFrame(columns)

    def effects(self, answers: Floats) -> dict[str, Effect]:
        """From what the rows of :meth:`asked` get, on the scale that effects add up on.

        Background rows without an answer (of a model whose artifact is gone) do not count; features
        whose values leave others without one are left out, and all are where too few have one.
        """
        size = start = len(self.background)
        known = np.isfinite(answers[:size])
        if known.sum() < BACKGROUND[1]:
            return {}
        middle = float(answers[:size][known].mean())
        found = {}
        for name, p in self.points.items():
            mine = answers[start : start + len(p.rows) * size].reshape(len(p.rows), size)
            start, mine = start + mine.size, mine[:, known]
            if np.isfinite(mine).all():
                found[name] = Effect(_usage(mine, p.share), _curve(mine, p.at, middle))
        return found


def question(
    rows: pd.DataFrame, bins: Mapping[str, Bins], usage: Mapping[str, float], seed: int
) -> Question:
    """What to ask about each feature of ``bins``, the most used first; nothing about ages: the time
    of one row is another age in the next.

    ``rows`` is a sample with BLOCK, the features as :func:`analysis.profile.plain` gives them and
    copies of them as logged.
    """
    earlier = np.flatnonzero((rows[BLOCK] > 0).to_numpy())
    points: dict[str, Points] = {}
    total = 1
    asked = [n for n, b in bins.items() if b.kind != "age"]
    for name in sorted(asked, key=lambda n: -usage.get(n, 0.0)):
        found = _points(rows, name, bins[name])
        if (total + len(found.rows)) * BACKGROUND[1] > MOST_ROWS:
            break
        if len(found.rows) > 1:
            points[name], total = found, total + len(found.rows)
    size = min(BACKGROUND[0], MOST_ROWS // total, len(earlier))
    rng = np.random.default_rng(seed)
    return Question(points, np.sort(rng.choice(earlier, size, replace=False)))


def _points(rows: pd.DataFrame, name: str, b: Bins) -> Points:
    earlier = (rows[BLOCK] > 0).to_numpy()
    if b.kind == "level":
        cell = b.cells(rows[name])
        values, first = np.unique(cell, return_index=True)
        share = np.array([(cell[earlier] == v).mean() for v in values])
        return Points(first, np.where(values == b.size - 1, np.nan, values.astype(float)), share)
    value = rows[name].to_numpy(float, na_value=np.nan)
    missing = np.flatnonzero(np.isnan(value))[:1]
    lacks = float(np.isnan(value[earlier]).mean())
    before = _spread(value, earlier, (np.arange(GRID) + 0.5) / GRID)
    ends = _spread(value, earlier, np.array([0.0, 1.0]))
    now = _spread(value, (rows[BLOCK] == 0).to_numpy(), np.linspace(0, 1, GRID))
    at = np.concatenate([before, ends, now, missing]).astype(np.int64)
    share = np.zeros(len(at))
    share[: len(before)] = (1 - lacks) / max(len(before), 1)
    share[len(at) - len(missing) :] = lacks
    return Points(at, value[at], share)


def _spread(value: Floats, part: Any, quantiles: Floats) -> Ints:
    """Rows that hold these quantiles of a part of the rows."""
    known = np.flatnonzero(part & np.isfinite(value))
    if not len(known):
        return known
    known = known[np.argsort(value[known], kind="stable")]
    return known[np.round(quantiles * (len(known) - 1)).astype(np.int64)]


def _usage(answers: Floats, share: Floats) -> float:
    """Root mean square change when the feature is shuffled: twice the variance over its values."""
    weight = (share / max(float(share.sum()), 1e-12))[:, None]
    mean = (weight * answers).sum(axis=0)
    return float(np.sqrt(2 * (weight * (answers - mean) ** 2).sum(axis=0).mean()))


def _curve(answers: Floats, at: Floats, middle: float) -> Curve:
    effect = answers.mean(axis=1) - middle
    missing = np.isnan(at)
    grid, first = np.unique(at[~missing], return_index=True)
    lacking = float(effect[missing][0]) if missing.any() else 0.0
    return Curve(grid, effect[~missing][first], lacking)
