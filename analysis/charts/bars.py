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


def share_bars(
    shares: Sequence[tuple[str, float, str]], title: str, alt: str, unit: str, *, height: int = 260
) -> Chart:
    """One bar per (name, share, colour), with its figure written at its end."""
    card, (axes,) = style.figure(height=height)
    for y, (_, share, colour) in enumerate(shares):
        axes.barh(y, share, height=0.6, color=colour)
        axes.annotate(
            f"{100 * share:.0f} %",
            (share, y),
            xytext=(4 if share >= 0 else -4, 0),
            textcoords="offset points",
            ha="left" if share >= 0 else "right",
            va="center",
            fontsize=style.SMALL,
            color=style.INK,
        )
    style.name_rows(axes, [name for name, _, _ in shares], most=30)
    low = min([0.0, *(s for _, s, _ in shares)])
    high = max([0.01, *(s for _, s, _ in shares)])
    axes.set_xlim(low * 1.2, high * 1.18)
    style.percent_axis(axes.xaxis)
    axes.set_xlabel(unit)
    return style.render(card, title, alt)
