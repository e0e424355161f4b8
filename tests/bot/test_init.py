"""``hawkeye init``: a first settings file that ``hawkeye check`` accepts, from ordinary tables."""

from __future__ import annotations

import tomllib

import duckdb
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from analysis import engine
from bot.cli import main
from bot.first import sources
from bot.first.sources import gathered

ROWS = 600
RNG = np.random.default_rng(0)
TIMES = pd.date_range("2026-01-01", periods=ROWS, freq="60s")
SHARES = RNG.random(ROWS).round(4)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The folder that somebody is in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def log(**columns):
    """A serving log as teams have them; a column of None is left out."""
    usual = {
        "servedAt": TIMES,
        "user_id": RNG.integers(0, 9000, ROWS),
        "request_id": [f"r{i:x}" for i in range(ROWS)],
        "country": RNG.choice(["de", "fr"], ROWS),
        "store_id": RNG.integers(1, 9, ROWS),
        "age": RNG.normal(40, 9, ROWS),
        "credit_score": RNG.integers(300, 850, ROWS),
        "ctr_score": SHARES,
        "clicked": (RNG.random(ROWS) < SHARES).astype(int),
    }
    return pd.DataFrame({k: v for k, v in {**usual, **columns}.items() if v is not None})


def run(*arguments):
    """The command's result."""
    return CliRunner().invoke(main, ["init", *map(str, arguments)])


def settings(*arguments):
    """What it writes, once ``hawkeye check`` has accepted it."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    accepted = CliRunner().invoke(main, ["check"])
    assert accepted.exit_code == 0, accepted.output
    with open("hawkeye.toml", "rb") as file:
        return tomllib.load(file)


def kinds(found):
    """The kinds of metrics that it proposes."""
    return [m.get("kind") for m in found["metrics"]]


def test_an_ordinary_log_gets_its_roles_dimensions_features_and_metrics(folder):
    """By names and by values: of two scores, the one that is a share is the prediction."""
    log().to_csv("log.csv", index=False)
    found = settings("log.csv")
    assert found["tables"]["predictions"] == {
        "source": "log.csv",
        "time": "servedAt",
        "prediction": "ctr_score",
        "label": "clicked",
        "dimensions": ["country", "store_id"],
        "features": ["country", "store_id", "age", "credit_score"],
        "hidden": ["user_id"],
    }
    assert found["models"] == [{"name": "model", "task": "binary"}]
    assert kinds(found) == ["volume", "mean_prediction", "calibration", "log_loss"]
    text = (folder / "hawkeye.toml").read_text()
    assert 'prediction = "ctr_score"  # a guess by its name, or credit_score?' in text
    assert "# model: no column is called like one" in text
    assert "request_id" in text


def test_it_ends_with_the_commands_to_go_on_with():
    """And they work."""
    log().to_csv("log.csv", index=False)
    assert run("log.csv").output.splitlines()[-2:] == [
        "  hawkeye check",
        "  hawkeye triage calibration --auto",
    ]
    walked = CliRunner().invoke(main, ["triage", "calibration", "--auto", "--json"])
    assert walked.exit_code == 0, walked.output


@pytest.mark.parametrize(
    ("columns", "task", "metrics"),
    [
        ({"clicked": None}, "binary", ["mean_prediction"]),
        ({"clicked": np.nan}, "binary", ["mean_prediction"]),
        (
            {"ctr_score": None, "pred": RNG.normal(0, 3, ROWS)},
            "binary",
            ["mean_prediction", "mean_label"],
        ),
        (
            {"clicked": None, "actual": RNG.normal(9, 3, ROWS), "pred": RNG.normal(9, 3, ROWS)},
            "regression",
            ["mean_prediction", "mae", "bias"],
        ),
        (
            {
                "clicked": None,
                "label": RNG.choice(["cat", "dog"], ROWS),
                "prediction": RNG.choice(["cat", "dog"], ROWS),
            },
            "multiclass",
            ["accuracy"],
        ),
        (
            {
                "clicked": None,
                "label": RNG.integers(0, 9, ROWS),
                "prediction": RNG.integers(0, 9, ROWS),
            },
            "multiclass",
            ["accuracy"],
        ),
        ({"qid": RNG.integers(0, 60, ROWS)}, "ranking", ["mean_prediction", "ndcg"]),
    ],
)
def test_the_task_and_its_metrics_follow_from_the_values(columns, task, metrics):
    """None is proposed that would have no figure."""
    log(**columns).to_csv("log.csv", index=False)
    found = settings("log.csv")
    assert [m["task"] for m in found["models"]] == [task]
    assert kinds(found) == ["volume", *metrics]


@pytest.mark.parametrize(
    "times",
    [
        TIMES.strftime("%Y-%m-%dT%H:%M:%SZ"),
        TIMES.astype("datetime64[s]").astype("int64"),
        TIMES.tz_localize("Europe/Berlin"),
    ],
)
def test_times_are_told_by_what_stands_in_them(times):
    """Text in ISO form, seconds since 1970, a zone."""
    log(servedAt=None, ts=times).to_parquet("log.parquet")
    assert settings("log.parquet")["tables"]["predictions"]["time"] == "ts"


@pytest.mark.parametrize(
    ("columns", "sentences"),
    [
        ({"servedAt": None}, ["says when each prediction was served", "--time"]),
        ({"servedAt": "a quarter past two"}, ["servedAt is called like one, but holds"]),
        ({"servedAt": TIMES.astype("datetime64[ms]").astype("int64")}, ["servedAt is called"]),
        ({"ctr_score": None, "credit_score": None}, ["called like a prediction", "--prediction"]),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_written(folder, columns, sentences):
    """With the columns that there are."""
    log(**columns).to_csv("log.csv", index=False)
    result = run("log.csv")
    assert result.exit_code == 1
    for sentence in [*sentences, "country"]:
        assert sentence in result.output
    assert not (folder / "hawkeye.toml").exists()


def test_what_is_called_otherwise_can_be_named():
    """And a name that is not there is told."""
    log().rename(columns={"servedAt": "a", "ctr_score": "b"}).to_parquet("log.parquet")
    found = settings("log.parquet", "--prediction", "b")["tables"]["predictions"]
    assert (found["time"], found["prediction"]) == ("a", "b")
    assert "no column nope" in run("log.parquet", "--label", "nope", "--force").output


def test_a_file_that_is_there_is_not_written_over_without_force(folder):
    """Somebody's work stands in it."""
    log().to_csv("log.csv", index=False)
    (folder / "hawkeye.toml").write_text("mine")
    assert "--force" in run("log.csv").output
    assert (folder / "hawkeye.toml").read_text() == "mine"
    assert settings("log.csv", "--force")["tables"]


