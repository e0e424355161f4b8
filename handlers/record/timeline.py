"""The timeline: what happened, who did it, and when, a line for each event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby

from analysis.words import clock, plural
from handlers.messages import words
from handlers.record.material import Material
from state import events as ev
from state.incident import Incident, Step

BOT = "HawkEye"
_DECIDED = {ev.MitigationConfirmed: "Confirmed", ev.MitigationCancelled: "Cancelled"}


@dataclass(frozen=True, order=True)
class Line:
    """One thing that happened; ``who`` is a person's name, or the bot's."""

    at: datetime
    who: str
    what: str


def timeline(m: Material) -> list[Line]:
    """Events, what people wrote and what they asked to see, in order of time."""
    events = [entry.event for entry in m.entries]
    lines = [line for event in _without_waiting(events) if (line := _told(m, event)) is not None]
    lines += _said(m)
    lines += [Line(look.at, m.names(look.user), f"Asked: {look.asked}") for look in m.looks]
    return sorted(lines, key=lambda line: line.at)


def _without_waiting(events: list[ev.Event]) -> Iterator[ev.Event]:
    """Of looks in a row that could tell nothing yet, the first and the last: a recovery may be
    looked for a hundred times."""
    told = (e for e in events if not isinstance(e, ev.Rechecked))
    for step, run in groupby(told, _waits):
        found = list(run)
        yield from found if step is None or len(found) < 3 else (found[0], found[-1])


def _waits(event: ev.Event) -> int | None:
    """The step at which a look could tell nothing yet; None for anything else."""
    undecided = isinstance(event, ev.Checked) and event.evidence.verdict in words.UNDECIDED
    return event.step if isinstance(event, ev.Checked) and undecided else None


def _said(m: Material) -> Iterator[Line]:
    for said in m.said:
        try:
            at = datetime.fromtimestamp(float(said.ts), UTC)
        except ValueError:
            continue
        mark = "📌 " if said.pinned else ""
        yield Line(at, m.names(said.user), f"{mark}“{' '.join(m.text(said.text).split())}”")


def _told(m: Material, event: ev.Event) -> Line | None:
    what = _what(m, event)
    if not what:
        return None
    by = getattr(event, "by", "")
    return Line(event.at, m.names(by) if by else BOT, what)


def _what(m: Material, event: ev.Event) -> str:
    match event:
        case ev.Opened():
            return f"Opened: {m.incident.alert.title or m.incident.alert.subject}"
        case ev.AlertJoined(alert=alert):
            state = "Alert joined" if alert.firing else "Alert is over"
            why = f" ({event.why})" if event.why else ""
            return f"{state}: {alert.title or alert.subject}{why}"
        case ev.Checked(evidence=found):
            return f"{_asked(m, event.step)} {found.headline} ({words.sure(found)})"
        case ev.CheckFailed():
            return f"{_asked(m, event.step)} Could not look: {event.error}"
        case ev.WentOver(excess=excess):
            return f"{_asked(m, event.step)} {excess.sentence}"
        case ev.Allowed():
            return f"{_asked(m, event.step)} allowed to go over its budget"
        case ev.Answered():
            return _answered(m, event)
        case ev.Skipped():
            return f"{_asked(m, event.step)} left open"
        case ev.Rerun():
            return f"Ran step {event.step} again {_over(event)}"
        case ev.WentBack():
            return f"Went back to step {event.step}"
        case ev.Noted():
            beside = f" (step {event.step})" if event.step else ""
            return f"Noted: {m.text(event.text)}{beside}"
        case _:
            return _around(m, event)


def _over(event: ev.Rerun) -> str:
    w = event.window
    if event.minutes:
        return f"against {plural(round(event.minutes / 1440), 'day')} before it alone"
    return f"over {clock(w.start)} to {clock(w.end)}" if w else "over fresh data"


def _around(m: Material, event: ev.Event) -> str:
    """What happened around the walk."""
    match event:
        case ev.Taken():
            return "Took it" if event.by == event.owner else f"Gave it to {m.names(event.owner)}"
        case ev.SeveritySet():
            return f"Severity {event.severity}"
        case ev.Snoozed():
            return f"Quiet until {clock(event.until)}"
        case ev.HandoffOffered():
            return f"Offered it to {m.names(event.to)}"
        case ev.HandoffAnswered():
            return _handed(m.incident, event)
        case ev.Closed():
            return f"Closed: {event.outcome}" + (f". {m.text(event.text)}" if event.text else "")
        case ev.Reopened():
            return "Reopened"
        case ev.HandoffOverdue():
            return "Nobody had answered the hand-off"
        case ev.Called():
            return f"Called: {', '.join(map(m.names, event.call.people)) or 'nobody is on call'}"
        case ev.Merged() | ev.Parted() | ev.Absorbed() | ev.Puzzled() | ev.Placed():
            return _grouped(event)
        case _:
            return _mitigated(m, event)


def _grouped(event: ev.Merged | ev.Parted | ev.Absorbed | ev.Puzzled | ev.Placed) -> str:
    """What its alerts turned out to be about."""
    match event:
        case ev.Merged():
            return f"Found to be part of {event.into}, which goes on for both"
        case ev.Parted():
            return f"Moved {plural(len(event.keys), 'alert')} to {event.into}: due to its cause"
        case ev.Absorbed():
            return f"Took in {plural(len(event.signals), 'alert')} of {event.of}: due to this cause"
        case ev.Puzzled():
            return f"Opened, and asked what it is about: {event.why}"
        case ev.Placed():
            return f"Said that it is about the {event.entry} {event.subject}"


def _handed(incident: Incident, event: ev.HandoffAnswered) -> str:
    offer = incident.handoff(event.handoff)
    answer = "Accepted" if event.accepted else "Declined"
    if offer and event.by != offer.to:
        answer = "Took back"
    return f"{answer} the hand-off" + (f": {event.reason}" if event.reason else "")


def _mitigated(m: Material, event: ev.Event) -> str:
    match event:
        case ev.MitigationAsked():
            return f"Asked what “{m.title(event.action)}: {event.target.name}” would do"
        case ev.MitigationPlanned():
            return f"Dry run: {event.plan}"
        case ev.MitigationConfirmed() | ev.MitigationCancelled():
            found = m.incident.mitigation(event.mitigation)
            name = f"{m.title(found.action)}: {found.target.name}" if found else "mitigation"
            return f"{_DECIDED[type(event)]}: {name}"
        case ev.MitigationDone():
            return f"Carried out: {event.result}"
        case ev.MitigationFailed():
            return f"Mitigation failed: {event.error}"
        case _:
            return ""


def _asked(m: Material, number: int) -> str:
    step = m.incident.step(number)
    return f"Step {number}, {title(m, step)}:" if step else f"Step {number}:"


def title(m: Material, step: Step) -> str:
    """The question of a step without its mark."""
    name = m.tree.node(step.node).title if m.tree.is_node(step.node) else step.node
    return name.rstrip("?")


def _answered(m: Material, event: ev.Answered) -> str:
    step = m.incident.step(event.step)
    known = step is not None and m.tree.is_node(step.node)
    branch = m.tree.node(step.node).branch(event.verdict) if step is not None and known else None
    label = branch.label if branch else event.verdict
    named = f": {', '.join(s.name for s in event.suspects)}" if event.suspects else ""
    if step and branch and words.points(branch) and step.answer and step.answer.at == event.at:
        # "These features" says nothing outside the thread.
        label, named = m.text(words.said(branch, step.answer.suspects)), ""
    proposed = step.evidence.verdict if step and step.evidence else event.verdict
    over = "" if event.verdict == proposed else ", against what was proposed"
    others = f", then {', '.join(event.also)}" if event.also else ""
    return f"{_asked(m, event.step)} decided “{label}”{named}{others}{over}"
