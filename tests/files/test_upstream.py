"""``hawkeye upstream`` over files."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from bot.cli import main
from tests.analysis.test_callgraph import services


@pytest.fixture
def files(tmp_path):
    """A graph and metrics in which the database got slow."""
    _, metrics, since = services(0, "db")
    edges = "upstream,downstream\ndb,cart\ncart,web\nauth,web\ndb,auth\nmail,web\n"
    (tmp_path / "graph.csv").write_text(edges)
    metrics.to_csv(tmp_path / "metrics.csv", index=False)
    return tmp_path, since


def run(folder, since, target="web", metric="ms", *more):
    """The command's result."""
    args = ["--graph", folder / "graph.csv", "--metrics", folder / "metrics.csv"]
    args += ["--target", target, "--metric", metric, "--since", since, *more]
    return CliRunner().invoke(main, ["upstream", *map(str, args)])


def test_one_json_object_with_the_cause_first(files):
    """Nodes with their most telling metric and a score."""
    result = run(*files, "web", "ms", "--json")
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert found["ranked"][0]["node"] == "db"
    assert found["ranked"][0]["metric"] == "ms"
    assert found["nobody"] is False
    assert found["seconds"] > 0
    scores = [r["score"] for r in found["ranked"]]
    assert scores == sorted(scores, reverse=True)


def test_people_get_a_table_and_a_chart(files, monkeypatch):
    """Without --json."""
    monkeypatch.chdir(files[0])
    result = run(*files)
    assert result.exit_code == 0, result.output
    assert "db" in result.output
    assert (files[0] / "upstream.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("target", "metric", "since", "said"),
    [
        ("wbe", "ms", None, "No node 'wbe' in the graph or the metrics. Did you mean 'web'"),
        ("web", "cpu", None, "has no metric 'cpu' of web; it has: ms."),
        ("web", "ms", "2030-01-01", "120 values before --since and 0 after"),
        ("web", "ms", "soon", "'soon' is neither an integer nor an ISO time"),
    ],
)
def test_bad_input_ends_in_one_sentence(files, target, metric, since, said):
    """It says what there is."""
    result = run(files[0], since or files[1], target, metric, "--json")
    assert result.exit_code in (1, 2)
    assert said in " ".join(result.output.split())


def test_seconds_since_1970_and_iso_times_go_together(files):
    """Either way round, and as ISO throughout: the same ranking."""
    folder, since = files
    moment = pd.Timestamp(since, tz="UTC")
    iso = json.loads(run(folder, since, "web", "ms", "--json").output)["ranked"]
    seconds = int(moment.timestamp())
    assert json.loads(run(folder, seconds, "web", "ms", "--json").output)["ranked"] == iso
    metrics = pd.read_csv(folder / "metrics.csv")
    times = pd.to_datetime(metrics["time"], utc=True)
    metrics["time"] = [t.timestamp() for t in times]
    metrics.to_csv(folder / "metrics.csv", index=False)
    for way in (seconds, float(seconds), moment.isoformat()):
        assert json.loads(run(folder, way, "web", "ms", "--json").output)["ranked"] == iso


def test_a_target_of_gaps_alone_cannot_be_asked_about(files):
    """The sentence counts values, not rows."""
    folder, since = files
    metrics = pd.read_csv(folder / "metrics.csv")
    metrics.loc[metrics["node"] == "web", "value"] = None
    metrics.to_csv(folder / "metrics.csv", index=False)
    result = run(folder, since, "web", "ms", "--json")
    assert result.exit_code == 1
    assert "0 values before --since and 0 after" in " ".join(result.output.split())


@pytest.mark.parametrize(
    ("unit", "size", "said"), [("ms", 1, "milliseconds"), ("s", 1000, "seconds")]
)
def test_a_moment_in_another_unit_than_the_table_is_told(files, unit, size, said):
    """Seconds against milliseconds, and the other way round."""
    folder, since = files
    metrics = pd.read_csv(folder / "metrics.csv")
    times = pd.to_datetime(metrics["time"]).astype(f"datetime64[{unit}]").astype("int64")
    metrics.assign(time=times).to_csv(folder / "metrics.csv", index=False)
    result = run(folder, int(pd.Timestamp(since).timestamp()) * size, "web", "ms", "--json")
    assert result.exit_code == 1
    assert f"counts time in {said} since 1970; --since" in " ".join(result.output.split())


@pytest.mark.parametrize("column", ["node", "metric"])
def test_a_row_of_nobody_is_left_out(files, column):
    """An empty cell in the table."""
    folder, since = files
    metrics = pd.read_csv(folder / "metrics.csv")
    metrics.loc[3, column] = None
    metrics.to_csv(folder / "metrics.csv", index=False)
    result = run(folder, since, "web", "ms", "--json")
    assert result.exit_code == 0
    assert json.loads(result.output)["ranked"][0]["node"] == "db"
