"""The ``[scorer]`` of benchmarks: models as they were pickled, ``python -m benchmarks.scorer``."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import pandas as pd

ROOT = Path(__file__).parents[1]
COMMAND = (
    "env",
    f"PYTHONPATH={ROOT}",
    sys.executable,
    "-m",
    "benchmarks.scorer",
    "{rows}",
    "{answers}",
)
"""From any folder: the benchmarks are not installed."""


def put(file: Path, model: Any) -> None:
    """Write an artifact: anything that answers a frame of features with a prediction a row."""
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(pickle.dumps(model))


def main(rows: str, answers: str) -> None:
    """Answers to ``rows``, each by its artifact."""
    asked = pd.read_parquet(rows)
    out = pd.Series(0.0, index=asked.index)
    for file, mine in asked.groupby("artifact"):
        out[mine.index] = pickle.loads(Path(str(file)).read_bytes())(mine)
    pd.DataFrame({"prediction": out}).to_parquet(answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
