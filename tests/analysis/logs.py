"""A small serving log with planted truths, and the scope and warehouse over it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from analysis.evidence import Scope, Window
from analysis.tables import Contract
from analysis.warehouse import Warehouse

NOW = datetime(2024, 3, 20, 15, 0, tzinfo=UTC)
ONSET = NOW - timedelta(hours=8)


def log(seed: int = 0, days: int = 15, per_hour: int = 60) -> pd.DataFrame:
    """Calibrated predictions with a daily cycle, a level per day, and labels that arrive late."""
    rng = np.random.default_rng(seed)
    hours = days * 24
    count = rng.poisson(per_hour * (1 + 0.5 * np.sin(np.arange(hours) / 24 * 2 * np.pi)))
    at = np.repeat(np.arange(hours), count) + rng.random(count.sum())
    day = (at // 24).astype(int)
    level = rng.normal(0, 0.25, days + 1)[day]
    region = rng.choice(["north", "south", "east", "west"], len(at), p=[0.4, 0.3, 0.2, 0.1])
    channel = rng.choice(["app", "web"], len(at))
    logit = -1.0 + level + 0.4 * np.sin(at / 24 * 2 * np.pi) + rng.normal(0, 1, len(at))
    logit += (region == "west") * 0.8
    p = 1 / (1 + np.exp(-logit))
    label = (rng.random(len(at)) < p).astype(float)
    start = NOW.replace(tzinfo=None) - timedelta(days=days)
    time = pd.Timestamp(start) + pd.to_timedelta(at, unit="h")
    arrives = time + pd.to_timedelta(0.2 + rng.exponential(1.0, len(at)), unit="h")
    arm = np.where(rng.random(len(at)) < 0.4, "test", "control")
    frame = {"time": time, "model": "ranker", "arm": arm, "prediction": p, "label": label}
    frame |= {"label_time": arrives, "region": region, "channel": channel}
    return pd.DataFrame(frame | {"f": logit}).reset_index(drop=True)


def since_onset(frame: pd.DataFrame) -> np.ndarray:
    """Which rows come after the onset."""
    return (frame["time"] >= ONSET.replace(tzinfo=None)).to_numpy()


def metric(kind: str, **more: object) -> dict[str, object]:
    """A metric of that kind, named like it."""
    return {"name": kind, "kind": kind, **more}


def warehouse(
    folder: Path, frame: pd.DataFrame, *metrics: dict[str, object], **tables: object
) -> Warehouse:
    """The log in a Parquet file, read through a contract that names the columns it has."""
    frame.to_parquet(folder / "log.parquet", index=False)
    roles = ("model", "arm", "label", "label_time", "weight", "group", "snapshot")
    dims = [c for c in ("region", "channel") if c in frame.columns]
    predictions = {"source": "log.parquet", "time": "time", "prediction": "prediction"}
    predictions |= {r: r for r in roles if r in frame.columns}
    contract = Contract.model_validate(
        {
            "predictions": {**predictions, "dimensions": dims},
            "metrics": list(metrics) or [metric("calibration")],
            **tables,
        }
    )
    return Warehouse(contract, folder, NOW)


def scope(subject: str = "calibration", entry: str = "metric", days: int = 14) -> Scope:
    """The alert fires eight hours after the onset and names it."""
    window = Window(ONSET, NOW)
    return Scope(NOW, window, Window(ONSET - timedelta(days=days), ONSET), entry, subject)  # type: ignore[arg-type]


INFRA = {"source": "infra.csv"}


def infra(folder: Path, ill: str = "", seed: int = 6) -> None:
    """Two services, a fortnight; the lag of one grows at the onset."""
    rng = np.random.default_rng(seed)
    times = pd.date_range(end=NOW.replace(tzinfo=None), periods=14 * 24 * 6, freq="10min")
    parts = []
    for service in ("review_tool", "store"):
        late = (times >= ONSET.replace(tzinfo=None)) & (service == ill)
        value = 20 * rng.lognormal(0, 0.1, len(times)) * np.where(late, 6, 1)
        part = {"time": times, "service": service, "metric": "lag_seconds", "value": value}
        parts.append(pd.DataFrame(part))
    pd.concat(parts).to_csv(folder / "infra.csv", index=False)
