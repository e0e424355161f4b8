"""A picture of the lineage above the suspects, with the health of each node."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from analysis import words
from analysis.charts import style
from analysis.evidence import Chart
from analysis.graph.health import Health
from analysis.graph.lineage import Graph

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PER_LEVEL = 5


def family(
    graph: Graph, features: Sequence[str], health: Mapping[str, Health], blamed: Sequence[str]
) -> Chart:
    """Features on the right, what they are made from to the left; ill nodes are marked.

    The ``blamed`` ones, none or some, are filled.
    """
    above = {f: graph.of_feature(f) for f in features[:4]}
    depth: dict[str, int] = {}
    for found in above.values():
        for node, steps in found.items():
            depth[node] = max(depth.get(node, 0), steps)
    loud = sorted(depth, key=lambda n: (n not in blamed, -health[n].log_odds if n in health else 0))
    levels: dict[int, list[str]] = {0: list(above)}
    for node in loud:
        row = levels.setdefault(depth[node], [])
        if len(row) < MOST_PER_LEVEL:
            row.append(node)
    card, (axes,) = style.figure()
    axes.set_axis_off()
    place = _places(levels)
    for (level, name), (x, y) in place.items():
        _edges(axes, graph, place, level, name, (x, y), above)
    for (level, name), (x, y) in place.items():
        _box(axes, name, x, y, level, health, name in blamed)
    deepest = max(levels)
    axes.set_xlim(-0.55, deepest + 0.55)
    axes.set_ylim(-0.12, 1.12)
    title = _title(blamed, health, features)
    states = [f"{n}: {health[n].words}" for n in loud[:5] if n in health]
    alt = f"{title}. Upstream of {', '.join(features)}: {'; '.join(states)}."
    return style.render(card, title, alt)


def _places(levels: Mapping[int, Sequence[str]]) -> dict[tuple[int, str], tuple[float, float]]:
    deepest = max(levels)
    out = {}
    for level, names in levels.items():
        for i, name in enumerate(names):
            y = 1 - (i + 0.5) / len(names)
            out[(level, name)] = (float(deepest - level), y)
    return out


def _edges(
    axes: Axes,
    graph: Graph,
    place: Mapping[tuple[int, str], tuple[float, float]],
    level: int,
    name: str,
    at: tuple[float, float],
    above: Mapping[str, Mapping[str, int]],
) -> None:
    """Lines from what a node (or feature) is made from."""
    for (other_level, other), (x, y) in place.items():
        if other_level <= level:
            continue
        joined = above[name].get(other) == 1 if level == 0 else other in graph.parents(name)
        if joined:
            axes.annotate(
                "",
                xy=(at[0] - 0.36, at[1]),
                xytext=(x + 0.36, y),
                arrowprops={"arrowstyle": "-|>", "color": style.BASELINE, "lw": 1.4},
            )


def _box(
    axes: Axes, name: str, x: float, y: float, level: int, health: Mapping[str, Health], full: bool
) -> None:
    """A node with its state; a blamed one is ``full`` of colour."""
    ill = level > 0 and name in health and health[name].log_odds > 1
    colour = style.INCIDENT if ill else (style.BASELINE if level else style.ORANGE)
    face = "#F7D9C6" if full else style.PAPER
    state = health[name].words if level and name in health else "suspect"
    axes.text(
        x,
        y,
        f"{style.shorten(name, 17)}\n{_wrapped(state)}",
        ha="center",
        va="center",
        fontsize=style.SMALL,
        color=style.INK,
        bbox={
            "boxstyle": "round,pad=0.45",
            "facecolor": face,
            "edgecolor": colour,
            "linewidth": 3 if full else 1.6,
        },
    )


def _wrapped(state: str) -> str:
    """Two short lines at most: a box must stay narrower than its column."""
    return "\n".join(textwrap.wrap(state, 18, max_lines=2, placeholder=" …"))


def _title(blamed: Sequence[str], health: Mapping[str, Health], features: Sequence[str]) -> str:
    if len(blamed) == 1:
        return f"{blamed[0]}: {health[blamed[0]].words}"
    if blamed:
        return f"{words.listed(blamed)} broke"
    return f"Nothing upstream of {', '.join(features[:2])} looks ill"
