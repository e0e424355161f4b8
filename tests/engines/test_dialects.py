"""What every check asks compiles for other engines, without a server of theirs.

The engine is DuckDB under another's name and with the other's functions alone, so that a check
asks it what it would ask the other one.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Any, ClassVar

import ibis.backends.sql.compilers as compilers
import pytest
from ibis.backends.duckdb import Backend
from sqlglot import ErrorLevel

from analysis import engine, portable
from analysis.charts import style
from analysis.inputs import gather
from analysis.portable import timestamp
from analysis.scenarios import Options, Planted, plant
from analysis.tables import Contract
from analysis.warehouse import Warehouse
from bot.plugins import tree as wanted_tree

TREE = wanted_tree()
LABELS, UNIT = "corrupted_labels", "unit_change"
CHECKS = {node.check: node.name for node in reversed(TREE.nodes)}
ALIKE = (("bigquery",), ("clickhouse", "databricks", "snowflake"), ("postgres",), ("trino",))
"""Engines, those together of which checks ask the same."""
ELSEWHERE = {"engine.py", "cost.py"}
"""Where engines are named for how they connect and what a query costs, which no check asks."""
TABLES = ("predictions", "infra", "snapshots", "lineage", "runs", "training")
FEATURES = ("temp", "age", "carrier", "channel")
"""Of each kind, for time: with gaps and without, of few levels."""
TRINO_HASH = """
CREATE MACRO to_utf8(text) AS encode(text);
CREATE MACRO xxhash64(bytes) AS bytes;
CREATE MACRO from_big_endian_64(bytes) AS (hash(bytes) // 2)::BIGINT
"""


class Standing(Backend):
    """DuckDB that stands for engines: it answers what compiles for each of them."""

    asked: Sequence[Any]
    told: list[str]
    node: str
    answers: ClassVar[dict[Any, Any]] = {}

    @classmethod
    def has_operation(cls, operation: Any, /) -> bool:
        """As those engines have it, in which they do not differ."""
        (known,) = {_knows(compiler, operation) for compiler in cls.asked}
        return known

    def execute(self, expr: Any, /, **options: Any) -> Any:
        """Compiled for those engines, in whose dialects nothing may be lost. The answer is the
        same for each engine, so that one after the first need not wait for it."""
        for compiler in self.asked:
            query = compiler.to_sqlglot(expr.as_table())
            sql = query.sql(compiler.dialect, unsupported_level=ErrorLevel.RAISE)
        self.told.append(sql)
        key = (self.node, len(self.told), *expr.as_table().schema().items())
        if key not in self.answers:
            self.answers[key] = super().execute(expr, **options)
        return copy(self.answers[key])


def _knows(compiler: Any, operation: Any) -> bool:
    visit = getattr(compiler, f"visit_{operation.__name__}", None)
    known = visit not in (None, compiler.visit_Undefined, compiler.visit_Unsupported)
    return known or operation in compiler.extra_supported_ops


@pytest.fixture(scope="module")
def teams(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Planted]:
    """Teams with all tables that checks read, by what hit them."""
    small = Options(dose=1.0, rows_per_day=300)
    folders = {fault: tmp_path_factory.mktemp(fault) for fault in (LABELS, UNIT)}
    return {fault: plant(fault, 31, folder, small) for fault, folder in folders.items()}


def standing(dialects: Sequence[str], root: Path) -> Standing:
    """A connection to the tables in a folder."""
    asked = [getattr(compilers, dialect).compiler for dialect in dialects]
    given = {"name": dialects[0], "asked": asked, "told": []}
    found: Standing = type(dialects[0], (Standing,), given)()
    found.do_connect()
    found.con.execute(TRINO_HASH)
    for table in TABLES:
        found.con.execute(f"CREATE VIEW {table} AS FROM '{root / table}.parquet'")
    return found


@pytest.mark.parametrize("dialects", ALIKE, ids=" ".join)
def test_every_check_compiles(
    dialects: Sequence[str], teams: dict[str, Planted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over tables of that engine, with a log that is too large for memory."""
    monkeypatch.setattr(gather, "IN_MEMORY", 0)
    monkeypatch.setattr(style, "_png", lambda figure: b"")  # nobody looks at the charts
    connections = {fault: standing(dialects, team.root) for fault, team in teams.items()}
    for check, node in CHECKS.items():
        # Who looks upstream has seen a feature break.
        fault = UNIT if node == "upstream" else LABELS
        connection, scope = connections[fault], teams[fault].at(node)
        monkeypatch.setattr(engine, "connect", lambda _, found=connection: found)
        contract = _of_tables(teams[fault].contract)
        connection.told.clear()
        connection.node = node
        evidence = check(Warehouse(contract, teams[fault].root, scope.now), scope)
        assert connection.told, f"{node} asked nothing: {evidence.headline}"


def _of_tables(contract: Contract) -> Contract:
    """The contract with the tables of an engine for files."""
    named = {name: getattr(contract, name).model_copy(update={"source": name}) for name in TABLES}
    named["predictions"] = named["predictions"].model_copy(update={"features": FEATURES})
    return contract.model_copy(update=named)


@pytest.mark.parametrize("dialect", [name for alike in ALIKE if alike[1:] for name in alike])
def test_engines_that_stand_together_have_no_words_of_their_own(dialect: str) -> None:
    """What one engine alone is asked stands beside its name, where it would be missed here."""
    root = Path(inspect.getfile(portable)).parent
    told = [path.name for path in root.rglob("*.py") if dialect in path.read_text("utf-8")]
    assert set(told) <= ELSEWHERE


def test_seconds_since_1970_compare_with_other_times() -> None:
    """BigQuery makes times with a zone of them, which it compares with none without."""
    asked = compilers.bigquery.compiler
    connection = type("bigquery", (Standing,), {"name": "bigquery", "asked": [asked]})()
    connection.do_connect()
    connection.con.execute("CREATE TABLE log (seconds BIGINT)")
    table = connection.table("log")
    query = asked.to_sqlglot(table.select(at=timestamp(table["seconds"])))
    assert "AS DATETIME) AS `at`" in query.sql(asked.dialect)
