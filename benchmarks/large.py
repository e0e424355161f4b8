"""A headless triage of a large log, a thousand columns, ten thousand snapshots × arms.

``HAWKEYE_ROWS=5000000 python -m benchmarks large`` sets the rows of the triage.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.profile import CHUNK, HOURS, chunk, profiled
from benchmarks.table import Row

ROWS = (1_000_000,)
BROKE = 160
"""The hour, of HOURS, from which on one feature is lost."""
VICTIM = "x1"
WIDE_ROWS, WIDE = 200_000, 1_000
SLICED_ROWS, SNAPSHOTS, ARMS = 1_000_000, 5_000, 2
_HOUR = np.timedelta64(3600, "s")
_BEGAN = np.datetime64("2026-01-01", "us")

SETTINGS = """\
[tables.predictions]
source = "log.parquet"
time = "at"
prediction = "score"
label = "label"
{more}
[[models]]
name = "model"

[[metrics]]
name = "calibration"
kind = "calibration"
"""
SLICES = 'snapshot = "snapshot"\narm = "arm"\n'


def rows(folder: Path) -> Iterator[Row]:
    """Each in processes of its own, whose memory is told beside it."""
    named = os.environ.get("HAWKEYE_ROWS", "")
    for size in [int(n) for n in named.split(",") if n] or ROWS:
        yield from _triaged(folder / str(size), size)
    yield _wide(folder)
    yield from _triaged(folder / "sliced", SLICED_ROWS, sliced=True)


# -- triage ----------------------------------------------------------------------------------------


def _triaged(folder: Path, size: int, sliced: bool = False) -> Iterator[Row]:
    """Without a saved profile, then with the one that this left behind."""
    folder.mkdir()
    _write(folder / "log.parquet", size, sliced)
    (folder / "hawkeye.toml").write_text(SETTINGS.format(more=SLICES if sliced else ""))
    kind = f", {SNAPSHOTS:,} snapshots × {ARMS} arms" if sliced else ""
    for saved in ("no saved profile", "a saved profile"):
        run = _run(folder)
        yield Row(
            f"headless triage, {size:,} rows × 51 features{kind}, {saved}",
            f"{run.seconds:.1f} s; {run.found}",
            f"{run.peak_mb:,.0f} MB at most; slowest step {run.slowest}",
        )
    (folder / "log.parquet").unlink()


@dataclass(frozen=True)
class Run:
    """How long a triage took, the most memory that its process held, and what it found."""

    seconds: float
    peak_mb: float
    found: str
    slowest: str


def _run(folder: Path) -> Run:
    since = str(_BEGAN + BROKE * _HOUR)
    call = [sys.executable, "-c", _TRIAGE, "triage", "calibration", "--since", since]
    began = time.perf_counter()
    done = subprocess.run(
        [*call, "--auto", "--json", "--over-budget"], cwd=folder, capture_output=True, text=True
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    told, peak = done.stdout.rsplit("\n", 2)[0], float(done.stdout.rsplit("\n", 2)[1])
    walk: dict[str, Any] = json.loads(told)
    named = [c["name"] for c in walk["conclusion"]["causes"]]
    slow = max(walk["path"], key=lambda step: step["seconds"])
    found = f"{walk['conclusion']['kind']}" + (f" {', '.join(named[:2])}" if named else "")
    return Run(seconds, peak, found, f"{slow['node']}, {slow['seconds']:.1f} s")


_TRIAGE = """\
import resource
from bot.cli import main
try:
    main()
finally:
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def _write(log: Path, size: int, sliced: bool) -> None:
    """The profile's log with a score that three features make, its label, and one of the three
    lost for half of the rows since BROKE."""
    rng, writer = np.random.default_rng(11), None
    for start in range(0, size, CHUNK):
        table = _broken(rng, chunk(rng, start, min(CHUNK, size - start), size))
        if sliced:
            table = _sliced(rng, table)
        writer = writer or pq.ParquetWriter(log, table.schema)
        writer.write_table(table, row_group_size=CHUNK // 2)
    if writer is not None:
        writer.close()


def _broken(rng: np.random.Generator, table: pa.Table) -> pa.Table:
    n = table.num_rows
    x = {name: table[name].to_numpy() for name in (VICTIM, "x2", "x5")}
    truth = 0.9 * x[VICTIM] + 0.5 * x["x2"] - 0.4 * x["x5"]
    late = table["at"].to_numpy() >= _BEGAN + BROKE * _HOUR
    lost = late & (rng.random(n) < 0.5)
    seen = truth - np.where(lost, 0.9 * x[VICTIM], 0.0) - np.where(lost, 1.0, 0.0)
    columns = {
        VICTIM: pa.array(x[VICTIM], mask=lost),
        "score": pa.array(1 / (1 + np.exp(-seen))),
    }
    for name, column in columns.items():
        table = table.set_column(table.schema.get_field_index(name), name, column)
    label = (rng.random(n) < 1 / (1 + np.exp(-truth))).astype(np.int8)
    return table.append_column("label", pa.array(label))


def _sliced(rng: np.random.Generator, table: pa.Table) -> pa.Table:
    names = pa.array([f"s{i}" for i in range(SNAPSHOTS)])
    arms = pa.array(["control", "test"])
    for name, levels in (("snapshot", names), ("arm", arms)):
        code = pa.array(rng.integers(len(levels), size=table.num_rows).astype(np.int32))
        table = table.append_column(name, pa.DictionaryArray.from_arrays(code, levels))
    return table


# -- many columns ----------------------------------------------------------------------------------


def _wide(folder: Path) -> Row:
    """``hawkeye profile`` over a thousand columns."""
    log, rng, writer = folder / "wide.parquet", np.random.default_rng(13), None
    part = WIDE_ROWS // 10
    for start in range(0, WIDE_ROWS, part):
        share = np.sort(rng.uniform(start, start + part, part)) / WIDE_ROWS
        at = _BEGAN + (share * HOURS * 3.6e9).astype("timedelta64[us]")
        columns: dict[str, Any] = {"at": at, "score": rng.random(part)}
        columns |= {f"x{i}": rng.normal(size=part) for i in range(WIDE - 1)}
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(log, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()
    run = profiled(log)
    log.unlink()
    return Row(
        f"profile, {WIDE_ROWS:,} rows × {run['columns']:,} columns × {run['buckets']} hours",
        f"{run['seconds'] / run['scan_seconds']:.1f} × a plain scan ({run['seconds']:.1f} s)",
        f"{run['peak_mb']:.0f} MB at most",
    )
