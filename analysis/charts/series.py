"""A metric over time beside what is usual."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis.charts import style
from analysis.evidence import Chart, Onset, Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
FITS = 42
"""So many characters of a series' name fit into the legend."""
EARLIER = 7
"""So many earlier days are drawn behind the series."""


def metric_chart(
    times: NDArray[np.datetime64],
    values: Floats,
    low: Floats,
    high: Floats,
    *,
    window: Window,
    onset: Onset | None,
    title: str,
    alt: str,
    name: str,
    bad: str = "both",
    unit: str = "",
) -> Chart:
    """The series with its expected band, earlier days in grey, the onset and the window marked.

    Shows the window and a day and a half before it; ``times`` are naive UTC starts of buckets. What
    lies outside the band on the side that is ``bad`` ("up", "down" or "both") is ringed.
    """
    card, (axes,) = style.figure()
    if np.nanmin(values, initial=0.0) >= 0:
        low = np.maximum(low, 0.0)
    empty = ~np.isfinite(values)  # nobody expects anything of a night without flights
    low, high = np.where(empty, np.nan, low), np.where(empty, np.nan, high)
    start = min(window.start, onset.low if onset else window.start)
    first = start - max(timedelta(hours=36), window.length / 2)
    moments = utc(times)
    earliest = next((i for i, t in enumerate(moments) if t >= first), 0)
    shown = slice(earliest, None)
    for day in range(EARLIER, 0, -1):
        _earlier(axes, moments, values, shown, timedelta(days=day), last=day == 1)
    axes.fill_between(
        moments[shown],  # type: ignore[arg-type]
        low[shown],
        high[shown],
        color=style.EXPECTED,
        alpha=0.18,
        linewidth=0,
        label="expected",
        step=None,
    )
    line(axes, moments[shown], values[shown], style.INCIDENT, style.shorten(name, FITS))
    began = min(window.start, onset.at) if onset else window.start
    late = np.array([t >= began for t in moments])
    beyond = ((values > high) & (bad != "down")) | ((values < low) & (bad != "up"))
    _ring(axes, moments[shown], np.where(late & beyond, values, np.nan)[shown])
    style.shade_window(axes, window)
    if onset is not None:
        style.mark_onset(axes, onset)
    style.time_axis(axes, moments[earliest], window.end)
    axes.set_ylim(*_limits(values[shown], low[shown], high[shown]))
    axes.set_ylabel(unit)
    style.legend(axes, columns=4)
    return style.render(card, title, alt)


def utc(times: NDArray[np.datetime64]) -> list[datetime]:
    """Naive UTC times of an engine as aware datetimes."""
    from datetime import UTC

    return [
        datetime.fromtimestamp(int(second), UTC)
        for second in times.astype("datetime64[s]").astype(int)
    ]


def line(
    axes: Axes,
    moments: list[datetime],
    values: Floats,
    colour: str,
    name: str,
    *,
    dotted: int = 160,
) -> None:
    """A line, broken where values are missing, with points where they are fewer than ``dotted``."""
    points = {"marker": "o", "markersize": 2.6} if len(moments) < dotted else {}
    axes.plot(moments, values, color=colour, linewidth=1.9, label=name, **points)  # type: ignore[arg-type]


def _ring(axes: Axes, moments: list[datetime], values: Floats) -> None:
    """Rings around points outside their band; NaN where there is none."""
    if np.isfinite(values).any():
        axes.plot(
            moments,  # type: ignore[arg-type]
            values,
            "o",
            markersize=7,
            markerfacecolor="none",
            markeredgecolor=style.INK,
            label="outside",
        )


def _earlier(
    axes: Axes, moments: list[datetime], values: Floats, shown: slice, by: timedelta, *, last: bool
) -> None:
    """The same hours ``by`` earlier, moved onto the shown ones."""
    moved = [t + by for t in moments]
    inside = [i for i, t in enumerate(moved) if moments[shown][0] <= t <= moments[-1]]
    if len(inside) > 1:
        axes.plot(
            [moved[i] for i in inside],  # type: ignore[arg-type]
            values[inside],
            color=style.BASELINE,
            alpha=0.35,
            linewidth=0.9,
            label="earlier days" if last else None,
        )


def _limits(values: Floats, low: Floats, high: Floats) -> tuple[float, float]:
    """Room for the series and nine tenths of its band: freak days and thin hours may leave."""
    known = np.isfinite(low) & np.isfinite(high)
    edges = [np.quantile(low[known], 0.1), np.quantile(high[known], 0.9)] if known.any() else []
    everything = np.concatenate((values, np.asarray(edges, dtype=float)))
    everything = everything[np.isfinite(everything)]
    if not len(everything):
        return 0.0, 1.0
    bottom, top = float(everything.min()), float(everything.max())
    margin = 0.08 * (top - bottom) or 0.5
    # Above it all there is room for what is said of the onset.
    if bottom >= 0 and bottom - margin < 0:
        return 0.0, top + 3.2 * margin
    return bottom - margin, top + 3.2 * margin
