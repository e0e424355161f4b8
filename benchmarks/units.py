"""Unit costs of a log, measured on this machine: bytes and seconds a value, a profile, a sample."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.cost import MOST_SCANS
from analysis.evidence import Scope, Window
from analysis.profile import Kind, bins_of, distance, kinds
from analysis.profile.saved import history
from analysis.tables import Contract, Metric, Predictions, Role
from analysis.warehouse import Warehouse
from benchmarks import census
from benchmarks.profile import HOURS, profiled, write
from benchmarks.table import Row
from bot.demo.flights import data_folder

ROWS = 1_000_000
FEW = 5
"""Columns that a step about a metric needs."""
SAMPLES, DRAWS = (1_000, 10_000, 100_000), 20
START = datetime(2026, 1, 1, tzinfo=UTC)
END = START + timedelta(hours=HOURS)
WINDOW = Window(END - timedelta(hours=3), END)
_ROLES = (Role.TIME, Role.MODEL, Role.SNAPSHOT, Role.ARM, Role.PREDICTION)


@dataclass
class Units:
    """``packed`` and ``billed`` bytes a value; ``scan`` and ``count`` seconds a value on this
    machine; ``kept`` bytes an hour and column of a saved profile; ``noise``, how far a sample of n
    rows lies from what it was drawn from, times the root of n."""

    packed: float = 0.0
    billed: float = 0.0
    scan: float = 0.0
    count: float = 0.0
    kept: float = 0.0
    noise: float = 0.0

    def measured(self, folder: Path) -> Iterator[Row]:
        """A row for each, as soon as it is known."""
        log = folder / "log.parquet"
        write(log, ROWS)
        self.packed, self.billed, row = _bytes(log, "made-up log, doubles that never repeat")
        yield row
        real = folder / "real.parquet"
        for name, frame in (("flights", _flights()), ("census", census.load())):
            frame.to_parquet(real, index=False)
            yield _bytes(real, name)[-1]
        run = profiled(log)
        values = run["rows"] * run["columns"]
        self.scan, self.count = run["scan_seconds"] / values, run["seconds"] / values
        yield Row(
            f"seconds a billion values, {os.cpu_count()} cores, {ROWS:,} rows × {run['columns']}",
            f"{self.scan * 1e9:.1f} for a plain scan",
            f"{self.count * 1e9:.1f} for a whole profile",
        )
        yield from _pruned(log)
        self.kept, row = _kept(log)
        yield row
        self.noise, told = _noise()
        yield from told


# -- bytes -----------------------------------------------------------------------------------------


def _bytes(file: Path, name: str) -> tuple[float, float, Row]:
    """Bytes a value, packed in Parquet and as BigQuery counts them."""
    about, table = pq.read_metadata(file), pq.read_table(file)
    groups = [about.row_group(g) for g in range(about.num_row_groups)]
    sizes = [g.column(c).total_compressed_size for g in groups for c in range(g.num_columns)]
    values = about.num_rows * about.num_columns
    packed, billed = sum(sizes) / values, sum(map(_billed, table.columns)) / values
    row = Row(
        f"bytes a value, {name}, {about.num_rows:,} rows × {about.num_columns} columns",
        f"{packed:.1f} packed in Parquet",
        f"{billed:.1f} as BigQuery counts them",
    )
    return packed, billed, row


def _flights() -> pd.DataFrame:
    """The flights of 2013, as the package has them."""
    return pd.read_csv(data_folder() / "flights.csv.zip")


def _billed(column: Any) -> int:
    """8 bytes a number or a time, 2 and its UTF-8 a text, none a null."""
    known = len(column) - column.null_count
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return int(2 * known + (pc.sum(pc.binary_length(column.cast(kind))).as_py() or 0))
    size: int = 8 * known
    return size


def _pruned(log: Path) -> Iterator[Row]:
    """What the plan of a query reads of the log, as a step's budget counts it."""
    whole = log.stat().st_size
    columns = [c for c in pq.read_schema(log).names if c != "at"]
    for names, window in ((columns, None), (columns[:FEW], None), (columns, WINDOW)):
        house = _house(log, most_bytes=MOST_SCANS * whole - 1)
        table = house.predictions(window)
        roles = {"score": Role.PREDICTION}
        ends = {f"_{i}": table[roles.get(n, n)].approx_nunique() for i, n in enumerate(names)}
        house.fetch(table.aggregate(**ends))
        span = (
            f"{window.length / timedelta(hours=1):.0f} of {HOURS} hours" if window else "all hours"
        )
        yield Row(
            f"part of the log that is read, {len(names)} columns, {span}",
            f"{house.bytes_read / whole:.1%}",
            f"of {whole / 1e6:.0f} MB" if not window else "whole row groups: 125,000 rows",
        )


def _house(log: Path, **more: Any) -> Warehouse:
    contract = Contract(
        predictions=Predictions(source=log.name, time="at", prediction="score"),
        metrics=(Metric(name="mean", kind="mean_prediction"),),
    )
    return Warehouse(contract, log.parent, END, **more)


# -- profiles and samples --------------------------------------------------------------------------


def _kept(log: Path) -> tuple[float, Row]:
    """Bytes of a saved profile an hour and column, its sample of the hour's rows included."""
    folder = log.parent / "profiles"
    house = _house(log, profiles=folder)
    table = house.predictions()
    scope = Scope(END, WINDOW, Window(START, WINDOW.start), "metric", "mean")
    kind = kinds(table, (*house.features, Role.PREDICTION))
    if history(house, scope, kind, _ROLES) is None:
        raise AssertionError("the log has few slices, in DuckDB: its profile can be kept")
    size = sum(f.stat().st_size for f in folder.iterdir())
    each = size / HOURS / len(kind)
    row = Row(
        f"a saved profile, {HOURS} hours × {len(kind)} columns",
        f"{size / 1e6:.1f} MB, {each:,.0f} bytes an hour and column",
        "a sample of 200 rows an hour in it",
    )
    return each, row


def _noise() -> tuple[float, list[Row]]:
    """How far samples of real rows lie from all of them, and how it falls with their size."""
    log = census.load().astype({c: str for c in census.FEATURES if c not in census.NUMBERS})
    names = [*census.FEATURES, "predicted_probability"]
    numbers = {*census.NUMBERS, "predicted_probability"}
    kind: dict[str, Kind] = {n: "number" if n in numbers else "level" for n in names}
    bins = bins_of(log[names], kind)
    cells = {n: b.cells(log[n]) for n, b in bins.items()}
    whole = {n: np.bincount(c, minlength=bins[n].size).astype(float) for n, c in cells.items()}
    scores, rng = log["predicted_probability"].to_numpy(float), np.random.default_rng(5)
    found, noise = [], 0.0
    for size in SAMPLES:
        off, mean = [], []
        for _ in range(DRAWS):
            drawn = rng.integers(len(log), size=size)
            mean.append(scores[drawn].mean() - scores.mean())
            for n, b in bins.items():
                some = np.bincount(cells[n][drawn], minlength=b.size).astype(float)
                off.append(float(distance(some[None], whole[n][None])[0]))
        noise = float(np.mean(off)) * float(np.sqrt(size))
        found.append(
            Row(
                f"a sample of {size:,} rows of the census, {len(names)} columns, {DRAWS} draws",
                f"{np.mean(off):.4f} from all rows (mean Jensen–Shannon distance)",
                f"mean prediction off by {np.std(mean):.5f} (standard error)",
            )
        )
    return noise, found
