"""An engine that Ibis speaks: a connection, the tables in it, and its errors in a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from analysis import spark
from analysis.evidence import CannotExamine

_PACKAGES = {"ibis", "duckdb", "sqlglot", "pyarrow", "sqlite3", "psycopg", "polars"}
_PACKAGES |= {"google", "snowflake", "pyspark", "py4j", "trino", "clickhouse_connect", "pyodbc"}
"""Packages whose errors are an engine's."""
_IN_A_FILE = ("duckdb", "sqlite")
_EXTRAS = {"postgresql": "postgres", "md": "duckdb", "spark": "pyspark"}
"""What the extra of Ibis is called where it is not the address's scheme."""
_DRIVERS = {"postgres": ' "psycopg[binary]"'}
"""What the extra leaves to the system."""


def connect(url: str = "duckdb://") -> Any:
    """A connection to any engine that Ibis speaks; CannotExamine when there is none to be had.

    DuckDB reads times in UTC, and keeps quiet: a bar of its own would go to standard output,
    into the midst of a result.
    """
    import ibis

    scheme, _, rest = url.partition("://")
    if scheme in _IN_A_FILE and rest.startswith("/") and not Path(rest.partition("?")[0]).exists():
        # The engine would make an empty one.
        raise CannotExamine(f"[data] url ({scheme}): there is no file {rest.partition('?')[0]}.")
    try:
        if scheme == "spark":  # Ibis's own address for it names no cluster
            connection = ibis.pyspark.connect(spark.session(url))
        else:
            connection = ibis.connect(url)
    except Exception as error:
        # An address may hold a password.
        why = first_line(error).replace(url, f"{scheme}://…").replace(rest or url, "…")
        if isinstance(error, ImportError):
            extra = _EXTRAS.get(scheme, scheme)
            packages = f'"ibis-framework[{extra}]"{_DRIVERS.get(extra, "")}'
            why = f"its driver is not installed: pip install {packages}"
        elif isinstance(error, ValueError) and "Port" in why:
            # A mark in a password: what stands before it is taken for the port, and would be shown.
            why = "in a password, write %2F for /, %3F for ? and %23 for #"
        raise CannotExamine(
            f"[data] url ({scheme}): no connection could be made: {why.rstrip('.')}."
        ) from error
    if connection.name == "duckdb":
        connection.raw_sql("SET TimeZone = 'UTC'")
        connection.raw_sql("SET enable_progress_bar = false")
    return connection


# -- tables --------------------------------------------------------------------------------------


def table(connection: Any, source: str, root: Path) -> Any:
    """What ``source`` names, as an Ibis table: a file, a folder or an address of files (relative
    to ``root``), or a table of the engine's. CannotExamine says why it can't be read."""
    try:
        if path := files(source, root):
            read = getattr(connection, f"read_{_format(path)}")
            # Spark knows no "**"; it reads a folder as it is.
            return read(path.partition("/**/")[0] if connection.name == "pyspark" else path)
        *where, name = parts(source)
        found = connection.table(name, database=tuple(where) or None)
        return _with_text(found) if connection.name == "postgres" else found
    except Exception as error:
        raise CannotExamine(_no_table(connection, source, error) or first_line(error)) from error


def _with_text(found: Any) -> Any:
    """PostgreSQL's enumerations as text: Ibis takes them for it, but the engine compares them with
    their own values alone. (A cast to the type that a column seems to have would be left out.)"""
    plain = [name for name, kind in found.schema().items() if str(kind) == "string"]
    return found.mutate(**{name: found[name].cast("!string").cast("string") for name in plain})


def parts(source: str) -> list[str]:
    """The parts of ``catalog.schema.table``, of which the first ones may be missing; one in
    quotes may hold a dot."""
    found = re.findall(r'"([^"]+)"|`([^`]+)`|([^."`]+)', source)
    return [next(filter(None, each)) for each in found] or [source]


_FORMATS = {
    "parquet": (".parquet", ".parq", ".pq"),
    "csv": (".csv", ".tsv"),
    "json": (".json", ".ndjson", ".jsonl"),
}
_PACKED = (".gz", ".zst")


def files(source: str, root: Path) -> str:
    """The path, glob or address that ``source`` names; empty for a table of the engine's."""
    if "://" in source:
        return source
    path = root / source
    if ending(source):
        return str(path)
    if not path.is_dir():
        return ""
    ends = (ending(p.name) for p in sorted(path.rglob("*")))
    end = next((end for end in ends if end), "")
    return str(path / "**" / f"*{end}") if end else ""


def ending(name: str) -> str:
    """The end of a file's name that says what is in it (".csv.gz"); empty for none that is read."""
    bare = name.lower()
    for packed in _PACKED:
        bare = bare.removesuffix(packed)
    known = (end for ends in _FORMATS.values() for end in ends if bare.endswith(end))
    end = next(known, "")
    return name[len(bare) - len(end) :] if end else ""


def _format(path: str) -> str:
    """What reads the files of a path: Parquet where an address has no ending."""
    end = ending(path).lower()
    return next((kind for kind, ends in _FORMATS.items() if end.startswith(ends)), "parquet")


def _no_table(connection: Any, source: str, error: Exception) -> str:
    """Engines say no more than the name of a table that is not there: which ones are there."""
    import ibis.common.exceptions as ibis_errors

    *where, name = parts(source)
    if str(error).strip() != name and not isinstance(error, ibis_errors.TableNotFound):
        return ""
    there = tables(connection, where)
    near = get_close_matches(name.lower(), [found.lower() for found in there], n=1)
    hint = next((f" Did you mean `{found}`?" for found in there if near == [found.lower()]), "")
    place = f" in `{'.'.join(where)}`" if where else ""
    return f"there is no such file or table; there {are(sorted(there)[:12])}{place}.{hint}"


def tables(connection: Any, where: Sequence[str] = ()) -> list[str]:
    """The names of the engine's tables, of its usual schema or of the one that is named."""
    if connection.name != "duckdb":
        return list(connection.list_tables(database=tuple(where) or None))
    # Ibis's own list asks DuckDB for a function that its second version no longer has.
    schema = where[-1] if where else connection.current_database
    cursor = connection.con.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = ?", [schema]
    )
    return [name for (name,) in cursor.fetchall()]


# -- errors --------------------------------------------------------------------------------------


@contextmanager
def engine_errors(url: str) -> Iterator[None]:
    """What the engine refuses (a value, a missing function) becomes a CannotExamine.

    Other errors are ours and pass as they are.
    """
    try:
        yield
    except Exception as error:
        if type(error).__module__.partition(".")[0].lstrip("_") not in _PACKAGES:
            raise
        scheme = url.partition(":")[0]
        raise CannotExamine(
            f"The engine of [data] url ({scheme}) can't answer: {first_line(error)}"
        ) from error


def first_line(error: Exception) -> str:
    """The first line of what an error says."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def are(names: Sequence[str]) -> str:
    """What follows "there …"."""
    return f"are {', '.join(f'`{n}`' for n in names)}" if names else "is none"
