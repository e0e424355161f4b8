"""The offer to another person, with all that they need to say yes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from handlers import blocks as b
from handlers.actions import value
from handlers.blocks import Block
from handlers.messages.summary import summarise, summary_blocks
from handlers.messages.view import View
from state.incident import Handoff, Incident
from state.tree import Tree


def handoff_message(incident: Incident, handoff: Handoff, tree: Tree, view: View) -> dict[str, Any]:
    """The payload of a hand-off: the summary while it is offered, then one line."""
    if handoff.status != "offered" or not incident.is_open:
        text = _line(incident, handoff)
        return b.message(text.replace("*", ""), [b.context(text)])
    at = b.clock(handoff.at, incident.opened_at)
    into = b.span(handoff.at - incident.opened_at)
    who = f"{b.person(handoff.by)} → {b.person(handoff.to)}"
    blocks = [b.section(f"*{who}*, offered {at}. {into[:1].upper()}{into[1:]} in.")]
    blocks += summary_blocks(summarise(incident, tree, view.said, view.title))
    if not view.primary and view.home_link:
        blocks.append(b.context(b.link(view.home_link, "Go to the thread with every step")))
    ref = value(i=incident.id, h=handoff.id)
    blocks += b.actions(
        b.button("Accept", "accept", ref, style="primary"), b.button("Decline…", "decline", ref)
    )
    subject = b.line(incident.alert.title or incident.alert.subject, 120)
    text = f"{b.person(handoff.by)} asks {b.person(handoff.to)} to take over: {subject}"
    return b.message(text, blocks)


def reminders(
    incident: Incident, handoff: Handoff, view: View
) -> list[tuple[datetime, str, dict[str, Any]]]:
    """What was said in the thread when nobody had answered: first to the one it was offered to,
    where they are asked, then to the one who offered it, in the incident's own thread."""
    theirs = handoff.channel == view.channel if handoff.channel else view.primary
    first, last = handoff.reminders[:1], handoff.reminders[1:2]
    said = [(at, "reminder", _first_reminder) for at in first if theirs]
    said += [(at, "unanswered", _last_reminder) for at in last if view.primary]
    return [(at, f"{name}-{handoff.id}", tell(incident, handoff)) for at, name, tell in said]


def _first_reminder(incident: Incident, handoff: Handoff) -> dict[str, Any]:
    by, to = b.person(handoff.by), b.person(handoff.to)
    text = f"{to}: {by} waits for your answer to the hand-off above."
    return b.message(text, [_loud(incident, handoff)(text)])


def _last_reminder(incident: Incident, handoff: Handoff) -> dict[str, Any]:
    by, to = b.person(handoff.by), b.person(handoff.to)
    owner = f"{b.person(incident.owner)} still has it" if incident.owner else "Nobody has it"
    text = f"{by}: {to} has not answered. {owner}; offer it to somebody else?"
    blocks = [_loud(incident, handoff)(text)]
    if incident.is_open and handoff.status == "offered":
        other = b.button("Hand off…", "handoff", value(i=incident.id), style="primary")
        blocks += b.actions(other)
    return b.message(text, blocks)


def _loud(incident: Incident, handoff: Handoff) -> Callable[[str], Block]:
    """A paragraph while it waits for somebody, a small grey line afterwards."""
    return b.section if incident.is_open and handoff.status == "offered" else b.context


def _line(incident: Incident, handoff: Handoff) -> str:
    by, to = b.person(handoff.by), b.person(handoff.to)
    at = f", {b.clock(handoff.answered_at, incident.opened_at)}" if handoff.answered_at else ""
    if handoff.status == "accepted":
        return f"✓ *{by} → {to}*: accepted{at}"
    if handoff.status != "offered":
        why = f": “{b.line(handoff.reason, 300)}”" if handoff.reason else ""
        return f"*{by} → {to}*: {handoff.status}{at}{why}"
    return f"*{by} → {to}*: not answered, the incident is {b.line(incident.outcome, 40) or 'over'}"
