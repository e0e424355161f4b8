"""The commands that steer an incident from its thread: why, back, note, assign, severity, snooze,
close, catch me up."""

from __future__ import annotations

import re
from datetime import timedelta

from handlers import blocks as b
from handlers import times
from handlers.actions import value
from handlers.alerts.shared import severity_of
from handlers.blocks import Block, button, clock, person
from handlers.desk import Desk
from handlers.explore import incident_of
from handlers.messages import words as words_
from handlers.messages.summary import catch_up
from handlers.registry import Reply, Request, Unclear, bare, reply
from handlers.typed import Words, user_in
from state import events as ev
from state.events import Event
from state.incident import Incident, Step

OUTCOMES = {
    "resolved": "resolved",
    "resolve": "resolved",
    "fixed": "resolved",
    "done": "resolved",
    "not an incident": "not an incident",
    "false alarm": "not an incident",
    "noise": "not an incident",
    "stopped": "stopped",
    "stop": "stopped",
}
"""How an incident can be closed, by what people say."""
LONGEST_NAP = timedelta(days=7)


def why(request: Request, words: Words, desk: Desk) -> Reply:
    """Why the step asks, and why it proposes what it does, in the thread with its chart."""
    incident = incident_of(request, desk)
    step = _step(incident, words)
    desk.say(incident.id, request.channel, request.user, f"why {step.number}", _why(step, desk))
    return _quiet(request, f"The answer is in the thread of {incident.id}.")


def _step(incident: Incident, words: Words) -> Step:
    number = next((int(m[0]) for w in words if (m := re.search(r"\d+", w))), 0)
    if number:
        found = incident.step(number)
        if found is None or found.status == "superseded":
            raise Unclear(f"{incident.id} has no step {number} that counts.", ("Why", "why"))
        return found
    told = [s for s in incident.live_steps if s.evidence is not None]
    return (told or list(incident.steps))[-1]


def _why(step: Step, desk: Desk) -> dict[str, object]:
    node = words_.node_of(desk.tree, step.node)
    lines = [f"*Asked because.* {b.line(node.why, 400)}"] if node and node.why else []
    blocks: list[Block] = []
    found = step.evidence
    if found is None:
        lines.append(b.line(step.error, 600) or "It has not come back yet.")
    else:
        branch = node.branch(found.verdict) if node else None
        guess = words_.said(branch, found.named) if branch else found.verdict
        finding = b.line(found.headline, near=words_.looked(found))
        lines.append(f"*I say {guess}* ({words_.sure(found)}): {finding}")
        if found.how.method:
            lines.append(f"*Found by.* {b.line(found.how.method, 500)}")
        against = [
            *found.disagreements[:2],
            *(f"not looked at: {n}" for n in found.not_examined[:2]),
        ]
        if against:
            lines.append("*What speaks against it.* " + "; ".join(b.line(a, 200) for a in against))
        blocks = [b.image(chart) for chart in found.charts[:1]]
    if step.answer:
        over = ", against what I proposed" if step.answer.override else ""
        who = person(step.answer.by)
        lines.append(
            f"*Skipped* by {who}." if step.answer.skipped else f"*Decided* by {who}{over}."
        )
    title = words_.title(desk.tree, step)
    text = "\n".join(lines)
    head = f"Why {step.number}: {b.line(node.title if node else step.node, 80)}"
    return b.message(head, [b.section(f"*Why?* {title}\n{text}"), *blocks])


def back(request: Request, words: Words, desk: Desk) -> Reply:
    """Decide an earlier step anew: the last one that was answered, or the one of that number."""
    incident = incident_of(request, desk)
    number = next((int(m[0]) for w in words if (m := re.search(r"\d+", w))), 0)
    answered = [s.number for s in incident.live_steps if s.answer]
    if not answered:
        raise Unclear(f"Nothing was decided yet in {incident.id}; there is no step to go back to.")
    if number and number not in answered:
        raise Unclear(
            f"Step {number} was not answered, so it can't be decided anew.",
            *((f"Back to step {n}", f"back {n}") for n in answered[-3:]),
        )
    number = number or answered[-1]
    _tell(desk, incident, ev.WentBack(desk.now(), number, request.user))
    return _quiet(request, f"Step {number} of {incident.id} is asked again.")


def skip(request: Request, words: Words, desk: Desk) -> Reply:
    """Leave the step that waits open, and go on without an answer to it."""
    incident = incident_of(request, desk)
    number = next((int(m[0]) for w in words if (m := re.search(r"\d+", w))), 0)
    waiting = [s.number for s in incident.live_steps if s.answer is None]
    if not number and not waiting:
        raise Unclear(f"No step of {incident.id} waits for an answer; there is nothing to skip.")
    number = number or waiting[-1]
    _tell(desk, incident, ev.Skipped(desk.now(), number, request.user))
    return _quiet(request, f"Step {number} of {incident.id} is left open.")


def note(request: Request, words: Words, desk: Desk) -> Reply:
    """A line for the record, as it was typed."""
    incident = incident_of(request, desk)
    match = re.search(r"\bnote\b[:,]?\s*(?:#?he-?0*\d+\b)?\s*(.*)", request.text, re.I | re.S)
    text = match[1].strip() if match and words else ""
    if not text:
        raise Unclear(
            f"What should be noted? For example `{request.called} note deploy of the feature "
            "store at 13:50`."
        )
    _tell(desk, incident, ev.Noted(desk.now(), request.user, _readable(text)[:3000]))
    return reply(f"Noted in {incident.id}.")


