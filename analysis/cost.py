"""What a query would read, as its engine says before the query is run.

An engine whose word can't be had, or costs as much as the query, is not asked: its queries are
not counted, and nothing is said of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.budget import Excess, OverBudget

if TYPE_CHECKING:
    import pandas as pd

MOST_SCANS = 50
"""A step scans a table no more often than this: files that fit into what is left that many times
are not measured."""

_METADATA = """
SELECT file_name, row_group_id, path_in_schema AS name, total_compressed_size AS size,
       TRY_CAST(stats_min_value AS TIMESTAMP) AS low, TRY_CAST(stats_max_value AS TIMESTAMP) AS high
FROM parquet_metadata(?)
"""
_BOUND = re.compile(r"""\(?"?([^"()]+?)"? (>=|>|<=|<) '([^']+)'::(?:TIMESTAMP|DATE)""")


class Meter:
    """Adds up what the queries of one step read, and refuses the one that goes over ``most`` bytes.

    ``files`` are the views that stand for files, with their paths: a DuckDB of ours fills it.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.read = 0
        self.files: dict[str, str] = {}
        self._metadata: dict[str, pd.DataFrame] = {}
        self._sizes: dict[str, int | None] = {}

    def watch(self, connection: Any) -> None:
        """Has every query of an Ibis connection pass by on its way to the engine.

        Raises OverBudget, from then on, in place of a query that would go over.
        """
        compile_ = connection.compile

        def compiled(expression: Any, /, **options: Any) -> str:
            query: str = compile_(expression, **options)
            self.charge(connection, query)
            return query

        connection.compile = compiled

    def charge(self, connection: Any, query: str) -> None:
        """Counts a query; OverBudget when it would read more than is left."""
        ask = _ENGINES.get(connection.name)
        if ask is None:
            return
        try:
            needs = self.read + (ask(connection, query, self) or 0)
        except Exception:
            # No estimate is a reason to refuse a query that may be right: one that is wrong says so
            # itself when it runs.
            return
        if needs > self.most:
            raise OverBudget(Excess("bytes", needs, self.most))
        self.read = needs

    # -- files ---------------------------------------------------------------------------------

    def named_in(self, query: str) -> set[str]:
        """The paths whose views a query names, as far as they are large enough to be measured."""
        found = {path for view, path in self.files.items() if f'"{view}"' in query}
        return {path for path in found if not self._small(path)}

    def _small(self, path: str) -> bool:
        size = self.size(path)
        return size is not None and MOST_SCANS * size <= self.most

    def size(self, path: str) -> int | None:
        """Bytes of all files of a path; None for an address, whose files can't be listed here."""
        if path not in self._sizes:
            here = "://" not in path
            files = glob(path, recursive=True) if here else []
            self._sizes[path] = sum(Path(f).stat().st_size for f in files) if here else None
        return self._sizes[path]

    def columns(self, connection: Any, path: str) -> pd.DataFrame:
        """A row for each column of each row group of Parquet files: its name, its packed bytes,
        and its least and greatest value where it holds times."""
        if path not in self._metadata:
            self._metadata[path] = connection.con.execute(_METADATA, [path]).df()
        return self._metadata[path]


def _duckdb(connection: Any, query: str, meter: Meter) -> int | None:
    """The columns that the plan reads of files, in the row groups that its bounds of time leave.

    A table inside of DuckDB counts nothing: it is read where it lies.
    """
    paths = meter.named_in(query)
    if not paths:
        return None
    plan = json.loads(connection.con.execute(f"EXPLAIN (FORMAT JSON) {query}").fetchall()[0][1])
    return sum(_scanned(connection, scan, paths, meter) for scan in _scans(plan))


def _scans(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        if node["name"].strip().startswith("READ_"):
            yield node
        yield from _scans(node["children"])


def _scanned(connection: Any, scan: Mapping[str, Any], paths: set[str], meter: Meter) -> int:
    """The plan does not say which file a scan reads: of several that may be, the largest."""
    said = scan["extra_info"]
    if "PARQUET" not in scan["name"]:
        return max(meter.size(path) or 0 for path in paths)
    projected = said.get("Projections", [])
    names = {projected} if isinstance(projected, str) else set(projected)
    where = str(said.get("Filters", ""))
    bounds = [] if " OR " in where else _BOUND.findall(where)
    names |= {name for name, _, _ in bounds}
    return max(_bytes(meter.columns(connection, path), names, bounds) for path in paths)


def _bytes(columns: pd.DataFrame, names: set[str], bounds: list[tuple[str, str, str]]) -> int:
    groups = ["file_name", "row_group_id"]
    names = {name for name in names if not _in_folders(columns, name)}
    wanted = columns[columns["name"].isin(names)]
    if len(wanted["name"].unique()) < len(names):
        return 0  # another file's columns
    for name, sign, moment in bounds:
        of = columns[columns["name"] == name]
        misses = of["high"] < moment if sign.startswith(">") else of["low"] > moment
        gone = of.loc[misses, groups]
        keys = wanted.set_index(groups).index
        wanted = wanted[~keys.isin(gone.set_index(groups).index)]
    return int(wanted["size"].sum())


def _in_folders(columns: pd.DataFrame, name: str) -> bool:
    """Whether a column stands in the names of folders, ``day=2026-01-08/``: it takes no bytes."""
    return bool(columns["file_name"].str.contains(f"/{name}=", regex=False).all())


# -- engines that say it themselves --------------------------------------------------------------


def _bigquery(connection: Any, query: str, _: Meter) -> int:
    """A dry run, which costs nothing: the bytes that the query would be billed for."""
    from google.cloud.bigquery import QueryJobConfig

    job = connection.client.query(query, job_config=QueryJobConfig(dry_run=True))
    return int(job.total_bytes_processed)


def _snowflake(connection: Any, query: str, _: Meter) -> int:
    """Bytes of the micro-partitions that are left after pruning, by EXPLAIN."""
    [[plan]] = connection.con.cursor().execute(f"EXPLAIN USING JSON {query}").fetchall()
    return int(json.loads(plan)["GlobalStats"]["bytesAssigned"])


def _trino(connection: Any, query: str, _: Meter) -> int | None:
    """Bytes of the columns that are read, by the statistics of the tables; None without any."""
    cursor = connection.con.cursor()
    cursor.execute(f"EXPLAIN (TYPE IO, FORMAT JSON) {query}")
    [[plan]] = cursor.fetchall()
    tables = json.loads(plan)["inputTableColumnInfos"]
    sizes = [float(table["estimate"]["outputSizeInBytes"]) for table in tables]
    return None if any(size != size for size in sizes) else round(sum(sizes))


_ENGINES: dict[str, Callable[[Any, str, Meter], int | None]] = {
    "duckdb": _duckdb,
    "bigquery": _bigquery,
    "snowflake": _snowflake,
    "trino": _trino,
}
