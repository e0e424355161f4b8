"""A team's tables in SQLite, with times as text, come to the same verdicts as in Parquet files."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.cause import which_class
from analysis.evidence import CannotExamine, Evidence, Scope
from analysis.models import which_models
from analysis.snapshots import which_snapshot
from analysis.topline import is_it_real
from analysis.warehouse import Warehouse
from bot.config import check, load
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
features = ["f", "g", "made"]
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


def _tables() -> dict[str, pd.DataFrame]:
    """Feature f goes missing at the onset, and the model answers as if it were 2."""
    frame = log(days=8, per_hour=15)
    rng = np.random.default_rng(3)
    late = since_onset(frame) & (rng.random(len(frame)) < 0.9)
    frame["g"] = rng.normal(0, 1, len(frame))
    frame["made"] = (frame["time"] - pd.Timedelta(minutes=7)).dt.floor("s")
    frame["prediction"] = 1 / (1 + np.exp(-frame["f"].where(~late, 2.0)))
    frame["f"] = frame["f"].where(~late)
    old = frame["time"] < pd.Timestamp("2024-03-16")
    frame["snapshot"] = np.where(old, "v1", "v2")
    hours = pd.date_range("2024-03-10 15:00", "2024-03-20 14:00", freq="h")
    infra = {"time": hours, "service": "store", "metric": "p99", "value": rng.normal(50, 2, 240)}
    times = pd.to_datetime(["2024-03-01", "2024-03-16"])
    published = {"model": "model", "snapshot": ["v1", "v2"], "published": times}
    return {
        "log": frame,
        "infra": pd.DataFrame(infra),
        "snapshots": pd.DataFrame(published),
        "runs": pd.DataFrame({"node": "feed", "time": hours}),
        "lineage": pd.DataFrame({"upstream": ["feed"], "downstream": ["f"]}),
    }


def _in_parquet(folder: Path, tables: dict[str, pd.DataFrame]) -> Path:
    for name, frame in tables.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    path = folder / "parquet.toml"
    path.write_text(SETTINGS.format(**{name: f"{name}.parquet" for name in tables}))
    return path


def _in_sqlite(folder: Path, tables: dict[str, pd.DataFrame]) -> Path:
    with sqlite3.connect(folder / "team.db") as made:
        for name, frame in tables.items():
            times = {c: frame[c].map(pd.Timestamp.isoformat) for c in frame.select_dtypes("M8")}
            frame.assign(**times).to_sql(name, made, index=False)
    path = folder / "sqlite.toml"
    settings = SETTINGS.format(**{name: name for name in tables})
    path.write_text('[data]\nurl = "sqlite://team.db"\n' + settings)
    return path


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The settings over Parquet files and over SQLite."""
    folder, tables = tmp_path_factory.mktemp("engines"), _tables()
    return _in_parquet(folder, tables), _in_sqlite(folder, tables)


def test_a_planted_fault_is_found_in_sqlite(paths: tuple[Path, Path]) -> None:
    """Step by step: it is the model, by the feature that went missing, by its feed."""
    found = triage_headless(load(paths[1], {}), "loss", since=ONSET)
    verdicts = [step["verdict"] for step in found["path"]]
    assert verdicts == ["real", "model", "degraded", "not_snapshot", "inputs", "upstream"]
    assert found["path"][4]["suspects"][0]["name"] == "f"
    assert [cause["name"] for cause in found["conclusion"]["causes"]] == ["feed"]


@pytest.mark.parametrize("look", [is_it_real, which_class, which_models, which_snapshot])
def test_a_check_says_the_same_over_sqlite_as_over_parquet(
    paths: tuple[Path, Path], look: Callable[[Warehouse, Scope], Evidence]
) -> None:
    """The same verdict in the same words, from the same figures."""
    said = [look(load(path, {}).warehouse(NOW), scope("loss", days=7)) for path in paths]
    files, database = (
        (e.verdict, e.headline, e.not_examined, {k: round(v, 6) for k, v in e.figures.items()})
        for e in said
    )
    assert database == files


def test_a_feature_is_judged_in_sqlite(paths: tuple[Path, Path]) -> None:
    """Where there is no median, the mean does."""
    step = triage_headless(load(paths[1], {}), "f", since=ONSET, start="real_feature")["path"][0]
    assert step["verdict"] == "real", step["headline"]


def test_tables_in_sqlite_are_looked_at(paths: tuple[Path, Path]) -> None:
    """Times as text are times; what does not parse is shown."""
    assert check(load(paths[1], {})) == []
    text = paths[1].read_text().replace('time = "time"', 'time = "region"', 1)
    wrong = paths[1].with_name("wrong.toml")
    wrong.write_text(text)
    (told,) = check(load(wrong, {}))
    assert '"region", which holds text such as "' in told
    with pytest.raises(CannotExamine, match="has no rows with a time:"):
        triage_headless(load(wrong, {}), "loss")
