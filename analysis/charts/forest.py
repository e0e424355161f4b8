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
    """One row: its distance from usual in usual standard deviations; measured, or estimated.

    Its 95 % interval reaches ``half`` standard deviations to either side.
    """

    name: str
    z: float
    suspect: bool
    half: float = 0.0
    estimated: bool = False


def forest(rows: Sequence[Interval], title: str, alt: str) -> Chart:
    """Dots against a shaded band of two standard deviations; suspects in the incident's colour.

    Thin whiskers are 95 % intervals. Estimates are hollow dots on dashed lines.
    """
    card, (axes,) = style.figure(height=max(220, 130 + 26 * len(rows)))
    axes.axvspan(-2, 2, color=style.EXPECTED, alpha=0.12, linewidth=0)
    axes.axvline(0, color=style.BASELINE, linewidth=1)
    for y, row in enumerate(rows):
        x = min(max(row.z, -MOST), MOST)
        colour = style.INCIDENT if row.suspect else style.BASELINE
        line = (0, (2, 1.5)) if row.estimated else "-"
        axes.plot([0, x], [y, y], color=colour, linewidth=2, alpha=0.6, linestyle=line)
        if row.half:
            ends = [min(max(row.z + side * row.half, -MOST), MOST) for side in (-1, 1)]
            axes.plot(ends, [y, y], "|-", color=colour, linewidth=1, markersize=7)
        far = ">" if row.z > MOST else "<" if row.z < -MOST else "o"
        face = style.PAPER if row.estimated else colour
        axes.plot([x], [y], far, color=colour, markerfacecolor=face, markersize=8, mew=2)
    style.name_rows(axes, [row.name for row in rows], most=34)
    edge = max([3.0, *(min(abs(row.z) + row.half, MOST) for row in rows)]) * 1.1
    axes.set_xlim(-edge, edge)
    told = ["95% whiskers"] if any(row.half for row in rows) else []
    told += ["hollow: estimate"] if any(row.estimated for row in rows) else []
    axes.set_xlabel(", ".join(["σ from usual", *told]))
    return style.render(card, title, alt)
