"""What becomes of a payload's alerts: opened, joined, told to their thread, put to a person."""

from __future__ import annotations

from dataclasses import dataclass, field

from handlers.alerts import Taken
from handlers.desk import Desk, Subject, open_about
from state.events import AlertJoined
from state.incident import Alert, Incident


@dataclass
class Outcome:
    """What the sender is told: incidents by name (was it open already?), and sentences."""

    incidents: dict[str, bool] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


def take_in(desk: Desk, taken: Taken) -> Outcome:
    """See to every alert of a payload, in order."""
    outcome = Outcome(ignored=list(taken.ignored))
    for alert in taken.alerts:
        if alert.firing and not alert.update:
            incident = desk.open(alert)
            outcome.incidents.setdefault(incident.id, incident.joined > 1)
        else:
            _news(desk, alert, outcome)
    return outcome


def _news(desk: Desk, alert: Alert, outcome: Outcome) -> None:
    """The thread is told what changed or ended; a person decides whether the incident is over."""
    found = _about(desk, alert)
    if found is None:
        what = alert.update or "resolved"
        outcome.ignored.append(
            f"“{alert.title}” is {what}, and no incident about `{alert.subject}` is open."
        )
        return
    refusal = desk.tell(found.id, AlertJoined(desk.now(), alert))
    if refusal:
        outcome.ignored.append(refusal)
    else:
        outcome.incidents.setdefault(found.id, True)


def _about(desk: Desk, alert: Alert) -> Incident | None:
    """The open incident that has the alert; a resolved one may also be told by its subject."""
    found = desk.store.find_open(alert.key)
    if found is None and not alert.update:
        found = open_about(desk, Subject(alert.entry, alert.subject))
    return found
