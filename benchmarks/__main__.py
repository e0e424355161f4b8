"""Run the benchmarks and print one Markdown table: ``python -m benchmarks [NAME …]``.

A benchmark is a module of this package with ``rows(folder)`` (see benchmarks/table.py); its name
stands in ``BENCHMARKS``.
"""

from __future__ import annotations

import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import cast

from benchmarks.table import Benchmark

BENCHMARKS = (
    "clicks",
    "cold",
    "features",
    "inside",
    "large",
    "onsets",
    "profile",
    "quality",
    "scale",
    "segments",
    "snapshots",
    "storm",
    "upstream",
    "walks",
)


def main(names: list[str]) -> None:
    """Measure what is named, or everything."""
    if unknown := sorted(set(names) - set(BENCHMARKS)):
        raise SystemExit(f"No benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}.")
    print("| what | measured | beside it |\n|---|---|---|", flush=True)
    for name in names or BENCHMARKS:
        with tempfile.TemporaryDirectory() as folder:
            # Imported when its turn comes: one that is broken does not stop those before it.
            benchmark = cast(Benchmark, import_module(f"benchmarks.{name}"))
            for row in benchmark.rows(Path(folder)):
                print(row.markdown, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
