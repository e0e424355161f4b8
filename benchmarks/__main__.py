"""Run the benchmarks and print one Markdown table: ``python -m benchmarks [NAME …]``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks import bare, clicks

BENCHMARKS = {"clicks": clicks.measure}


def main(names: list[str]) -> None:
    """Measure what is named, or everything."""
    print("| what | measured | beside it, in the same run |\n|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for name in names or list(BENCHMARKS):
            for row in BENCHMARKS[name](Path(folder), bare.measure()):
                print(f"| {row.what} | {row.value} | {row.beside} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
