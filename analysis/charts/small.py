"""Many series one under the other, aligned at the onset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from analysis.charts import style
from analysis.charts.series import Floats
from analysis.evidence import Chart, Onset, Window

MOST = 6
_TALL = 0.6
"""The part of a lane that its series may fill; its name stands in the rest."""


@dataclass(frozen=True)
class Panel:
    """One series with its expected band; a suspect is drawn in the incident's colour.

    ``said`` is what the series did in a few words ("210 → 480").
    """

    name: str
    times: NDArray[np.datetime64]
    values: Floats
    low: Floats
    high: Floats
    said: str = ""
    suspect: bool = False


def small_multiples(
    panels: Sequence[Panel], window: Window, onset: Onset | None, title: str, alt: str
) -> Chart:
    """Up to six series from a day before the window to its end, each in a lane of its own height.

    One pair of axes for all: a lane's scale is told by its figures, not by ticks.
    """
    shown = list(panels[:MOST])
    card, (axes,) = style.figure(height=100 + 62 * max(len(shown), 2))
    start = window.start - max(timedelta(hours=18), window.length)
    for lane, panel in enumerate(shown):
        colour = style.INCIDENT if panel.suspect else style.INK
        keep = panel.times >= np.datetime64(start.replace(tzinfo=None), "s")
        at, low, high = panel.times[keep], panel.low[keep], panel.high[keep]
        values, low, high = _in_lane(lane, panel.values[keep], low, high)
        axes.fill_between(at, low, high, color=style.EXPECTED, alpha=0.18, linewidth=0)
        axes.plot(at, values, color=colour, linewidth=1.5)
        name = style.shorten(panel.name, 44)
        for text, x, side in ((name, 0.0, "left"), (panel.said, 1.0, "right")):
            axes.annotate(
                text,
                (x, _TALL + 0.06 - lane),
                xycoords=("axes fraction", "data"),
                xytext=(3 if side == "left" else -3, 0),
                textcoords="offset points",
                ha=side,
                fontsize=style.SMALL,
                color=colour,
            )
    style.shade_window(axes, window)
    if onset is not None:
        style.mark_onset(axes, onset, label="")
    style.time_axis(axes, start, window.end)
    axes.set_yticks([])
    axes.set_ylim(0.9 - max(len(shown), 1), 1.0)
    return style.render(card, title, alt)


def _in_lane(lane: int, *lines: Floats) -> list[Floats]:
    """The lines on one scale of their own, moved into a lane."""
    every = np.concatenate(lines)
    known = every[np.isfinite(every)]
    bottom, top = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    return [(line - bottom) / ((top - bottom) or 1.0) * _TALL - lane for line in lines]