def test_files_that_a_shell_made_of_a_pattern_are_one_table(folder):
    """As is a folder; other tables beside them are told apart by their columns."""
    (folder / "day").mkdir()
    for part in range(3):
        log().iloc[part * 200 : (part + 1) * 200].to_parquet(f"day/{part}.parquet")
    found = settings(*sorted((folder / "day").glob("*.parquet")))
    assert found["tables"]["predictions"]["source"] == "day/*.parquet"
    assert settings("day", "--force")["tables"]["predictions"]["source"] == "day"


def test_each_of_many_files_is_opened_once(folder, monkeypatch):
    """However many a shell names; folders are no files of a kind."""
    (folder / "day").mkdir()
    for part in range(9):
        log().iloc[part * 60 :].to_csv(f"day/{part}.csv", index=False)
    opened = []
    monkeypatch.setattr(
        engine, "table", lambda connection, path, root: opened.append(path) or log()
    )
    assert gathered([f"day/{part}.csv" for part in range(9)], folder) == ["day/*.csv"]
    assert len(opened) == 9
    (folder / "night").mkdir()
    assert gathered(["day", "night"], folder) == ["day", "night"]


def test_other_tables_are_told_by_their_columns():
    """A table of none of these kinds is left out, and named."""
    log(model=RNG.choice(["a", "b"], ROWS), model_version="v1").to_parquet("log.parquet")
    tables = {
        "edges": {"source": ["raw"], "target": ["age"], "team": ["data"]},
        "jobs": {"job": ["raw"], "finished_at": TIMES[:1], "status": ["ok"]},
        "registry": {"model": ["a"], "version": ["v1"], "deployed_at": TIMES[:1]},
        "load": {"time": TIMES[:1], "host": ["x"], "metric": ["cpu"], "value": [0.1]},
        "revenue": {"day": TIMES[:1], "value": [3.0]},
        "pets": {"cat": ["Minka"]},
    }
    for name, columns in tables.items():
        pd.DataFrame(columns).to_csv(f"{name}.csv", index=False)
    found = settings("log.parquet", *(f"{name}.csv" for name in tables))
    assert found["tables"]["lineage"] == {
        "source": "edges.csv",
        "upstream": "source",
        "downstream": "target",
        "owner": "team",
    }
    assert found["tables"]["runs"]["node"] == "job"
    assert found["tables"]["snapshots"]["published"] == "deployed_at"
    assert found["tables"]["infra"]["service"] == "host"
    assert [m["name"] for m in found["models"]] in (["a", "b"], ["b", "a"])
    assert found["metrics"][-1]["source"] == "revenue.csv"
    with open("hawkeye.toml", encoding="utf-8") as file:
        assert "left out: pets.csv" in file.read()


