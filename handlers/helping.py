"""`help` in a few lines: what to say now, where it was asked; the whole list is a click away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handlers.blocks import escape
from handlers.desk import Desk, every
from handlers.messages.summary import summarise
from handlers.registry import SAMPLES, Command, Reply, Request, reply
from handlers.standing import mark, name
from handlers.triage import label, typed
from state.incident import Incident

MOST_OPEN = 2
"""So many open incidents are told; `status` lists them all."""
ALL = ("All commands", "help all")
CATCH_UP = ("Catch me up", "catch me up")

Line = tuple[str, str]
"""What can be said, and what it does."""


def brief(
    request: Request, near: Sequence[Incident], names: Mapping[str, str], desk: Desk
) -> Reply:
    """What somebody who is tired needs to know. ``near`` are the open incidents of the channel
    that they may see, ``names`` those of the installation."""
    incident = desk.store.load(request.incident) if request.incident else None
    if incident is not None:
        lines, buttons = _inside(incident)
        told = [_now(incident, desk), *(_said(request, *line) for line in lines)]
        return reply("\n".join(told), *buttons, ALL)
    lines, buttons = _outside({**SAMPLES, **names}, desk)
    told = [_now(i, desk) for i in near[-MOST_OPEN:]]
    told += [_said(request, *line) for line in lines]
    told.append("In an incident's thread, mention me: `@hawkeye help` says what fits there.")
    return reply("\n".join(told), *buttons, ALL)


def full(groups: Mapping[str, Sequence[Command[Desk]]]) -> Reply:
    """Every command in a line, by what it is for."""
    lines = list[str]()
    for group, commands in groups.items():
        lines.append(f"*{group}*")
        lines += [f"`{escape(c.usage)}`: {c.summary}" for c in commands]
    lines.append(
        "In a thread mention me, `@hawkeye status`; elsewhere also `/hawkeye status`. "
        "Mention me under another bot's alert with `triage`, and I answer there."
    )
    return reply("\n".join(lines))


def _inside(incident: Incident) -> tuple[list[Line], list[Line]]:
    """What fits an incident as it stands: what to say, and as buttons."""
    if incident.part_of:
        return [], []
    if not incident.is_open:
        return [
            ("export pdf", "the record as a file"),
            ("similar", "earlier incidents like this one"),
            ("reopen", "it was not over"),
        ], [CATCH_UP]
    lines = [
        ("note restarted the job", "a line for the record"),
        ("handoff @bo", "offer it to somebody else"),
    ]
    buttons = [CATCH_UP] if incident.owner else [("Take it", "take"), CATCH_UP]
    if incident.puzzle:
        return [*lines, ("close not an incident", "nothing is wrong")], buttons
    lines = [("chart 7d", "a week of it, with its usual range"), *lines]
    asks = ("why", "why the step asks, and why I propose what I do")
    lines = [asks, *lines] if incident.current else [*lines, ("close resolved", "it is over")]
    return lines, [*buttons, ("What changed", "what changed")]


def _outside(names: Mapping[str, str], desk: Desk) -> tuple[list[Line], list[Line]]:
    """What fits where there is no incident: look into something, or see what is open."""
    lines = [
        (f"triage {names['metric']} since 14:05", "find out what is wrong with it"),
        ("status", "what is open, and how the monitors do"),
    ]
    known = every(desk.subjects())
    first = [(label(known[0]), f"triage {typed(known[0], desk)}")] if known else []
    return lines, [*first, ("Status", "status")]


def _now(incident: Incident, desk: Desk) -> str:
    """Where an incident is, and what it waits for."""
    then = summarise(incident, desk.tree, (), desk.title).next
    over = "Resolve it" if incident.is_open else escape(incident.outcome or incident.status)
    told = (then[0] if then else over).rstrip(".")
    return f"{mark(incident)} {name(desk, incident)} now: {told}."


def _said(request: Request, text: str, does: str) -> str:
    return f"`{request.called} {escape(text)}`: {does}"
