"""Run the benchmarks and print one Markdown table: ``python -m benchmarks [NAME …] [--docs]``.

With ``--docs`` each writes its rows into its section of docs/benchmarks.md, with the command.

A benchmark is a module of this package with ``rows(folder)`` (see benchmarks/table.py); its name
stands in ``BENCHMARKS``.
"""

from __future__ import annotations

import os
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import cast

from benchmarks import page
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
HEAD = "| what | measured | beside it |\n|---|---|---|"


def main(names: list[str], docs: bool = False) -> None:
    """Measure what is named, or everything."""
    if unknown := sorted(set(names) - set(BENCHMARKS)):
        raise SystemExit(f"No benchmark {', '.join(unknown)}; there are: {', '.join(BENCHMARKS)}.")
    print(HEAD, flush=True)
    for name in names or BENCHMARKS:
        lines: list[str] = []
        with tempfile.TemporaryDirectory() as folder:
            # Imported when its turn comes: one that is broken does not stop those before it.
            module = import_module(f"benchmarks.{name}")
            for row in cast(Benchmark, module).rows(Path(folder)):
                print(row.markdown, flush=True)
                lines.append(row.markdown)
        if docs:
            write(name, (module.__doc__ or name).splitlines()[0], lines)


def write(name: str, title: str, lines: list[str]) -> None:
    """The section of a benchmark, with the command that measured it."""
    sizes = os.environ.get("HAWKEYE_ROWS", "")
    command = f"python -m benchmarks {name} --docs"
    command = f"HAWKEYE_ROWS={sizes} {command}" if sizes else command
    page.write(name, title.rstrip("."), command, [HEAD, *lines, ""])


if __name__ == "__main__":
    main([a for a in sys.argv[1:] if a != "--docs"], "--docs" in sys.argv)
