"""A team's tables in SQLite, with times as text, come to the same verdicts as in Parquet files."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.evidence import CannotExamine
from bot.config import check, load
from bot.triage import triage_headless
from tests.analysis.logs import ONSET
from tests.engines import world


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, frames: dict[str, pd.DataFrame]) -> Path:
    """Settings over SQLite."""
    folder = tmp_path_factory.mktemp("sqlite")
    with sqlite3.connect(folder / "team.db") as made:
        for name, frame in frames.items():
            times = {c: frame[c].map(pd.Timestamp.isoformat) for c in frame.select_dtypes("M8")}
            frame.assign(**times).to_sql(name, made, index=False)
    return world.write_settings(
        folder, "sqlite", {name: name for name in frames}, "sqlite://team.db"
    )


def test_a_planted_fault_is_found_in_sqlite(settings: Path) -> None:
    """Step by step: it is the model, by the feature that went missing, by its feed."""
    found = world.walked(settings)
    assert [step["verdict"] for step in found["path"]] == world.VERDICTS
    assert found["path"][4]["suspects"][0]["name"] == "f"
    assert [cause["name"] for cause in found["conclusion"]["causes"]] == ["feed"]


@pytest.mark.parametrize("look", world.CHECKS)
def test_a_check_says_the_same_over_sqlite_as_over_parquet(
    settings: Path, parquet: Path, look: Any
) -> None:
    """The same verdict in the same words, from the same figures."""
    assert world.looked(settings, look) == world.looked(parquet, look)


def test_a_feature_is_judged_in_sqlite(settings: Path) -> None:
    """Where there is no median, the mean does."""
    step = triage_headless(load(settings, {}), "f", since=ONSET, start="real_feature")["path"][0]
    assert step["verdict"] == "real", step["headline"]


def test_tables_in_sqlite_are_looked_at(settings: Path) -> None:
    """Times as text are times; what does not parse is shown."""
    assert check(load(settings, {})) == []
    text = settings.read_text().replace('time = "time"', 'time = "region"', 1)
    wrong = settings.with_name("wrong.toml")
    wrong.write_text(text)
    (told,) = check(load(wrong, {}))
    assert '"region", which holds text such as "' in told
    with pytest.raises(CannotExamine, match="time = 'region' holds text such as"):
        triage_headless(load(wrong, {}), "loss")
