"""Who was called: a fact on the root message, and one message in the thread for each later call."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from handlers import blocks as b
from state.incident import Call, Incident, attended


def fact(incident: Incident) -> str:
    """ "on call: @ana"; when quiet hours end, if they hold the call back; "" when nobody is."""
    if not incident.calls or incident.owner or not incident.is_open:
        return ""
    call = incident.calls[-1]
    if call.held_until is not None:
        return f"quiet hours: on call hears of it at {b.clock(call.held_until, call.at)}"
    return f"on call: {_people(call)}"


def calls(incident: Incident) -> list[tuple[datetime, str, dict[str, Any]]]:
    """The calls that are messages of their own: all but the first one, which is on the root."""
    shown = [
        (number, call)
        for number, call in enumerate(incident.calls)
        if call.reason != "opened" and call.held_until is None
    ]
    return [(call.at, f"call-{number}", _message(incident, call)) for number, call in shown]


def _message(incident: Incident, call: Call) -> dict[str, Any]:
    text = f"{_people(call)}: {_why(incident, call)}"
    if attended(incident) or not incident.is_open:
        return b.message(text, [b.context(text)])
    return b.message(text, [b.section(text)])


def _why(incident: Incident, call: Call) -> str:
    first = incident.calls[0]
    opened = b.clock(incident.opened_at, call.at)
    if call.reason == "again":
        return "it fired again soon after it was resolved, so it is open again."
    if call.reason == "quiet":
        return f"this came at {opened}, in quiet hours, and waits for you."
    asked = f" {_people(first)} was asked first." if first.people != call.people else ""
    waited = b.span(call.at - incident.opened_at)
    return f"nobody has taken this for {waited}.{asked} Please look: `Take it` is above."


def _people(call: Call) -> str:
    return b.listed([_mention(who) for who in call.people], 5) or "nobody that I know of"


def _mention(who: str) -> str:
    """A person, a user group, or the name of somebody whom Slack does not know."""
    if who.startswith("S") and who[1:].isalnum() and who.isupper():
        return f"<!subteam^{who}>"
    return b.person(who)
