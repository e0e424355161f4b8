"""The connection to the engine, and what a source may name."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
import pytest

from analysis.engine import connect
from analysis.evidence import CannotExamine
from analysis.tables import Contract
from analysis.warehouse import Warehouse
from tests.analysis import logs


def test_the_engine_prints_no_progress_bar_into_a_result() -> None:
    """DuckDB's bar goes to standard output, where a command's JSON goes."""
    rows = connect().raw_sql("SELECT current_setting('enable_progress_bar')").fetchall()
    assert rows == [(False,)]


def test_the_engine_reads_times_in_utc() -> None:
    """Whatever the zone of the machine."""
    rows = connect().raw_sql("SELECT current_setting('TimeZone')").fetchall()
    assert rows == [("UTC",)]


def test_a_column_with_a_name_of_ours_is_told(tmp_path: Path) -> None:
    """Some logs keep a ``_time`` beside the time that the settings name."""
    frame = logs.log(days=1).assign(_time=1)
    with pytest.raises(CannotExamine, match="a column `_time`, a name that HawkEye uses itself"):
        logs.warehouse(tmp_path, frame).span()


def _reading(folder: Path, url: str = "duckdb://") -> Warehouse:
    predictions = {"source": "none.parquet", "time": "time", "prediction": "p"}
    contract = Contract.model_validate(
        {"url": url, "predictions": predictions, "metrics": [logs.metric("volume")]}
    )
    return Warehouse(contract, folder, logs.NOW)


def _write(folder: Path, frame: pd.DataFrame, name: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if "parquet" in name.lower() or name.endswith((".parq", ".pq")):
        frame.to_parquet(path, index=False)
    elif "json" in name:
        frame.to_json(path, orient="records", lines=True)
    else:
        frame.to_csv(path, index=False)


@pytest.mark.parametrize(
    ("files", "source"),
    [
        (["a.v1.parquet", "b.v2.parquet"], "."),
        (["lake/day=1/x.PARQUET", "lake/day=2/y.PARQUET"], "lake"),
        (["lake/x.csv.gz", "lake/y.csv.gz"], "lake/"),
        (["a.csv.gz"], "a.csv.gz"),
        (["a.parq"], "a.parq"),
        (["a.pq"], "a.pq"),
        (["a.jsonl"], "a.jsonl"),
        (["a1.csv", "a2.csv"], "a*.csv"),
    ],
)
def test_files_are_read_by_their_ending_alone_or_from_a_folder(
    tmp_path: Path, files: list[str], source: str
) -> None:
    """Packed, in parts, by a glob: every row of every file once."""
    for name in files:
        _write(tmp_path, pd.DataFrame({"x": [1, 2, 3]}), name)
    assert _reading(tmp_path).rows(source).count().to_pandas() == 3 * len(files)


def test_a_table_that_is_not_there_is_told_with_those_that_are(tmp_path: Path) -> None:
    """Not by its bare name."""
    made = _reading(tmp_path)
    made._connection.raw_sql("create table served (x int)")
    made._connection.raw_sql('create schema ml; create table ml."The Log" (x int)')
    assert made.rows("ml.The Log").columns == made.rows('"ml"."The Log"').columns == ("x",)
    with pytest.raises(CannotExamine, match="there are `The Log` in `ml`"):
        made.rows("ml.log")
    with pytest.raises(CannotExamine, match="no such file or table; there are `served`"):
        made.rows("serve")


def test_no_connection_is_a_sentence_without_the_password() -> None:
    """An address nobody knows; an engine whose driver is not there is covered by the same way."""
    with pytest.raises(CannotExamine, match=r"\[data\] url \(nosuch\): no connection") as told:
        connect("nosuch://me:geheim@host/db")
    assert "geheim" not in str(told.value)


def test_a_password_that_is_taken_for_a_port_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """As drivers do that read the address themselves, where a "/" in it is not written %2F."""
    monkeypatch.setattr("ibis.connect", lambda url: urlsplit(url).port)
    with pytest.raises(CannotExamine, match="write %2F for /") as told:
        connect("postgres://me:geh/eim@host/db")
    assert "geh" not in str(told.value)


@pytest.mark.parametrize("scheme", ["sqlite", "duckdb"])
def test_a_missing_database_file_is_not_made(tmp_path: Path, scheme: str) -> None:
    """A typo in its name would be an empty database."""
    with pytest.raises(CannotExamine, match="there is no file"):
        connect(f"{scheme}://{tmp_path}/gone.db?read_only=1")
    assert list(tmp_path.iterdir()) == []
