"""Onsets and alarms of ``hawkeye detect`` on planted series, and on public ones if they are here.

Planted truth in seeded series (benchmarks/series.py). Peers in the same run, one setting for all:
ruptures' Pelt with its default cost and BIC penalty, a Gaussian over all earlier points, and
relative entropy (Wang et al. 2011). With ``HAWKEYE_TCPD`` or ``HAWKEYE_NAB`` naming a clone of
the public sets (benchmarks/annotated.py), those are measured too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.series.anomalies import detect
from benchmarks import annotated, series
from benchmarks.scoring import anomaly_score, covering, f1
from benchmarks.table import Row

Floats = np.ndarray[Any, np.dtype[np.float64]]
SEEDS = range(100, 104)


def rows(_folder: Path) -> Iterator[Row]:
    """Planted changes, spikes and clean series; then the public sets that are named."""
    yield _planted_changes()
    yield from _alarms()
    if root := annotated.folder("HAWKEYE_TCPD"):
        yield _annotated_changes(root)
    if root := annotated.folder("HAWKEYE_NAB"):
        yield _annotated_alarms(root)


def _planted_changes() -> Row:
    ours, peer = [], []
    for kind in series.KINDS:
        for seed in SEEDS:
            one = series.changed(kind, seed)
            found = [turn.index for turn in detect(one.times, one.values).turns]
            ours.append(f1([one.changes], found))
            peer.append(f1([one.changes], pelt(one.values)))
    return Row(
        f"planted changes ({len(ours)} series of {len(series.KINDS)} kinds), F1 within 5 points",
        f"{np.mean(ours):.2f}",
        f"Pelt {np.mean(peer):.2f}",
    )


def _alarms() -> Iterator[Row]:
    false = {"ours": 0, "gaussian": 0, "entropy": 0}
    seen = dict.fromkeys(false, 0)
    months, spikes = 0.0, 0
    for kind in series.KINDS:
        for seed in SEEDS:
            one, hurt = series.clean(kind, seed), series.disturbed(kind, seed)
            months += one.months
            place = hurt.spells[0][0]
            spikes += bool(np.isfinite(hurt.values[place]))
            for name, method in METHODS.items():
                false[name] += int(method(one.times, one.values).sum())
                seen[name] += int(method(hurt.times, hurt.values)[place])
    yield Row(
        f"alarms per metric-month on clean series ({months:.0f} months)",
        f"{false['ours'] / months:.2f}",
        f"Gaussian {false['gaussian'] / months:.1f}, relative entropy "
        f"{false['entropy'] / months:.1f}",
    )
    yield Row(
        f"planted spikes that raise an alarm at their point ({spikes})",
        f"{100 * seen['ours'] / spikes:.0f} %",
        f"Gaussian {100 * seen['gaussian'] / spikes:.0f} %, relative entropy "
        f"{100 * seen['entropy'] / spikes:.0f} %",
    )


def _annotated_changes(root: Path) -> Row:
    scores: list[tuple[float, ...]] = []
    for one in annotated.changing(root):
        size = len(one.values)
        found = [turn.index for turn in detect(np.arange(size), one.values).turns]
        peer = pelt(one.values)
        scores.append(
            tuple(
                figure
                for cuts in (found, peer, [])
                for figure in (f1(one.marked, cuts), covering(one.marked, cuts, size))
            )
        )
    mean = np.mean(scores, axis=0)
    return Row(
        f"Turing Change Point Dataset ({len(scores)} series present), F1 / covering",
        f"{mean[0]:.3f} / {mean[1]:.3f}",
        f"Pelt {mean[2]:.3f} / {mean[3]:.3f}, no change at all {mean[4]:.3f} / {mean[5]:.3f}",
    )


def _annotated_alarms(root: Path) -> Row:
    every = list(annotated.disturbed(root))
    score = {
        name: anomaly_score([m(one.times, one.values) for one in every], [o.marked for o in every])
        for name, m in METHODS.items()
    }
    return Row(
        f"Numenta Anomaly Benchmark ({len(every)} series), standard profile, threshold 0.5",
        f"{score['ours']:.1f}",
        f"Gaussian {score['gaussian']:.1f}, relative entropy {score['entropy']:.1f}",
    )


# -- the methods --------------------------------------------------------------------------------


def pelt(values: Floats) -> list[int]:
    """Changes by ruptures' Pelt: its defaults, standardised values, a penalty of 3 log n."""
    import ruptures

    known = np.flatnonzero(np.isfinite(values))
    x = values[known]
    scale = float(np.std(x)) or 1.0
    # Its cost grows with the square of the length: longer series are thinned.
    step = max(1, len(x) // 1000)
    model = ruptures.Pelt().fit((x[::step] / scale).reshape(-1, 1))
    cuts = model.predict(pen=3 * math.log(max(len(x[::step]), 2)))[:-1]
    return [int(known[cut * step]) for cut in cuts]


def ours(times: NDArray[np.datetime64], values: Floats) -> NDArray[np.bool_]:
    """Alarms of ``hawkeye detect``: scores of at least 0.5."""
    return np.nan_to_num(detect(times, values).scores) >= 0.5


def gaussian(_times: NDArray[np.datetime64], values: Floats) -> NDArray[np.bool_]:
    """Points more than four standard deviations from the mean of all before them."""
    known = np.isfinite(values)
    x = np.where(known, values, 0.0)
    count = np.concatenate(([0], np.cumsum(known)[:-1]))
    mean = np.concatenate(([0.0], np.cumsum(x)[:-1])) / np.maximum(count, 1)
    square = np.concatenate(([0.0], np.cumsum(x**2)[:-1])) / np.maximum(count, 1)
    spread = np.sqrt(np.maximum(square - mean**2, 1e-12))
    return np.asarray(known & (count >= 50) & (np.abs(x - mean) > 4 * spread))


def entropy(
    _times: NDArray[np.datetime64], values: Floats, bins: int = 5, window: int = 52
) -> NDArray[np.bool_]:
    """Windows whose histogram agrees with none seen before, by a chi-squared test at 1 %."""
    from scipy.stats import chi2

    known = np.flatnonzero(np.isfinite(values))
    x = values[known]
    out = np.zeros(len(values), dtype=bool)
    width = float(np.ptp(x)) / bins
    if not width > 0:
        return out
    level = np.minimum(((x - x.min()) / width).astype(int), bins - 1)
    limit = float(chi2.isf(0.01, bins - 1))
    shares = np.empty((0, bins))
    for end in range(window, len(x) + 1):
        now = np.bincount(level[end - window : end], minlength=bins) / window
        with np.errstate(divide="ignore", invalid="ignore"):
            apart = np.where(now > 0, now * np.log(now / shares), 0.0).sum(axis=1)
        if not len(shares) or 2 * window * float(apart.min()) >= limit:
            out[known[end - 1]] = len(shares) > 0
            shares = np.vstack((shares, now))
    return out


METHODS: dict[str, Callable[[NDArray[np.datetime64], Floats], NDArray[np.bool_]]] = {
    "ours": ours,
    "gaussian": gaussian,
    "entropy": entropy,
}
