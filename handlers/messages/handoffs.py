"""The offer to another person, with all that they need to say yes."""

from __future__ import annotations

from typing import Any

from handlers import blocks as b
from handlers.actions import value
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


def reminder(incident: Incident, handoff: Handoff) -> dict[str, Any]:
    """What is said in the thread when nobody answered: first to the one it was offered to, then to
    the one who offered it."""
    by, to = b.person(handoff.by), b.person(handoff.to)
    if handoff.reminded < 2:
        text = f"{to}: {by} waits for your answer to the hand-off above."
        return b.message(text, [b.section(text)])
    owner = f"{b.person(incident.owner)} still has it" if incident.owner else "Nobody has it"
    text = f"{by}: {to} has not answered. {owner}; offer it to somebody else?"
    other = b.button("Hand off…", "handoff", value(i=incident.id), style="primary")
    return b.message(text, [b.section(text), *b.actions(other)])


def _line(incident: Incident, handoff: Handoff) -> str:
    by, to = b.person(handoff.by), b.person(handoff.to)
    at = f", {b.clock(handoff.answered_at, incident.opened_at)}" if handoff.answered_at else ""
    if handoff.status == "accepted":
        return f"✓ *{by} → {to}*: accepted{at}"
    if handoff.status != "offered":
        why = f": “{b.line(handoff.reason, 300)}”" if handoff.reason else ""
        return f"*{by} → {to}*: {handoff.status}{at}{why}"
    return f"*{by} → {to}*: not answered, the incident is {b.line(incident.outcome, 40) or 'over'}"
