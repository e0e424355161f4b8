"""Bars: segments now beside usual, and shares of a change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.charts import style
from analysis.evidence import Chart


@dataclass(frozen=True)
class Bar:
    """One row: its usual figure and the one now."""

    name: str
    usual: float
    now: float
    suspect: bool


def segment_bars(bars: Sequence[Bar], title: str, alt: str, unit: str) -> Chart:
    """A pair of bars per row, usual in grey; suspects in the incident's colour."""
    card, (axes,) = style.figure(height=max(240, 130 + 34 * len(bars)))
    for y, bar in enumerate(bars):
        colour = style.INCIDENT if bar.suspect else style.EXPECTED
        axes.barh(y - 0.19, bar.usual, height=0.34, color=style.BASELINE, alpha=0.55)
        axes.barh(y + 0.19, bar.now, height=0.34, color=colour)
    axes.barh(0, 0, color=style.BASELINE, alpha=0.55, label="usual")
    axes.barh(0, 0, color=style.EXPECTED, label="now")
    if any(bar.suspect for bar in bars):
        axes.barh(0, 0, color=style.INCIDENT, label="now, moved")
    style.name_rows(axes, [bar.name for bar in bars], most=30)
    axes.set_xlabel(unit)
    style.legend(axes)
    return style.render(card, title, alt)


Shares = Sequence[tuple[str, float, str]]
"""(name, share 0 to 1, colour) of each bar."""


def share_bars(heading: str, shares: Shares, title: str, alt: str) -> Chart:
    """A heading over bars with their figures at the ends."""
    card, (axes,) = style.figure(height=round(90 + 34 * (len(shares) + 1.2)))
    for y, (_, share, colour) in enumerate(shares):
        axes.barh(y, share, height=0.62, color=colour)
        axes.annotate(
            f"{100 * share:.0f}%",
            (share, y),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=style.SMALL,
            color=style.INK,
        )
    style.name_rows(axes, [name for name, _, _ in shares], most=30)
    axes.set_title(heading, fontsize=style.SMALL, color=style.INK, loc="left", pad=4)
    axes.set_xlim(0, 1.12)
    axes.set_xticks([])
    return style.render(card, title, alt)
