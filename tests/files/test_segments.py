"""``hawkeye segments`` over files."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from bot.cli import main


def run(*args):
    """The command's result."""
    return CliRunner().invoke(main, ["segments", *map(str, args)])


def cells(seed):
    """A thousand cells of three dimensions with forecasts that err by five percent."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product(
        [[f"{d}{i}" for i in range(10)] for d in "abc"], names=list("abc")
    )
    frame = index.to_frame(index=False)
    frame["expected"] = rng.lognormal(4, 1, len(frame))
    frame["actual"] = frame["expected"] * rng.normal(1, 0.05, len(frame))
    return frame


@pytest.mark.parametrize("seed", range(4))
def test_planted_causes_are_named_and_nothing_else(tmp_path, seed):
    """One of two dimensions and one of one, in the same file."""
    frame = cells(seed)
    frame.loc[(frame["a"] == "a1") & (frame["c"] == "c7"), "actual"] *= 0.4
    frame.loc[frame["b"] == "b3", "actual"] *= 0.7
    path = tmp_path / "cells.csv"
    frame.to_csv(path, index=False)
    result = run(path, "--dims", "a,b,c", "--actual", "actual", "--expected", "expected", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert {tuple(sorted(s["where"].items())) for s in found["segments"]} == {
        (("a", "a1"), ("c", "c7")),
        (("b", "b3"),),
    }
    assert found["file"] == str(path)
    assert found["seconds"] > 0


def test_a_gap_is_not_a_zero(tmp_path):
    """Cells without an amount or without a forecast are left out; so are infinite ones."""
    frame = cells(7)
    frame.loc[frame["b"] == "b3", "actual"] *= 0.5
    frame.loc[frame["c"] == "c2", "actual"] = np.nan
    frame.loc[frame["c"] == "c4", "expected"] = np.inf
    path = tmp_path / "gaps.csv"
    frame.to_csv(path, index=False)
    result = run(path, "--dims", "a,b,c", "--actual", "actual", "--expected", "expected", "--json")
    assert [s["where"] for s in json.loads(result.output)["segments"]] == [{"b": "b3"}]


def over_time(seed):
    """Ten moments of amounts and their denominators, nine cells each."""
    rng = np.random.default_rng(seed)
    rows = [
        (t, region, app, rng.poisson(700 if region == "north" else 400), 1000.0)
        for t in range(10)
        for region in ("north", "south", "west")
        for app in ("web", "phone", "tv")
    ]
    return pd.DataFrame(rows, columns=["t", "region", "app", "bad", "all"])


def test_a_ratio_tells_mix_from_rate(tmp_path):
    """The rate doubles in one cell's region; elsewhere there is more traffic at the same rate."""
    frame = over_time(0)
    late = frame["t"] >= 8
    frame.loc[late & (frame["region"] == "west"), "bad"] *= 2
    frame.loc[late & (frame["region"] == "north"), ["bad", "all"]] *= 3
    path = tmp_path / "ratio.parquet"
    frame.to_parquet(path)
    args = ("--dims", "region,app", "--value", "bad", "--denominator", "all", "--time", "t")
    result = run(path, *args, "--since", "8", "--json")
    assert result.exit_code == 0, result.output
    found = {tuple(s["where"].items()): s["effect"] for s in json.loads(result.output)["segments"]}
    assert found == {(("region", "west"),): "rate", (("region", "north"),): "mix"}


def hours(days, unit):
    """Hourly amounts of three regions, of which each has its busy hours at another time of day;
    in the last six hours, one app is half as busy."""
    rng = np.random.default_rng(0)
    at = np.arange(24 * days)
    rows = []
    for i, region in enumerate(("north", "south", "west")):
        rhythm = 1 + 0.8 * np.sin((at - 8 * i) / 24 * 2 * np.pi)
        for app in ("web", "phone", "tv", "car"):
            fall = np.where((at >= at[-1] - 5) & (app == "car"), 0.5, 1.0)
            counts = rng.poisson(300 * rhythm * fall)
            rows += [(t, region, app, n) for t, n in zip(at, counts, strict=True)]
    frame = pd.DataFrame(rows, columns=["t", "region", "app", "n"])
    start = at[-1] - 5
    if unit == "iso":
        first = pd.Timestamp("2026-01-05")
        frame["t"] = (first + pd.to_timedelta(frame["t"], unit="h")).map(pd.Timestamp.isoformat)
        return frame, (first + pd.Timedelta(hours=int(start))).isoformat()
    frame["t"] = 1_767_571_200_000 + frame["t"] * 3_600_000
    return frame, str(1_767_571_200_000 + int(start) * 3_600_000)


