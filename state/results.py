"""What checks found: evidence under the key of its check, and charts, each once."""

from __future__ import annotations

from analysis.evidence import Chart, Evidence
from state.as_text import from_json, to_json
from state.store import Store


class Results:
    """The evidence and charts in a store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def keep(self, key: str, evidence: Evidence) -> None:
        """Keep a check's result under its key, with its charts' bytes."""
        with self.store.transaction() as db:
            for chart in evidence.charts:
                self.keep_chart(chart)
            db.table("evidence").upsert(
                {"key": key, "evidence": to_json(Evidence, evidence.without_bytes())}, pk="key"
            )

    def of(self, key: str) -> Evidence | None:
        """The kept result of a check; None when it has not been run."""
        rows = self.store.rows("SELECT evidence FROM evidence WHERE key = ?", key)
        return from_json(Evidence, rows[0]["evidence"]) if rows else None

    def keep_chart(self, chart: Chart) -> None:
        """Keep a chart's bytes, once."""
        if not chart.png:
            return
        with self.store.transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO charts (id, title, alt, png) VALUES (?, ?, ?, ?)",
                [chart.id, chart.title, chart.alt, chart.png],
            )

    def chart(self, chart: str) -> Chart | None:
        """A kept chart with its bytes; None when there is none."""
        rows = self.store.rows("SELECT * FROM charts WHERE id = ?", chart)
        if not rows:
            return None
        return Chart(chart, rows[0]["title"], rows[0]["alt"], bytes(rows[0]["png"]))

    def file_of(self, chart: str) -> str:
        """Slack's id of the uploaded chart; empty when it is not uploaded."""
        rows = self.store.rows("SELECT file FROM charts WHERE id = ?", chart)
        return str(rows[0]["file"] or "") if rows else ""

    def uploaded(self, chart: str, file: str) -> None:
        """Keep Slack's id of a chart ("" forgets it, so that it is uploaded again)."""
        with self.store.transaction() as db:
            db.execute("UPDATE charts SET file = ? WHERE id = ?", [file, chart])

    def to_upload(self) -> list[str]:
        """The charts that Slack does not have yet, oldest first."""
        rows = self.store.rows("SELECT id FROM charts WHERE file = '' ORDER BY rowid")
        return [str(row["id"]) for row in rows]
