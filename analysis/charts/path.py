"""The way that a walk took through the tree, from the first question to the cause."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.charts import style
from analysis.evidence import Chart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDE = 58
"""Characters of a line of text beside the way."""


@dataclass(frozen=True)
class Stop:
    """A question that was answered; ``aside`` says how sure, and by whom."""

    number: int
    question: str
    answer: str
    aside: str
    override: bool = False


def path_chart(stops: Sequence[Stop], ends: Sequence[str]) -> Chart:
    """A line from question to question, down to the cause; overrides stand out."""
    last = ends or ["No cause yet"]
    card, (axes,) = style.figure(height=110 + 62 * len(stops) + 62 * len(last))
    axes.axis("off")
    axes.set_xlim(-0.06, 1)
    rows = len(stops) + 0.8 * len(last)
    axes.set_ylim(rows - 0.3, -0.5)
    axes.plot([0, 0], [0, len(stops)], color=style.BORDER, linewidth=2.5, zorder=1)
    for y, stop in enumerate(stops):
        colour = style.ORANGE if stop.override else style.EXPECTED
        axes.scatter([0], [y], s=360, color=colour, zorder=2)
        number = {"ha": "center", "va": "center", "color": "white", "fontweight": "bold"}
        axes.text(0, y, str(stop.number), fontsize=style.SMALL, **number)  # type: ignore[arg-type]
        _say(axes, y - 0.2, f"{stop.question} {stop.answer}", bold=True)
        _say(axes, y + 0.2, stop.aside + (" · chosen by hand" if stop.override else ""))
    for i, end in enumerate(last):
        level = len(stops) + 0.8 * i
        axes.scatter([0], [level], s=300, color=style.INCIDENT, marker="s", zorder=2)
        _say(axes, level, end, bold=True, lines=3)
    said = "; ".join(f"{s.number}. {s.question} {s.answer}" for s in stops)
    alt = f"The path of the walk: {said}. It ends at: {'; '.join(last)}."
    return style.render(card, "From the alert to the cause", alt)


def _say(axes: Axes, y: float, text: str, bold: bool = False, lines: int = 1) -> None:
    axes.text(
        0.055,
        y,
        "\n".join(
            textwrap.wrap(text, WIDE if bold else WIDE + 14, max_lines=lines, placeholder=" …")
        ),
        va="center",
        fontsize=style.TEXT if bold else style.SMALL,
        fontweight="bold" if bold else "normal",
        color=style.INK,
    )
