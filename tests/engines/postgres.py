"""A PostgreSQL of the tests' own, on loopback, in a folder that goes when it ends."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

_TYPES = {
    "int64": "bigint",
    "float64": "double precision",
    "bool": "boolean",
    "datetime64[us]": "timestamp",
    "datetime64[us, UTC]": "timestamptz",
}


def find() -> str | None:
    """The folder of the server's programs, where those and the driver are there."""
    if find_spec("psycopg") is None:
        return None
    if found := shutil.which("initdb"):
        return str(Path(found).parent)
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return str(debian[-1].parent) if debian else None


@contextmanager
def server() -> Iterator[str]:
    """Starts a server, gives the address of its database, and stops it."""
    programs = find()
    assert programs is not None, "a test that uses PostgreSQL needs the marker `postgres`"
    folder, port = tempfile.mkdtemp(prefix="hawkeye-pg-"), _free_port()
    user = _unprivileged(folder)
    data = f"{folder}/data"

    def run(program: str, *arguments: str) -> None:
        command = [f"{programs}/{program}", "-D", data, *arguments]
        subprocess.run(
            command, check=True, timeout=60, cwd=folder, user=user, stdout=subprocess.DEVNULL
        )

    # The server's zone is not UTC, as a team's may not be.
    options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off -c timezone=Asia/Tokyo"
    try:
        run("initdb", "--auth=trust", "--username=team", "--no-sync", "--encoding=UTF8")
        run("pg_ctl", "start", "--wait", "--log", f"{folder}/log", "-o", options)
        try:
            yield f"postgres://team@127.0.0.1:{port}/postgres"
        finally:
            run("pg_ctl", "stop", "--mode=immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _unprivileged(folder: str) -> str | None:
    """PostgreSQL refuses to run as root; the package brings a user for it."""
    if os.geteuid() != 0:
        return None
    shutil.chown(folder, "postgres")
    return "postgres"


def fill(url: str, name: str, frame: pd.DataFrame, types: Mapping[str, str] | None = None) -> None:
    """Makes the table ``name`` of a frame; ``types`` are the engine's, where not the usual ones."""
    import psycopg

    named = {c: (types or {}).get(c) or _type(frame[c]) for c in frame.columns}
    columns = ", ".join(f'"{c}" {kind}' for c, kind in named.items())
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {name} ({columns})".encode())
        with cursor.copy(f"COPY {name} FROM STDIN (FORMAT csv)".encode()) as copy:
            copy.write(frame.to_csv(index=False, header=False))


def run(url: str, *statements: str) -> None:
    """Statements, one after the other."""
    import psycopg

    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _type(column: pd.Series[Any]) -> str:
    return _TYPES.get(str(column.dtype), "text")