def _readable(text: str) -> str:
    """Slack's escapes read back; its tokens stay, as they name people and links."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def assign(request: Request, words: Words, desk: Desk) -> Reply:
    """Give an incident to somebody, or take it."""
    incident = incident_of(request, desk)
    to = next((u for w in words if (u := user_in(w))), None)
    if to is None and any(w.lower() in ("me", "myself") for w in words):
        to = request.user
    if to is None:
        named = [w for w in words if w.startswith("@")]
        what = (
            f"I can't tell who {bare(named[0])} is: pick the name from Slack's list."
            if named
            else "To whom?"
        )
        raise Unclear(
            f"{what} For example `{request.called} assign @bo`.", ("Assign to me", "assign me")
        )
    _tell(desk, incident, ev.Taken(desk.now(), request.user, to))
    if to == request.user:
        return reply(f"You have {incident.id} now.")
    text = f"{person(to)}: {person(request.user)} gave you {incident.id}."
    desk.say(
        incident.id, request.channel, request.user, "assign", b.message(text, [b.section(text)])
    )
    return _quiet(request, f"{person(to)} has {incident.id} now, and is told in its thread.")


def take(request: Request, words: Words, desk: Desk) -> Reply:
    """Have the incident oneself; ``take @bo`` gives it to Bo."""
    return assign(request, words or ("me",), desk)


def severity(request: Request, words: Words, desk: Desk) -> Reply:
    """Set the severity, 1 (worst) to 4."""
    incident = incident_of(request, desk)
    said = " ".join(words)
    match = re.fullmatch(r"(?:sev(?:erity)?|s|p)?[ -]?([1-4])", said, re.I)
    level = int(match[1]) if match else severity_of(said, unknown=0)
    if not level:
        raise Unclear(
            f"Severity is 1 (worst) to 4; {incident.id} has {incident.severity}.",
            *((f"Severity {n}", f"severity {n}") for n in range(1, 5)),
        )
    if level == incident.severity:
        return reply(f"{incident.id} has severity {level} already.")
    _tell(desk, incident, ev.SeveritySet(desk.now(), request.user, level))
    return reply(f"{incident.id} has severity {level} now; it was {incident.severity}.")


def snooze(request: Request, words: Words, desk: Desk) -> Reply:
    """Remind nobody for a while."""
    incident = incident_of(request, desk)
    said = " ".join(w for w in words if w.lower() != "for")
    try:
        if said.lower().startswith("until "):
            nap = times.coming(said, desk.now(), desk.zone(request.user)) - desk.now()
        else:
            nap = times.span(said) if said else timedelta(0)
    except times.UnclearTime as error:
        raise Unclear(b.escape(str(error)), *_naps()) from None
    if not nap:
        raise Unclear("For how long?", *_naps())
    if nap > LONGEST_NAP:
        raise Unclear("At most a week; close it when it is none.", *_naps())
    until = desk.now() + nap
    _tell(desk, incident, ev.Snoozed(desk.now(), request.user, until))
    return reply(f"{incident.id} is quiet until {clock(until, desk.now())}.")


def _naps() -> tuple[tuple[str, str], ...]:
    return (("30 minutes", "snooze 30m"), ("1 hour", "snooze 1h"), ("4 hours", "snooze 4h"))


def close(request: Request, words: Words, desk: Desk) -> Reply:
    """End it: resolved (with the form for the cause), not an incident, or stopped."""
    incident = incident_of(request, desk)
    said = " ".join(words).lower()
    found = next((o for o in OUTCOMES if said == o or said.startswith(f"{o} ")), "")
    if not found:
        ref = value(i=incident.id)
        what = f"I can't close it as {bare(said)}. " if said else ""
        raise Unclear(
            f"{what}How did {incident.id} end?",
            button("Resolved…", "resolve", ref, style="primary"),
            ("Not an incident", f"close {incident.id} not an incident"),
            ("Stop the walk", f"close {incident.id} stopped"),
        )
    text = " ".join(words[len(found.split()) :])
    _tell(desk, incident, ev.Closed(desk.now(), request.user, OUTCOMES[found], text))
    return reply(
        f"{incident.id} is closed: {OUTCOMES[found]}.", ("Reopen", f"reopen {incident.id}")
    )


def reopen(request: Request, words: Words, desk: Desk) -> Reply:
    """It was not over."""
    del words
    incident = incident_of(request, desk)
    _tell(desk, incident, ev.Reopened(desk.now(), request.user))
    return reply(f"{incident.id} is open again.")


def catch_me_up(request: Request, words: Words, desk: Desk) -> Reply:
    """What somebody who comes late must know, for their eyes."""
    del words
    incident = incident_of(request, desk)
    payload = catch_up(incident, desk.tree, desk.said(incident.id, request.user), desk.title)
    blocks = payload["blocks"]
    return Reply(str(payload["text"]), tuple(blocks) if isinstance(blocks, list) else None)


def _tell(desk: Desk, incident: Incident, event: Event) -> None:
    refusal = desk.tell(incident.id, event)
    if refusal:
        raise Unclear(refusal)


def _quiet(request: Request, text: str) -> Reply:
    """Nothing more is said where the thread itself shows it."""
    in_thread = request.via == "mention" and request.thread_ts
    return Reply("") if in_thread else reply(text)
