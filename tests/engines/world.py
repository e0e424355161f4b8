"""A team's tables with a planted fault, the settings over them, and what is asked of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.cause import which_class
from analysis.evidence import Evidence, Scope
from analysis.inputs import gather
from analysis.models import which_models
from analysis.snapshots import which_snapshot
from analysis.topline import is_it_real
from bot.config import load
from bot.triage import triage_headless
from tests.analysis.logs import NOW, ONSET, log, scope, since_onset

SETTINGS = """
[tables.predictions]
source = "{log}"
time = "time"
prediction = "prediction"
label = "label"
label_time = "label_time"
arm = "arm"
snapshot = "snapshot"
dimensions = ["region"]
features = ["f", "g", "made", "Big Order"]
[tables.infra]
source = "{infra}"
[tables.snapshots]
source = "{snapshots}"
[tables.runs]
source = "{runs}"
[tables.lineage]
source = "{lineage}"
[[metrics]]
name = "loss"
kind = "log_loss"
"""
VERDICTS = ["real", "model", "degraded", "not_snapshot", "inputs", "upstream"]


def tables() -> dict[str, pd.DataFrame]:
    """Feature f goes missing at the onset, and the model answers as if it were 2."""
    frame = log(days=8, per_hour=15)
    rng = np.random.default_rng(3)
    late = since_onset(frame) & (rng.random(len(frame)) < 0.9)
    frame["g"] = rng.normal(0, 1, len(frame))
    frame["made"] = (frame["time"] - pd.Timedelta(minutes=7)).dt.floor("s")
    frame["Big Order"] = rng.random(len(frame)) < 0.3
    frame["prediction"] = 1 / (1 + np.exp(-frame["f"].where(~late, 2.0)))
    frame["f"] = frame["f"].where(~late)
    old = frame["time"] < pd.Timestamp("2024-03-16")
    frame["snapshot"] = np.where(old, "v1", "v2")
    hours = pd.date_range("2024-03-10 15:00", "2024-03-20 14:00", freq="h")
    infra = {"time": hours, "service": "store", "metric": "p99", "value": rng.normal(50, 2, 240)}
    times = pd.to_datetime(["2024-03-01", "2024-03-16"])
    published = {"model": "model", "snapshot": ["v1", "v2"], "published": times}
    found = {
        "log": frame,
        "infra": pd.DataFrame(infra),
        "snapshots": pd.DataFrame(published),
        "runs": pd.DataFrame({"node": "feed", "time": hours}),
        "lineage": pd.DataFrame({"upstream": ["feed"], "downstream": ["f"]}),
    }
    return {name: _in_microseconds(frame) for name, frame in found.items()}


def _in_microseconds(frame: pd.DataFrame) -> pd.DataFrame:
    """Times as most engines keep them."""
    times = frame.select_dtypes("datetime")
    return frame.assign(**{c: times[c].dt.floor("us").astype("datetime64[us]") for c in times})


def write_settings(folder: Path, name: str, sources: Mapping[str, str], url: str = "") -> Path:
    """The settings file ``name`` in ``folder``, with a source for each table."""
    path = folder / f"{name}.toml"
    data = f'[data]\nurl = "{url}"\n' if url else ""
    path.write_text(data + SETTINGS.format(**sources))
    return path


def in_parquet(folder: Path, frames: Mapping[str, pd.DataFrame]) -> Path:
    """Writes the tables into Parquet files, and gives the settings over them."""
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    return write_settings(folder, "parquet", {name: f"{name}.parquet" for name in frames})


def walked(settings: Path) -> dict[str, Any]:
    """The whole headless triage over those settings."""
    return triage_headless(load(settings, {}), "loss", since=ONSET)


CHECKS = (is_it_real, which_class, which_models, which_snapshot)


def looked(settings: Path, check: Any) -> tuple[Any, ...]:
    """What a check says over those settings, its figures rounded as adding up rounds."""
    found: Evidence = check(load(settings, {}).warehouse(NOW), _scope())
    figures = {name: round(value, 6) for name, value in found.figures.items()}
    return found.verdict, found.headline, found.not_examined, figures


def _scope() -> Scope:
    return scope("loss", days=7)


def told(report: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What a walk says step by step: verdicts, sentences, suspects, and figures to six places."""
    steps = [
        (
            step["node"],
            step["verdict"],
            step["headline"],
            step["confidence"] and round(step["confidence"], 6),
            [(s["kind"], s["name"], round(s["score"], 6)) for s in step["suspects"]],
            step["not_examined"],
        )
        for step in report["path"]
    ]
    causes = [
        (c["kind"], c["name"], round(c["confidence"], 6)) for c in report["conclusion"]["causes"]
    ]
    return [*steps, (report["conclusion"]["kind"], causes)]


def says_the_same(settings: Path, over_parquet: dict[str, Any]) -> None:
    """Assert that every step comes to the same words and figures as over Parquet files, and the
    walk to the planted cause."""
    found = walked(settings)
    assert told(found) == told(over_parquet)
    assert [step["verdict"] for step in found["path"]] == VERDICTS
    assert [cause["name"] for cause in found["conclusion"]["causes"]] == ["feed"]


def too_large_for_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the engine count and draw samples, as where a log has millions of rows."""
    monkeypatch.setattr(gather, "IN_MEMORY", 0)
    monkeypatch.setattr(gather, "BLOCK_ROWS", 600)
