"""The side tables of a synthetic team: registry, infrastructure, lineage, runs, contract."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.scenarios.synthetic import NUMERIC, Trained
from analysis.tables import Contract

if TYPE_CHECKING:
    from analysis.scenarios import Options


_NODES = (
    "weather_feed",
    "weather_hourly",
    "weather_report",
    "fleet_db",
    "fleet_registry",
    "requests",
    "queue_events",
    "queue_stream",
    "device_feed",
    "device_log",
    "model_inputs",
)


@dataclass(frozen=True)
class Clock:
    """Hours since ``start``: where the log begins, now, and the onset."""

    start: datetime
    first: int
    now: int
    onset: int

    def at(self, hour: float) -> datetime:
        """The naive UTC moment of an hour."""
        return (self.start + timedelta(hours=hour)).replace(tzinfo=None)


def write_snapshots(
    folder: Path,
    publishes: Mapping[str, Sequence[int]],
    snapshots: Mapping[str, Sequence[tuple[str, Trained]]],
    start: datetime,
) -> None:
    """The registry, with real curves and weight statistics per module."""
    import pandas as pd

    rows = []
    for model, published in snapshots.items():
        for i, (name, trained) in enumerate(published):
            at = (start + timedelta(hours=publishes[model][i])).replace(tzinfo=None)
            curve = [{"step": s, "train_loss": t, "valid_loss": v} for s, t, v in trained.curve]
            weights = {
                module: {
                    "mean": float(w.mean()),
                    "std": float(w.std()),
                    "norm": float(np.linalg.norm(w)),
                    "max": float(np.abs(w).max()),
                    "nan": int(np.isnan(w).sum()),
                }
                for module, w in trained.modules().items()
            }
            rows.append(
                {
                    "model": model,
                    "snapshot": name,
                    "published": at,
                    "trained": at - timedelta(hours=2),
                    "train_start": at - timedelta(hours=282),
                    "train_end": at - timedelta(hours=12),
                    "parent": published[i - 1][0] if i else None,
                    "metrics": json.dumps({"valid_loss": trained.curve[-1][2]}),
                    "curve": json.dumps(curve),
                    "weights": json.dumps(weights),
                }
            )
    pd.DataFrame(rows).to_parquet(folder / "snapshots.parquet", index=False)


def write_infra(folder: Path, rng: np.random.Generator, clock: Clock, timeouts: bool) -> None:
    """Latency, errors and load of four services every ten minutes."""
    import pandas as pd

    steps = np.arange(clock.first * 6, clock.now * 6) / 6
    busy = 1 + 0.3 * np.cos((steps % 24 - 14) / 24 * 2 * np.pi)
    frames = []
    for service in ("gateway", "feature_store", "model_server", "queue"):
        sick = (steps >= clock.onset) & timeouts & (service == "feature_store")
        series = {
            "latency_p99_ms": 40 * busy * rng.lognormal(0, 0.12, len(steps)) * (1 + 5 * sick),
            "error_rate": 0.002 * rng.lognormal(0, 0.3, len(steps)) + 0.2 * sick,
            "cpu": np.clip(0.4 * busy + rng.normal(0, 0.03, len(steps)), 0, 1),
        }
        times = pd.to_datetime(clock.start.replace(tzinfo=None)) + pd.to_timedelta(steps, unit="h")
        for metric, value in series.items():
            part = {"time": times, "service": service, "metric": metric, "value": value}
            frames.append(pd.DataFrame(part))
    pd.concat(frames).to_parquet(folder / "infra.parquet", index=False)


def write_lineage(
    folder: Path, edges: Sequence[tuple[str, str, str]], node_of: Mapping[str, str]
) -> None:
    """Edges between tables, and one per feature into ``model_inputs``."""
    import pandas as pd

    owner = {up: o for up, _, o in edges} | {down: o for _, down, o in edges}
    rows: list[dict[str, Any]] = [
        {"upstream": up, "downstream": down, "column": None, "owner": o} for up, down, o in edges
    ]
    rows += [
        {"upstream": n, "downstream": "model_inputs", "column": f, "owner": owner.get(n, "ml")}
        for f, n in node_of.items()
    ]
    pd.DataFrame(rows).to_parquet(folder / "lineage.parquet", index=False)


def write_runs(
    folder: Path,
    rng: np.random.Generator,
    clock: Clock,
    sick: tuple[str, str],
    decoys: bool,
) -> None:
    """Hourly runs of every node; the sick one shows what such a fault would really leave."""
    import pandas as pd

    rows = []
    for node in _NODES:
        fault = sick[0] if node == sick[1] else ""
        size = int(rng.integers(300, 5000))
        version = int(rng.integers(3, 40))
        upgrade = clock.first + int(rng.integers(24, 24 * 9))
        for hour in range(clock.first, clock.now):
            broken = bool(fault) and hour >= clock.onset
            row = {
                "node": node,
                "time": clock.at(hour + 0.1 + 0.05 * rng.random()),
                "status": "failed" if rng.random() < 0.004 else "success",
                "rows": int(size * rng.lognormal(0, 0.06)),
                "data_time": clock.at(hour - 0.3 * rng.random()),
                "schema": "v1",
                "version": f"1.{version + (hour >= upgrade)}",
            }
            rows.append(_marked(row, fault, clock) if broken else row)
    frame = pd.DataFrame(rows)
    if decoys:
        other = str(rng.choice([n for n in ("device_feed", "weather_report") if n != sick[1]]))
        late = frame["time"] >= clock.at(clock.onset - 3)
        blip = late & (frame["node"] == other) & (frame["time"] < clock.at(clock.onset + 1))
        frame.loc[blip, "status"] = "failed"
    frame.to_parquet(folder / "runs.parquet", index=False)


def _marked(row: dict[str, Any], fault: str, clock: Clock) -> dict[str, Any]:
    if fault == "stale":
        return row | {"data_time": clock.at(clock.onset - 0.2), "rows": 0}
    if fault == "delayed":
        return row | {"data_time": row["data_time"] - timedelta(hours=11)}
    if fault in ("nulls", "join_nulls", "lost_level"):
        return row | {"rows": int(row["rows"] * 0.35)}
    if fault in ("new_level", "default", "zeros"):
        return row | {"schema": "v2"}
    return row | {"version": row["version"] + "-r1"}


def contract(o: Options) -> Contract:
    """The settings that such a team would write."""
    features = ("temp", "wind", "humid", "age", "seats", "queue", "distance", "battery")
    assert features == NUMERIC
    tables: dict[str, Any] = {
        "predictions": {
            "source": "predictions.parquet",
            "time": "time",
            "prediction": "prediction",
            "model": "model",
            "dimensions": ("channel", "origin"),
            "features": (*features, "carrier", "channel"),
            "hidden": o.hidden,
        }
    }
    predictions = tables["predictions"]
    if o.labels:
        predictions |= {"label": "label", "label_time": "label_time"}
    if o.arms:
        predictions |= {"experiment": "experiment", "arm": "arm"}
    if o.snapshots:
        predictions |= {"snapshot": "snapshot"}
        extra = ("trained", "train_start", "train_end", "parent", "metrics", "curve", "weights")
        tables["snapshots"] = {"source": "snapshots.parquet", **{n: n for n in extra}}
    if o.infra:
        tables["infra"] = {"source": "infra.parquet"}
    if o.lineage:
        named = {"downstream_column": "column", "owner": "owner"}
        tables["lineage"] = {"source": "lineage.parquet", **named}
        columns = ("status", "rows", "data_time", "schema", "version")
        tables["runs"] = {"source": "runs.parquet", **{n: n for n in columns}}
    if o.training and o.snapshots:
        named = {n: n for n in ("model", "time", "partition", "label")}
        tables["training"] = {"source": "training.parquet", **named}
    tables["models"] = [{"name": "delay"}, {"name": "upsell"}]
    kinds = ("calibration", "log_loss", "mean_prediction") if o.labels else ("mean_prediction",)
    tables["metrics"] = [
        {"name": f"{kind}_{model}", "kind": kind, "model": model}
        for kind in kinds
        for model in ("delay", "upsell")
    ]
    return Contract.model_validate(tables)
