"""Questions beside the tree: owed, answered, and shown in one place of the thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from analysis.evidence import Evidence
from analysis.explore import Question
from handlers.desk import Subjects
from handlers.messages.looks import look_message, look_post
from handlers.owing import Owing, Payload
from state.due import Due
from state.looks import Look, Looks


class Looking(Owing):
    """Owes the answers to questions, and shows them."""

    known: Subjects
    looks: Looks

    def look(self, incident_id: str, channel: str, user: str, asked: str, at: Question) -> None:
        """Owe the answer to a question beside the tree; "Looking…" stands in its place."""
        now = self.now()
        with self.store.transaction():
            place = self._place_of(incident_id, channel)
            look = self.looks.add(incident_id, place, user, now, asked, at)
            self._show_look(look)
            payload = {"look": look.number}
            due = Due(f"explore:{incident_id}:{look.number}", "explore", incident_id, payload)
            self.due.add(due, now)
        self._wake()

    def looked(
        self, look: Look, found: Evidence | None, error: str, instead: Sequence[Question] = ()
    ) -> None:
        """A look is answered: show it where "Looking…" was. ``instead`` may have been meant."""
        with self.store.transaction():
            self.looks.answer(look, found, error)
            kept = found.without_bytes() if found else None
            self._show_look(replace(look, evidence=kept, error=error), instead)
        self._wake()

    def say(self, incident_id: str, channel: str, user: str, asked: str, payload: Payload) -> None:
        """Answer something in the thread at once, without a look at the tables."""
        with self.store.transaction():
            place = self._place_of(incident_id, channel)
            look = self.looks.add(incident_id, place, user, self.now(), asked)
            self.outbox.want(incident_id, place, [look_post(look, payload)])
        self._wake()

    def _show_look(self, look: Look, instead: Sequence[Question] = ()) -> None:
        post = look_post(look, look_message(look, self.known.dimensions, instead))
        self.outbox.want(look.incident, look.channel, [post])
