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
    assert "1 lasting change of v" in result.output
    assert (tmp_path / "stepped-detect.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("t,v\n", "has no rows"),
        ("a,b\n1,2\n", "has no column 't', 'v'; there are a, b."),
        ("t,v\n1,2\n2,x\n", "row 2 of v is 'x', not a number."),
        ("t,v\n1,2\n2,3\n", "2 points to learn from; 8 are needed"),
        ("t,v\nnever,2\n", "row 1 of t is 'never', which is no ISO time."),
        ("t,v\n,2\n1,3\n", "1 of 2 rows have no t."),
        ("t,v\n13/02/2026,2\n01/03/2026,3\n", "row 1 of t is '13/02/2026', which is no ISO time."),
        ("t,v\n1,2\ninf,3\n", "t has an infinity, which is no time."),
        ("t,v\nTrue,2\nFalse,3\n", "t is yes or no, which is no time."),
        ("t,v\n1,2\n1,2,3,4\n", "can't be read: Error tokenizing data."),
        ("t,v\n1,\n2,\n", "0 points to learn from; 8 are needed"),
        ("t,v\n1,inf\n2,-inf\n", "0 points to learn from; 8 are needed"),
        ("", "can't be read: No columns to parse from file"),
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


def found(path, *more):
    """The one line of JSON of a file that can be judged."""
    result = run(path, "--time", "t", "--value", "v", "--json", *more)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_bad_file_is_named_and_the_others_are_judged(stepped, tmp_path):
    """One of forty files is broken: the person wants the other thirty-nine, and to be told."""
    bad = tmp_path / "bad.csv"
    bad.write_text("t,v\n1,x\n")
    result = run(bad, stepped, "--time", "t", "--value", "v", "--json")
    assert result.exit_code == 1
    assert result.stderr == f"Error: {bad}: row 1 of v is 'x', not a number.\n"
    assert json.loads(result.stdout)["file"] == str(stepped)


def test_one_column_is_not_both_time_and_value(stepped):
    """A slip of the pen, told as such."""
    result = run(stepped, "--time", "t", "--value", "t")
    assert result.exit_code == 2
    assert "--time and --value are both 't'." in result.output


@pytest.mark.parametrize("size", [1e-300, 1e-9, 1e300, 1.5e306])
def test_the_size_of_the_values_changes_nothing(stepped, tmp_path, size):
    """In whatever unit a series is, it has the same scores."""
    frame = pd.read_csv(stepped)
    frame["v"] *= size
    path = tmp_path / "sized.csv"
    frame.to_csv(path, index=False)
    one, other = found(stepped), found(path)
    assert [o["index"] for o in other["onsets"]] == [o["index"] for o in one["onsets"]]
    assert [p["score"] for p in other["points"]] == pytest.approx(
        [p["score"] for p in one["points"]], abs=1e-5, nan_ok=True
    )
    assert other["points"][3]["value"] == pytest.approx(frame["v"][3], rel=1e-12)


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
def test_times_since_1970_know_the_hours_in_any_unit(tmp_path, unit):
    """The same hours as ISO times, in seconds to nanoseconds: the same scores."""
    hours = 24 * 20
    rng = np.random.default_rng(4)
    value = 9 * np.sin(2 * np.pi * np.arange(hours) / 24) + rng.normal(0, 1, hours)
    value[300] = -value[300]
    seconds = 1_767_225_600 + 3_600 * np.arange(hours)
    counted, iso = tmp_path / "counted.csv", tmp_path / "iso.parquet"
    pd.DataFrame({"t": seconds * unit, "v": value}).to_csv(counted, index=False)
    pd.DataFrame({"t": pd.to_datetime(seconds, unit="s"), "v": value}).to_parquet(iso)
    one, other = found(counted), found(iso)
    assert one["points"][0]["time"] == 1_767_225_600 * unit
    assert other["points"][0]["time"] == "2026-01-01T00:00:00"
    assert [p["score"] for p in one["points"]] == [p["score"] for p in other["points"]]


def test_times_of_several_zones_are_put_in_the_order_of_the_moments(tmp_path):
    """10:00 in Berlin is before 09:30 in London; each is echoed as it stood."""
    rng = np.random.default_rng(5)
    berlin = pd.date_range("2026-01-01T01:00", periods=40, freq="h", tz="Europe/Berlin")
    london = berlin.tz_convert("Europe/London") + pd.Timedelta("30min")
    stamps = [t.isoformat() for t in [*berlin, *london]]
    path = tmp_path / "zones.csv"
    pd.DataFrame({"t": stamps, "v": rng.normal(0, 1, 80)}).to_csv(path, index=False)
    times = [p["time"] for p in found(path)["points"]]
    assert times[:2] == ["2026-01-01T01:00:00+01:00", "2026-01-01T00:30:00+00:00"]
    assert times == sorted(stamps, key=pd.Timestamp)


def test_rows_of_the_same_time_are_all_judged_in_the_order_of_the_file(tmp_path):
    """Two hosts, one file: every row is a point."""
    rng = np.random.default_rng(6)
    value = rng.normal(0, 1, 400)
    value[201] += 15
    path = tmp_path / "twice.csv"
    hours = np.repeat(pd.date_range("2026-01-01", periods=200, freq="h"), 2)
    pd.DataFrame({"t": hours, "v": value}).to_csv(path, index=False)
    points = found(path)["points"]
    assert [p["value"] for p in points] == pytest.approx(list(value))
    assert [i for i, p in enumerate(points) if p["alarm"]] == [201]


@pytest.mark.parametrize("text", ["3", "True", "0"])
def test_equal_values_raise_nothing(tmp_path, text):
    """Numbers, or yes and no."""
    path = tmp_path / "flat.csv"
    path.write_text("t,v\n" + "".join(f"{i},{text}\n" for i in range(30)))
    result = found(path)
    assert result["onsets"] == []
    assert not any(p["alarm"] for p in result["points"])
    assert {p["score"] for p in result["points"]} == {0.0}


@pytest.mark.parametrize("count", [8, 9, 10])
def test_ten_points_are_enough_to_be_judged_and_too_few_for_an_alarm(tmp_path, count):
    """From eight on."""
    path = tmp_path / "few.csv"
    rng = np.random.default_rng(7)
    pd.DataFrame({"t": range(count), "v": rng.normal(0, 1, count)}).to_csv(path, index=False)
    result = found(path)
    assert len(result["points"]) == count
    assert not any(p["alarm"] for p in result["points"])


def test_a_yes_or_no_that_turns_has_an_onset(tmp_path):
    """A health check in Parquet."""
    path = tmp_path / "up.parquet"
    pd.DataFrame({"t": range(60), "v": np.arange(60) < 40}).to_parquet(path)
    (onset,) = found(path)["onsets"]
    assert (onset["index"], onset["direction"]) == (40, "down")
