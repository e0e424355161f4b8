"""A team's tables in PostgreSQL, as teams have them: the same evidence as from Parquet files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.engine import connect
from analysis.evidence import CannotExamine
from bot.config import check, load
from tests.engines import postgres, world

pytestmark = pytest.mark.postgres

TYPES = {
    "prediction": "numeric(18, 17)",
    "label_time": "timestamptz",
    "time": "timestamptz",
    "made": "timestamptz",
    "region": "ml.region",
    "arm": "varchar(10)",
    "snapshot": "char(4)",
}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a server."""
    with postgres.server() as found:
        yield found


@pytest.fixture(scope="module")
def settings(
    url: str, tmp_path_factory: pytest.TempPathFactory, frames: dict[str, pd.DataFrame]
) -> Path:
    """The tables in a schema of their own: an enumeration, times with a zone, decimals, yes and
    no, names in capitals and with spaces."""
    log = frames["log"].assign(label=frames["log"]["label"] == 1)
    for name in ("time", "label_time", "made"):
        log[name] = log[name].dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")
    kinds = ", ".join(f"'{name}'" for name in sorted(set(log["region"])))
    postgres.run(
        url,
        "CREATE SCHEMA ml",
        f"CREATE TYPE ml.region AS ENUM ({kinds})",
        'CREATE SCHEMA "My Team"',
    )
    places = {name: f"ml.{name}" for name in frames} | {"infra": '"My Team"."Infra"'}
    for name, frame in (frames | {"log": log}).items():
        postgres.fill(url, places[name], frame, TYPES if name == "log" else None)
    sources = places | {"infra": "My Team.Infra"}
    return world.write_settings(tmp_path_factory.mktemp("postgres"), "postgres", sources, url)


def test_a_triage_says_the_same_over_postgres_as_over_parquet(
    settings: Path, over_parquet: dict[str, Any]
) -> None:
    """Step by step, to the planted cause."""
    world.says_the_same(settings, over_parquet)


def test_a_log_too_large_for_memory_is_counted_by_postgres(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only counts and bounded samples come back, and say the same."""
    world.too_large_for_memory(monkeypatch)
    report = world.walked(settings)
    step = next(step for step in report["path"] if step["node"] == "features")
    assert step["verdict"] == "inputs", step["headline"]
    assert step["suspects"][0]["name"] == "f"


def test_tables_in_postgres_are_looked_at(settings: Path) -> None:
    """A table of another schema that is not there: which ones are."""
    assert check(load(settings, {})) == []
    wrong = settings.with_name("wrong.toml")
    wrong.write_text(settings.read_text().replace("ml.log", "ml.logs"))
    told = "\n".join(check(load(wrong, {})))
    assert "`lineage`, `log`, `runs`, `snapshots` in `ml`. Did you mean `log`?" in told


def test_a_server_that_cannot_be_reached_is_said_without_the_password(url: str) -> None:
    """Nobody listens there, or the database is another."""
    with pytest.raises(CannotExamine, match="Connection refused") as refused:
        connect("postgres://bo:s3cret@127.0.0.1:1/team")
    with pytest.raises(CannotExamine, match='database "nowhere" does not exist') as unknown:
        connect(url.replace("team@", "team:s3cret@").replace("/postgres", "/nowhere"))
    assert "s3cret" not in f"{refused.value}{unknown.value}"


def test_a_missing_driver_is_said_with_the_packages_that_bring_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ibis's extra alone would still need a library of the system's."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(CannotExamine, match=r'pip install "ibis-framework\[postgres\]" "psycopg'):
        connect("postgresql://127.0.0.1/team")
