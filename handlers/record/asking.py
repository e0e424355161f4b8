"""The command `export`: the record of an incident as a file in its thread."""

from __future__ import annotations

from handlers.desk import Desk, nearest
from handlers.explore import incident_of
from handlers.messages.root import EXPORTS
from handlers.registry import Reply, Request, Unclear, bare, reply
from handlers.typed import Words, named_incident

SAID = {
    "html": "html",
    "web": "html",
    "page": "html",
    "pdf": "pdf",
    "md": "md",
    "markdown": "md",
    "notebook": "ipynb",
    "ipynb": "ipynb",
    "jupyter": "ipynb",
    "json": "json",
}
"""What people call the formats."""


def export(request: Request, words: Words, desk: Desk) -> Reply:
    """Owe the file; it comes into the thread."""
    incident = incident_of(request, desk)
    asked = [w.lower().lstrip(".") for w in words if not named_incident((w,))]
    asked = [w for w in asked if w not in ("as", "a", "an", "the", "to")] or ["pdf"]
    form = SAID.get(asked[0])
    if form is None:
        close = SAID.get(nearest(asked[0], list(SAID)) or "", "pdf")
        raise Unclear(
            f"I can't export as {bare(asked[0])}.",
            *((title, f"export {f}") for f, title in sorted(EXPORTS, key=lambda e: e[0] != close)),
        )
    desk.export(incident.id, request.channel, request.user, form)
    return reply(f"The record of {incident.id} comes into its thread as {dict(EXPORTS)[form]}.")
