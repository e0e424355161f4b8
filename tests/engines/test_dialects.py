"""What every check asks compiles for other engines, without a server of theirs.

The engine is DuckDB under another's name and with the other's functions alone, so that a check
asks it what it would ask the other one.
"""

from __future__ import annotations

from copy import copy
from pathlib import Path
from typing import Any, ClassVar

import ibis.backends.sql.compilers as compilers
import pytest
from ibis.backends.duckdb import Backend
from sqlglot import ErrorLevel

from analysis import engine
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
DIALECTS = ("bigquery", "clickhouse", "databricks", "postgres", "snowflake", "trino")
TABLES = ("predictions", "infra", "snapshots", "lineage", "runs", "training")
TRINO_HASH = """
CREATE MACRO to_utf8(text) AS encode(text);
CREATE MACRO xxhash64(bytes) AS bytes;
CREATE MACRO from_big_endian_64(bytes) AS (hash(bytes) // 2)::BIGINT
"""


class Standing(Backend):
    """DuckDB that stands for an engine: it answers what compiles for that one."""

    asked: Any
    told: list[str]
    node: str
    answers: ClassVar[dict[Any, Any]] = {}

    @classmethod
    def has_operation(cls, operation: Any, /) -> bool:
        """As that engine has it."""
        visit = getattr(cls.asked, f"visit_{operation.__name__}", None)
        known = visit not in (None, cls.asked.visit_Undefined, cls.asked.visit_Unsupported)
        return known or operation in cls.asked.extra_supported_ops

    def execute(self, expr: Any, /, **options: Any) -> Any:
        """Compiled for that engine, in whose dialect nothing may be lost. The answer is the same
        for each engine, so that one after the first need not wait for it."""
        query = self.asked.to_sqlglot(expr.as_table())
        self.told.append(query.sql(self.asked.dialect, unsupported_level=ErrorLevel.RAISE))
        key = (self.node, len(self.told), *expr.as_table().schema().items())
        if key not in self.answers:
            self.answers[key] = super().execute(expr, **options)
        return copy(self.answers[key])


@pytest.fixture(scope="module")
def teams(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Planted]:
    """Teams with all tables that checks read, by what hit them."""
    small = Options(dose=1.0, rows_per_day=300)
    folders = {fault: tmp_path_factory.mktemp(fault) for fault in (LABELS, UNIT)}
    return {fault: plant(fault, 31, folder, small) for fault, folder in folders.items()}


def standing(dialect: str, root: Path) -> Standing:
    """A connection to the tables in a folder."""
    given = {"name": dialect, "asked": getattr(compilers, dialect).compiler, "told": []}
    found: Standing = type(dialect, (Standing,), given)()
    found.do_connect()
    found.con.execute(TRINO_HASH)
    for table in TABLES:
        found.con.execute(f"CREATE VIEW {table} AS FROM '{root / table}.parquet'")
    return found


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_check_compiles(
    dialect: str, teams: dict[str, Planted], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over tables of that engine, with a log that is too large for memory."""
    monkeypatch.setattr(gather, "IN_MEMORY", 0)
    monkeypatch.setattr(style, "_png", lambda figure: b"")  # nobody looks at the charts
    connections = {fault: standing(dialect, team.root) for fault, team in teams.items()}
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
    return contract.model_copy(update=named)


def test_seconds_since_1970_compare_with_other_times() -> None:
    """BigQuery makes times with a zone of them, which it compares with none without."""
    asked = compilers.bigquery.compiler
    connection = type("bigquery", (Standing,), {"name": "bigquery", "asked": asked})()
    connection.do_connect()
    connection.con.execute("CREATE TABLE log (seconds BIGINT)")
    table = connection.table("log")
    query = asked.to_sqlglot(table.select(at=timestamp(table["seconds"])))
    assert "AS DATETIME) AS `at`" in query.sql(asked.dialect)
