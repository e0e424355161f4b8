"""One message per mitigation: what it would do, the second question, what it did."""

from __future__ import annotations

from typing import Any

from handlers import blocks as b
from handlers.actions import value
from handlers.blocks import Block
from handlers.messages.view import LONGEST_NAME, View
from state.incident import Incident, Mitigation

MOST_NAMED = 5
_WATCHED = "I am watching whether the metric comes back."
_CALLED = "That calls for help and changes nothing: what is wrong is still to be mended."


def mitigation_message(incident: Incident, mitigation: Mitigation, view: View) -> dict[str, Any]:
    """The payload of a mitigation in whatever state it is."""
    what = f"{b.line(view.title(mitigation.action), 80)}: {b.code(mitigation.target.name)}"
    text = _text(incident, mitigation, what)
    blocks = [b.section(text)]
    if incident.is_open and mitigation.status == "planned":
        blocks.append(b.context(_who_may(mitigation, view)))
    if incident.is_open:
        blocks += b.actions(*_buttons(incident, mitigation, view))
    return b.message(text.replace("*", ""), blocks)


def _text(incident: Incident, found: Mitigation, what: str) -> str:
    asked = f"asked by {b.person(found.asked_by)}, {b.clock(found.at, incident.opened_at)}"
    said_yes = b.person(found.confirmed_by)
    result = b.line(found.result, 1200)
    nothing = "nothing is changed" if found.mends else "nobody is called"
    if found.status == "planning":
        return f"*{what}* — {asked}\nWorking out what it would do. Nothing has happened yet."
    if found.status == "planned":
        plan = b.line(found.plan, 1500) or "The dry run gave no description."
        return f"*{what}* — {asked}\n*What it will do:* {plan}\n{nothing.capitalize()} yet."
    if found.status == "carrying":
        return f"*{what}* — confirmed by {said_yes}\nDoing it now…"
    if found.status == "done":
        at = f", {b.clock(found.done_at, incident.opened_at)}" if found.done_at else ""
        onward = _WATCHED if found.mends else _CALLED
        return (
            f"✓ *{what}* — {said_yes}{at}\n{result} {onward if incident.is_open else ''}".rstrip()
        )
    if found.status == "failed":
        return f"*{what}* failed. {result or 'It gave no reason.'}"
    return f"~{what}~ cancelled, {nothing.replace(' is ', ' was ')}"


def _who_may(found: Mitigation, view: View) -> str:
    """Who may confirm it, so that nobody has to press to find out."""
    named = view.confirmers(found.action)
    asker = found.asked_by if found.second_person else ""
    if named is None:
        told = "Anyone here may confirm it"
        return f"{told} but {b.person(asker)}, who asked for it." if asker else f"{told}."
    left = [b.person(user) for user in named if user != asker]
    people = b.listed(left, MOST_NAMED) or "Nobody that the settings name"
    also = f" ({b.person(asker)} asked for it, so somebody else has to)" if asker else ""
    return f"{people} may confirm it{also}."


def _buttons(incident: Incident, found: Mitigation, view: View) -> list[Block]:
    ref = value(i=incident.id, m=found.id)
    if found.status == "planned":
        what = f"{view.title(found.action)}: {b.words(found.target.name)}"
        does = "This changes production." if found.mends else "This calls people."
        sure = b.confirm(what, f"{does} {found.plan}", "Do it", "Not yet")
        return [
            b.button("Do it", "confirm", ref, style="danger", sure=sure),
            b.button("Cancel", "cancel", ref),
        ]
    if found.status == "failed" and len(found.action) <= LONGEST_NAME:
        again = value(i=incident.id, a=found.action, k=found.target.kind, n=found.target.name)
        return [b.button("Try again", "mitigate:again", again)]
    return []
