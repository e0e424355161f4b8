"""Inside a snapshot: really trained nets with their curves and weights, sound and spoilt.

Neural nets of the demo are trained one after another on rolling weeks of flights; the seventh is
the suspect. Its training ran away, or one module of its weights was spoilt afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.evidence import Evidence, Scope, Suspect, Window
from analysis.inside import look_inside
from analysis.tables import Contract
from analysis.warehouse import Warehouse
from benchmarks import streams
from benchmarks.table import Row
from bot.demo import nets

HISTORIES, EARLIER, STEP = 8, 6, pd.Timedelta(days=3)
RECIPE = nets.Recipe(window=28, rows=5_000)
KINDS = ("sound", "diverged", "hasty", "module scaled", "module wiped", "not a number")
"""Nothing; a learning rate 60 and 15 times too high; one module times 4, drawn anew at a
twentieth of its size (as if not loaded), and with a weight that is no number."""
MODULES = KINDS[3:]


@dataclass(frozen=True)
class Played:
    """What was planted, in which module, and what the check said."""

    kind: str
    module: str
    verdict: str
    named: tuple[str, ...]


def rows(folder: Path) -> Iterator[Row]:
    """By kind: is the snapshot's inside blamed, and the module named first?"""
    stream = streams.flights(folder)
    played = [p for seed in range(HISTORIES) for p in _history(stream, seed, folder)]
    for kind in KINDS:
        mine = [p for p in played if p.kind == kind]
        blamed = sum(p.verdict == "snapshot" for p in mine)
        named = sum(p.named[:1] == (p.module,) for p in mine)
        what = f"{blamed} blamed" + (f", {named} with the right module" if kind in MODULES else "")
        if kind in ("diverged", "hasty"):
            curve = sum(p.named[:1] == ("training curve",) for p in mine)
            what += f", {curve} by the training curve"
        yield Row(f"inside a snapshot: {kind}, {len(mine)} nets", what)


def _history(stream: streams.Stream, seed: int, folder: Path) -> Iterator[Played]:
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2013-03-01") + pd.Timedelta(days=int(rng.integers(200)))
    ends = [start + i * STEP for i in range(EARLIER + 1)]
    trained = [_train(stream, at, seed * 100 + i, 1.0) for i, at in enumerate(ends)]
    past = [_row(f"net-{i}", ends[i], t) for i, t in enumerate(trained[:-1])]
    last = trained[-1]
    for kind in KINDS:
        suspect, module = last, ""
        if kind in ("diverged", "hasty"):
            faster = 60.0 if kind == "diverged" else 15.0
            suspect = _train(stream, ends[-1], seed * 100 + EARLIER, faster)
        row = _row("suspect", ends[-1], suspect)
        if kind in MODULES:
            module = str(rng.choice(sorted(last.net.modules)))
            row = _spoil(row, last, module, kind)
        found = _look(pd.DataFrame([*past, row]), ends[-1], folder)
        names = tuple(s.name for s in found.suspects if s.kind == "module")
        yield Played(kind, module, found.verdict, names)


def _train(stream: streams.Stream, end: pd.Timestamp, seed: int, faster: float) -> nets.Trained:
    frame = stream.frame
    low, high = frame["time"].searchsorted([end - pd.Timedelta(days=RECIPE.window), end])
    part = frame.iloc[low:high]
    part = part[part["label"].notna()]
    part = part.sample(min(RECIPE.rows, len(part)), random_state=seed)
    columns: Any = {name: part[name].to_numpy() for name in stream.features}
    recipe = replace(RECIPE, seed=seed, rate=RECIPE.rate * faster)
    return nets.train("binary", nets.design(columns), part["label"].to_numpy(float), recipe)


def _row(name: str, at: pd.Timestamp, t: nets.Trained) -> dict[str, Any]:
    curve = [{"step": s, "train_loss": a, "valid_loss": b} for s, a, b in t.curve]
    weights = json.dumps(t.net.modules)
    row = {"model": "risk", "snapshot": name, "published": at}
    return row | {"curve": json.dumps(curve), "weights": weights}


def _spoil(row: dict[str, Any], t: nets.Trained, module: str, kind: str) -> dict[str, Any]:
    """Statistics of the module's spoilt weights; all scale with the weights."""
    modules = {name: dict(stats) for name, stats in t.net.modules.items()}
    factor = {"module scaled": 4.0, "module wiped": 0.05}.get(kind, 1.0)
    for name in ("mean", "std", "norm", "max"):
        modules[module][name] *= factor
    modules[module]["nan"] = float(kind == "not a number")
    return row | {"weights": json.dumps(modules)}


def _look(registry: pd.DataFrame, at: pd.Timestamp, folder: Path) -> Evidence:
    registry.to_parquet(folder / "snapshots.parquet", index=False)
    named = {"curve": "curve", "weights": "weights"}
    contract = {
        "predictions": {"source": "log.parquet", "time": "time", "prediction": "prediction"},
        "snapshots": {"source": "snapshots.parquet", **named},
        "metrics": [{"name": "mean", "kind": "mean_prediction"}],
    }
    now: datetime = (at + pd.Timedelta(hours=6)).to_pydatetime().replace(tzinfo=UTC)
    since = at.to_pydatetime().replace(tzinfo=UTC)
    baseline = Window(since - pd.Timedelta(days=14).to_pytimedelta(), since)
    suspects = (Suspect("snapshot", "suspect", 0.9),)
    scope = Scope(now, Window(since, now), baseline, "metric", "mean", suspects=suspects)
    return look_inside(Warehouse(Contract.model_validate(contract), folder, now), scope)
