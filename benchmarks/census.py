"""The census log kept under ``benchmarks/data``: what it is and its licence stand there."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path

import pandas as pd

FILE = Path(__file__).parent / "data" / "employment_MA.parquet"
SHA256 = "c2a6d872fd450c6cc70b409562bb808580fef2690bc6114a3caac64e6a30dd3e"

FEATURES = (
    "AGEP",
    "SCHL",
    "MAR",
    "RELP",
    "DIS",
    "ESP",
    "CIT",
    "MIG",
    "MIL",
    "ANC",
    "NATIVITY",
    "DEAR",
    "DEYE",
    "DREM",
    "SEX",
    "RAC1P",
)
NUMBERS = ("AGEP", "SCHL")
"""Age in years and the level of schooling are ordered; the other codes only name."""


def load() -> pd.DataFrame:
    """A row a person in the survey's order: FEATURES, ``employed`` (0 or 1), ``year``, and
    ``predicted_probability``. Raises ValueError when the file is not the one that is kept."""
    data = FILE.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise ValueError(f"{FILE.name} has SHA-256 {found}, not {SHA256}: take it from git again")
    return pd.read_parquet(BytesIO(data))
