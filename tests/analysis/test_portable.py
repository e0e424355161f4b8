"""Expressions that every engine answers, also the ones without a function for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.engine import connect
from analysis.portable import LOT, LOTS, as_text, lots, timestamp, whole_seconds, without_nan

FORMS = ["2024-05-01 10:00:00.7", "2024-05-01T10:00:00.7", "2024-05-01T12:00:00.7+02:00"]


def _in(url: str, frame: pd.DataFrame) -> Any:
    connection = connect(url)
    if connection.name == "duckdb":
        connection.con.register("t", frame)
    else:
        frame.to_sql("t", connection.con, index=False)
    return connection.table("t")


@pytest.mark.parametrize("url", ["duckdb://", "sqlite://"])
def test_every_way_to_write_a_moment_is_that_moment(url: str) -> None:
    """With a space or a T, in another zone; its second is rounded down."""
    table = _in(url, pd.DataFrame({"at": FORMS}))
    moments = timestamp(table["at"]).to_pandas()
    assert set(moments) == {pd.Timestamp("2024-05-01 10:00:00.7")}
    second = round(datetime(2024, 5, 1, 10, tzinfo=UTC).timestamp())
    assert set(whole_seconds(timestamp(table["at"])).to_pandas()) == {second}


@pytest.mark.parametrize("url", ["duckdb://", "sqlite://"])
def test_nan_is_null(url: str) -> None:
    """Some engines tell the two apart, others have no NaN."""
    table = _in(url, pd.DataFrame({"x": [1.0, np.nan]}))
    assert table.filter(without_nan(table["x"]).isnull()).count().to_pandas() == 1


@pytest.mark.parametrize("url", ["duckdb://", "sqlite://"])
def test_lots_are_even_and_the_same_for_the_same_seed(url: str) -> None:
    """A share of the lots is about that share of the rows."""
    table = _in(url, pd.DataFrame({"x": np.arange(5000.0)}))
    drawn = lots(table, ["x"], seed=1).to_pandas()[LOT]
    assert drawn.between(0, LOTS - 1).all()
    assert 0.17 < (drawn < 0.2 * LOTS).mean() < 0.23
    assert drawn.tolist() == lots(table, ["x"], seed=1).to_pandas()[LOT].tolist()
    assert drawn.tolist() != lots(table, ["x"], seed=2).to_pandas()[LOT].tolist()


def test_rows_of_one_day_that_answer_alike_are_sampled_one_by_one() -> None:
    """A daily log of yes and no has few distinct moments and predictions, but other columns."""
    rows = 4000
    frame = pd.DataFrame({"t": 0, "p": 1.0, "f": np.random.default_rng(1).random(rows)})
    table = _in("duckdb://", frame)
    drawn = lots(table, table.columns).to_pandas()[LOT]
    assert 0.07 < (drawn < 0.1 * LOTS).mean() < 0.13


def test_times_with_a_zone_in_nanoseconds_are_read_in_utc(tmp_path) -> None:
    """What pandas writes into Parquet files."""
    at = pd.Series(pd.to_datetime(["2024-05-01 10:00"])).dt.tz_localize("America/New_York")
    pd.DataFrame({"at": at.astype("datetime64[ns, America/New_York]")}).to_parquet(tmp_path / "t")
    table = connect().read_parquet(str(tmp_path / "t"))
    assert timestamp(table["at"]).to_pandas()[0] == pd.Timestamp("2024-05-01 14:00")


@pytest.mark.parametrize("url", ["duckdb://", "sqlite://"])
def test_a_whole_number_reads_the_same_whatever_its_type(url: str) -> None:
    """A class or a dimension is not another one because a column was made a float."""
    frame = pd.DataFrame({"i": [3, 4], "x": [3.0, 4.5], "yes": [True, False]})
    table = _in(url, frame)
    assert as_text(table["i"]).to_pandas().tolist() == ["3", "4"]
    assert as_text(table["x"]).to_pandas().tolist() == ["3", "4.5"]
    if url == "duckdb://":  # SQLite keeps yes and no as 1 and 0
        assert as_text(table["yes"]).to_pandas().tolist() == ["true", "false"]
