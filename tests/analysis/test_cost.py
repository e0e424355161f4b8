"""What a query would read, asked of its engine beforehand."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from analysis.budget import Excess, OverBudget, amount
from analysis.cost import Meter
from analysis.evidence import Window
from analysis.tables import Contract
from analysis.warehouse import Warehouse
from tests.analysis import logs

HOURS, A_GROUP = 48, 600


def _log(folder: Path, name: str = "log.parquet") -> Path:
    """Two days in order of time, six hundred rows a row group; one wide column, one narrow."""
    rng = np.random.default_rng(3)
    n = HOURS * 100
    times = logs.NOW - timedelta(hours=HOURS) + pd.to_timedelta(np.arange(n) * 36, unit="s")
    frame = pd.DataFrame({"time": times.tz_localize(None), "p": rng.random(n)})
    frame["wide"] = [f"{a:.16f}{b:.16f}" for a, b in rng.random((n, 2))]
    if name.endswith(".csv"):
        frame.to_csv(folder / name, index=False)
    else:
        frame.to_parquet(folder / name, index=False, row_group_size=A_GROUP)
    return folder / name


def _packed(path: Path, *names: str, groups: int = 0) -> int:
    """Bytes of these columns in the last ``groups`` row groups (0: in all), by Arrow's reader."""
    about = pq.read_metadata(path)
    place = {about.schema.column(i).name: i for i in range(about.num_columns)}
    wanted = range(about.num_row_groups - groups if groups else 0, about.num_row_groups)
    return sum(
        about.row_group(g).column(place[n]).total_compressed_size for g in wanted for n in names
    )


def _house(path: Path, most_bytes: int) -> Warehouse:
    contract = Contract.model_validate(
        {
            "predictions": {"source": path.name, "time": "time", "prediction": "p"},
            "metrics": [logs.metric("volume")],
        }
    )
    return Warehouse(contract, path.parent, logs.NOW, most_bytes=most_bytes)


def _mean(house: Warehouse, window: Window | None = None) -> Any:
    table = house.predictions(window)
    return table.aggregate(mean=table["_prediction"].mean())


def test_only_the_columns_that_a_query_needs_count(tmp_path: Path) -> None:
    """The mean of a narrow column fits where the wide one beside it would not."""
    path = _log(tmp_path)
    enough = _packed(path, "time", "p")
    assert enough < _packed(path, "wide")
    assert len(_house(path, enough).fetch(_mean(_house(path, enough)))) == 1
    house = _house(path, enough)
    log = house.predictions()
    with pytest.raises(OverBudget) as caught:
        house.fetch(log.aggregate(long=log["wide"].length().sum()))
    assert caught.value.excess.needs >= _packed(path, "wide")
    assert caught.value.excess.may == enough


def test_row_groups_outside_of_the_window_do_not_count(tmp_path: Path) -> None:
    """The last six hours lie in one row group, or two at its edge."""
    path = _log(tmp_path)
    window = Window(logs.NOW - timedelta(hours=5), logs.NOW)
    house = _house(path, _packed(path, "time", "p", groups=2))
    house.fetch(_mean(house, window))
    with pytest.raises(OverBudget):
        house.fetch(_mean(house))


def test_a_column_in_the_names_of_folders_takes_no_bytes_and_hides_none(
    tmp_path: Path,
) -> None:
    """A log partitioned by day, cut by that day: what is read beside it still counts."""
    frame = pd.read_parquet(_log(tmp_path))
    frame["day"] = frame["time"].dt.strftime("%Y-%m-%d")
    frame.to_parquet(tmp_path / "parted", partition_cols=["day"], index=False)
    house = _house(tmp_path / "parted", 1_000_000)
    log = house.predictions()
    house.fetch(log.group_by("day").aggregate(mean=log["_prediction"].mean()))
    files = (tmp_path / "parted").rglob("*.parquet")
    assert house.bytes_read == sum(_packed(file, "time", "p") for file in files)


def test_the_queries_of_a_step_add_up_and_the_one_that_goes_over_is_not_run(tmp_path: Path) -> None:
    """Two and a half scans: the third one is refused, by what all three would read."""
    path = _log(tmp_path)
    scan = _packed(path, "p")
    house = _house(path, round(2.5 * scan))
    for _ in range(2):
        house.fetch(_mean(house))
    with pytest.raises(OverBudget) as caught:
        house.fetch(_mean(house))
    assert caught.value.excess == Excess("bytes", 3 * scan, round(2.5 * scan))