@pytest.mark.parametrize("unit", ["iso", "milliseconds"])
def test_a_part_of_a_day_is_held_against_the_same_hours(tmp_path, unit):
    """Regions rise and fall with their own rhythm, which is nobody's doing."""
    frame, since = hours(4, unit)
    path = tmp_path / "hours.parquet"
    frame.to_parquet(path)
    args = ("--dims", "region,app", "--value", "n", "--time", "t", "--since", since, "--json")
    result = run(path, *args)
    assert [s["where"] for s in json.loads(result.output)["segments"]] == [{"app": "car"}]


def test_hours_that_earlier_days_lack_are_held_against_all(tmp_path):
    """Nobody kept the evenings so far."""
    frame, since = hours(5, "milliseconds")
    evening = frame["t"] % 86_400_000 >= 18 * 3_600_000
    frame = frame[~evening | (frame["t"] >= int(since))]
    path = tmp_path / "hours.parquet"
    frame.to_parquet(path)
    args = ("--dims", "region,app", "--value", "n", "--time", "t", "--since", since, "--json")
    assert run(path, *args).exit_code == 0


def test_people_get_a_table_and_a_chart(tmp_path, monkeypatch):
    """Without --json; ISO times."""
    frame = over_time(1)
    frame.loc[(frame["t"] >= 8) & (frame["app"] == "web"), "bad"] *= 2
    frame["t"] = pd.Timestamp("2026-01-01") + pd.to_timedelta(frame["t"], unit="h")
    path = tmp_path / "traffic.csv"
    frame.to_csv(path, index=False)
    monkeypatch.chdir(tmp_path)
    args = ("--dims", "region,app", "--value", "bad", "--time", "t", "--since", "2026-01-01T08:00")
    result = run(path, *args)
    assert result.exit_code == 0, result.output
    assert "app=web" in result.output
    assert (tmp_path / "traffic-segments.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--dims", "a"), "Give either --actual and --expected, or --value"),
        (("--dims", "a", "--actual", "x", "--expected", "y", "--time", "t"), "Give either"),
        (("--dims", "z", "--actual", "x", "--expected", "y"), "has no column 'z'"),
        (("--dims", "a", "--actual", "x", "--expected", "zero"), "zero is 0 everywhere"),
        (("--dims", "x", "--actual", "a", "--expected", "y"), "is 'u', not a number"),
        (("--dims", ",", "--actual", "x", "--expected", "y"), "--dims names no column"),
        (
            ("--dims", "x", "--value", "y", "--time", "a", "--since", "2026-01-01"),
            "row 1 of a is 'u', not a time.",
        ),
        (
            ("--dims", "a", "--value", "x", "--time", "t", "--since", "9"),
            "2 rows before --since and 0 after; both are needed.",
        ),
        (
            ("--dims", "a,x", "--actual", "x", "--expected", "y"),
            "names x, which is --actual",
        ),
        (("--dims", "a,t", "--value", "x", "--time", "t", "--since", "2"), "which is --time"),
        (
            ("--dims", "a", "--actual", "inf", "--expected", "y"),
            "inf is a gap or infinite",
        ),
        (("--dims", "a", "--value", "x", "--time", "t", "--since", "soon"), "'soon' is neither"),
        (
            ("--dims", "a", "--value", "x", "--time", "ms", "--since", "1704070800"),
            "counts ms in milliseconds since 1970; --since 1704070800 is in seconds.",
        ),
        (
            ("--dims", "a", "--value", "x", "--time", "s", "--since", "1704070800000"),
            "counts s in seconds since 1970; --since 1704070800000 is in milliseconds.",
        ),
        (
            ("--dims", "a", "--value", "x", "--time", "iso", "--since", "1704070800000"),
            "has ISO times in iso; --since 1704070800000 is in milliseconds since 1970",
        ),
    ],
)
def test_bad_input_ends_in_one_sentence(tmp_path, args, said):
    """It says what is wrong and what there is."""
    path = tmp_path / "small.csv"
    path.write_text(
        "a,x,y,zero,t,inf,ms,s,iso\n"
        "u,1,2,0,1,inf,1704067200000,1704067200,2024-01-01T00:00\n"
        "v,3,4,0,2,-inf,1704074400000,1704074400,2024-01-01T02:00\n"
    )
    result = run(path, *args, "--json")
    assert result.exit_code in (1, 2)
    assert said in " ".join(result.output.split())


