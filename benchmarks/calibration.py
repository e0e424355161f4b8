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
    total = sum(count * abs(mean - share) for mean, share, count in bins(stated, right))
    return total / len(stated)


def bins(stated: np.ndarray, right: np.ndarray) -> list[tuple[float, float, int]]:
    """Mean stated, share right and number of conclusions, for each bin that holds any."""
    found = []
    for low, high in BINS:
        inside = (stated >= low) & ((stated < high) | (high == 1.0))
        if inside.any():
            count = int(inside.sum())
            found.append((float(stated[inside].mean()), float(right[inside].mean()), count))
    return found


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
    yield "| mean stated | conclusions | right |\n|---|---|---|"
    for mean, share, count in bins(stated, right):
        yield f"| {mean:.2f} | {count} | {share:.2f} |"
    yield ""
    error, apart = calibration_error(stated, right), separation(stated, right)
    auroc = f"AUROC {apart:.2f}" if np.isfinite(apart) else "no AUROC (all alike)"
    yield f"Expected calibration error {error:.3f}, {auroc} over {len(stated)} conclusions."
