"""``hawkeye profile`` over a file."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.files.profile import SAMPLE, _measured, _places


@pytest.fixture
def log(tmp_path):
    """Three days of predictions with two features; one goes missing half-way."""
    rng = np.random.default_rng(0)
    times = pd.date_range("2026-01-01", periods=72 * 50, freq="72s")
    frame = pd.DataFrame({"at": times, "score": rng.random(len(times))})
    frame["f"] = rng.normal(size=len(times))
    frame.loc[len(times) // 2 :, "f"] = np.nan
    frame["kind"] = rng.choice(["a", "b"], len(times))
    path = tmp_path / "log.parquet"
    frame.to_parquet(path)
    return path


def run(path, *more, time="at"):
    """The command's result."""
    args = ["profile", str(path), "--time", time, "--prediction", "score", *more]
    return CliRunner().invoke(main, args)


def test_one_json_object_with_what_it_cost(log):
    """Rows, columns and hours as they are; seconds and memory as measured."""
    result = run(log, "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert (found["rows"], found["columns"], found["buckets"]) == (3600, 3, 72)
    assert found["seconds"] > 0
    assert found["scan_seconds"] > 0
    assert found["peak_mb"] > 10


def test_a_column_may_be_called_as_hours_are(log):
    """Buckets are hours all the same."""
    path = log.with_name("hours.parquet")
    pd.read_parquet(log).rename(columns={"kind": "_hour", "f": "_hour_"}).to_parquet(path)
    found = json.loads(run(path, "--json").output)
    assert (found["columns"], found["buckets"]) == (3, 72)


def test_people_see_what_moved_first(log):
    """The feature that went missing leads the table."""
    result = run(log)
    assert result.exit_code == 0, result.output
    first = result.output.splitlines()[3].split()
    assert first[:3] == ["f", "number", "50.0%"]


@pytest.mark.parametrize(
    ("time", "said"),
    [("when", "has no column 'when'; there are at, score, f, kind."), ("f", "not a time")],
)
def test_bad_input_ends_in_one_sentence(log, time, said):
    """It names the file and what there is."""
    result = run(log, "--json", time=time)
    assert result.exit_code == 1
    assert said in " ".join(result.output.split())


def test_many_columns_pass_by_in_parts(log, monkeypatch):
    """What is counted is the same."""
    from analysis.profile import stream

    whole = json.loads(run(log, "--json").output)
    monkeypatch.setattr(stream, "MOST_COLUMNS", 2)
    parts = json.loads(run(log, "--json").output)
    assert [parts[k] for k in ("rows", "columns", "buckets")] == [3600, 3, 72]
    assert whole["columns"] == parts["columns"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_may_be_counted_since_1970(log, unit):
    """In any of the usual units; the hours are the same."""
    frame = pd.read_parquet(log)
    frame["at"] = frame["at"].astype(f"datetime64[{unit}]").astype("int64")
    frame.to_parquet(log)
    result = run(log, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["buckets"] == 72


def test_numbers_that_are_no_times_are_refused(log):
    """With what they are."""
    frame = pd.read_parquet(log)
    frame.assign(at=range(len(frame))).to_parquet(log)
    result = run(log, "--json")
    assert result.exit_code == 1
    assert "at holds 0 to 3599, which is no time" in " ".join(result.output.split())


def test_a_prediction_of_text_is_refused(log):
    """It is no number."""
    frame = pd.read_parquet(log)
    frame.assign(score="high").to_parquet(log)
    result = run(log, "--json")
    assert result.exit_code == 1
    assert "score is string, not a number" in " ".join(result.output.split())


def test_columns_that_cannot_be_counted_are_told(log):
    """A list; the rest is counted, and standard output stays one JSON object."""
    frame = pd.read_parquet(log)
    frame["both"] = [[1, 2]] * len(frame)
    frame.to_parquet(log)
    result = run(log, "--json")
    assert result.exit_code == 0, result.output
    assert "Not counted" in result.stderr
    assert "both" in result.stderr
    assert json.loads(result.stdout)["columns"] == 3


def test_bins_of_a_long_file_are_set_from_all_over_it(tmp_path):
    """Of more rows than set bins, early and late levels have cells of their own."""
    count = 3 * SAMPLE
    frame = pd.DataFrame({"at": pd.date_range("2026-01-01", periods=count, freq="10s")})
    frame["score"] = np.linspace(0, 1, count)
    frame["kind"] = np.repeat(["a", "b", "c", "d"], count // 4)
    path = tmp_path / "long.parquet"
    frame.to_parquet(path, row_group_size=10_000)
    _, counted, bins, _ = _measured(path, "at", "score")
    assert bins["kind"].levels == ("a", "b", "c", "d")
    assert counted.counts["kind"].sum(axis=0).tolist() == [count / 4] * 4 + [0, 0]
    every = counted.counts["score"].sum(axis=0)[1:-2]
    assert every.max() < 5 * every.min()


@pytest.mark.parametrize(("groups", "size", "read"), [(8, 125_000, 4), (40, 125_000, 8)])
def test_bins_are_set_from_a_part_of_a_large_file(groups, size, read):
    """Of its row groups at most half, and few of many, are touched, early and late ones."""
    places = _places([size] * groups)
    touched = {start // size for start in places} | {(start + 1_249) // size for start in places}
    assert len(places) == 16
    assert len(touched) == read
    assert min(touched) < groups / 4
    assert max(touched) >= groups * 3 / 4


@pytest.mark.parametrize("sizes", [[1_000] * 300, [50_000], [10, 60_000, 10], [0, 90_000, 5_000]])
def test_places_hold_enough_rows_however_a_file_is_cut(sizes):
    """Small row groups are read in greater number; one that holds all is opened all over."""
    places = _places(sizes)
    rows = {row for start in places for row in range(start, start + SAMPLE // len(places))}
    assert all(0 <= start < sum(sizes) for start in places)
    assert len({row for row in rows if row < sum(sizes)}) > SAMPLE / 4


def test_rows_without_a_time_are_not_counted(log):
    """Of a file with some, the others are."""
    frame = pd.read_parquet(log)
    frame.loc[:99, "at"] = pd.NaT
    frame.to_parquet(log)
    assert json.loads(run(log, "--json").output)["rows"] == 3500


def test_text_is_read_as_well(log):
    """A CSV file, where rows that set the bins are drawn one by one."""
    frame = pd.read_parquet(log)
    frame.to_csv(log.with_suffix(".csv"), index=False)
    found = json.loads(run(log.with_suffix(".csv"), "--json").output)
    assert (found["rows"], found["columns"], found["buckets"]) == (3600, 3, 72)
