"""The alerts of one incident: what fired, what ended, what comes and goes. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from state import events as ev
from state.guards import Misfit
from state.incident import Alert, Departure, Entry, Incident, Signal

MOST_SIGNALS = 200
"""More alerts than that are counted with those about the same subject."""
FLAP_SPAN = timedelta(minutes=30)
FLAPS = 2
"""An alert that came back so often within FLAP_SPAN comes and goes: it fired three times in half
an hour, which one outage that ends and one that returns don't do."""
KEPT_UPS = 12


def first_heard(alert: Alert, at: datetime, why: str = "") -> Signal:
    """An alert that is told for the first time."""
    return Signal(
        key=alert.key,
        source=alert.source,
        entry=alert.entry,
        subject=alert.subject,
        title=alert.title,
        since=alert.since,
        first=at,
        last=at,
        severity=alert.severity,
        count=int(alert.firing and not alert.update),
        firing=alert.firing,
        names=alert.names or (f"{alert.entry}:{alert.subject}",),
        update=alert.update,
        why=why,
        onset=alert.onset,
    )


def heard(incident: Incident, event: ev.AlertJoined) -> Incident:
    """The incident with one more alert, or with news of one that it has.

    A worse alert than any before makes the incident as severe.
    """
    alert = event.alert
    fired = alert.firing and not alert.update
    worst = min((s.severity for s in incident.signals), default=incident.severity)
    severity = incident.severity
    if fired and alert.severity < worst:
        severity = min(severity, alert.severity)
    return replace(
        incident,
        joined=incident.joined + fired,
        severity=severity,
        signals=_with(incident.signals, event, fired),
    )


def puzzled(incident: Incident, event: ev.Puzzled) -> Incident:
    """An incident that nobody knows the subject of."""
    signals = (first_heard(incident.alert, event.at),)
    return replace(incident, puzzle=event.why, guesses=event.guesses, signals=signals)


def placed_as(incident: Incident, event: ev.Placed) -> Incident:
    """The incident with the subject that a person gave it; Misfit when it has one."""
    if not incident.puzzle:
        raise Misfit(f"It is about {incident.alert.subject} already.")
    about = named_as(incident.signals, event.entry, event.subject)
    alert = replace(incident.alert, entry=event.entry, subject=event.subject, names=about[0].names)
    return replace(incident, alert=alert, signals=about, puzzle="", guesses=())


def named_as(signals: tuple[Signal, ...], entry: Entry, subject: str) -> tuple[Signal, ...]:
    """Alerts that are all about this subject after all."""
    names = (f"{entry}:{subject}",)
    return tuple(replace(s, entry=entry, subject=subject, names=names) for s in signals)


def merged(incident: Incident, event: ev.Merged | ev.Parted | ev.Absorbed) -> Incident:
    """Alerts go to the incident of their cause; one that has none left is closed."""
    if isinstance(event, ev.Merged):
        return replace(
            incident,
            status="closed",
            closed_at=event.at,
            outcome=f"part of {event.into}",
            part_of=event.into,
            waiting=(),
        )
    if isinstance(event, ev.Parted):
        return _parted(incident, event)
    mine = {s.key for s in incident.signals}
    new = tuple(s for s in event.signals if s.key not in mine)
    return replace(
        incident,
        joined=incident.joined + event.joined,
        signals=(*incident.signals, *new),
        severity=min(incident.severity, *(s.severity for s in new), incident.severity),
    )


def _parted(incident: Incident, event: ev.Parted) -> Incident:
    gone = [s for s in incident.signals if s.key in event.keys]
    left = tuple(s for s in incident.signals if s.key not in event.keys)
    count = sum(s.count for s in gone)
    departure = Departure(event.at, event.into, tuple(s.title for s in gone), count)
    return replace(
        incident,
        joined=incident.joined - count,
        signals=left,
        departures=(*incident.departures, departure),
    )


def _with(signals: tuple[Signal, ...], event: ev.AlertJoined, fired: bool) -> tuple[Signal, ...]:
    place = next((n for n, s in enumerate(signals) if s.key == event.alert.key), None)
    if place is None and len(signals) >= MOST_SIGNALS:
        alike = (n for n, s in enumerate(signals) if s.subject == event.alert.subject)
        place = next(alike, len(signals) - 1)
    if place is None:
        return (*signals, first_heard(event.alert, event.at, event.why))
    return (*signals[:place], _again(signals[place], event, fired), *signals[place + 1 :])


def _again(signal: Signal, event: ev.AlertJoined, fired: bool) -> Signal:
    alert = event.alert
    back = fired and not signal.firing
    return replace(
        signal,
        last=event.at,
        since=alert.since if back else signal.since,
        onset=alert.onset if back else signal.onset,
        title=alert.title or signal.title,
        severity=alert.severity if alert.firing else signal.severity,
        count=signal.count + fired,
        firing=alert.firing if not alert.update else signal.firing,
        ups=(*signal.ups, event.at)[-KEPT_UPS:] if back else signal.ups,
        update=alert.update or (signal.update if fired else ""),
    )


def flapping(signal: Signal) -> bool:
    """Whether it comes and goes, as of when it was last told of."""
    return sum(signal.last - up <= FLAP_SPAN for up in signal.ups) >= FLAPS


def ended(incident: Incident) -> bool:
    """Whether every alert has said that it is over; those that come and go don't count as over."""
    heard = incident.signals
    return bool(heard) and not any(s.firing or flapping(s) for s in heard)
