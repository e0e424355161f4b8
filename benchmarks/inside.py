"""Inside a snapshot: really trained nets with their curves and weights, sound and spoilt.

Neural nets of the demo are trained one after another on rolling weeks of flights; the seventh is
the suspect. Its training ran away, or one module of its weights, or one feature's inputs, were
spoilt afterwards. Curves, weights and the artifacts' own answers are looked at.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from analysis.evidence import Evidence, Scope, Suspect, Window
from analysis.inside import look_inside
from analysis.tables import Contract
from analysis.warehouse import Warehouse
from benchmarks import streams
from benchmarks.table import Row
from bot.demo import columns, nets
from bot.demo.writer import SCORER

HISTORIES, EARLIER, STEP = 8, 6, pd.Timedelta(days=3)
RECIPE = nets.Recipe(window=28, rows=5_000)
KINDS = (
    "sound",
    "diverged",
    "hasty",
    "module scaled",
    "module wiped",
    "not a number",
    "feature cut off",
)
"""Nothing; a learning rate 60 and 15 times too high; one module times 4, drawn anew at a
twentieth of its size (as if not loaded), and with a weight that is no number; one of the features
that count no longer connected."""
MODULES = KINDS[3:6]
FEATURES = KINDS[6:]
CUT = ("dep_delay", "origin_delay_3h", "carrier_delay_24h", "tail_prev_delay", "precip")


@dataclass(frozen=True)
class Played:
    """What was planted, in which module or feature, and what the check said."""

    kind: str
    place: str
    verdict: str
    modules: tuple[str, ...]
    features: tuple[str, ...]


def rows(folder: Path) -> Iterator[Row]:
    """By kind: is the snapshot's inside blamed, and the module or feature named first?"""
    stream = streams.flights(folder)
    played = [p for seed in range(HISTORIES) for p in _history(stream, seed, folder)]
    for kind in KINDS:
        mine = [p for p in played if p.kind == kind]
        blamed = sum(p.verdict == "snapshot" for p in mine)
        named = sum(p.place in (*p.modules[:1], *p.features[:1]) for p in mine)
        what = f"{blamed} blamed"
        if kind in (*MODULES, *FEATURES):
            what += f", {named} with the right {kind.split()[0] if kind in FEATURES else 'module'}"
        if kind in ("diverged", "hasty"):
            curve = sum(p.modules[:1] == ("training curve",) for p in mine)
            what += f", {curve} by the training curve"
        yield Row(f"inside a snapshot: {kind}, {len(mine)} nets", what)


def _history(stream: streams.Stream, seed: int, folder: Path) -> Iterator[Played]:
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2013-03-01") + pd.Timedelta(days=int(rng.integers(200)))
    ends = [start + i * STEP for i in range(EARLIER + 1)]
    trained = [_train(stream, at, seed * 100 + i, 1.0) for i, at in enumerate(ends)]
    past = [_row(f"net-{i}", ends[i], t, folder) for i, t in enumerate(trained[:-1])]
    _serve(stream, trained[-2].net, ends[-1], folder)
    for kind in KINDS:
        suspect, place = trained[-1], ""
        if kind in ("diverged", "hasty"):
            faster = 60.0 if kind == "diverged" else 15.0
            suspect = _train(stream, ends[-1], seed * 100 + EARLIER, faster)
        if kind in (*MODULES, *FEATURES):
            place = str(rng.choice(CUT if kind in FEATURES else sorted(suspect.net.modules)))
            suspect = replace(suspect, net=_spoilt(suspect.net, place, kind, rng))
        registry = pd.DataFrame([*past, _row("suspect", ends[-1], suspect, folder)])
        found = _look(registry, ends[-1], stream.features, folder)
        named = {k: tuple(s.name for s in found.suspects if s.kind == k) for k in PLACES}
        yield Played(kind, place, found.verdict, named["module"], named["feature"])


PLACES = ("module", "feature")


