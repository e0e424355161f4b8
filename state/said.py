"""What people wrote in the threads of incidents, and what was put into a record from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from state.store import Store


@dataclass(frozen=True)
class Said:
    """A message of an incident's record: written in its thread, or put into it from elsewhere
    (``pinned`` and not ``in_thread``)."""

    channel: str
    ts: str
    user: str
    text: str
    permalink: str = ""
    pinned: bool = False
    in_thread: bool = False

    def unpinned(self) -> Said:
        """The same, no longer pinned."""
        return replace(self, pinned=False)


class Sayings:
    """What is kept of it in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def remember(self, incident: str, said: Said) -> None:
        """Keep what a person wrote; an edit replaces it.

        A message that is in a record already stays in that one.
        """
        kept = self.at(said.channel, said.ts)
        incident = kept[0] if kept else incident
        with self.store.transaction() as db:
            db.table("said").upsert(
                {
                    "incident": incident,
                    "channel": said.channel,
                    "ts": said.ts,
                    "user": said.user,
                    "text": said.text,
                    "permalink": said.permalink,
                    "pinned": int(said.pinned),
                    "in_thread": int(said.in_thread or bool(kept and kept[1].in_thread)),
                },
                pk=("channel", "ts"),
            )

    def forget(self, channel: str, ts: str) -> None:
        """A message was deleted."""
        with self.store.transaction() as db:
            db.execute("DELETE FROM said WHERE channel = ? AND ts = ?", [channel, ts])

    def of(self, incident: str) -> list[Said]:
        """What people wrote in the threads of an incident, oldest first."""
        rows = self.store.rows("SELECT * FROM said WHERE incident = ? ORDER BY ts", incident)
        return [_said(r) for r in rows]

    def at(self, channel: str, ts: str) -> tuple[str, Said] | None:
        """The kept message and whose record it is in; None when it is in none."""
        rows = self.store.rows("SELECT * FROM said WHERE channel = ? AND ts = ?", channel, ts)
        return (str(rows[0]["incident"]), _said(rows[0])) if rows else None


def _said(row: dict[str, Any]) -> Said:
    """A message from its row."""
    held, there = bool(row["pinned"]), bool(row["in_thread"])
    return Said(row["channel"], row["ts"], row["user"], row["text"], row["permalink"], held, there)
