"""What becomes of a payload's alerts: opened, joined, told to their thread, put to a person."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import cast

from handlers.alerts import Stray, Taken
from handlers.desk import Desk, Desks, Subject, every, open_about
from state.events import AlertJoined
from state.incident import Alert, Entry, Incident

PLACED = "placed"
"""The store's settings that remember what people said about alerts that named nothing known."""


@dataclass
class Outcome:
    """What the sender is told: incidents by name (was it open already?), and sentences."""

    incidents: dict[str, bool] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    unplaced: list[str] = field(default_factory=list)


def take_in(desks: Desks, taken: Taken) -> Outcome:
    """See to every alert of a payload, in order."""
    outcome = Outcome(ignored=list(taken.ignored))
    for alert in taken.alerts:
        desk = desks.of(alert)
        if alert.firing and not alert.update:
            incident = desk.open(alert)
            outcome.incidents.setdefault(incident.id, _was_open(incident, alert))
        else:
            _news(desk, alert, outcome)
    for stray in taken.strays:
        _puzzle(desks.of(stray.alert), stray, outcome)
    return outcome


def _was_open(incident: Incident, alert: Alert) -> bool:
    """Whether it was open before: one that an alert opened may have taken in others at once."""
    first = incident.signals[0]
    return first.key != alert.key or first.count > 1


def _puzzle(desk: Desk, stray: Stray, outcome: Outcome) -> None:
    """A person says what it is about, once: the same words are known from then on."""
    alert = stray.alert
    about = _placed(desk, alert)
    if about is not None:
        alert = replace(alert, entry=about.entry, subject=about.name, names=(str(about),))
    if not alert.firing or alert.update:
        _news(desk, alert, outcome)
    elif alert.subject:
        incident = desk.open(alert)
        outcome.incidents.setdefault(incident.id, _was_open(incident, alert))
    else:
        incident = desk.puzzle(alert, stray.sentence, tuple(str(g) for g in stray.guesses))
        outcome.incidents.setdefault(incident.id, _was_open(incident, alert))
        outcome.unplaced.append(incident.id)


def _placed(desk: Desk, alert: Alert) -> Subject | None:
    """What people said that it is about: of its words, or of its rule while an incident about that
    is open, so that nobody is asked again in the middle of a storm."""
    known: dict[str, list[str]] = desk.store.settings(PLACED) or {}
    *rule, words = alert.names
    for name in (words, *rule):
        entry, subject = known.get(name, ("", ""))
        about = Subject(cast(Entry, entry), subject)
        if about in every(desk.subjects()) and (
            name == words or open_about(desk, about, desk.team_named(alert) or None)
        ):
            return about
    return None


def _news(desk: Desk, alert: Alert, outcome: Outcome) -> None:
    """The thread is told what changed or ended; a person decides whether the incident is over."""
    found = _about(desk, alert)
    if found is None:
        what = alert.update or "resolved"
        told = bool(alert.subject) and not alert.update
        about = f"no incident about `{alert.subject}`" if told else "no incident of it"
        outcome.ignored.append(f"“{alert.title}” is {what}, and {about} is open.")
        return
    refusal = desk.tell(found.id, AlertJoined(desk.now(), alert))
    if refusal:
        outcome.ignored.append(refusal)
    else:
        outcome.incidents.setdefault(found.id, True)


def _about(desk: Desk, alert: Alert) -> Incident | None:
    """The open incident that has the alert; a resolved one may also be told by its subject.

    Of an org only in the workspace that the alert names, as when it fired.
    """
    team = desk.team_named(alert)
    found = desk.store.find_open(alert.key, team)
    if found is None and not alert.update and alert.subject:
        found = open_about(desk, Subject(alert.entry, alert.subject), team or None)
    return found
