"""The one-pass profile of a log: time beside a plain scan of the same columns, and memory.

``HAWKEYE_ROWS=1000000,5000000,20000000 python -m benchmarks profile`` sets the sizes;
``HAWKEYE_PEERS`` names a folder with peers (benchmarks/peers).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import peers
from benchmarks.table import Row

SIZES = (250_000, 1_000_000)
HOURS, NUMBERS, LEVELS = 168, 42, (2, 3, 8, 12, 20, 50, 200, 1000)
CHUNK = 250_000
MOST_OF_PEERS = 1_000_000
"""Peers hold the whole log in memory: larger ones are not given to them."""
RUNS = 3


def rows(folder: Path) -> Iterator[Row]:
    """Profile made-up logs of 51 columns × 168 hours, each size in processes of its own."""
    for size in _sizes():
        log = folder / f"{size}.parquet"
        write(log, size)
        runs = [profiled(log) for _ in range(RUNS)]
        ratio = float(np.median([r["seconds"] / r["scan_seconds"] for r in runs]))
        seconds = float(np.median([r["seconds"] for r in runs]))
        yield Row(
            f"profile, {size:,} rows × {runs[0]['columns']} columns × {runs[0]['buckets']} hours",
            f"{ratio:.1f} × a plain scan ({seconds:.1f} s)",
            f"{max(r['peak_mb'] for r in runs):.0f} MB at most",
        )
        if size <= MOST_OF_PEERS:
            yield from peers.rows(log, size, seconds)
        log.unlink()


def _sizes() -> list[int]:
    named = os.environ.get("HAWKEYE_ROWS", "")
    return [int(n) for n in named.split(",") if n] or list(SIZES)


def profiled(log: Path) -> dict[str, float]:
    """What ``hawkeye profile --json`` prints of a log, in a process of its own."""
    call = [sys.executable, "-m", "bot.cli", "profile", str(log)]
    asked = [*call, "--time", "at", "--prediction", "score", "--json"]
    done = subprocess.run(asked, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def write(log: Path, size: int, seed: int = 7) -> None:
    """A log in order of time: numbers (a quarter with nulls), levels, a prediction."""
    import pyarrow.parquet as pq

    rng = np.random.default_rng(seed)
    writer = None
    for start in range(0, size, CHUNK):
        table = chunk(rng, start, min(CHUNK, size - start), size)
        writer = writer or pq.ParquetWriter(log, table.schema)
        writer.write_table(table, row_group_size=CHUNK // 2)
    if writer is not None:
        writer.close()


def chunk(rng: np.random.Generator, start: int, n: int, size: int) -> Any:
    """Rows ``start`` to ``start + n`` of a log of ``size``, an Arrow table."""
    import pyarrow as pa

    share = np.sort(rng.uniform(start / size, (start + n) / size, n))
    at = np.datetime64("2026-01-01", "us") + (share * HOURS * 3.6e9).astype("timedelta64[us]")
    shared = rng.normal(size=n)
    columns: dict[str, object] = {"at": at}
    for i in range(NUMBERS):
        x = rng.lognormal(0, 1, n) if i % 3 == 0 else 0.3 * shared + rng.normal(0, 1 + i % 5, n)
        columns[f"x{i}"] = pa.array(x, mask=rng.random(n) < 0.03 if i % 4 == 0 else None)
    for i, count in enumerate(LEVELS):
        level = pa.array([f"level {k}" for k in range(count)])
        code = ((rng.zipf(1.6, n) - 1) % count).astype(np.int32)
        columns[f"k{i}"] = pa.DictionaryArray.from_arrays(pa.array(code), level)
    columns["score"] = 1 / (1 + np.exp(-shared))
    return pa.table(columns)
