"""``hawkeye upstream``: which node of a graph caused a change of one node's metric."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.files.shared import bounded, numbers, placed, read, say, tell

if TYPE_CHECKING:
    import pandas as pd

    from analysis.graph.callgraph import Ranking
    from analysis.graph.lineage import Graph

A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--graph", "graph_file", required=True, type=A_FILE, help="CSV upstream,downstream.")
@click.option(
    "--metrics", "metrics_file", required=True, type=A_FILE, help="time,node,metric,value."
)
@click.option("--target", required=True, help="The node that shows the symptom.")
@click.option("--metric", required=True, help="The metric of it that changed.")
@click.option("--since", required=True, help="ISO time, or an integer as in the file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def upstream(
    graph_file: Path, metrics_file: Path, target: str, metric: str, since: str, as_json: bool
) -> None:
    """Rank the nodes upstream of --target by how likely each caused the change.

    Causes flow from left to right: for services, the one that is called is upstream.
    """
    import pandas  # noqa: F401 - the seconds are not those of the start-up

    from analysis.graph.callgraph import rank

    began = time.perf_counter()
    graph = _graph(graph_file)
    metrics, start = _metrics(metrics_file, since)
    _hold(graph, metrics, start, target, metric, metrics_file)
    ranking = rank(graph, metrics, target, metric, start)
    seconds = round(time.perf_counter() - began, 3)
    if as_json:
        say(_result(ranking, seconds))
    else:
        _show(ranking, target, metric)


def _graph(path: Path) -> Graph:
    from analysis.graph.lineage import Edge, Graph

    frame = read(path, ("upstream", "downstream")).dropna().astype(str)
    return Graph.of(Edge(a, b) for a, b in frame.itertuples(index=False))


def _metrics(path: Path, since: str) -> tuple[pd.DataFrame, Any]:
    frame = read(path, ("time", "node", "metric", "value"))
    times, start = placed(path, frame, "time", since)
    frame = frame.assign(
        time=times,
        value=bounded(numbers(path, frame, "value")),
    )
    frame = frame.dropna(subset=["node", "metric"])  # a row of nobody says nothing of anybody
    return frame.assign(node=frame["node"].astype(str), metric=frame["metric"].astype(str)), start


def _hold(
    graph: Graph, metrics: pd.DataFrame, start: Any, target: str, metric: str, path: Path
) -> None:
    """Say what is missing before anything is computed."""
    from difflib import get_close_matches

    known = sorted({*graph.nodes, *metrics["node"].unique()})
    if target not in known:
        near = get_close_matches(target, known, n=3, cutoff=0.4)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise click.ClickException(f"No node {target!r} in the graph or the metrics.{hint}")
    mine = metrics[(metrics["node"] == target) & (metrics["metric"] == metric)]
    if mine.empty:
        names = ", ".join(metrics.loc[metrics["node"] == target, "metric"].unique()) or "none"
        raise click.ClickException(f"{path} has no metric {metric!r} of {target}; it has: {names}.")
    mine = mine.dropna(subset=["value"])
    before = int((mine["time"] < start).sum())
    after = len(mine) - before
    if not after or before < 12:
        raise click.ClickException(
            f"{metric} of {target} has {before} values before --since and {after} after; "
            "12 before and 1 after are needed."
        )


def _result(ranking: Ranking, seconds: float) -> dict[str, Any]:
    return {
        "ranked": [
            {"node": b.node, "metric": b.metric, "score": round(b.score, 4)} for b in ranking.ranked
        ],
        "nobody": ranking.nobody > 0.5,
        "seconds": seconds,
    }


def _show(ranking: Ranking, target: str, metric: str) -> None:
    from analysis.charts.bars import share_bars
    from analysis.charts.style import BASELINE, INCIDENT

    title = f"What moved {metric} of {target}"
    if ranking.nobody > 0.5:
        title = f"{metric} of {target} is within its usual range: nobody is to blame"
        click.echo(f"{title}.")
    first = ranking.ranked[:8]
    tell(
        "By how likely each is the cause",
        ("node", "by its", "likely"),
        [(b.node, b.metric, f"{b.score:.0%}") for b in first],
    )
    colours = [INCIDENT if i == 0 and ranking.nobody < 0.5 else BASELINE for i in range(8)]
    bars = [(b.node, b.score, c) for b, c in zip(first, colours, strict=False)]
    alt = f"{title}: " + ", ".join(f"{b.node} {b.score:.0%}" for b in first)
    picture = Path("upstream.png")
    picture.write_bytes(share_bars("How likely each is the cause", bars, title, alt).png)
    click.echo(f"Chart: {picture}")
