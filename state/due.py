"""Work that is owed, claimed with a lease: nothing is lost by a crash, nothing is done twice."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from state.as_text import stamp
from state.store import Store


class Urgency(IntEnum):
    """Whose a piece of work is; what comes first goes first."""

    WAITED_FOR = 0
    """Somebody waits for it."""
    AHEAD = 1
    """Somebody will, if the walk goes on as proposed."""
    WATCH = 2
    """Monitors and sparklines: nobody asked."""


@dataclass(frozen=True)
class Due:
    """A piece of work. ``id`` names it, so that asking twice is asking once."""

    id: str
    kind: str
    incident: str
    payload: dict[str, Any]
    attempts: int = 0


class DueWork:
    """The table of due work. Times are the bot's clock; leases are wall-clock seconds."""

    def __init__(self, store: Store, lease_seconds: float = 120.0) -> None:
        self.store = store
        self.lease_seconds = lease_seconds

    def add(self, work: Due, at: datetime) -> None:
        """Owe this at a time; the same id again only moves its time."""
        with self.store.transaction() as db:
            db.execute(
                "INSERT INTO due (id, kind, incident, payload, at) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT DO UPDATE SET at = excluded.at, payload = excluded.payload, "
                "leased_until = 0",
                [work.id, work.kind, work.incident, json.dumps(work.payload), stamp(at)],
            )

    def claim(self, now: datetime, most: int = 8) -> list[Due]:
        """Take what is due and leased by nobody, for ``lease_seconds``."""
        with self.store.transaction() as db:
            wall = time.time()
            rows = list(
                db.query(
                    "SELECT * FROM due WHERE at <= ? AND leased_until < ? "
                    "ORDER BY at, rowid LIMIT ?",
                    [stamp(now), wall, most],
                )
            )
            for row in rows:
                db.execute(
                    "UPDATE due SET leased_until = ?, attempts = attempts + 1 WHERE id = ?",
                    [wall + self.lease_seconds, row["id"]],
                )
        return [
            Due(r["id"], r["kind"], r["incident"], json.loads(r["payload"]), r["attempts"])
            for r in rows
        ]

    def done(self, work: Due) -> None:
        """It is done, whatever came of it."""
        with self.store.transaction() as db:
            db.execute("DELETE FROM due WHERE id = ? AND leased_until > 0", [work.id])

    def withdraw(self, incident: str) -> None:
        """Nothing more is owed for an incident."""
        with self.store.transaction() as db:
            db.execute("DELETE FROM due WHERE incident = ?", [incident])

    def release_all(self) -> None:
        """At start: whatever this bot's earlier life had claimed can be claimed again."""
        with self.store.transaction() as db:
            db.execute("UPDATE due SET leased_until = 0")
