"""An alert that names nothing known: the question, and a picker of what it may be about."""

from __future__ import annotations

from handlers import blocks as b
from handlers.actions import value
from handlers.blocks import Block
from handlers.messages.view import View
from state.incident import Incident

MOST_GUESSES = 3
MOST_OPTIONS = 100
"""Slack's limit of a menu; what is beyond is triaged by its name."""


def story(incident: Incident) -> str:
    """What is not known, and what to do."""
    text = f"*I don't know what this is about.* {b.line(incident.puzzle, 400)}"
    several = len(incident.signals)
    once = "Say it once, and I know it the next time."
    if several > 1:
        once = f"Say it once for all {several}, and I know them the next time."
    return "\n".join(filter(None, [text, b.line(incident.alert.detail, 300), once]))


def buttons(incident: Incident, view: View) -> list[Block]:
    """Guesses, everything else in a menu, and the way out; nothing where there is no puzzle."""
    if not incident.puzzle or not incident.is_open:
        return []
    guesses = incident.guesses[:MOST_GUESSES]
    found = [
        b.button(f"{_name(g)} ({_kind(g)})", f"place:{n}", _value(incident, g))
        for n, g in enumerate(guesses)
    ]
    options = [
        b.option(f"{_name(s)} ({_kind(s)})", _value(incident, s))
        for s in view.subjects[:MOST_OPTIONS]
    ]
    menu = [b.select("place:menu", "It is about…", options)] if options else []
    away = b.button("Not an incident", "dismiss", value(i=incident.id))
    return [*found, *menu, away]


def _value(incident: Incident, subject: str) -> str:
    return value(i=incident.id, k=_kind(subject), n=_name(subject))


def _kind(subject: str) -> str:
    return subject.partition(":")[0]


def _name(subject: str) -> str:
    return subject.partition(":")[2]