def test_a_bad_file_does_not_stop_the_others(tmp_path):
    """It is named on standard error, and the exit code is 1."""
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    frame = cells(1)
    frame.loc[frame["b"] == "b3", "actual"] *= 0.5
    frame.to_csv(good, index=False)
    frame.assign(actual="many").to_csv(bad, index=False)
    args = ("--dims", "a,b,c", "--actual", "actual", "--expected", "expected", "--json")
    result = run(bad, good, *args)
    assert result.exit_code == 1
    assert "bad.csv: row 1 of actual is 'many', not a number." in result.stderr
    (line,) = result.stdout.splitlines()
    assert json.loads(line)["segments"][0]["where"] == {"b": "b3"}


def test_events_are_counted_by_time_and_not_by_their_number(tmp_path):
    """A log of events of which one region sends two thirds less: that is no shorter time."""
    rng = np.random.default_rng(3)
    day = 86_400
    times = np.sort(rng.uniform(0, 3 * day, 60_000)).astype(int)
    frame = pd.DataFrame({"t": 1_700_000_000 + times, "a": rng.choice(list("pqrs"), len(times))})
    frame["b"], frame["n"] = rng.choice(list("xyz"), len(times)), 1
    lost = (frame["a"] == "q") & (times >= 2 * day) & (rng.random(len(times)) < 2 / 3)
    path = tmp_path / "events.csv"
    frame[~lost].to_csv(path, index=False)
    since = str(1_700_000_000 + 2 * day)
    args = ("--dims", "a,b", "--value", "n", "--time", "t", "--since", since, "--json")
    (one,) = json.loads(run(path, *args).stdout)["segments"]
    assert one["where"] == {"a": "q"}
    assert one["share"] == pytest.approx(1.0, abs=0.2)


def test_a_ratio_without_a_denominator_is_refused(tmp_path):
    """Nothing came before: no ratio, and no segment that carries it."""
    path = tmp_path / "none.csv"
    rows = [f"{a},{t},1,{int(t >= 50)}" for t in range(100) for a in "pq"]
    path.write_text("a,t,n,d\n" + "\n".join(rows) + "\n")
    args = ("--dims", "a", "--value", "n", "--denominator", "d", "--time", "t", "--since", "50")
    result = run(path, *args, "--json")
    assert result.exit_code == 1
    assert "d is 0 in every row before: no ratio." in result.stderr


def test_amounts_too_large_to_be_squared_are_compared(tmp_path):
    """In units of the largest."""
    frame = cells(2)
    frame.loc[frame["b"] == "b3", "actual"] *= 0.5
    frame[["actual", "expected"]] *= 1e290
    path = tmp_path / "huge.csv"
    frame.to_csv(path, index=False)
    result = run(path, "--dims", "a,b,c", "--actual", "actual", "--expected", "expected", "--json")
    assert [s["where"] for s in json.loads(result.stdout)["segments"]] == [{"b": "b3"}]


def test_a_schedule_with_jitter_is_no_log_of_events(tmp_path):
    """Hourly rows that are stamped some seconds late; six hours are six hours."""
    rng = np.random.default_rng(4)
    lines = ["t,a,b,n"]
    for hour in range(24 * 6):
        for a in "pqrs":
            for b in "xyz":
                low = a == "q" and hour >= 24 * 6 - 6
                n = rng.poisson(100) // (2 if low else 1)
                lines.append(f"{1_700_006_400 + hour * 3600 + rng.integers(0, 30)},{a},{b},{n}")
    path = tmp_path / "hourly.csv"
    path.write_text("\n".join(lines) + "\n")
    since = str(1_700_006_400 + (24 * 6 - 6) * 3600)
    args = ("--dims", "a,b", "--value", "n", "--time", "t", "--since", since, "--json")
    (one,) = json.loads(run(path, *args).stdout)["segments"]
    assert one["where"] == {"a": "q"}
    assert one["share"] == pytest.approx(1.0, abs=0.25)
