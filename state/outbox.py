"""The outbox: what every message should say, beside what Slack was last told.

A message is a row that is wanted; whoever sends makes Slack agree. Several changes of one
message before it is sent become one; a crash between the two loses nothing.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from state.store import Store

UNCHANGEABLE = "edit_window_closed"
"""Why a message can never be changed any more: what it should say is said below it, once."""
IN_WORDS = ":words"
"""Ends what was sent of a message of which Slack has the words alone: the rest is still owed."""


@dataclass(frozen=True)
class Post:
    """A message as it should be. ``name`` is its key within the incident ("root", "step-3").

    ``payload`` holds ``text`` and ``blocks``, where ``{"type": "image", "chart": ID}`` stands
    for a chart that is uploaded when it is sent. ``position`` orders the posts of an incident.
    """

    name: str
    position: int
    payload: dict[str, Any]


@dataclass(frozen=True)
class Owed:
    """A message that Slack has to be told: a new one where ``ts`` is empty.

    ``thread`` is the message it hangs under ("" for the channel); ``under_root``: that is the
    incident's own first message. ``tried_at``: an attempt at that time (seconds since 1970; 0 for
    none) was cut off, so that the message may be there already. ``in_words``: Slack has its words,
    and the rest is owed. ``error`` is why the last try failed.
    """

    incident: str
    channel: str
    name: str
    payload: dict[str, Any]
    wanted: str
    ts: str
    thread: str
    attempts: int
    tried_at: float = 0.0
    under_root: bool = False
    in_words: bool = False
    error: str = ""

    @property
    def in_doubt(self) -> bool:
        """Whether Slack may have it already."""
        return self.tried_at > 0


@dataclass(frozen=True)
class Resting:
    """A message that Slack does not have as it should be, and why the last try failed.

    ``given_up``: it is not tried again until it should say something else.
    """

    incident: str
    channel: str
    name: str
    error: str
    given_up: bool


class Outbox:
    """The posts of all incidents in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def want(self, incident: str, channel: str, posts: Sequence[Post]) -> bool:
        """Say how the messages of an incident should be in a channel; whether anything differs.

        Called in the transaction that saves the incident.
        """
        changed = False
        with self.store.transaction() as db:
            kept = {
                r["name"]: r["wanted"]
                for r in db.query(
                    "SELECT name, wanted FROM posts WHERE incident = ? AND channel = ?",
                    [incident, channel],
                )
            }
            for post in posts:
                payload = json.dumps(post.payload, sort_keys=True, ensure_ascii=False)
                wanted = hashlib.sha256(payload.encode()).hexdigest()[:16]
                if kept.get(post.name) == wanted:
                    continue
                changed = True
                db.execute(
                    "INSERT INTO posts (incident, channel, name, position, payload, wanted) "
                    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET payload = "
                    "excluded.payload, wanted = excluded.wanted, position = excluded.position, "
                    "due = CASE WHEN ts = '' AND attempts = 0 THEN due ELSE 0 END, "
                    "attempts = 0, error = ''",
                    [incident, channel, post.name, post.position, payload, wanted],
                )
        return changed

    def owed(self, now: float | None = None) -> list[Owed]:
        """What can be sent now, in order: a thread's messages only once its root is there.

        A new message waits for the new ones before it, so that a thread reads in order; a change
        of one that Slack has already waits for nothing. First messages come before all threads:
        in a storm a channel must hear of every incident before it hears more of one.
        """
        rows = self.store.rows(
            """
            SELECT p.*, l.thread AS attached, r.ts AS root
            FROM posts p
            JOIN places l ON l.incident = p.incident AND l.channel = p.channel
            LEFT JOIN posts r ON r.incident = p.incident AND r.channel = p.channel
                AND r.name = 'root'
            WHERE p.wanted != p.sent AND p.due <= ?
                AND (p.name = 'root' OR l.thread != '' OR r.ts != '')
                AND (p.ts != '' OR NOT EXISTS (
                    SELECT 1 FROM posts q WHERE q.incident = p.incident
                        AND q.channel = p.channel AND q.position < p.position
                        AND q.ts = '' AND q.wanted != q.sent))
            ORDER BY p.name != 'root', p.incident, p.channel, p.position
            """,
            time.time() if now is None else now,
        )
        return [
            Owed(
                incident=r["incident"],
                channel=r["channel"],
                name=r["name"],
                payload=json.loads(r["payload"]),
                wanted=r["wanted"],
                ts=r["ts"],
                thread=r["attached"] or ("" if r["name"] == "root" else r["root"]),
                under_root=r["name"] != "root" and not r["attached"],
                attempts=r["attempts"],
                tried_at=0.0 if r["ts"] else r["sending"],
                in_words=r["sent"] == r["wanted"] + IN_WORDS,
                error=r["error"],
            )
            for r in rows
        ]

    def sending(self, owed: Owed) -> bool:
        """A new message is about to be posted, ``tried_at`` now: a crash leaves it in doubt.

        False when it was withdrawn meanwhile.
        """
        return self._set(owed, "sending = ?", owed.tried_at)

    def rest(self, incident: str, seconds: float) -> None:
        """Post an incident's new messages no earlier than in so many seconds."""
        with self.store.transaction() as db:
            until = time.time() + seconds
            db.execute("UPDATE posts SET due = ? WHERE incident = ? AND ts = ''", [until, incident])

    def withdraw(self, incident: str) -> bool:
        """Never post an incident of which Slack has heard nothing; whether that was so."""
        with self.store.transaction() as db:
            heard = "SELECT 1 FROM posts WHERE incident = ? AND (ts != '' OR sending > 0)"
            if self.store.rows(heard, incident):
                return False
            db.execute("DELETE FROM posts WHERE incident = ?", [incident])
            return True

    def found(self, owed: Owed, ts: str) -> None:
        """A message in doubt is there: it is not posted again, whatever comes of changing it."""
        self._set(owed, "ts = ?, sending = 0", ts)

    def sent(self, owed: Owed, ts: str) -> None:
        """Slack has it."""
        self._set(owed, "sent = ?, ts = ?, sending = 0, attempts = 0, error = ''", owed.wanted, ts)

    def sent_in_words(self, owed: Owed, ts: str) -> None:
        """Slack has its words; the rest follows as soon as it can be shown."""
        self._set(owed, "sent = ?, ts = ?, sending = 0", owed.wanted + IN_WORDS, ts)

    def gone(self, owed: Owed) -> None:
        """Slack says that the message is no longer there: it is posted anew."""
        self._set(owed, "ts = '', sent = '', sending = 0")

    def uprooted(self, owed: Owed) -> None:
        """The first message above a reply is no longer there: it is posted anew, then the reply.

        Nothing to be done where the thread is somebody else's message.
        """
        with self.store.transaction() as db:
            db.execute(
                "UPDATE posts SET ts = '', sent = '', sending = 0 "
                "WHERE incident = ? AND channel = ? AND name = 'root' AND ts = ?",
                [owed.incident, owed.channel, owed.thread],
            )
            self._set(owed, "ts = '', sent = '', sending = 0")

    def later(self, owed: Owed, seconds: float, error: str) -> None:
        """Try again after so many seconds; what is in doubt stays so."""
        self._set(
            owed,
            "due = ?, attempts = attempts + 1, sending = ?, error = ?",
            time.time() + seconds,
            owed.tried_at,
            error,
        )

    def wait(self, owed: Owed, seconds: float) -> None:
        """Slack asked to wait: that is no try, and tells nothing of the message."""
        self._set(owed, "due = ?, sending = ?", time.time() + seconds, owed.tried_at)

    def put_off(self, owed: Owed, seconds: float, error: str) -> None:
        """Try again after so many seconds what is still owed; its doubt stays as it was kept."""
        sets = "due = ?, attempts = attempts + 1, error = iif(wanted = sent, '', ?)"
        self._set(owed, sets, time.time() + seconds, error)

    def count_anew(self, owed: Owed) -> Owed:
        """The same, with no try counted."""
        self._set(owed, "attempts = 0")
        return replace(owed, attempts=0)

    def pause(self, owed: Owed, error: str) -> None:
        """It was not its fault: it stays as it was, to be sent as soon as anything can be."""
        self._set(owed, "sending = ?, error = ?", owed.tried_at, error)

    def waiting(self) -> int:
        """How many messages Slack has not been told, or not as they should be."""
        [row] = self.store.rows("SELECT count(*) AS n FROM posts WHERE wanted != sent")
        return int(row["n"])

    def given_up(self) -> int:
        """How many messages of open incidents rest because Slack does not take them."""
        return sum(resting.given_up for resting in self.resting())

    def give_up(self, owed: Owed, error: str) -> None:
        """It can't be sent as it is; it rests until it should say something else."""
        self._set(owed, "sent = ?, sending = 0, error = ?", owed.wanted, error)

    def resting(self, incident: str = "") -> list[Resting]:
        """The messages that failed again and again, or that wait for the token, of one incident or
        of the open ones."""
        rows = self.store.rows(
            """
            SELECT p.incident, p.channel, p.name, p.error, p.wanted = p.sent AS given_up
            FROM posts p JOIN incidents i ON i.id = p.incident
            WHERE p.error != '' AND (p.wanted = p.sent OR p.attempts >= 4 OR p.attempts = 0)
                AND (p.incident = ? OR ? = '' AND i.open = 1)
            ORDER BY p.incident, p.channel, p.position
            """,
            *(incident, incident),
        )
        return [
            Resting(r["incident"], r["channel"], r["name"], r["error"], bool(r["given_up"]))
            for r in rows
        ]

    def hurry(self, channel: str = "") -> None:
        """Whatever waits in a channel, or in all, may be tried now (the bot was invited)."""
        with self.store.transaction() as db:
            db.execute("UPDATE posts SET due = 0 WHERE ? IN ('', channel)", [channel])
            db.execute(
                "UPDATE posts SET sent = '' WHERE ? IN ('', channel) AND error NOT IN ('', ?)",
                [channel, UNCHANGEABLE],
            )

    def names(self, incident: str, channel: str) -> list[str]:
        """The names of the messages that an incident has in a channel."""
        rows = self.store.rows(
            "SELECT name FROM posts WHERE incident = ? AND channel = ?", incident, channel
        )
        return [str(r["name"]) for r in rows]

    def message(self, incident: str, channel: str, name: str) -> str:
        """The ts of a message; empty when Slack does not have it."""
        rows = self.store.rows(
            "SELECT ts FROM posts WHERE incident = ? AND channel = ? AND name = ?",
            *(incident, channel, name),
        )
        return str(rows[0]["ts"]) if rows else ""

    def _set(self, owed: Owed, sets: str, *values: Any) -> bool:
        with self.store.transaction() as db:
            done = db.execute(
                f"UPDATE posts SET {sets} WHERE incident = ? AND channel = ? AND name = ?",
                [*values, owed.incident, owed.channel, owed.name],
            )
            return bool(done.rowcount)
