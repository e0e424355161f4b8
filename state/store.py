"""What is remembered, in SQLite: incidents, their events and the places that show them.

What else is kept has rooms of its own: what people said (state/said.py), what checks found
(state/results.py), what is to be sent (state/outbox.py) and done (state/due.py).

One connection per thread, WAL, and every change in a transaction that begins IMMEDIATE: plain
transactions that read before they write fail under concurrency with "database is locked".
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from state import events as ev
from state.as_text import from_json, stamp, to_json, unstamp
from state.events import Event
from state.incident import Incident

_SCHEMA = (Path(__file__).parent / "schema.sql").read_text()

MOST_READ = 512
"""So many incidents are kept as they were last read."""


class StaleIncidentError(Exception):
    """Somebody else changed the incident in between: load it and try again."""


@dataclass(frozen=True)
class Place:
    """A channel that shows an incident. ``thread`` is an existing message to attach under."""

    incident: str
    channel: str
    thread: str = ""
    primary: bool = True


@dataclass(frozen=True)
class Entry:
    """A line of the event log."""

    sequence: int
    at: datetime
    event: Event


class Store:
    """Everything that outlives the process. Safe to use from several threads and processes.

    Incidents are numbered by ``numbers``, so that those of several stores have names of their own.
    """

    def __init__(self, path: Path | str, numbers: Store | None = None) -> None:
        self.path = str(path)
        self.numbers = numbers or self
        Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        self._local = threading.local()
        self._connections: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._read: dict[str, Incident] = {}
        self._lock = threading.Lock()
        self.db.conn.executescript(_SCHEMA)

    @property
    def db(self) -> Database:
        """This thread's database."""
        if not hasattr(self._local, "db"):
            connection = sqlite3.connect(
                self.path, timeout=30, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            self._connections.append((threading.current_thread(), connection))
            self._local.db = Database(connection)
        found: Database = self._local.db
        return found

    def close(self) -> None:
        """Close the connections of all threads.

        A thread that is still at work ends its statement and lets go of its connection by itself:
        SQLite takes the process down when a connection is closed under a running statement.
        """
        for owner, connection in self._connections:
            if owner is threading.current_thread() or not owner.is_alive():
                connection.close()
        self._connections.clear()
        self._local = threading.local()

    @contextmanager
    def transaction(self) -> Iterator[Database]:
        """All or nothing; writers wait for each other. A nested one joins the outer one."""
        db = self.db
        if db.conn.in_transaction:
            yield db
            return
        db.conn.execute("BEGIN IMMEDIATE")
        try:
            yield db
        except BaseException:
            db.conn.execute("ROLLBACK")
            raise
        db.conn.execute("COMMIT")

    def rows(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """The rows of a query, as dictionaries."""
        return list(self.db.query(sql, list(values)))

    # -- incidents -----------------------------------------------------------------------------

    def new_id(self) -> str:
        """The next incident's name: HE-1, HE-2, …"""
        with self.numbers.transaction() as db:
            db.execute("UPDATE counters SET value = value + 1 WHERE name = 'incident'")
            [row] = db.query("SELECT value FROM counters WHERE name = 'incident'")
        return f"HE-{row['value']}"

    def save(self, before: Incident | None, after: Incident, event: Event) -> None:
        """Keep the incident after one event, and the event.

        Raises StaleIncidentError when the kept one is no longer ``before``'s version.
        """
        with self.transaction() as db:
            row = {
                "id": after.id,
                "version": after.version,
                "status": after.status,
                "open": int(after.is_open),
                "key": after.alert.key,
                "subject": after.alert.subject,
                "owner": after.owner,
                "opened_at": stamp(after.opened_at),
                "changed_at": stamp(event.at),
                "state": to_json(Incident, after),
            }
            if before is None:
                db.table("incidents").insert(row)
            else:
                sets = ", ".join(f"{name} = :{name}" for name in row)
                done = db.execute(
                    f"UPDATE incidents SET {sets} WHERE id = :id AND version = :expected",
                    {**row, "expected": before.version},
                )
                if done.rowcount != 1:
                    raise StaleIncidentError(after.id)
            db.table("events").insert(
                {
                    "incident": after.id,
                    "version": after.version,
                    "at": stamp(event.at),
                    "type": type(event).__name__,
                    "payload": to_json(type(event), event),
                }
            )

    def load(self, incident: str) -> Incident | None:
        """The incident of that name; None when there is none."""
        found = self._incidents("id = ?", incident)
        return found[0] if found else None

    def open_incidents(self) -> list[Incident]:
        """All that are still open, oldest first."""
        return self._incidents("open = 1 ORDER BY opened_at")

    def recent(self, count: int = 20) -> list[Incident]:
        """The newest ones, open or not."""
        return self._incidents("1 ORDER BY opened_at DESC LIMIT ?", count)

    def closed_since(self, since: datetime) -> list[Incident]:
        """Those that are over and were last changed since then, the latest first."""
        return self._incidents(
            "open = 0 AND changed_at >= ? ORDER BY changed_at DESC", stamp(since)
        )

    def find_open(self, key: str, team: str = "") -> Incident | None:
        """The open incident that has an alert of this key, in one workspace of an org or any."""
        found = [i for i in self.open_incidents() if i.alert.of_team(team)]
        return next((i for i in found if any(s.key == key for s in i.signals)), None)

    def _incidents(self, where: str, *values: Any) -> list[Incident]:
        """Read what changed since it was last read: an incident of one version is one value."""
        rows = self.rows(f"SELECT id, version FROM incidents WHERE {where}", *values)
        return [i for row in rows if (i := self._version(row["id"], row["version"])) is not None]

    def _version(self, incident: str, version: int) -> Incident | None:
        with self._lock:
            kept = self._read.get(incident)
        if kept is not None and kept.version == version:
            return kept
        rows = self.rows("SELECT state FROM incidents WHERE id = ?", incident)
        if not rows:
            return None
        found: Incident = from_json(Incident, rows[0]["state"])
        with self._lock:
            self._read[incident] = found
            while len(self._read) > MOST_READ:
                self._read.pop(next(iter(self._read)))
        return found

    def events(self, incident: str) -> list[Entry]:
        """The log of an incident, in order."""
        rows = self.rows("SELECT * FROM events WHERE incident = ? ORDER BY sequence", incident)
        return [
            Entry(r["sequence"], unstamp(r["at"]), from_json(_event(r["type"]), r["payload"]))
            for r in rows
        ]

    def track_record(self, kind: str, but: str = "") -> tuple[int, int]:
        """Of the resolved incidents that the walk concluded with ``kind``, how many were
        recorded with that cause: (right, all). The incident ``but`` is no witness for itself."""
        rows = self.rows(
            "SELECT proposed, recorded FROM outcomes WHERE proposed = ? AND incident != ?",
            kind,
            but,
        )
        return sum(r["proposed"] == r["recorded"] for r in rows), len(rows)

    def record_outcome(self, incident: str, proposed: str, recorded: str) -> None:
        """Keep what the walk concluded and what people recorded at the end."""
        with self.transaction() as db:
            db.table("outcomes").upsert(
                {"incident": incident, "proposed": proposed, "recorded": recorded}, pk="incident"
            )

    # -- where it is shown, what is remembered --------------------------------------------------

    def add_place(self, place: Place) -> None:
        """Show the incident in one more channel; a channel is added once."""
        with self.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO places (incident, channel, thread, is_primary) "
                "VALUES (?, ?, ?, ?)",
                [place.incident, place.channel, place.thread, int(place.primary)],
            )

    def places(self, incident: str) -> list[Place]:
        """Where it is shown, the first place first."""
        rows = self.rows(
            "SELECT * FROM places WHERE incident = ? ORDER BY is_primary DESC, rowid", incident
        )
        return [Place(incident, r["channel"], r["thread"], bool(r["is_primary"])) for r in rows]

    def channel_found(self, name: str, channel: str) -> None:
        """A channel that was known by its name alone has this id."""
        with self.transaction() as db:
            for table in ("places", "posts", "looks"):
                db.execute(f"UPDATE {table} SET channel = ? WHERE channel = ?", [channel, name])

    def incident_in(self, channel: str, thread: str) -> str | None:
        """Which incident lives in this thread."""
        rows = self.rows(
            "SELECT incident FROM posts WHERE channel = ? AND ts = ? AND name = 'root' UNION "
            "SELECT incident FROM places WHERE channel = ? AND thread = ? AND thread != '' LIMIT 1",
            *(channel, thread, channel, thread),
        )
        return str(rows[0]["incident"]) if rows else None

    def first_time(self, event_id: str) -> bool:
        """Whether this delivery has not been seen before; from now on it has."""
        with self.transaction() as db:
            done = db.execute(
                "INSERT OR IGNORE INTO seen (id, at) VALUES (?, ?)",
                [event_id, stamp(datetime.now(UTC))],
            )
            return bool(done.rowcount == 1)

    def settings(self, name: str) -> Any:
        """A small remembered value (any JSON); None when there is none."""
        rows = self.rows("SELECT value FROM settings WHERE name = ?", name)
        return json.loads(rows[0]["value"]) if rows else None

    def set_settings(self, name: str, value: Any) -> None:
        """Remember a small value under a name."""
        with self.transaction() as db:
            db.table("settings").upsert({"name": name, "value": json.dumps(value)}, pk="name")


def _event(name: str) -> Any:
    return getattr(ev, name)
