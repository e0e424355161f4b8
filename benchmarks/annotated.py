"""Public series that people annotated, read from folders that the person names.

They are not in this repository: clone github.com/alan-turing-institute/TCPD and
github.com/numenta/NAB, and name the folders in ``HAWKEYE_TCPD`` and ``HAWKEYE_NAB``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.scoring import Windows

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Changing:
    """A series (n,) with the changes that each of several people marked."""

    name: str
    values: Floats
    marked: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Disturbed:
    """A series (n,) at ``times`` with the windows in which people saw an anomaly."""

    name: str
    times: np.ndarray[Any, np.dtype[np.datetime64]]
    values: Floats
    marked: Windows


def folder(variable: str) -> Path | None:
    """The folder that an environment variable names; None when it is not set."""
    named = os.environ.get(variable)
    return Path(named) if named else None


def changing(root: Path) -> Iterator[Changing]:
    """Series of one variable of the Turing Change Point Dataset that are in ``root``."""
    marks = json.loads((root / "annotations.json").read_text())
    for path in sorted(root.glob("datasets/*/*.json")):
        one = json.loads(path.read_text())
        if one["n_dim"] == 1 and one["name"] in marks:
            raw = [np.nan if v is None else float(v) for v in one["series"][0]["raw"]]
            marked = tuple(tuple(person) for person in marks[one["name"]].values())
            yield Changing(one["name"], np.array(raw), marked)


def disturbed(root: Path) -> Iterator[Disturbed]:
    """All series of the Numenta Anomaly Benchmark."""
    import pandas as pd

    windows = json.loads((root / "labels" / "combined_windows.json").read_text())
    for name in sorted(windows):
        frame = pd.read_csv(root / "data" / name, parse_dates=["timestamp"])
        times = frame["timestamp"].to_numpy("datetime64[s]")
        places = tuple(
            (
                int(np.searchsorted(times, np.datetime64(a[:19]))),
                int(np.searchsorted(times, np.datetime64(b[:19]))),
            )
            for a, b in windows[name]
        )
        yield Disturbed(name, times, frame["value"].to_numpy(float), Windows(places, len(times)))
