"""The reliability diagram: how often conclusions are right, by how sure they were stated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.charts import style
from analysis.evidence import Chart
from benchmarks.calibration import bins, calibration_error, separation


def diagram(pairs: Sequence[tuple[float, bool]]) -> Chart:
    """Dots on the diagonal are honest; bars are 95 % intervals (Wilson 1927) of the share."""
    stated = np.array([sure for sure, _ in pairs])
    right = np.array([ok for _, ok in pairs], dtype=bool)
    card, (axes,) = style.figure(height=460)
    axes.plot([0, 1], [0, 1], color=style.BASELINE, linewidth=1, linestyle="--")
    for mean, share, count in bins(stated, right):
        low, high = wilson(share, count)
        axes.plot([mean, mean], [low, high], color=style.EXPECTED, linewidth=2, alpha=0.5)
        axes.plot([mean], [share], "o", color=style.EXPECTED, markersize=5 + count**0.5)
        axes.annotate(f"{count}", (mean, share), (7, -4), textcoords="offset points", fontsize=9)
    axes.set_xlim(0, 1.05)
    axes.set_ylim(0, 1.05)
    axes.set_xlabel("stated confidence")
    axes.set_ylabel("share that was right")
    error, apart = calibration_error(stated, right), separation(stated, right)
    auroc = f", AUROC {apart:.2f}" if np.isfinite(apart) else ""
    title = f"{len(pairs)} conclusions: calibration error {error:.3f}{auroc}"
    alt = "; ".join(
        f"stated {mean:.2f}, right {share:.2f} of {count}"
        for mean, share, count in bins(stated, right)
    )
    return style.render(card, title, alt)


def wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``count`` cases (Wilson 1927)."""
    z2 = 1.96**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = 1.96 / (1 + z2 / count) * np.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))
