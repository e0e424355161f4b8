"""A whole series with its expected course, its alarms and its lasting changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis.charts import style
from analysis.evidence import Chart
from analysis.series.anomalies import Detection

Floats = NDArray[np.float64]


def detection_chart(values: Floats, times: Sequence[str], found: Detection, title: str) -> Chart:
    """The series (n,) by place, ``times`` as its labels."""
    card, (axes,) = style.figure()
    place = np.arange(len(values))
    band = found.band
    axes.fill_between(place, band.low, band.high, color=style.EXPECTED, alpha=0.18, linewidth=0)
    axes.plot(place, values, color=style.INK, linewidth=1.2)
    rings = np.flatnonzero(found.alarms)
    axes.scatter(rings, values[rings], s=46, facecolors="none", edgecolors=style.INCIDENT, zorder=3)
    for turn in found.turns:
        axes.axvspan(turn.low, turn.high, color=style.INCIDENT, alpha=0.12, linewidth=0)
        axes.axvline(turn.index, color=style.INCIDENT, linewidth=1.4)
    shown = np.unique(np.linspace(0, len(values) - 1, 4).astype(int))
    axes.set_xticks(shown, [times[i][:16] for i in shown])
    alt = (
        f"{len(values)} points, {len(rings)} alarms, {len(found.turns)} lasting changes"
        + "".join(f"; {t.direction} at {times[t.index]}" for t in found.turns[:6])
        + "."
    )
    return style.render(card, title, alt)
