"""Which incident an alert joins, of those that the store has: open ones, and just closed ones."""

from __future__ import annotations

from datetime import datetime, timedelta

from state.grouping import Home, Kin, belongs, spoken_of
from state.incident import Alert, Incident, Signal
from state.store import Store

SOON = timedelta(minutes=30)
"""What fires again within this time of the close is the same excursion, coming and going."""
PERSON = "person"
"""The source of what somebody asks for: it joins only what has its key."""
MONITOR = "monitor"
"""The source of our own monitors, which know by themselves whether an excursion is a new one."""


def home_of(store: Store, alert: Alert, now: datetime, kin: Kin) -> Home | None:
    """The incident that an alert joins; None when it opens one.

    One that names its workspace joins none of another workspace of the org, whatever its key.
    """
    team = alert.team if alert.workspace else ""
    known = store.find_open(alert.key, team)
    if known is not None:
        return Home(known)
    if alert.source == PERSON or alert.start:
        return None
    found = [i for i in store.open_incidents() if i.alert.of_team(team)]
    home = belongs(alert, found, kin)
    if home is not None or alert.source == MONITOR:
        return home
    return _just_closed(store, alert, now, team)


def _just_closed(store: Store, alert: Alert, now: datetime, team: str) -> Home | None:
    """The incident that this alert had until a moment ago.

    An alert that is worse than any that the incident had is news, whatever people closed it as.
    """
    for incident in store.closed_since(now - SOON):
        mine = any(_same(s, alert) for s in incident.signals)
        mine = mine and incident.alert.of_team(team)
        closed = incident.closed_at or now
        worst = min((s.severity for s in incident.signals), default=incident.severity)
        news = alert.severity < worst and not reopens(incident)
        if mine and now - closed <= SOON and not news:
            return Home(incident)
    return None


def _same(signal: Signal, alert: Alert) -> bool:
    """Whether it is this alert; of those that name nothing known, whether people were asked about
    both in one question."""
    asked = not alert.subject and alert.names[:1] == (spoken_of(signal),)
    return signal.key == alert.key or asked


def reopens(incident: Incident) -> bool:
    """Whether an alert that fires again opens it again: people said that it was over, not that
    it was no incident."""
    return incident.status == "resolved"
