"""A team's tables on a Spark cluster: the same evidence as from Parquet files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import pytest

from analysis import spark as driver
from analysis.engine import connect, engine_errors
from analysis.evidence import CannotExamine
from bot.config import check, load
from bot.triage import triage_headless
from tests.analysis.logs import ONSET
from tests.engines import spark, world

pytestmark = pytest.mark.spark

OPTIONS = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.executor.memory": "512m",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    # A team's sessions may be in another zone.
    "spark.sql.session.timeZone": "Asia/Tokyo",
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a cluster."""
    with spark.cluster() as found:
        yield f"{found}?{urlencode(OPTIONS)}"


@pytest.fixture(scope="module")
def settings(
    url: str, tmp_path_factory: pytest.TempPathFactory, frames: dict[str, pd.DataFrame]
) -> Path:
    """The log in a schema of its own, with times in a zone, decimals, yes and no, names in
    capitals and with spaces; the other tables in files and a folder."""
    folder = tmp_path_factory.mktemp("spark")
    log = frames["log"].assign(label=frames["log"]["label"] == 1)
    for name in ("time", "label_time", "made"):
        log[name] = log[name].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
    log.to_parquet(folder / "log.parquet", index=False)
    session = driver.session(url)
    session.sql("CREATE SCHEMA ml")
    session.sql(
        "CREATE VIEW ml.log AS SELECT * EXCEPT (prediction), "
        "CAST(prediction AS DECIMAL(18, 17)) AS prediction "
        f"FROM parquet.`{folder}/log.parquet`"
    )
    frames["infra"].to_parquet(folder / "infra", partition_cols=["metric"])
    for name in ("runs", "lineage"):
        frames[name].to_csv(folder / f"{name}.csv", index=False)
    frames["snapshots"].to_parquet(folder / "snapshots.parquet", index=False)
    sources = {name: f"{name}.csv" for name in ("runs", "lineage")}
    sources |= {"log": "ml.log", "infra": "infra", "snapshots": "snapshots.parquet"}
    return world.write_settings(folder, "spark", sources, url)


def test_a_triage_says_the_same_over_spark_as_over_parquet(
    settings: Path, over_parquet: dict[str, Any]
) -> None:
    """Step by step, to the planted cause."""
    world.says_the_same(settings, over_parquet)


def test_a_log_too_large_for_memory_is_counted_by_spark(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only counts and bounded samples come back, and say the same."""
    world.too_large_for_memory(monkeypatch)
    found = triage_headless(load(settings, {}), "loss", since=ONSET, start="features")
    step = found["path"][0]
    assert step["verdict"] == "inputs", step["headline"]
    assert step["suspects"][0]["name"] == "f"


def test_a_feature_is_judged_in_spark(settings: Path) -> None:
    """By its median."""
    step = triage_headless(load(settings, {}), "f", since=ONSET, start="real_feature")["path"][0]
    assert step["verdict"] == "real", step["headline"]


def test_tables_in_spark_are_looked_at(settings: Path) -> None:
    """A table of another schema that is not there: which ones are; and a schema of the address."""
    assert check(load(settings, {})) == []
    wrong = settings.with_name("wrong.toml")
    wrong.write_text(settings.read_text().replace("ml.log", "ml.logs"))
    told = "\n".join(check(load(wrong, {})))
    assert "there are `log` in `ml`. Did you mean `log`?" in told
    nearer = settings.with_name("nearer.toml")
    nearer.write_text(settings.read_text().replace("ml.log", "log").replace("?", "/ml?"))
    assert check(load(nearer, {})) == []


def test_what_spark_refuses_is_said_in_a_sentence_and_nowhere_else(
    settings: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """PySpark would print it as well, into the midst of a result."""
    contract = load(settings, {}).contract
    query = connect(contract.url).raw_sql("SELECT CAST('soon' AS TIMESTAMP)")
    wanted = r"\(spark\) can't answer: .*CAST_INVALID_INPUT"
    with pytest.raises(CannotExamine, match=wanted), engine_errors(contract.url):
        query.collect()
    assert capfd.readouterr() == ("", "")


def test_a_cluster_that_was_restarted_is_asked_again(url: str) -> None:
    """The application ended with it, and its catalog too; the next check begins another."""
    context = driver.session(url).sparkContext
    ended = context.applicationId
    context._jsc.sc().stop()
    session = driver.session(url)
    assert session.sql("SELECT 1").collect() == [(1,)]
    assert session.sparkContext.applicationId != ended


def test_a_master_that_cannot_be_reached_is_said_at_once() -> None:
    """Spark's own driver would try for a minute."""
    with pytest.raises(CannotExamine, match=r"\(spark\): .*Connection refused"):
        connect("spark://127.0.0.1:1")


def test_missing_java_is_said(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spark's driver is a Java process."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotExamine, match="needs Java 17"):
        connect(f"{url}&spark.app.name=another")


def test_a_missing_driver_is_said_with_the_package_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Under the name that its extra has."""
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(CannotExamine, match=r'pip install "ibis-framework\[pyspark\]"'):
        connect("spark://127.0.0.1:1")
