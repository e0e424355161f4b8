"""The commands that we ship, as ``/hawkeye …`` and as ``@hawkeye …`` in a thread.

Replies go to the one who asked, alone; what concerns everybody is in the incident's thread.
"""

from __future__ import annotations

from handlers.actions import value
from handlers.blocks import button, escape, person
from handlers.desk import Desk, every
from handlers.registry import (
    Command,
    Reply,
    Request,
    Unclear,
    Words,
    bare,
    channel_in,
    named_incident,
    reply,
    user_in,
    way_in,
)
from handlers.standing import incidents, name, status
from handlers.tree_text import BEEN, HERE, picture
from handlers.triage import label, triage, typed
from state.events import HandoffOffered


def handoff(request: Request, words: Words, desk: Desk) -> Reply:
    """Offer an incident to another person, who may be in another team's channel."""
    incident = request.incident or ""
    to = next((u for w in words if (u := user_in(w))), None)
    channel = next((c for w in words if (c := channel_in(w))), "")
    if to is None:
        raise Unclear(_whom(words, request))
    if to == request.user:
        raise Unclear(
            f"That is you. To own {incident} yourself, take it.",
            button("Take it", "take", value(i=incident), style="primary"),
        )
    refusal = desk.tell(incident, HandoffOffered(desk.now(), request.user, to, channel))
    if refusal:
        raise Unclear(refusal)
    beside = f", and it is shown in <#{channel}> from now on" if channel else ""
    text = f"{incident} is offered to {person(to)}{beside}. It stays as it is until they accept."
    if channel and not desk.present(channel):
        return reply(
            f"{text}\nI can't post in <#{channel}> yet.",
            way_in(channel),
        )
    return reply(text)


def _whom(words: Words, request: Request) -> str:
    example = f"`{request.called} handoff HE-1 @bo #data-platform`"
    if any(w.startswith("<!subteam") for w in words):
        return (
            f"I hand over to one person, not to a group: pick who accepts. For example {example}."
        )
    names = [w for w in words if w.startswith("@")]
    if names:
        return f"I can't tell who {bare(names[0])} is: pick the name from Slack's list. {example}"
    return f"To whom? For example {example}."


def tree(request: Request, words: Words, desk: Desk) -> Reply:
    """The tree, with where the incident is when it is asked for in a thread."""
    wanted = named_incident(words) or request.incident
    incident = desk.store.load(wanted) if wanted else None
    if wanted and incident is None:
        raise Unclear(f"I know no incident {bare(wanted)}.", ("The whole tree", "tree"))
    drawn = escape("\n".join(picture(desk.tree, incident)))
    legend = (
        f"{HERE} is where {name(desk, incident)} is, {BEEN} what was decided.\n" if incident else ""
    )
    return reply(f"{legend}```\n{drawn}\n```")


def help_(request: Request, words: Words, desk: Desk) -> Reply:
    """All commands, or one of them with its example."""
    if words:
        wanted = next((c for c in COMMANDS if c.name == words[0].lower().lstrip("/")), None)
        if wanted is None:
            names = ", ".join(f"`{c.name}`" for c in COMMANDS)
            raise Unclear(f"I know no {bare(words[0])}. I know {names}.", ("Help", "help"))
        return reply(
            f"`{request.called} {escape(wanted.usage)}`\n{wanted.summary}\n"
            f"For example `{request.called} {escape(wanted.example)}`"
        )
    lines = [f"`{escape(c.usage)}`: {c.summary}" for c in COMMANDS]
    lines.append(
        "In a thread mention me, `@hawkeye status`; elsewhere also `/hawkeye status`. "
        "Mention me under another bot's alert with `triage`, and I answer there."
    )
    known = every(desk.subjects())
    first = [(label(known[0]), f"triage {typed(known[0], desk)}")] if known else []
    return reply("\n".join(lines), *first)


COMMANDS: tuple[Command[Desk], ...] = (
    Command(
        "triage",
        "triage <metric|model|feature> [since]",
        "Find out what is wrong with it, step by step, in a thread.",
        "triage precision since 14:05",
        triage,
    ),
    Command(
        "status",
        "status [incident]",
        "Where an incident stands; without one, what is open and how the monitors do.",
        "status HE-1",
        status,
    ),
    Command(
        "incidents",
        "incidents [open|all]",
        "The open incidents, or the newest of all.",
        "incidents all",
        incidents,
    ),
    Command(
        "handoff",
        "handoff [incident] @user [#channel]",
        "Offer an incident to somebody, who may be in another team's channel.",
        "handoff HE-1 @bo #data-platform",
        handoff,
        needs_incident=True,
    ),
    Command(
        "tree",
        "tree [incident]",
        "The questions that a walk can ask, and where this one is.",
        "tree",
        tree,
    ),
    Command("help", "help [command]", "This list, or one command explained.", "help triage", help_),
)
