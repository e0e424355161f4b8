"""Looks: what people asked to see beside the tree, kept with the answers.

A look is no step: it changes nothing about the incident. It is kept so that an answer survives a
restart, and so that the record can be told with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from analysis.evidence import Evidence
from analysis.explore import Question
from state.as_text import from_json, stamp, to_json, unstamp
from state.results import Results
from state.store import Store


@dataclass(frozen=True)
class Look:
    """Something that ``user`` asked to see. ``asked`` is the command that asks for it again.

    ``number`` counts from 1 within the incident; it is shown in ``channel``. Either ``evidence``
    or ``error`` (a sentence) is there once it is answered.
    """

    incident: str
    number: int
    channel: str
    user: str
    at: datetime
    asked: str
    question: Question | None = None
    evidence: Evidence | None = None
    error: str = ""


class Looks:
    """The looks of all incidents in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def add(
        self,
        incident: str,
        channel: str,
        user: str,
        at: datetime,
        asked: str,
        question: Question | None = None,
    ) -> Look:
        """Keep a new one."""
        kept = to_json(Question, question) if question else ""
        with self.store.transaction() as db:
            [row] = db.query(
                "SELECT coalesce(max(number), 0) + 1 AS n FROM looks WHERE incident = ?", [incident]
            )
            number = int(row["n"])
            db.execute(
                "INSERT INTO looks (incident, number, channel, user, at, asked, question) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [incident, number, channel, user, stamp(at), asked, kept],
            )
        return Look(incident, number, channel, user, at, asked, question)

    def answer(self, look: Look, evidence: Evidence | None, error: str = "") -> None:
        """Keep what came of it; the charts' bytes go to the charts."""
        with self.store.transaction() as db:
            for chart in evidence.charts if evidence else ():
                Results(self.store).keep_chart(chart)
            kept = to_json(Evidence, evidence.without_bytes()) if evidence else ""
            db.execute(
                "UPDATE looks SET evidence = ?, error = ? WHERE incident = ? AND number = ?",
                [kept, error, look.incident, look.number],
            )

    def load(self, incident: str, number: int) -> Look | None:
        """One of them; None when there is none."""
        found = [look for look in self.of(incident) if look.number == number]
        return found[0] if found else None

    def of(self, incident: str) -> list[Look]:
        """All of an incident's, in the order asked."""
        rows = self.store.rows("SELECT * FROM looks WHERE incident = ? ORDER BY number", incident)
        return [
            Look(
                incident,
                r["number"],
                r["channel"],
                r["user"],
                unstamp(r["at"]),
                r["asked"],
                from_json(Question, r["question"]) if r["question"] else None,
                from_json(Evidence, r["evidence"]) if r["evidence"] else None,
                r["error"],
            )
            for r in rows
        ]
