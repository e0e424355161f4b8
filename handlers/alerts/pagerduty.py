"""PagerDuty's webhooks, version 3: one event about one incident in each delivery.

Source of the format: "Webhooks: Overview" in PagerDuty's documentation for developers.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import AwareDatetime

from handlers.alerts.alertmanager import Lenient
from handlers.alerts.placing import Draft, taken
from handlers.alerts.shared import BadPayload, Known, Taken, severity_of, validated


class _Reference(Lenient):
    id: str = ""
    summary: str | None = ""
    html_url: str | None = ""


class _Incident(Lenient):
    id: str
    title: str | None = ""
    summary: str | None = ""
    status: str = ""
    html_url: str | None = ""
    created_at: AwareDatetime | None = None
    service: _Reference | None = None
    priority: _Reference | None = None
    urgency: str | None = ""
    teams: tuple[_Reference, ...] = ()


class _About(Lenient):
    """Notes, responders and status updates name the incident that they belong to."""

    incident: _Incident
    content: str | None = ""
    message: str | None = ""


class _Event(Lenient):
    event_type: str
    occurred_at: AwareDatetime
    agent: _Reference | None = None
    data: dict[str, Any]


class _Delivery(Lenient):
    event: _Event


FIRES = frozenset({"incident.triggered", "incident.reopened"})
_CHANGES = {
    "incident.priority_updated": "priority",
    "incident.status_update_published": "status update",
    "incident.annotated": "note",
    "incident.responder.added": "responder asked",
    "incident.responder.replied": "responder answered",
}


def pagerduty(payload: Any, known: Known) -> Taken:
    """The incident of an event: fired, resolved or changed. Raises BadPayload."""
    event = validated(_Delivery, payload).event
    if not event.event_type.startswith("incident."):
        return Taken(ignored=(f"`{event.event_type}` is about no incident.",))
    about = "incident" in event.data
    nested = validated(_About, event.data) if about else None
    incident = nested.incident if nested else validated(_Incident, event.data)
    if not incident.id:
        raise BadPayload(("`event.data.id`: found nothing, expected the incident's id",))
    return taken([_draft(event, incident, nested)], known)


def _draft(event: _Event, incident: _Incident, nested: _About | None) -> Draft:
    title = incident.title or incident.summary or ""
    service = (incident.service.summary if incident.service else "") or ""
    priority = (incident.priority.summary if incident.priority else "") or ""
    resolved = event.event_type == "incident.resolved"
    said = (nested.content or nested.message or "") if nested else ""
    return Draft(
        source="pagerduty",
        key=incident.id,
        name=service,
        title=title,
        since=incident.created_at or event.occurred_at,
        severity=severity_of(priority, severity_of(incident.urgency or "")),
        firing=not resolved,
        update="" if resolved or event.event_type in FIRES else _change(event, priority, said),
        labels={"team": (incident.teams[0].summary or "") if incident.teams else ""},
        detail=f"PagerDuty service: {service}" if service else "",
        url=incident.html_url or "",
    )


def _change(event: _Event, priority: str, said: str) -> str:
    """ "acknowledged by Tenex Engineer", "priority P1", "note: …"."""
    words = event.event_type.removeprefix("incident.")
    what = _CHANGES.get(event.event_type) or re.sub(r"[._]", " ", words)
    if what == "priority":
        return f"priority {priority or 'none'}"
    if said:
        return f"{what}: {said}"
    by = event.agent.summary if event.agent else ""
    return f"{what} by {by}" if by else what
