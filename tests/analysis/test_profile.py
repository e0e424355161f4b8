"""The one-pass summary: counts with null and unseen cells, the same on every path."""

from __future__ import annotations

import ibis
import numpy as np
import pandas as pd
import pytest

from analysis.profile import bins_of, distance, kinds, plain, profile, scan


@pytest.fixture
def table(tmp_path):
    """A log of two buckets with numbers, levels, a time and holes in all of them."""
    rng = np.random.default_rng(0)
    n = 2_000
    time = pd.Timestamp("2024-05-01") + pd.to_timedelta(np.arange(n), unit="min")
    frame = pd.DataFrame(
        {
            "_time": time,
            "bucket": np.arange(n) // 1_000,
            "x": np.where(rng.random(n) < 0.1, np.nan, rng.normal(0, 1, n)),
            "zero": np.where(rng.random(n) < 0.5, 0.0, rng.exponential(1, n)),
            "k": pd.Series(rng.choice(["a", "b"], n)).where(rng.random(n) < 0.9),
            "flag": rng.random(n) < 0.5,
            "seen": time - pd.to_timedelta(rng.integers(1, 50, n), unit="h"),
        }
    )
    frame.loc[frame["bucket"] == 1, "k"] = frame["k"].replace("b", "new")
    frame.loc[1_500:1_600, "x"] = 99.0
    frame.to_parquet(tmp_path / "t.parquet", index=False)
    return ibis.duckdb.connect().read_parquet(str(tmp_path / "t.parquet"))


def summary(table):
    """Kinds, bins from the first bucket, and the profile by bucket."""
    kind = kinds(table, ("x", "zero", "k", "flag", "seen"))
    ready = plain(table, kind, ("bucket",))
    bins = bins_of(ready.filter(ready["bucket"] == 0).to_pandas(), kind)
    return ready, bins, profile(ready, bins, "bucket")


def test_every_row_lies_in_exactly_one_cell(table):
    """Cells add up to the rows, nulls and unseen values included."""
    _, bins, found = summary(table)
    for name, counts in found.counts.items():
        assert counts.shape == (2, bins[name].size)
        np.testing.assert_array_equal(counts.sum(axis=1), found.rows)


def test_null_and_unseen_cells_hold_what_the_baseline_never_held(table):
    """Values beyond the range and new levels are counted apart, nulls in the last cell."""
    _, bins, found = summary(table)
    assert found.counts["x"][0][list(bins["x"].unseen)].sum() == 0
    assert found.counts["x"][1][list(bins["x"].unseen)].sum() >= 101
    assert found.counts["k"][0][bins["k"].unseen[0]] == 0
    assert found.counts["k"][1][bins["k"].unseen[0]] > 300
    assert 60 < found.counts["x"][0][-1] < 140


def test_the_engine_counts_what_pandas_counts(table):
    """The cell of a value is the same in SQL and in memory."""
    ready, bins, found = summary(table)
    frame = ready.to_pandas()
    for name, b in bins.items():
        for row, bucket in enumerate(found.buckets):
            cells = b.cells(frame.loc[frame["bucket"] == bucket, name])
            expected = np.bincount(cells, minlength=b.size)
            np.testing.assert_array_equal(found.counts[name][row], expected)


def test_engines_elsewhere_count_the_same(table, monkeypatch):
    """Sums of conditions give the same cells as counting batches."""
    ready, bins, found = summary(table)
    monkeypatch.setattr(scan, "_here", lambda _: False)
    other = profile(ready, bins, "bucket")
    for name in bins:
        np.testing.assert_array_equal(other.counts[name], found.counts[name])


def test_nan_that_stays_is_counted_as_null(tmp_path):
    """In memory both lie in the last cell; SQL is told that NaN is null."""
    path = tmp_path / "t.parquet"
    connection = ibis.duckdb.connect()
    values = "(0, 1.0), (0, 'NaN'::double), (1, null), (1, 3.0), (1, 'NaN'::double)"
    connection.raw_sql(f"COPY (SELECT * FROM (VALUES {values}) t(b, x)) TO '{path}'")
    table = connection.read_parquet(str(path))
    kept = plain(table, {"x": "number"}, ("b",), nan=True)
    told = plain(table, {"x": "number"}, ("b",))
    assert int(told["x"].count().execute()) == 2
    assert int(kept["x"].count().execute()) == 4
    bins = bins_of(kept.to_pyarrow().to_pandas(), {"x": "number"})
    assert bins == bins_of(told.to_pandas(), {"x": "number"})
    counts = [profile(each, bins, "b").counts["x"] for each in (kept, told)]
    np.testing.assert_array_equal(*counts)
    np.testing.assert_array_equal(counts[0][:, -1], [1, 2])


@pytest.mark.parametrize("count", [14, 15, 16, 99, 1_000, 19_999])
def test_a_number_has_a_bin_per_quantile(count):
    """The quantiles of all values, ties included, are the edges."""
    values = np.random.default_rng(count).exponential(1, count).round(2)
    edges = bins_of(pd.DataFrame({"x": values}), {"x": "number"})["x"].edges
    wanted = np.quantile(values, np.linspace(0, 1, 15)[1:-1], method="lower")
    assert len(np.unique(values)) <= 14 or set(wanted) <= set(edges)
    assert edges[-1] == values.max()


def test_a_heavy_value_has_a_cell_of_its_own(table):
    """Half of the rows are zero: one cell holds them and nothing else."""
    ready, bins, found = summary(table)
    frame = ready.to_pandas()
    zeros = int(((frame["zero"] == 0) & (frame["bucket"] == 0)).sum())
    assert zeros in found.counts["zero"][0]
    assert bins["zero"].size > 10


def test_a_time_is_counted_by_its_age(table):
    """A time that moves with the clock does not drift."""
    _, bins, found = summary(table)
    assert bins["seen"].kind == "age"
    assert float(distance(found.counts["seen"][0], found.counts["seen"][1])) < 0.2


def test_distance_is_one_for_disjoint_and_zero_for_equal_counts():
    """Jensen–Shannon distance spans 0 to 1, and an empty side has no distance."""
    a = np.array([[5.0, 0, 0], [1, 2, 3], [0, 0, 0]])
    b = np.array([[0.0, 4, 0], [2, 4, 6], [1, 0, 0]])
    np.testing.assert_allclose(distance(a, b), [1.0, 0.0, 0.0], atol=1e-9)


def test_a_column_without_values_has_a_null_cell_only(tmp_path):
    """All-null columns are counted, not refused."""
    frame = pd.DataFrame({"b": [0, 0, 1], "x": [None, None, None], "k": [None, None, None]})
    frame = frame.astype({"x": "float64", "k": "string"})
    frame.to_parquet(tmp_path / "t.parquet")
    table = ibis.duckdb.connect().read_parquet(str(tmp_path / "t.parquet"))
    kind = {"x": "number", "k": "level"}
    ready = plain(table, kind, ("b",))
    found = profile(ready, bins_of(ready.to_pandas(), kind), "b")
    np.testing.assert_array_equal(found.counts["x"][:, -1], [2, 1])
    np.testing.assert_array_equal(found.counts["k"][:, -1], [2, 1])