def test_batches_that_a_profile_counts_are_queries_too(tmp_path: Path) -> None:
    """They pass by without going through a frame."""
    from analysis.profile import bins_of, kinds, plain, profile

    path = _log(tmp_path)
    house = _house(path, _packed(path, "time", "p"))
    log = house.predictions()
    kind = kinds(log, ["wide"])
    ready = plain(log, kind, ("_time",))
    bins = bins_of(pd.read_parquet(path).head(9), kind)
    with pytest.raises(OverBudget):
        profile(ready.mutate(hour=ready["_time"].truncate("h")), bins, "hour")


def test_a_csv_file_is_read_as_a_whole(tmp_path: Path) -> None:
    """Whatever of it is needed."""
    path = _log(tmp_path, "log.csv")
    size = path.stat().st_size
    house = _house(path, size)
    house.fetch(_mean(house))
    with pytest.raises(OverBudget):
        house.fetch(_mean(house))


def test_files_that_fit_many_times_are_not_measured(tmp_path: Path) -> None:
    """Nothing is asked of the engine for them, so that small tables cost no time."""
    path = _log(tmp_path)
    meter = Meter(100 * path.stat().st_size)
    meter.files["view"] = str(path)
    meter.charge(SimpleNamespace(name="duckdb"), 'SELECT * FROM "view"')
    assert meter.read == 0


class _BigQuery:
    """Answers dry runs with a number of bytes; anything else is an error."""

    name = "bigquery"

    def __init__(self, size: int) -> None:
        self.client = SimpleNamespace(query=self._query)
        self._size = size

    def _query(self, query: str, job_config: Any) -> Any:
        assert job_config.dry_run
        return SimpleNamespace(total_bytes_processed=self._size)


def test_bigquery_is_asked_by_a_dry_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its driver is not here: what it would be given and say stands in for it."""
    import sys

    fake = SimpleNamespace(QueryJobConfig=lambda **said: SimpleNamespace(**said))
    monkeypatch.setitem(sys.modules, "google.cloud.bigquery", fake)
    meter = Meter(100)
    meter.charge(_BigQuery(60), "SELECT 1")
    with pytest.raises(OverBudget, match="would read about 120 bytes"):
        meter.charge(_BigQuery(60), "SELECT 1")


def _answering(name: str, plan: Any) -> Any:
    """A connection whose EXPLAIN gives this plan."""
    cursor = SimpleNamespace(fetchall=lambda: [[json.dumps(plan)]])
    cursor.execute = lambda query: cursor if query.startswith("EXPLAIN") else None
    return SimpleNamespace(name=name, con=SimpleNamespace(cursor=lambda: cursor))


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("snowflake", {"GlobalStats": {"partitionsTotal": 9, "bytesAssigned": 150}}),
        ("trino", {"inputTableColumnInfos": [{"estimate": {"outputSizeInBytes": 150.0}}]}),
    ],
)
def test_engines_that_explain_in_bytes_are_asked(name: str, plan: Any) -> None:
    """The form of their plans is that of their manuals."""
    with pytest.raises(OverBudget):
        Meter(100).charge(_answering(name, plan), "SELECT 1")


@pytest.mark.parametrize(
    ("name", "plan"),
    [
        ("trino", {"inputTableColumnInfos": [{"estimate": {"outputSizeInBytes": "NaN"}}]}),
        ("snowflake", {"of another": "form"}),
        ("clickhouse", None),
    ],
)
def test_an_engine_that_does_not_know_is_let_run(name: str, plan: Any) -> None:
    """No statistics, another form of plan, an engine that can't tell."""
    meter = Meter(100)
    meter.charge(_answering(name, plan), "SELECT 1")
    assert meter.read == 0


@pytest.mark.parametrize(
    ("of", "number", "said"),
    [
        ("bytes", 48.2e9, "48 GB"),
        ("bytes", 1.26e12, "1.3 TB"),
        ("bytes", 0, "0 bytes"),
        ("seconds", 60, "60 s"),
        ("seconds", 600, "10 min"),
        ("seconds", 36000, "10 h"),
    ],
)
def test_amounts_are_said_as_people_say_them(of: Any, number: float, said: str) -> None:
    """Two digits are enough to decide by."""
    assert amount(of, number) == said


def test_a_need_that_looks_like_the_budget_is_told_as_a_little_more() -> None:
    """About 10 GB, more than 10 GB: nobody would understand it."""
    said = Excess("bytes", 10.2e9, 10e9).sentence
    assert said == "This would read a little more than the 10 GB that you allow a step."
