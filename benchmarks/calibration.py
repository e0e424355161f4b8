"""Does a confidence of 0.9 mean nine times in ten?

Expected calibration error over bins of equal width (Naeini, Cooper and Hauskrecht 2015), and the
chance that a right conclusion was stated more surely than a wrong one (AUROC).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.stats import mannwhitneyu

BINS = ((0.0, 0.5), (0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9), (0.9, 0.97), (0.97, 1.0))


def calibration_error(stated: np.ndarray, right: np.ndarray) -> float:
    """Mean distance between stated and found shares, weighted by the bins' sizes; 0 is best."""
    total = 0.0
    for low, high in BINS:
        inside = _inside(stated, low, high)
        if inside.any():
            total += inside.sum() * abs(stated[inside].mean() - right[inside].mean())
    return float(total / len(stated))


def separation(stated: np.ndarray, right: np.ndarray) -> float:
    """AUROC of the confidence as a judge of right and wrong; NaN when there is one kind only."""
    if right.all() or not right.any():
        return float("nan")
    good, bad = stated[right], stated[~right]
    return float(mannwhitneyu(good, bad).statistic / (len(good) * len(bad)))


def calibration(pairs: Sequence[tuple[float, bool]]) -> Iterator[str]:
    """The reliability diagram as Markdown rows, then the two figures."""
    stated = np.array([sure for sure, _ in pairs])
    right = np.array([ok for _, ok in pairs], dtype=bool)
    yield "| stated | conclusions | mean stated | right |\n|---|---|---|---|"
    for low, high in BINS:
        inside = _inside(stated, low, high)
        if inside.any():
            yield (
                f"| {low:.2f}–{high:.2f} | {inside.sum()} | {stated[inside].mean():.2f} "
                f"| {right[inside].mean():.2f} |"
            )
    yield ""
    yield (
        f"Expected calibration error {calibration_error(stated, right):.3f}, "
        f"AUROC {separation(stated, right):.2f} over {len(stated)} conclusions."
    )


def _inside(stated: np.ndarray, low: float, high: float) -> np.ndarray:
    return (stated >= low) & ((stated < high) | (high == 1.0))
