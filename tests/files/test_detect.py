"""``hawkeye detect`` over files."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from bot.cli import main


def run(*args):
    """The command's result."""
    return CliRunner().invoke(main, ["detect", *map(str, args)])


@pytest.fixture
def stepped(tmp_path):
    """Two hundred integers with a step at 120 and a gap."""
    rng = np.random.default_rng(0)
    value = rng.normal(10, 1, 200) + 6.0 * (np.arange(200) >= 120)
    value[50] = np.nan
    path = tmp_path / "stepped.csv"
    pd.DataFrame({"t": np.arange(200), "v": value}).to_csv(path, index=False)
    return path


def test_a_line_of_json_for_each_file(stepped, tmp_path):
    """Several files, one start-up; CSV and Parquet alike."""
    other = tmp_path / "hourly.parquet"
    times = pd.date_range("2026-01-01", periods=24 * 30, freq="h")
    rng = np.random.default_rng(1)
    value = 5 * np.sin(2 * np.pi * times.hour.to_numpy() / 24)
    value += rng.normal(0, 0.5, len(times))
    value[400] += 12
    pd.DataFrame({"t": times, "v": value}).to_parquet(other)
    result = run(stepped, other, "--time", "t", "--value", "v", "--json")
    assert result.exit_code == 0, result.output
    first, second = (json.loads(line) for line in result.output.splitlines())
    (onset,) = first["onsets"]
    assert abs(onset["index"] - 120) <= 2
    assert onset["time"] == onset["index"]
    assert onset["low"] <= 120 <= onset["high"]
    assert onset["direction"] == "up"
    assert first["points"][50] == {"time": 50, "value": None, "score": None, "alarm": False}
    assert [i for i, p in enumerate(second["points"]) if p["alarm"]] == [400]
    assert second["onsets"] == []


def test_people_get_a_table_and_a_chart(stepped, tmp_path, monkeypatch):
    """Without --json."""
    monkeypatch.chdir(tmp_path)
    result = run(stepped, "--time", "t", "--value", "v")
    assert result.exit_code == 0, result.output
    assert "1 lasting changes of v" in result.output
    assert (tmp_path / "stepped-detect.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("t,v\n", "has no rows"),
        ("a,b\n1,2\n", "has no column 't', 'v'; there are a, b."),
        ("t,v\n1,2\n2,x\n", "row 2 of v is 'x', not a number."),
        ("t,v\n1,2\n2,3\n", "2 points to learn from; 8 are needed"),
        ("t,v\nnever,2\n", "t has 'never', which is no ISO time."),
        ("t,v\n,2\n1,3\n", "1 of 2 rows have no t."),
    ],
)
def test_bad_input_ends_in_one_sentence(tmp_path, text, said):
    """It names the file and what is wrong."""
    path = tmp_path / "bad.csv"
    path.write_text(text)
    result = run(path, "--time", "t", "--value", "v", "--json")
    assert result.exit_code == 1
    assert said in result.output
    assert "Traceback" not in result.output


def test_rows_need_not_be_in_order(tmp_path):
    """They are put in order of time."""
    path = tmp_path / "mixed.csv"
    frame = pd.DataFrame({"t": range(60), "v": np.r_[np.zeros(30), np.full(30, 5.0)]})
    frame["v"] += np.random.default_rng(2).normal(0, 0.3, 60)
    frame.sample(frac=1, random_state=3).to_csv(path, index=False)
    result = json.loads(run(path, "--time", "t", "--value", "v", "--json").output)
    assert [p["time"] for p in result["points"]] == list(range(60))
    assert abs(result["onsets"][0]["index"] - 30) <= 1