def test_metrics_called_alike_are_accepted():
    """A table may be called like a metric that is proposed."""
    log().to_parquet("log.parquet")
    with duckdb.connect("team.duckdb") as engine:
        engine.execute("CREATE TABLE served AS SELECT * FROM 'log.parquet'")
        engine.execute("CREATE SCHEMA ml")
        for name in ("ml.cost", "volume"):
            engine.execute(
                f"CREATE TABLE {name} AS SELECT TIMESTAMP '2026-01-01' AS day, 3 AS value"
            )
    found = settings("team.duckdb", "served", "ml.cost", "volume")
    assert [m["name"] for m in found["metrics"] if "source" in m] == ["cost", "volume 2"]


@pytest.mark.parametrize("address", ["duckdb://team.duckdb", "team.duckdb"])
def test_an_engine_is_asked_for_its_tables(address):
    """All of them, where none is named."""
    log().to_parquet("log.parquet")
    with duckdb.connect("team.duckdb") as engine:
        engine.execute("CREATE TABLE served AS SELECT * FROM 'log.parquet'")
        engine.execute("CREATE TABLE pets AS SELECT 'Minka' AS cat")
    found = settings(address)
    assert found["data"]["url"] == "duckdb://team.duckdb"
    assert found["tables"]["predictions"]["source"] == "served"
    assert "There are cat" in run(address, "pets", "--force").output


def test_a_view_that_cannot_be_read_is_named_and_left_out():
    """Nobody asked for it; one that is asked for ends in a sentence."""
    log().to_parquet("log.parquet")
    with duckdb.connect("team.duckdb") as team:
        team.execute("CREATE TABLE served AS SELECT * FROM 'log.parquet'")
        team.execute("CREATE TABLE gone AS SELECT 1 AS x")
        team.execute("CREATE VIEW broken AS SELECT * FROM gone")
        team.execute("CREATE VIEW failing AS SELECT CAST(country AS INTEGER) AS x FROM served")
        team.execute("DROP TABLE gone")
    settings("team.duckdb")
    assert "Can't be read, and left out: broken, failing.\n" in run("team.duckdb", "--force").output
    asked = run("team.duckdb", "served", "failing", "--force")
    assert asked.output.startswith("Error: failing can't be read")


def test_of_many_tables_the_first_are_looked_at_and_that_is_said(monkeypatch):
    """The others can be named."""
    log().to_parquet("log.parquet")
    with duckdb.connect("team.duckdb") as team:
        team.execute("CREATE TABLE served AS SELECT * FROM 'log.parquet'")
        team.execute("CREATE TABLE zoo AS SELECT 'Minka' AS cat")
    assert "Only the first" not in run("team.duckdb").output
    monkeypatch.setattr(sources, "MOST_TABLES", 1)
    assert "looked at: 1 by name, of 2" in run("team.duckdb", "--force").output


@pytest.mark.parametrize(
    ("role", "column", "sentence"),
    [
        ("label", "vector", "--label: vector of log.parquet holds lists"),
        ("prediction", "vector", "--prediction: vector of log.parquet holds lists"),
        ("label", "servedAt", "--label: servedAt of log.parquet holds times; needed are numbers"),
        ("label", "country", "--label: country of log.parquet holds text; needed are numbers"),
        ("label", "outcome", "--label: outcome of log.parquet holds nothing"),
        ("time", "age", "--time: age of log.parquet holds numbers; needed are timestamps"),
    ],
)
def test_a_column_that_cannot_be_what_it_is_said_to_be_is_refused(role, column, sentence):
    """In a sentence; nothing is written."""
    nothing = pd.Series([None] * ROWS, dtype="string")
    log(vector=[[1.0, 2.0]] * ROWS, outcome=nothing).to_parquet("log.parquet")
    result = run("log.parquet", f"--{role}", column)
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {sentence}")
    assert result.output.count("\n") == 1


def test_the_terminal_says_what_is_not_written_down(folder):
    """Without showing it; here what is called like a secret is none."""
    log().to_parquet("log.parquet")
    with duckdb.connect("team.duckdb") as engine:
        engine.execute("CREATE TABLE served AS SELECT * FROM 'log.parquet'")
    result = run("duckdb://team.duckdb?allow_persistent_secrets=false")
    assert "export motherduck_token" in result.output
    assert "secrets" not in result.output + (folder / "hawkeye.toml").read_text()


def test_what_cannot_be_read_is_said():
    """A file that is not there, a driver that is not installed."""
    assert "nofile.csv can't be read" in run("nofile.csv").output
    assert "driver is not installed" in run("trino://host/catalog").output
