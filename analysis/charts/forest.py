"""Figures side by side: how far each is from what is usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.charts import style
from analysis.evidence import Chart

MOST = 8.0
"""Further out than this is drawn at the edge, with an arrow."""


@dataclass(frozen=True)
class Interval:
    """One row: its distance from usual in usual standard deviations."""

    name: str
    z: float
    suspect: bool


def forest(rows: Sequence[Interval], title: str, alt: str) -> Chart:
    """Dots against a shaded band of two standard deviations; suspects in the incident's colour."""
    card, (axes,) = style.figure(height=max(220, 130 + 26 * len(rows)))
    axes.axvspan(-2, 2, color=style.EXPECTED, alpha=0.12, linewidth=0)
    axes.axvline(0, color=style.BASELINE, linewidth=1)
    for y, row in enumerate(rows):
        x = min(max(row.z, -MOST), MOST)
        colour = style.INCIDENT if row.suspect else style.BASELINE
        axes.plot([0, x], [y, y], color=colour, linewidth=2, alpha=0.6)
        far = ">" if row.z > MOST else "<" if row.z < -MOST else "o"
        axes.plot([x], [y], far, color=colour, markersize=8)
    style.name_rows(axes, [row.name for row in rows], most=34)
    edge = max([3.0, *(min(abs(row.z), MOST) for row in rows)]) * 1.1
    axes.set_xlim(-edge, edge)
    axes.set_xlabel("standard deviations from usual (band: ± 2)")
    return style.render(card, title, alt)
