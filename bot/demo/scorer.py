"""The demo's ``[scorer]``: scores rows with the artifacts that they name.

``python -m bot.demo.scorer ROWS ANSWERS``: both Parquet.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bot.demo.columns import FEATURES, TEXT_FEATURES
from bot.demo.nets import Net, design


def main(rows: str, answers: str) -> None:
    """Answers to ``rows``, each by its ``artifact``, as the column ``prediction``."""
    table = pq.read_table(rows)
    asked = table["artifact"].to_numpy()
    columns = {
        name: table[name].to_numpy().astype(object if name in TEXT_FEATURES else float)
        for name in FEATURES
    }
    matrix = design(columns)
    out = np.full(len(asked), np.nan)
    for file in set(asked):
        mine = asked == file
        out[mine] = Net.load(Path(file)).score(matrix[mine])
    pq.write_table(pa.table({"prediction": out}), answers)


if __name__ == "__main__":
    main(*sys.argv[1:])
