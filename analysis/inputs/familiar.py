"""Do familiar inputs still get the answers that they got? The part that inputs can't explain.

Rows count as familiar when every feature that the model uses lies in a cell that the baseline
fills: outside of them a surrogate guesses, and a guess accuses nobody.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis import odds
from analysis.inputs import joint, suspicion
from analysis.inputs.views import Reading, Sample
from analysis.profile import Bins

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

Odd = tuple[np.ndarray[Any, np.dtype[np.bool_]], np.ndarray[Any, np.dtype[np.bool_]]]

ODD = 0.8
"""Rows in which a feature disagrees more than in this share of the baseline's are odd."""
FEWEST = 20
NOT_SEEN = -2.0, 0.0
"""What is said of answers that were not seen to shift: log Bayes factor and size."""
SHARE = 0.004
"""A cell with a smaller share of the baseline's rows is unfamiliar."""
USED = 0.03
"""A feature with less than this part of the most used one's usage is next to unused."""
GAINED = 1.5
"""A broken feature's cells with more than so many times their usual share hold false values."""


def odd_rows(days: joint.Scores, edge: joint.Scores, broken: Collection[str]) -> Odd:
    """Rows of the day and edge samples in which a broken feature does not go with the others.

    A combination that the baseline hardly holds is as unfamiliar as a value that it never held.
    """
    odd = np.zeros(len(days.z), dtype=bool), np.zeros(len(edge.z), dtype=bool)
    for name in broken:
        model = (
            joint.fit(days, name, [b for b in broken if b != name]) if name in days.own else None
        )
        if model is None:
            continue
        left = joint.residuals(days, name, model)
        limit = float(np.quantile(left[days.fitted], ODD))
        odd = odd[0] | (left > limit), odd[1] | (joint.residuals(edge, name, model) > limit)
    return odd


def answers_shift(
    r: Reading, output: Floats, broken: Collection[str] = (), odd: Odd | None = None
) -> tuple[float, float]:
    """Log Bayes factor that familiar inputs get other predictions, and by how much.

    ``output`` is the surrogate's for the day sample. Both the mean and the typical size of the
    difference are looked at, against earlier days and across the onset. Rows whose values of a
    ``broken`` feature lie where its values gained do not count, nor do ``odd`` ones: they may be
    no true values.
    """
    left = _left(r, output, broken, odd)
    known = familiar(r, r.edge, broken)
    if odd is not None:
        known = known & ~odd[1]
    left_edge = np.where(known, r.target(r.edge) - r.output(r.edge), np.nan)
    now = left[(r.days.block == 0) & np.isfinite(left)]
    if len(now) < FEWEST:
        return 0.0, 0.0
    best, size = NOT_SEEN
    looks = ((left, left_edge), (np.abs(left), np.abs(left_edge)))
    for day_values, edge_values in looks:
        # The mean of few familiar rows is no surer than they are alike.
        days = _shift_of(r.days.means(day_values), float(np.std(now)) / np.sqrt(len(now)))
        edge = _shift_of(r.edge.means(edge_values, minus_before=True))
        here = suspicion.both(days, edge, days.change if days.seen else 0.0)
        if here > best and (not edge.seen or np.sign(days.z) == np.sign(edge.z)):
            best, size = here, max(size, abs(days.change) if days.seen else 0.0)
    return best - float(np.log(len(looks))), size


def answers_moved(
    r: Reading, output: Floats, broken: Collection[str] = (), odd: Odd | None = None
) -> float:
    """By how much the mean answer to familiar inputs lies above the usual one; NaN without any."""
    means = r.days.means(_left(r, output, broken, odd))
    return float(means[0]) - suspicion.middle(means[1:])


def _left(r: Reading, output: Floats, broken: Collection[str], odd: Odd | None) -> Floats:
    """What the surrogate leaves of the day sample's predictions; NaN for unfamiliar inputs."""
    known = familiar(r, r.days, broken)
    if odd is not None:
        known = known & ~odd[0]
    return np.where(known, r.target(r.days) - output, np.nan)


def beside_others(r: Reading, output: Floats, broken: Collection[str] = ()) -> tuple[float, float]:
    """The same of a suspect arm's answers less those of the other arms in the same hours.

    Inputs that broke or that nobody ever saw are as new to the others: where too few are familiar,
    all count. Those that broke in this arm alone make no comparison.
    """
    if r.others is None:
        return NOT_SEEN
    left = r.target(r.days) - output
    theirs = r.target(r.others) - r.output(r.others)
    known, known_theirs = familiar(r, r.days, broken), familiar(r, r.others, broken)
    few = (known & (r.days.block == 0)).sum(), (known_theirs & (r.others.block == 0)).sum()
    if min(few) >= FEWEST:
        left, theirs = np.where(known, left, np.nan), np.where(known_theirs, theirs, np.nan)
    elif any(_in_this_arm(r, r.others, name) for name in broken):
        return NOT_SEEN
    found = []
    for mine, other in ((left, theirs), (np.abs(left), np.abs(theirs))):
        beside = r.others.means(other)
        gap = r.days.means(mine) - beside
        # What the others' models get wrong as well, this one may get wrong by as much again.
        error = float(np.hypot(0.02, _shift_of(beside).beyond_usual))
        found.append(odds.shift(float(gap[0]), gap[1:], error))
    best = max(found, key=lambda s: s.log_odds)
    evidence = best.log_odds - float(np.log(len(found)))
    return (evidence, abs(best.change)) if best.seen and evidence > 0 else NOT_SEEN