def _train(stream: streams.Stream, end: pd.Timestamp, seed: int, faster: float) -> nets.Trained:
    frame = stream.frame
    low, high = frame["time"].searchsorted([end - pd.Timedelta(days=RECIPE.window), end])
    part = frame.iloc[low:high]
    part = part[part["label"].notna()]
    part = part.sample(min(RECIPE.rows, len(part)), random_state=seed)
    recipe = replace(RECIPE, seed=seed, rate=RECIPE.rate * faster)
    return nets.train("binary", _inputs(part), part["label"].to_numpy(float), recipe)


def _inputs(part: pd.DataFrame) -> Any:
    held: Any = {name: part[name].to_numpy() for name in columns.FEATURES}
    return nets.design(held)


def _row(name: str, at: pd.Timestamp, t: nets.Trained, folder: Path) -> dict[str, Any]:
    t.net.save(folder / f"{name}.npz")
    curve = [{"step": s, "train_loss": a, "valid_loss": b} for s, a, b in t.curve]
    row = {"model": "risk", "snapshot": name, "published": at, "artifact": f"{name}.npz"}
    return row | {"curve": json.dumps(curve), "weights": json.dumps(t.net.modules)}


def _serve(stream: streams.Stream, net: nets.Net, at: pd.Timestamp, folder: Path) -> None:
    """The log of the two weeks before ``at``, answered by one net."""
    times = stream.frame["time"]
    low, high = times.searchsorted([at - pd.Timedelta(days=14), at])
    part = stream.frame.iloc[low:high]
    log = part[["time", *stream.features]].assign(
        model="risk", snapshot=f"net-{EARLIER - 1}", prediction=net.score(_inputs(part))
    )
    log.to_parquet(folder / "log.parquet", index=False)


def _spoilt(net: nets.Net, place: str, kind: str, rng: np.random.Generator) -> nets.Net:
    """The net with one module's weights spoilt, or one feature's inputs cut off."""
    layer, inputs = 0, cast(Any, slice(None))
    weights = [w.copy() for w in net.weights]
    names = [n.split("=")[0] for n in nets.input_names()]
    if place == "head":
        layer = len(weights) - 1
    elif place.startswith("hidden."):
        layer = int(place.removeprefix("hidden."))
    else:
        group = columns.GROUPS.get(place.removeprefix("input."), (place,))
        inputs = np.isin(names, group)
    mine = weights[layer][inputs]
    if kind == "module scaled":
        mine = mine * 4
    elif kind == "module wiped":
        mine = rng.normal(0, 0.05 * mine.std(), mine.shape)
    elif kind == "feature cut off":
        mine = np.zeros_like(mine)
    else:
        mine[0, 0] = np.nan
    weights[layer][inputs] = mine
    return replace(net, weights=tuple(weights))


def _look(
    registry: pd.DataFrame, at: pd.Timestamp, features: tuple[str, ...], folder: Path
) -> Evidence:
    registry.to_parquet(folder / "snapshots.parquet", index=False)
    named = {"curve": "curve", "weights": "weights", "artifact": "artifact"}
    roles = {n: n for n in ("time", "prediction", "model", "snapshot")}
    contract = {
        "predictions": {"source": "log.parquet", "features": features, **roles},
        "snapshots": {"source": "snapshots.parquet", **named},
        "scorer": {"command": SCORER},
        "metrics": [{"name": "mean", "kind": "mean_prediction"}],
    }
    now: datetime = (at + pd.Timedelta(hours=6)).to_pydatetime().replace(tzinfo=UTC)
    since = at.to_pydatetime().replace(tzinfo=UTC)
    baseline = Window(since - pd.Timedelta(days=14).to_pytimedelta(), since)
    suspects = (Suspect("snapshot", "suspect", 0.9),)
    scope = Scope(now, Window(since, now), baseline, "metric", "mean", suspects=suspects)
    return look_inside(Warehouse(Contract.model_validate(contract), folder, now), scope)
