"""Full-text search over the record: titles, findings, suspects, notes, what people said.

SQLite's FTS5 does the searching. An incident is indexed when somebody searches and it has changed
since it was last indexed, so that nothing which writes has to know of the index.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from state.incident import Incident
from state.said import Sayings
from state.store import Store

_MENTION = re.compile(r"<[@#!][^<>|]*(?:\|([^<>]*))?>")
BEGIN, END = "\ue000", "\ue001"
"""Marks around a hit: characters for private use, which no text has."""
MOST = 50
"""Incidents that a search finds at most."""


@dataclass(frozen=True)
class Hit:
    """An incident, and the place in its record where it was found, hits between BEGIN and END."""

    incident: Incident
    excerpt: str


def search(store: Store, query: str, may_read: Callable[[str], bool] = lambda _: True) -> list[Hit]:
    """The incidents whose record has all these words, or their beginnings; best first.

    What was said in a channel that may not be read finds nothing and stands in no excerpt.
    """
    words = re.findall(r"\w+", query)
    if not words:
        return []
    _refresh(store)
    wanted = " AND ".join(f'"{word}"*' for word in words)
    rows = store.rows(
        "SELECT incident, snippet(record, 1, ?, ?, '…', 12) AS excerpt FROM record "
        "WHERE text MATCH ? ORDER BY rank LIMIT ?",
        *(BEGIN, END, wanted, MOST),
    )
    found = ((store.load(row["incident"]), row["excerpt"]) for row in rows)
    hits = (Hit(incident, excerpt) for incident, excerpt in found if incident is not None)
    return [seen for hit in hits if (seen := _readable(store, hit, words, may_read))]


def _readable(
    store: Store, hit: Hit, words: list[str], may_read: Callable[[str], bool]
) -> Hit | None:
    """The hit; without what may not be read, where there is such: None when nothing is left."""
    if all(may_read(said.channel) for said in Sayings(store).of(hit.incident.id)):
        return hit
    text = "\n".join(_texts(store, hit.incident, may_read))
    found = [re.search(rf"\b{re.escape(word)}\w*", text, re.IGNORECASE) for word in words]
    first = found[0]
    if first is None or None in found:
        return None
    before, after = text[max(0, first.start() - 40) : first.start()], text[first.end() :][:60]
    return Hit(hit.incident, f"…{before}{BEGIN}{first[0]}{END}{after}…")


def _refresh(store: Store) -> None:
    stale = store.rows(
        "SELECT i.id, i.version, coalesce(s.n, 0) AS n FROM incidents i "
        "LEFT JOIN (SELECT incident, count(*) + sum(length(text)) AS n FROM said GROUP BY incident)"
        " s ON s.incident = i.id LEFT JOIN indexed x ON x.incident = i.id "
        "WHERE x.version IS NULL OR x.version != i.version OR x.said != coalesce(s.n, 0)"
    )
    for row in stale:
        incident = store.load(row["id"])
        if incident is None:
            continue
        text = "\n".join(_texts(store, incident))
        with store.transaction() as db:
            db.execute("DELETE FROM record WHERE incident = ?", [incident.id])
            db.execute("INSERT INTO record (incident, text) VALUES (?, ?)", [incident.id, text])
            db.table("indexed").upsert(
                {"incident": incident.id, "version": row["version"], "said": row["n"]},
                pk="incident",
            )


def _texts(
    store: Store, incident: Incident, may_read: Callable[[str], bool] = lambda _: True
) -> Iterator[str]:
    alert = incident.alert
    yield from (incident.id, alert.title, alert.subject, alert.detail, incident.outcome)
    for step in incident.live_steps:
        if step.evidence:
            yield step.evidence.headline
            yield from step.evidence.disagreements
    for suspect in incident.suspects:
        yield f"{suspect.kind} {suspect.name} {suspect.changed}"
    for cause in incident.causes:
        yield f"{cause.kind.replace('_', ' ')} {' '.join(s.name for s in cause.suspects)}"
    yield from (note.text for note in incident.notes)
    yield from (m.result for m in incident.mitigations if m.result)
    for said in Sayings(store).of(incident.id):
        if may_read(said.channel):
            yield _MENTION.sub(lambda m: m[1] or "", said.text)
