"""AUC without labels on the census log: chunks of 5,000 after 2015, beside plain CBPE."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis import quality
from analysis.performance import unlabelled
from analysis.performance.unlabelled import Record, expected
from benchmarks import census
from benchmarks.table import Row

CHUNK = 5_000


def rows(_: Path) -> Iterator[Row]:
    """Error of the estimates, with a paired bootstrap, coverage and the chunks flagged."""
    log = census.load()
    x = log[list(census.FEATURES)].to_numpy(float)
    s, y = log["predicted_probability"].to_numpy(float), log["employed"].to_numpy(float)
    before = _chunks(np.flatnonzero(log["year"] == 2015))
    old = np.concatenate(before)
    block = np.repeat(np.arange(len(before)), [len(c) for c in before])
    learned = unlabelled.learn(s[old], x[old], y[old], block)
    plain = unlabelled.by_score(s[old], y[old])
    reference = _auc(s, y, before)[:, 0]
    held = np.zeros(len(log))
    held[old] = learned.held
    backtest = _auc(s, held, before)
    record = Record.of(backtest[:, 0], reference, backtest[:, 1])
    chunks = _chunks(np.flatnonzero(log["year"] > 2015))
    truth = _auc(s, y, chunks)[:, 0]
    found, noise = _auc(s, learned.chance(s, x), chunks).T
    found -= record.bias
    beside = _auc(s, plain(s), chunks)[:, 0]
    delong = np.array([_delong(s[c], plain(s[c])) for c in chunks])
    yield _error(np.abs(found - truth), np.abs(beside - truth))
    reach = record.reach * np.array([record.error(n) for n in noise])
    yield Row(
        "— 95 % intervals that hold the AUC",
        f"{np.mean(np.abs(found - truth) <= reach):.0%}",
        f"CBPE with DeLong's error {np.mean(np.abs(beside - truth) <= 1.96 * delong):.0%}",
    )
    below = (reference.mean() - truth) / reference.std()
    low = reference.mean() - 3 * reference.std()
    bad = below > 3
    yield Row(
        f"— of {bad.sum()} chunks 3 deviations below 2015 (the next: {below[~bad].max():.1f}), "
        "flagged; false alarms",
        f"{(found[bad] < low).sum()}; {(found[~bad] < low).sum()}",
        f"CBPE {(beside[bad] < low).sum()}; {(beside[~bad] < low).sum()}",
    )


def _error(ours: NDArray[Any], theirs: NDArray[Any]) -> Row:
    picks = np.random.default_rng(0).integers(0, len(ours), (10_000, len(ours)))
    least, most = np.quantile((ours - theirs)[picks].mean(1), [0.025, 0.975])
    return Row(
        f"AUC without labels: mean absolute error, {len(ours)} chunks of {CHUNK:,}",
        f"{ours.mean():.4f}; minus CBPE's: {least:+.4f} to {most:+.4f} (95 %)",
        f"CBPE {theirs.mean():.4f}",
    )


def _chunks(places: NDArray[Any]) -> list[NDArray[Any]]:
    return [places[i : i + CHUNK] for i in range(0, len(places) - CHUNK // 2, CHUNK)]


def _auc(scores: NDArray[Any], chances: NDArray[Any], chunks: list[NDArray[Any]]) -> NDArray[Any]:
    """AUC and its label noise, a row a chunk."""
    return np.array([expected("auc", scores[c], chances[c]) for c in chunks])


def _delong(scores: NDArray[Any], chances: NDArray[Any]) -> float:
    _, place = np.unique(scores, return_inverse=True)
    yes, no = (np.bincount(place, w).astype(float) for w in (chances, 1 - chances))
    return quality.auc(yes, no)[1]
