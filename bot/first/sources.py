"""What `hawkeye init` is pointed at: files, folders, patterns, or the tables of an engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os.path import normpath
from pathlib import Path
from typing import Any

from analysis import engine
from analysis.evidence import CannotExamine
from bot.config.settings import beside
from bot.first.columns import Table, looked_at

MOST_TABLES = 50
"""Of an engine whose tables nobody named, so many are looked at."""
STORES = ("s3", "s3a", "gs", "gcs", "http", "https", "hdfs", "abfs", "abfss", "file")
"""Addresses of files; any other address is an engine's."""
_FILES = {".duckdb": "duckdb", ".db": "sqlite", ".sqlite": "sqlite"}
"""Database files, and what reads them."""


def url_of(text: str, root: Path) -> str:
    """The address of an engine that ``text`` is, or stands for; "" for a file of a table."""
    if "://" in text:
        return "" if text.partition("://")[0] in STORES else text
    scheme = _FILES.get(Path(text).suffix.lower())
    return f"{scheme}://{from_root(text, root)}" if scheme else ""


def from_root(text: str, root: Path) -> str:
    """A path from the folder of the settings file; as it stands where it lies elsewhere, and what
    is no path at all."""
    path = Path(text)
    if "://" in text or not (path.exists() or any(path.parent.glob(path.name))):
        return text
    path = Path(normpath(path.absolute()))
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()


@dataclass(frozen=True)
class Found:
    """Each table that was looked at, and as the engine reads it; those that can't be read, and how
    many more there are."""

    tables: list[tuple[Table, Any]]
    unread: tuple[str, ...] = ()
    more: int = 0


def tables(url: str, names: Sequence[str], root: Path) -> Found:
    """What the sources hold; all of an engine's tables where none is named. Raises CannotExamine
    when one that was named can't be read, or none can."""
    connection = engine.connect(beside(url, root) if url else "duckdb://")
    if names or not url:
        return Found([_read(connection, name, url, root) for name in names])
    there = sorted(engine.tables(connection))
    found, unread, why = [], [], "There is no table in it: name them after the address."
    for name in there[:MOST_TABLES]:
        try:
            found.append(_read(connection, name, url, root))
        except CannotExamine as error:  # a view whose tables are gone, or are others' alone
            unread.append(name)
            why = str(error)
    if not found:
        raise CannotExamine(why)
    return Found(found, tuple(unread), len(there[MOST_TABLES:]))


def _read(connection: Any, name: str, url: str, root: Path) -> tuple[Table, Any]:
    try:
        with engine.engine_errors(url or "duckdb://"):
            rows = engine.table(connection, name, root)
            return looked_at(rows, name), rows
    except CannotExamine as error:
        raise CannotExamine(f"{name} can't be read: {error}") from error


def gathered(names: Sequence[str], root: Path) -> list[str]:
    """Files of one folder and kind that a shell made of "log/*.parquet" are one source again."""
    given = {str(Path(name)) for name in names}
    kinds = {name: (Path(name).parent, Path(name).suffix) for name in names}
    patterns = {kind: _pattern(*kind, given, root) for kind in set(kinds.values())}
    found = (from_root(patterns[kind] or name, root) for name, kind in kinds.items())
    return list(dict.fromkeys(found))


def _pattern(folder: Path, suffix: str, given: set[str], root: Path) -> str:
    """The pattern of all files of a kind in a folder, where all are given and have the same
    columns; else ""."""
    there = {str(path) for path in folder.glob(f"*{suffix}")} if suffix else set()
    one = len(there) > 1 and there <= given and _alike(there, root)
    return str(folder / f"*{suffix}") if one else ""


def _alike(paths: set[str], root: Path) -> bool:
    """Whether files have the same columns."""
    connection = engine.connect()
    return len({tuple(engine.table(connection, p, root).columns) for p in paths}) == 1
