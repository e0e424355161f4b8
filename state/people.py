"""What people do beside the walk: take it, hand it over, close it, open it again."""

from __future__ import annotations

from dataclasses import replace

from analysis.evidence import Suspect
from state import effects as fx
from state import events as ev
from state.guards import Misfit, Result, still_open
from state.incident import Cause, Handoff, HandoffStatus, Incident, Note, Status

MOST_REMINDERS = 2
"""One to the person it was offered to, then one to the person who offered it."""


def taken(incident: Incident, event: ev.Taken) -> Result:
    """Somebody owns it."""
    if still_open(incident).owner == event.owner:
        raise Misfit(f"<@{event.owner}> has it already.")
    return replace(incident, owner=event.owner), ()


def called(incident: Incident, event: ev.Called) -> Incident:
    """A level is called once; only an alert that comes back calls again."""
    call = event.call
    before = [c for c in still_open(incident).calls if c.level == call.level]
    if call.reason != "again" and any(c.held_until is None for c in before):
        raise Misfit("They have been called already.")
    return replace(incident, calls=(*incident.calls, call))


def handed(incident: Incident, event: ev.HandoffOffered | ev.HandoffAnswered) -> Result:
    """A hand-off is offered, or answered by the person it was offered to."""
    incident = still_open(incident)
    if isinstance(event, ev.HandoffOffered):
        if event.to == incident.owner:
            raise Misfit(f"<@{event.to}> has it already.")
        pending = next((h for h in incident.handoffs if h.status == "offered"), None)
        if pending is not None and len(pending.reminders) >= MOST_REMINDERS:
            lapsed = replace(pending, status="not answered", answered_at=event.at)
            incident, pending = incident.with_handoff(lapsed), None
        if pending is not None:
            raise Misfit(
                f"It is already offered to <@{pending.to}>, who has not answered yet; "
                f"<@{pending.by}> can take that back with “Decline…” there."
            )
        handoff = Handoff(len(incident.handoffs) + 1, event.by, event.to, event.at, event.channel)
        return incident.with_handoff(handoff), (fx.RemindHandoff(handoff.id),)
    found = incident.handoff(event.handoff)
    if found is None or found.status != "offered":
        raise Misfit("This hand-off has been answered already.")
    if event.by not in (found.to, found.by):
        raise Misfit(f"This is offered to <@{found.to}>; only they can accept or decline it.")
    if event.accepted and event.by != found.to:
        raise Misfit(f"Only <@{found.to}> can accept it.")
    status = _answer(found, event)
    answered = replace(found, status=status, reason=event.reason, answered_at=event.at)
    incident = incident.with_handoff(answered)
    return (replace(incident, owner=found.to) if event.accepted else incident), ()


def _answer(offer: Handoff, event: ev.HandoffAnswered) -> HandoffStatus:
    """Nobody is said to have declined what was taken back by the one who offered it."""
    if event.accepted:
        return "accepted"
    return "declined" if event.by == offer.to else "taken back"


def overdue(incident: Incident, event: ev.HandoffOverdue) -> Result:
    """Nobody answered: the one it was offered to is reminded once, then the one who offered."""
    found = incident.handoff(event.handoff)
    if found is None or found.status != "offered" or len(found.reminders) >= MOST_REMINDERS:
        raise Misfit("This hand-off waits for nothing.")
    reminded = replace(found, reminders=(*found.reminders, event.at))
    more = (fx.RemindHandoff(found.id),) if len(reminded.reminders) < MOST_REMINDERS else ()
    return incident.with_handoff(reminded), more


def closed(incident: Incident, event: ev.Closed) -> Result:
    """It is over; a recorded cause takes the place of what the walk concluded."""
    incident = still_open(incident)
    if event.kind:
        suspects = tuple(
            next((s for s in incident.suspects if s.name == name), Suspect("metric", name, 0.0))
            for name in event.names
        )
        cause = Cause(event.kind, suspects, 1.0, 0)
        incident = replace(incident, causes=(cause,))
    incident = replace(
        incident,
        status="resolved" if event.outcome == "resolved" else "closed",
        closed_at=event.at,
        closed_by=event.by,
        outcome=event.outcome,
        follow_ups=(*incident.follow_ups, *event.follow_ups),
        waiting=(),
    )
    if event.text:
        note = Note(event.at, event.by, event.text)
        incident = replace(incident, notes=(*incident.notes, note))
    return incident, ()


def reopened(incident: Incident) -> Result:
    """It was not over: it stands where it stood, and a check that was dropped is run."""
    if incident.is_open:
        raise Misfit("It is open already.")
    status: Status = "concluded" if incident.causes else "diagnosing"
    incident = replace(
        incident, status=status, closed_at=None, closed_by="", outcome="", part_of=""
    )
    running = [s for s in incident.live_steps if s.status == "running"]
    return incident, tuple(fx.RunCheck(s.number, s.node, s.scope) for s in running)
