"""The tables in Parquet files, with what a triage over them says: what each engine is held to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.engines import world


@pytest.fixture(scope="session")
def frames() -> dict[str, pd.DataFrame]:
    """The team's tables, by what the contract calls them."""
    return world.tables()


@pytest.fixture(scope="session")
def parquet(tmp_path_factory: pytest.TempPathFactory, frames: dict[str, pd.DataFrame]) -> Path:
    """Settings over Parquet files, read by DuckDB."""
    return world.in_parquet(tmp_path_factory.mktemp("parquet"), frames)


@pytest.fixture(scope="session")
def over_parquet(parquet: Path) -> dict[str, Any]:
    """The headless triage over Parquet files."""
    return world.walked(parquet)
