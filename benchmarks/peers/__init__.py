"""Peers of the profile on the same task: how every column of every hour after the first day differs
from that day. Each runs in a virtual environment of its own, as they want other versions of pandas:

    python -m venv PEERS/evidently && PEERS/evidently/bin/pip install evidently==0.7.23 "pandas<3"
    python -m venv PEERS/nannyml && PEERS/nannyml/bin/pip install nannyml==0.13.1 statsmodels
    python -m venv PEERS/whylogs && PEERS/whylogs/bin/pip install whylogs==1.6.4 "pandas<3" pyarrow
    HAWKEYE_PEERS=PEERS python -m benchmarks profile

whylogs profiles the hours and compares none of them. Seconds are from the file on, Evidently's
without reading it.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.table import Row

NAMES = ("evidently", "nannyml", "whylogs")


def rows(log: Path, size: int, ours: float) -> Iterator[Row]:
    """Every peer that is there, beside the ``ours`` seconds of a whole profile of the same log."""
    for name in NAMES:
        python = Path(os.environ.get("HAWKEYE_PEERS", "")) / name / "bin" / "python"
        if "HAWKEYE_PEERS" not in os.environ or not python.exists():
            continue
        script = Path(__file__).with_name(f"run_{name}.py")
        quiet = {**os.environ, "NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1"}
        call = [str(python), "-W", "ignore", str(script), str(log)]
        done = subprocess.run(call, env=quiet, check=True, capture_output=True, text=True)
        found = json.loads(done.stdout.splitlines()[-1])
        seconds = found["seconds"] * found["hours"] / found["measured"]
        part = f"; {found['measured']} hours measured" if found["measured"] < found["hours"] else ""
        yield Row(
            f"— {name} {found['version']}, {size:,} rows, {found['hours']} hours{part}",
            f"{seconds:,.0f} s",
            f"{seconds / ours:,.0f} × the whole profile's {ours:.1f} s in this run",
        )
