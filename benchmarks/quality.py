"""AUC without labels on the census log: chunks of 5,000 after 2015, beside plain CBPE."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.performance import unlabelled
from benchmarks import census
from benchmarks.table import Row

CHUNK = 5_000


def rows(_: Path) -> Iterator[Row]:
    """Error of the estimates, with a paired bootstrap, coverage and the chunks flagged."""
    log = census.load()
    x = log[list(census.FEATURES)].to_numpy(float)
    s, y = log["predicted_probability"].to_numpy(float), log["employed"].to_numpy(float)
    old = (log["year"] == 2015).to_numpy()
    plain = unlabelled.by_score(s[old], y[old])
    ours = unlabelled.by_features(s[old], x[old], y[old])
    reference = [unlabelled.expected_auc(s[c], y[c])[0] for c in _chunks(np.flatnonzero(old))]
    low = np.mean(reference) - 3 * np.std(reference)
    chunks = _chunks(np.flatnonzero(~old))
    truth = np.array([unlabelled.expected_auc(s[c], y[c])[0] for c in chunks])
    a = np.array([unlabelled.expected_auc(s[c], ours(s[c], x[c])) for c in chunks])
    b = np.array([unlabelled.expected_auc(s[c], plain(s[c])) for c in chunks])
    error, beside = np.abs(a[:, 0] - truth), np.abs(b[:, 0] - truth)
    picks = np.random.default_rng(0).integers(0, len(chunks), (10_000, len(chunks)))
    least, most = np.quantile((error - beside)[picks].mean(1), [0.025, 0.975])
    yield Row(
        f"AUC without labels: mean absolute error, {len(chunks)} chunks of {CHUNK:,}",
        f"{error.mean():.4f}; minus CBPE's: {least:+.4f} to {most:+.4f} (95 %)",
        f"CBPE {beside.mean():.4f}",
    )
    yield Row(
        "— 95 % intervals that hold the AUC", _covered(a, truth), f"CBPE {_covered(b, truth)}"
    )
    bad = truth < low
    yield Row(
        f"— of {bad.sum()} chunks 3 deviations below 2015, flagged; false alarms",
        f"{(a[bad, 0] < low).sum()}; {(a[~bad, 0] < low).sum()}",
        f"CBPE {(b[bad, 0] < low).sum()}; {(b[~bad, 0] < low).sum()}",
    )


def _chunks(places: NDArray[Any]) -> list[NDArray[Any]]:
    return [places[i : i + CHUNK] for i in range(0, len(places) - CHUNK // 2, CHUNK)]


def _covered(found: NDArray[Any], truth: NDArray[Any]) -> str:
    return f"{np.mean(np.abs(found[:, 0] - truth) <= 1.96 * found[:, 1]):.0%}"
