"""Handing over: one incident, or at the end of a shift all of a person's in one message."""

from __future__ import annotations

from analysis.words import plural
from handlers.actions import value
from handlers.blocks import (
    Block,
    actions,
    button,
    context,
    line,
    message,
    person,
    section,
    span,
)
from handlers.desk import Desk, entrance
from handlers.messages.summary import summarise
from handlers.registry import (
    Reply,
    Request,
    Unclear,
    bare,
    channel_of,
    reply,
    run_button,
)
from handlers.standing import mark, name, progress
from handlers.typed import Words, user_in
from state.events import HandoffAnswered, HandoffOffered
from state.incident import Handoff, Incident

MOST_TOLD = 20
"""So many incidents fit into one message; the worst are told."""


def digest(request: Request, words: Words, desk: Desk) -> Reply:
    """Every open incident of somebody: where it stands, what is next, where it is."""
    named = next((u for w in words if (u := user_in(w))), None)
    if words and named is None and words != ("me",):
        raise Unclear(f"Whose? {bare(words[0])} is nobody: pick the name from Slack's list.")
    user = named or request.user
    found = [i for i in _owned(user, desk) if desk.may_see(i.id, request.user)]
    whose = "You have" if user == request.user else f"{person(user)} has"
    if not found:
        return reply(f"{whose} no open incident.", ("Open incidents", "incidents open"))
    text = f"{whose} {_count(found)}."
    left = sum(_offer(i) is None for i in found) if user == request.user else 0
    what = "it" if len(found) == 1 else "them" if left == len(found) else "the rest"
    more = f"To hand {what} over: `{request.called} handoff all @bo`." if left else ""
    return Reply(text, tuple(_blocks(text, found, desk, more)))


def handoff(request: Request, words: Words, desk: Desk) -> Reply:
    """Offer an incident to another person, who may be in another team's channel."""
    incident = request.incident or ""
    to = next((u for w in words if (u := user_in(w))), None)
    channel = channel_of(words)
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
    return reply(text + entrance(channel, desk))


def _whom(words: Words, request: Request) -> str:
    example = f"`{request.called} handoff HE-1 @bo #data-platform`"
    if any(w.startswith("<!subteam") for w in words):
        return (
            f"I hand over to one person, not to a group: pick who accepts. For example {example}."
        )
    names = [w for w in words if w.startswith("@")]
    if names:
        return (
            f"I can't tell who {bare(names[0])} is: pick the name from Slack's list. "
            f"For example {example}."
        )
    return f"To whom? For example {example}."


def hand_all(request: Request, words: Words, desk: Desk) -> Reply:
    """Offer every open incident of one's own to one person, who gets them in one message."""
    to = next((u for w in words if (u := user_in(w))), None)
    channel = channel_of(words)
    if to is None or to == request.user:
        raise Unclear(f"To whom? For example `{request.called} handoff all @bo #data-platform`.")
    mine = _owned(request.user, desk)
    if not mine:
        raise Unclear("You have no open incident to hand over.", ("Open incidents", "incidents"))
    offered, kept = list[Incident](), list[str]()
    for incident in mine:
        refusal = desk.tell(incident.id, HandoffOffered(desk.now(), request.user, to, channel))
        if refusal:
            kept.append(f"{name(desk, incident)} is not offered: {refusal}")
        else:
            offered.append(incident)
    if offered:
        text = f"{person(request.user)} asks you to take over {_count(offered)}."
        accept = run_button("Accept all" if len(offered) > 1 else "Accept", "accept all")
        blocks = [*_blocks(text, offered, desk, ""), *actions(accept)]
        desk.write(to, offered[0].id, message(text, blocks))
    them, stay = ("them", "They stay") if len(offered) > 1 else ("it", "It stays")
    told = f"{_count(offered)} offered to {person(to)}, who has a message about {them}. "
    lines = [told + f"{stay} yours until accepted."] if offered else []
    return reply("\n".join([*lines, *kept]))


def accept_all(request: Request, words: Words, desk: Desk) -> Reply:
    """Accept every hand-off that is offered to the one who says so."""
    del words
    taken, kept = list[Incident](), list[str]()
    for incident, offer in _offered(request.user, desk):
        event = HandoffAnswered(desk.now(), offer.id, request.user, True)
        refusal = desk.tell(incident.id, event)
        if refusal:
            kept.append(f"{name(desk, incident)}: {refusal}")
        else:
            taken.append(desk.store.load(incident.id) or incident)
    if not taken and not kept:
        return reply("Nothing is offered to you.", ("What I have", "digest"))
    text = f"You have taken over {_count(taken)}." if taken else "\n".join(kept)
    return Reply(text, tuple(_blocks(text, taken, desk, "\n".join(kept) if taken else "")))


def _owned(user: str, desk: Desk) -> list[Incident]:
    """A person's open incidents, the worst and oldest first."""
    mine = [i for i in desk.store.open_incidents() if i.owner == user]
    return sorted(mine, key=lambda i: (i.severity, i.opened_at))


def _offered(user: str, desk: Desk) -> list[tuple[Incident, Handoff]]:
    return [
        (incident, offer)
        for incident in desk.store.open_incidents()
        for offer in incident.handoffs
        if offer.to == user and offer.status == "offered"
    ]


def _blocks(text: str, found: list[Incident], desk: Desk, more: str) -> list[Block]:
    blocks: list[Block] = [section(f"*{text}*")]
    blocks += [section(_entry(i, desk)) for i in found[:MOST_TOLD]]
    if len(found) > MOST_TOLD:
        blocks.append(section(f"and {len(found) - MOST_TOLD} milder ones: `incidents open`."))
    return [*blocks, *([context(more)] if more else [])]


def _entry(incident: Incident, desk: Desk) -> str:
    """One incident in three lines: what, where it stands, what to do."""
    title = line(incident.alert.title or incident.alert.subject, 120)
    age = span(desk.now() - incident.opened_at)
    told = summarise(incident, desk.tree, (), desk.title)
    then = told.next[0] if told.next else "Resolve it"
    offer = _offer(incident)
    waits = f", offered to {person(offer.to)}" if offer else ""
    head = (f"{mark(incident)} {name(desk, incident)}", title, f"severity {incident.severity}", age)
    return f"{' · '.join(head)}\nNow: {progress(incident, desk)}{waits}\n*Next:* {then}"


def _offer(incident: Incident) -> Handoff | None:
    return next((h for h in incident.handoffs if h.status == "offered"), None)


def _count(found: list[Incident]) -> str:
    return plural(len(found), "open incident")
