"""Public cases, where the person has them: the folder that ``HAWKEYE_CASES`` names.

- ``<set>/**/injection_info.csv`` beside ``<timestamp>.csv`` with ``real`` and ``predict``: the sets
  of Li et al. 2019 (Squeeze) and of Kalander 2022 (RiskLoc).
- ``<set>/anomaly.yaml`` beside ``<data>.csv``: the real cases of RobustSpot, as RiskLoc keeps them.
- ``petshop/dataset/…``: Hardt et al. 2023 (PetShop), as its repository keeps it.

None of them is kept here; each has a licence of its own.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

Where = frozenset[tuple[str, str]]
Case = tuple[list[str], set[Where]]


def root() -> Path | None:
    """The folder, or None when nobody named one."""
    named = os.environ.get("HAWKEYE_CASES")
    return Path(named) if named else None


def segment_sets(scratch: Path) -> dict[str, list[Case]]:
    """Arguments of ``hawkeye segments`` and the truth, by the name of the set."""
    base = root()
    if base is None:
        return {}
    sets: dict[str, list[Case]] = {}
    for path in sorted(base.glob("**/injection_info.csv")):
        sets.setdefault(path.relative_to(base).parts[0], []).extend(_injected(path))
    for path in sorted(base.glob("**/anomaly.yaml")):
        sets.setdefault(path.relative_to(base).parts[0], []).extend(_real(path, scratch))
    return sets


def _injected(path: Path) -> Iterator[Case]:
    for row in pd.read_csv(path, dtype=str).itertuples():
        file = path.parent / f"{row.timestamp}.csv"
        if not file.exists():
            continue
        dims = [c for c in pd.read_csv(file, nrows=1).columns if c not in ("real", "predict")]
        truth = {
            frozenset((p.partition("=")[0], p.partition("=")[2]) for p in one.split("&"))
            for one in str(row.set).split(";")
        }
        options = ["--dims", ",".join(dims), "--actual", "real", "--expected", "predict"]
        yield [str(file), *options], truth


def _real(path: Path, scratch: Path) -> Iterator[Case]:
    """Successes (``cnt`` less ``value``) of requests, up to the minute of the anomaly."""
    blocks = re.split(r"^- data:", path.read_text(encoding="utf-8"), flags=re.M)[1:]
    for number, block in enumerate(blocks):
        file = path.parent / f"{block.splitlines()[0].strip()}.csv"
        moment = re.search(r"timestamp:\s*(\d+)", block)
        if moment is None or not file.exists():
            continue
        frame = pd.read_csv(file)
        frame = frame[frame["min"] <= int(moment[1])].assign(good=frame["cnt"] - frame["value"])
        truth = {
            frozenset(
                (k.strip(" '\""), v.strip(" '\""))
                for k, _, v in (pair.partition(":") for pair in one.split(","))
            )
            for one in re.findall(r"\{([^}]*)\}", block)
        }
        copy = scratch / f"real-{number}.csv"
        frame.to_csv(copy, index=False)
        dims = [c for c in frame.columns if c not in ("min", "value", "cnt", "good")]
        options = ["--value", "good", "--denominator", "cnt", "--time", "min", "--since", moment[1]]
        yield [str(copy), "--dims", ",".join(dims), *options], truth


@dataclass(frozen=True)
class Services:
    """One question to ``hawkeye upstream``: its arguments, the target's metric, and the cause, ""
    where the window is a normal one."""

    arguments: list[str]
    metric: str
    cause: str


def service_cases(scratch: Path) -> Iterator[Services]:
    """PetShop's issues after its normal days, and normal windows of those days."""
    base = root()
    if base is None:
        return
    for place in sorted((base / "petshop" / "dataset").glob("*_traffic*")):
        if not (place / "noissue" / "metrics.csv").exists():
            continue
        matrix = pd.read_csv(place / "graph.csv", index_col=0)
        edges = [(b, a) for a in matrix.index for b in matrix.columns if matrix.loc[a, b]]
        graph = scratch / "graph.csv"
        pd.DataFrame(edges, columns=["upstream", "downstream"]).to_csv(graph, index=False)
        normal = _long(place / "noissue" / "metrics.csv")
        targets = set()
        for file in sorted(place.glob("*/issue_*/target.json")):
            said = json.loads(file.read_text())
            node, metric = said["target"]["node"], said["target"]["metric"]
            targets.add((node, metric))
            issue = _long(file.parent / "metrics.csv")
            # Some issues were recorded before the normal days.
            issue["time"] += max(int(normal["time"].max() - issue["time"].min()) + 300, 0)
            every = pd.concat([normal, issue])
            since = int(issue["time"].min())
            yield _question(every, graph, scratch, node, metric, since, said["root_cause"]["node"])
        times = sorted(normal["time"].unique())
        for node, metric in sorted(targets):
            for at in range(len(times) // 2, len(times) - 3, len(times) // 10):
                yield _question(normal, graph, scratch, node, metric, int(times[at]), "")


def _question(
    frame: pd.DataFrame,
    graph: Path,
    scratch: Path,
    node: str,
    metric: str,
    since: int,
    cause: str,
) -> Services:
    path = scratch / "metrics.csv"
    frame.to_csv(path, index=False)
    options = ["--target", node, "--metric", metric, "--since", str(since)]
    arguments = ["--graph", str(graph), "--metrics", str(path), *options]
    return Services(arguments, metric, cause)


def _long(path: Path) -> pd.DataFrame:
    """Averages and sums of a wide file as time, node, metric, value."""
    wide = pd.read_csv(path, header=[0, 1, 2], index_col=0)
    names = [wide.columns.get_level_values(i) for i in range(3)]
    parts = [
        pd.DataFrame(
            {
                "time": wide.index.astype(float).astype(int),
                "node": node,
                "metric": metric,
                "value": wide.iloc[:, at].to_numpy(),
            }
        )
        for at, (node, metric, how) in enumerate(zip(*names, strict=True))
        if how in ("Average", "Sum")
    ]
    return pd.concat(parts).dropna(subset=["value"])
