"""What is multiplied out for large logs, and how bytes are counted."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.scale import worked_out
from benchmarks.units import Units, _bytes

UNITS = Units(packed=8, billed=8, scan=1e-8, count=2e-8, kept=1000, noise=1.0)


def told() -> dict[str, str]:
    """What every way to look is said to cost."""
    return {row.what: f"{row.value}; {row.beside}" for row in worked_out(UNITS, price=5.0)}


def test_bytes_dollars_and_seconds_are_values_times_their_unit_costs() -> None:
    """29 days of 10⁸ rows of 51 columns: 1.479e11 values."""
    days = told()["10⁸ rows a day: 51 columns, 29 days"]
    assert "1.2 TB packed; 1.2 TB billed, $5.38" in days
    assert "24.6 min here" in days  # 1,479 s


def test_fewer_columns_hours_and_rows_cost_in_proportion() -> None:
    """Three hours of 29 days; the sample costs the same whatever the log is."""
    found = told()
    assert "$0.02" in found["10⁸ rows a day: 51 columns, 3 hours"]
    sampled = [v for what, v in found.items() if "of the sample" in what]
    assert len(sampled) == 3
    assert len(set(sampled)) == 1


def test_a_saved_profile_counts_beside_the_newest_hour() -> None:
    """1,000 bytes an hour and column: 29 × 24 × 51 of them."""
    assert any("a saved profile (35 MB) and the newest hour" in what for what in told())


def test_bigquery_counts_eight_bytes_a_number_and_the_text_itself(tmp_path) -> None:
    """Nulls count nothing; a dictionary is what it stands for."""
    text = pa.array(["ab", None, "ü"]).dictionary_encode()
    table = pa.table({"n": [1.0, None, 3.0], "t": text})
    pq.write_table(table, tmp_path / "log.parquet")
    _, billed, row = _bytes(tmp_path / "log.parquet", "small")
    assert billed * 6 == 2 * 8 + (2 + 2) + (2 + 2)
    assert "as BigQuery counts them" in row.beside
