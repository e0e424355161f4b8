"""The raw-payload inspector: every request from an app and every envelope to one, bounded."""

from __future__ import annotations

import re
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.workspace.model import Json

KEPT = 2000
SECRET = re.compile(r"\b(xox[a-z]|xapp|xwfp)-[A-Za-z0-9-]{4,}")
LONGEST = 20_000


def masked(value: Any) -> Any:
    """A copy with tokens and over-long texts cut, safe to show."""
    if isinstance(value, str):
        text = SECRET.sub(lambda found: f"{found.group(1)}-…", value)
        return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, dict):
        return {
            key: "…" if key == "token" and item else masked(item) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [masked(item) for item in value]
    return value


@dataclass
class Record:
    """One exchange. ``direction`` "in" is from an app to the workspace, "out" the other way."""

    n: int
    at: datetime
    direction: str
    kind: str
    name: str
    app_id: str | None
    request: Any
    status: str = "pending"
    response: Any = None
    ms: float | None = None

    def to_json(self) -> Json:
        """For the inspector."""
        return {
            "n": self.n,
            "at": self.at.isoformat(timespec="milliseconds"),
            "direction": self.direction,
            "kind": self.kind,
            "app_id": self.app_id,
            "name": self.name,
            "status": self.status,
            "ms": self.ms,
            "request": self.request,
            "response": self.response,
        }


@dataclass
class Recorder:
    """Keeps the last records. Thread-safe."""

    last: int = 0
    kept: deque[Record] = field(default_factory=lambda: deque(maxlen=KEPT))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, direction: str, kind: str, name: str, app_id: str | None, request: Any) -> Record:
        """Start a record; ``finish`` completes it."""
        with self.lock:
            self.last += 1
            record = Record(
                self.last, datetime.now(UTC), direction, kind, name, app_id, masked(request)
            )
            self.kept.append(record)
            return record

    def finish(self, record: Record, status: str, response: Any = None) -> None:
        """Note the outcome and the milliseconds since the record was started."""
        with self.lock:
            record.status = status
            record.response = masked(response)
            elapsed = datetime.now(UTC) - record.at
            record.ms = round(elapsed.total_seconds() * 1000, 1)

    def after(self, n: int, limit: int = 200) -> list[Record]:
        """Records with a number above ``n``, oldest first."""
        with self.lock:
            return [record for record in self.kept if record.n > n][:limit]

    def find(self, name: str, direction: str | None = None) -> list[Record]:
        """All kept records of a method, event or command, oldest first."""
        with self.lock:
            return [
                record
                for record in self.kept
                if record.name == name and direction in (None, record.direction)
            ]
