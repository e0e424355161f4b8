"""Charts of explorations: series with their bands, levels of a dimension, what changed when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from analysis.charts import style
from analysis.charts.series import Floats, line, utc
from analysis.evidence import Chart, Onset, Window

MOST_PANELS = 4
MOST_MARKS = 9


@dataclass(frozen=True)
class Drawn:
    """A series: naive UTC times, values, and the edges of its band (None: it has none)."""

    name: str
    times: NDArray[np.datetime64]
    values: Floats
    low: Floats | None = None
    high: Floats | None = None


@dataclass(frozen=True)
class Facet:
    """A level in a panel of its own: its series, the ``whole`` that it is a part of, its figures in
    words ("10 → 92"), and whether it moved about as much as any (``loud``)."""

    drawn: Drawn
    whole: Drawn
    said: str
    loud: bool


@dataclass(frozen=True)
class Span:
    """What is shown (``since`` to ``window.end``), the incident's window, when it began."""

    since: datetime
    window: Window
    onset: Onset


@dataclass(frozen=True)
class Mark:
    """Something that changed: when, in which row of the picture, a suspect or not."""

    at: datetime
    row: str
    loud: bool


def panels(drawn: Sequence[Drawn], span: Span, title: str, alt: str) -> Chart:
    """Each series in a panel of its own with its band, all over the same time."""
    shown = list(drawn[:MOST_PANELS])
    height = 400 if len(shown) == 1 else 120 + 150 * len(shown)
    card, every = style.figure(len(shown), height=height)
    for axes, one in zip(every, shown, strict=True):
        moments = utc(one.times)
        keep = np.array([t >= span.since for t in moments])
        at = [t for t, inside in zip(moments, keep, strict=True) if inside]
        if one.low is not None and one.high is not None:
            known = np.isfinite(one.values[keep])
            floor = 0.0 if np.nanmin(one.values, initial=0.0) >= 0 else -np.inf
            low = np.where(known, np.maximum(one.low[keep], floor), np.nan)
            high = np.where(known, one.high[keep], np.nan)
            axes.fill_between(at, low, high, color=style.EXPECTED, alpha=0.18, linewidth=0)  # type: ignore[arg-type]
        line(axes, at, one.values[keep], style.INCIDENT, one.name)
        style.shade_window(axes, span.window)
        style.mark_onset(axes, span.onset, label=None if len(shown) == 1 else "")
        style.time_axis(axes, span.since, span.window.end)
        axes.set_title(
            f"{style.shorten(one.name, 48)} (band: expected)" if one.low is not None else one.name,
            fontsize=style.SMALL,
            color=style.INK,
            loc="left",
            pad=4,
        )
        axes.locator_params(axis="y", nbins=4 if len(shown) > 1 else 6)
    return style.render(card, title, alt)


def lines(drawn: Sequence[Drawn], span: Span, title: str, alt: str, unit: str) -> Chart:
    """Levels of a dimension in one panel, a colour each."""
    card, (axes,) = style.figure(height=420)
    for one, colour in zip(drawn, style.CYCLE, strict=False):
        line(axes, *_inside(one, span), colour, style.shorten(one.name, 18))
    style.shade_window(axes, span.window)
    style.mark_onset(axes, span.onset)
    style.time_axis(axes, span.since, span.window.end)
    axes.set_ylabel(style.shorten(unit, 34))
    style.legend(axes, columns=len(drawn[: len(style.CYCLE)]))
    return style.render(card, title, alt)


def facets(shown: Sequence[Facet], span: Span, title: str, alt: str) -> Chart:
    """Levels of a dimension in a panel each, two beside each other, all on the same axes, each
    with the whole behind it. Names are as large as a title: a phone shows the card at half size."""
    rows = -(-len(shown) // 2)
    card, every = style.figure(rows, 2, height=180 + 128 * rows, share_x=True, share_y=True)
    for axes, one in zip(every, shown, strict=False):
        colour = style.INCIDENT if one.loud else style.INK
        line(axes, *_inside(one.whole, span), style.BASELINE, "", dotted=0)
        line(axes, *_inside(one.drawn, span), colour, "", dotted=60)
        style.shade_window(axes, span.window)
        style.mark_onset(axes, span.onset, label="")
        style.time_axis(axes, span.since, span.window.end, ticks=4)
        axes.locator_params(axis="y", nbins=4)
        name = style.shorten(one.drawn.name, 20)
        axes.set_title(name, loc="left", fontsize=style.TITLE, fontweight="bold", color=colour)
        axes.set_title(one.said, loc="right", fontsize=style.TEXT, color=colour)
    for axes in every[len(shown) :]:
        axes.set_visible(False)
        every[len(shown) - 2].tick_params(labelbottom=True)
    whole, _, onset = every[0].lines
    card.legend(
        [whole, onset],
        [shown[0].whole.name, style.onset_words(span.onset.at)],
        loc="outside lower left",
        ncols=2,
        frameon=False,
        fontsize=style.TEXT,
        labelcolor=style.INK,
    )
    return style.render(card, title, alt)


def _inside(one: Drawn, span: Span) -> tuple[list[datetime], Floats]:
    """The times and values of what is shown of a series."""
    moments = utc(one.times)
    keep = np.array([t >= span.since for t in moments], dtype=bool)
    return [t for t, inside in zip(moments, keep, strict=True) if inside], one.values[keep]


def marks(found: Sequence[Mark], span: Span, title: str, alt: str) -> Chart:
    """A row per thing that changed, a dot where it did, the onset across all of them."""
    rows = list(dict.fromkeys(m.row for m in found))[:MOST_MARKS]
    card, (axes,) = style.figure(height=max(220, 130 + 32 * len(rows)))
    for mark in found:
        if mark.row in rows and mark.at >= span.since:
            colour = style.INCIDENT if mark.loud else style.BASELINE
            axes.plot([mark.at], [rows.index(mark.row)], "o", color=colour, markersize=9)  # type: ignore[arg-type]
    style.shade_window(axes, span.window)
    style.time_axis(axes, span.since, span.window.end)
    style.name_rows(axes, rows, most=34)
    style.mark_onset(axes, span.onset)
    return style.render(card, title, alt)


def sizes(rows: Sequence[tuple[str, float, bool]], title: str, alt: str) -> Chart:
    """How far answers moved at each publish: (name, standard deviations, whether it is asked
    about)."""
    shown = list(rows)[:8]
    card, (axes,) = style.figure(height=max(220, 130 + 34 * len(shown)))
    for y, (_, size, asked) in enumerate(shown):
        colour = style.INCIDENT if asked else style.BASELINE
        axes.barh(y, size, height=0.6, color=colour, alpha=1.0 if asked else 0.6)
    style.name_rows(axes, [name for name, _, _ in shown], most=34)
    axes.set_xlabel("answers to the same inputs moved by (sd)")
    return style.render(card, title, alt)
