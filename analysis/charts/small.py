"""Many series as small multiples, aligned at the onset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from analysis.charts import style
from analysis.charts.series import Floats, utc
from analysis.evidence import Chart, Onset, Window


@dataclass(frozen=True)
class Panel:
    """One series with its expected band; a suspect is drawn in the incident's colour."""

    name: str
    times: NDArray[np.datetime64]
    values: Floats
    low: Floats
    high: Floats
    suspect: bool = False


def small_multiples(
    panels: Sequence[Panel], window: Window, onset: Onset | None, title: str, alt: str
) -> Chart:
    """Up to six panels, two a row, from a day before the window to its end."""
    shown = list(panels[:6])
    rows = max(1, (len(shown) + 1) // 2)
    card, every = style.figure(rows, min(2, max(len(shown), 1)), height=130 * rows + 110)
    start = window.start - max(timedelta(hours=18), window.length)
    for axes, panel in zip(every, shown, strict=False):
        colour = style.INCIDENT if panel.suspect else style.INK
        keep = panel.times >= np.datetime64(start.replace(tzinfo=None), "s")
        at = utc(panel.times[keep])
        axes.fill_between(
            at,  # type: ignore[arg-type]
            panel.low[keep],
            panel.high[keep],
            color=style.EXPECTED,
            alpha=0.18,
            linewidth=0,
        )
        axes.plot(at, panel.values[keep], color=colour, linewidth=1.5)  # type: ignore[arg-type]
        style.shade_window(axes, window)
        if onset is not None:
            style.mark_onset(axes, onset, label="")
        style.time_axis(axes, start, window.end, ticks=4)
        axes.set_title(
            style.shorten(panel.name, 34), fontsize=style.SMALL, color=colour, loc="left", pad=3
        )
        axes.locator_params(axis="y", nbins=3)
    for axes in every[len(shown) :]:
        axes.set_visible(False)
    return style.render(card, title, alt)
