"""`hawkeye upstream` on simulated services, beside the node that moved most; and on PetShop.

Top-k counts the faults that show at the target (its expectation moved by three of its usual
standard deviations); the rest are reported, and nobody would be the right answer there.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from click.testing import CliRunner

from analysis.graph.lineage import Graph
from benchmarks import public
from benchmarks.services import FRONT, Incident, incident
from benchmarks.table import Row
from bot.cli import main

SEEN = 30
"""So many faults that show at the target, and as many clean systems."""
PLAIN = 3.0


def rows(folder: Path) -> Iterator[Row]:
    """Faults that show, faults that do not, clean systems; then PetShop where there is one."""
    ours, peer = Counter[str](), Counter[str]()
    hidden = quiet = seed = 0
    while ours["cases"] < SEEN:
        case = incident(seed)
        seed += 1
        if case.effect < PLAIN:
            hidden += 1
            quiet += bool(_answer(case, folder)["nobody"])
            continue
        _count(ours, [r["node"] for r in _answer(case, folder)["ranked"]], case.cause)
        _count(peer, loudest(case)[0], case.cause)
    yield Row(
        f"upstream: top-1 / top-3, {SEEN} faults, some 40 nodes",
        _top(ours),
        f"loudest node {_top(peer)}",
    )
    clean = [incident(seed, faulty=False) for seed in range(10_000, 10_000 + SEEN)]
    right = sum(bool(_answer(case, folder)["nobody"]) for case in clean)
    theirs = sum(loudest(case)[1] for case in clean)
    yield Row(
        "upstream: clean systems in which nobody is blamed",
        f"{right} of {SEEN}",
        f"loudest node, if the target is beyond {PLAIN:.0f} deviations: {theirs} of {SEEN}",
    )
    yield Row("upstream: faults that do not show, nobody blamed", f"{quiet} of {hidden}")
    yield from _public(folder)


def _public(folder: Path) -> Iterator[Row]:
    ranked: dict[str, Counter[str]] = {}
    right: Counter[str] = Counter()
    normal: Counter[str] = Counter()
    blamed: Counter[str] = Counter()
    for case in public.service_cases(folder):
        answer = _run(case.arguments)
        if case.cause:
            total = ranked.setdefault(case.metric, Counter())
            _count(total, [r["node"] for r in answer["ranked"]], case.cause)
            blamed[case.metric] += not answer["nobody"]
        else:
            normal[case.metric] += 1
            right[case.metric] += bool(answer["nobody"])
    for metric, total in sorted(ranked.items()):
        yield Row(
            f"upstream: PetShop, {metric}, top-1 / top-3 of {total['cases']} issues",
            _top(total),
            f"somebody blamed in {blamed[metric]}; nobody in {right[metric]} of {normal[metric]} "
            "normal windows",
        )


def _answer(case: Incident, folder: Path) -> dict[str, Any]:
    """The command over two files."""
    graph, metrics = folder / "graph.csv", folder / "metrics.csv"
    pd.DataFrame(_edges(case.graph), columns=["upstream", "downstream"]).to_csv(graph, index=False)
    case.metrics.to_csv(metrics, index=False)
    options = ["--target", FRONT, "--metric", case.metric, "--since", case.since.isoformat()]
    return _run(["--graph", str(graph), "--metrics", str(metrics), *options])


def _run(arguments: list[str]) -> dict[str, Any]:
    result = CliRunner().invoke(main, ["upstream", *arguments, "--json"])
    if result.exit_code:
        raise RuntimeError(result.output)
    answer: dict[str, Any] = json.loads(result.output)
    return answer


def _edges(graph: Graph) -> list[tuple[str, str]]:
    return [(e.upstream, e.downstream) for part in graph.into.values() for e in part]


def loudest(case: Incident) -> tuple[list[str], bool]:
    """Nodes by the robust z-score of the metric's mean in the window, and whether nobody is to
    blame: the target's own is below PLAIN."""
    frame = case.metrics[case.metrics["metric"] == case.metric]
    scores = {}
    for node, part in frame.groupby("node"):
        late = (part["time"] >= case.since).to_numpy()
        values = part["value"].to_numpy(float)
        usual = np.median(values[~late])
        spread = 1.4826 * np.median(np.abs(values[~late] - usual)) + 1e-9
        scores[str(node)] = abs(float(values[late].mean() - usual)) / spread if late.any() else 0.0
    ranked = sorted(scores, key=lambda n: -scores[n])
    return ranked, scores.get(FRONT, 0.0) < PLAIN


def _count(total: Counter[str], ranked: list[str], cause: str) -> None:
    total["cases"] += 1
    total["first"] += ranked[:1] == [cause]
    total["third"] += cause in ranked[:3]


def _top(total: Counter[str]) -> str:
    cases = max(total["cases"], 1)
    return f"{total['first'] / cases:.2f} / {total['third'] / cases:.2f}"