def _in_this_arm(r: Reading, others: Sample, name: str) -> bool:
    """Whether the values that a broken feature gained come in these arms alone."""
    gained, b = _gained(r, name), r.bins[name]
    mine, theirs = (
        float(gained[b.cells(s.frame[name])[s.block == 0]].mean()) for s in (r.days, others)
    )
    return theirs < 0.5 * mine


def _shift_of(figures: Floats, error: float = 0.0) -> odds.Shift:
    """The window's figure against the others; what a surrogate errs by has heavy tails as well."""
    found = odds.shift(float(figures[0]), figures[1:], error=float(np.hypot(0.02, error)))
    return replace(found, df=min(found.df, suspicion.ROBUST_DF))


def familiar(r: Reading, sample: Sample, broken: Collection[str] = ()) -> Any:
    """Which rows of a sample have only familiar inputs, a boolean per row."""
    top = max((r.usage(n) for n in r.features), default=0.0)
    out = np.ones(len(sample.frame), dtype=bool)
    for name in r.features:
        if r.usage(name) < USED * top and name not in broken:
            continue
        b = r.bins[name]
        base = b.cells(r.days.frame[name][r.days.block > 0])
        share = np.bincount(base, minlength=b.size) / max(len(base), 1)
        known = share > SHARE
        known[list(b.unseen)] = False
        if name in broken:
            known &= ~_gained(r, name)
        out &= known[b.cells(sample.frame[name])]
    return out


def in_filled_cells(
    bins: Mapping[str, Bins], old: pd.DataFrame, new: pd.DataFrame, usage: Mapping[str, float]
) -> Any:
    """Rows of ``new`` whose used features lie in cells that ``old`` fills, a boolean per row.

    ``usage`` says how much is made of each feature; those with next to none do not count, but
    where they lie far out: what a model makes of such values nobody has seen.
    """
    out: Any = np.ones(len(new), dtype=bool)
    top = max(usage.values(), default=0.0)
    for name, b in bins.items():
        if usage[name] < USED * top:
            out &= ~_far_out(b, new[name])
            continue
        share = np.bincount(b.cells(old[name]), minlength=b.size) / len(old)
        out &= share[b.cells(new[name])] > SHARE
    return out


def _far_out(b: Bins, column: pd.Series[Any]) -> Any:
    """Numbers that lie beyond all that the baseline holds by more than its whole range."""
    if b.kind != "number" or b.distinct < FEWEST:
        return np.zeros(len(column), dtype=bool)
    low, high = b.edges[0], b.edges[-1]
    values = column.to_numpy(dtype=float, na_value=np.nan)
    return np.abs(values - (low + high) / 2) > 1.5 * (high - low)


def beyond(r: Reading, output: Floats, broken: Collection[str]) -> dict[str, float]:
    """How far the served answers lie from the surrogate's where a broken feature's values gained.

    A surrogate knows nothing of values that it never saw, and what the model makes of them may
    be large although the feature hardly counted before. Where several features are broken, the
    difference is split by how much the model leans on each.
    """
    left = np.abs(r.target(r.days) - output)
    now = (r.days.block == 0) & np.isfinite(left)
    past = r.days.block > 0
    top = max((r.usage(n) for n in r.features), default=0.0)
    weight = {n: r.usage(n) + 0.02 * top + 1e-9 for n in broken}
    cells = {name: r.bins[name].cells(r.days.frame[name]) for name in broken}
    gained = {name: now & _gained(r, name)[cells[name]] for name in broken}
    elsewhere = now & ~np.any(list(gained.values()), axis=0) if gained else now
    usual = float(np.nanmean(left[past])) if past.any() else 0.0
    if elsewhere.sum() >= FEWEST // 2:
        # What is as wrong on all other rows is not the doing of these.
        usual = max(usual, float(left[elsewhere].mean()))
    out = {}
    for name, rows in gained.items():
        if rows.sum() >= FEWEST // 2:
            excess = max(0.0, float(left[rows].mean()) - usual) * float(rows.sum() / now.sum())
            out[name] = excess * weight[name] / sum(weight.values())
    return out


def _gained(r: Reading, name: str) -> Any:
    """Which cells of a feature hold more of the window's rows than usual, a boolean per cell."""
    b = r.bins[name]
    cells = b.cells(r.days.frame[name])
    shares = []
    for rows in (r.days.block > 0, r.days.block == 0):
        count = np.bincount(cells[rows], minlength=b.size)
        shares.append(count / max(count.sum(), 1))
    return shares[1] > GAINED * shares[0]
