"""The connection to the engine."""

from __future__ import annotations

from analysis.warehouse import connect


def test_the_engine_prints_no_progress_bar_into_a_result() -> None:
    """DuckDB's bar goes to standard output, where a command's JSON goes."""
    rows = connect().raw_sql("SELECT current_setting('enable_progress_bar')").fetchall()
    assert rows == [(False,)]


def test_the_engine_reads_times_in_utc() -> None:
    """Whatever the zone of the machine."""
    rows = connect().raw_sql("SELECT current_setting('TimeZone')").fetchall()
    assert rows == [("UTC",)]
