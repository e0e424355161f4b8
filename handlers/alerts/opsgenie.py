"""Opsgenie's outgoing webhook, which Jira Service Management sends as well.

Source of the format: "Opsgenie Edge Connector alert action data" in Atlassian's documentation.
``createdAt`` is in milliseconds since 1970, ``updatedAt`` in nanoseconds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from handlers.alerts.alertmanager import Lenient
from handlers.alerts.placing import Draft, taken
from handlers.alerts.shared import Known, Taken, severity_of, validated

ENDS = frozenset({"Close", "Delete"})


class _Alert(Lenient):
    alertId: str  # noqa: N815 - Opsgenie's names
    message: str | None = ""
    alias: str | None = ""
    entity: str | None = ""
    description: str | None = ""
    tags: tuple[str, ...] = ()
    details: dict[str, Any] | None = None
    priority: str | None = ""
    createdAt: int | None = None  # noqa: N815
    username: str | None = ""
    note: str | None = ""


class _Action(Lenient):
    action: str
    alert: _Alert


def opsgenie(payload: Any, known: Known) -> Taken:
    """The alert of an action: created, closed or changed. Raises BadPayload."""
    done = validated(_Action, payload)
    return taken([_draft(done, known)], known)


def _draft(done: _Action, known: Known) -> Draft:
    alert = done.alert
    details = {k: str(v) for k, v in (alert.details or {}).items() if isinstance(v, str | int)}
    pairs = (tag.partition(":") for tag in alert.tags)
    tags = {name.strip(): value.strip() for name, mark, value in pairs if mark}
    ended = done.action in ENDS
    return Draft(
        source="opsgenie",
        key=alert.alertId,
        name=alert.alias or "",
        title=(alert.message or "").strip(),
        since=_moment(alert.createdAt, known.now),
        severity=severity_of(alert.priority or "", 3),
        firing=not ended,
        update="" if ended or done.action == "Create" else _change(done),
        labels={**tags, **details},
        texts=(alert.entity or "", *alert.tags, alert.alias or "", alert.description or ""),
        detail=alert.description or "",
        url=details.get("url", ""),
    )


def _change(done: _Action) -> str:
    """ "acknowledged by fili@ifountain.com", "update priority"."""
    words = {"Acknowledge": "acknowledged", "UnAcknowledge": "no longer acknowledged"}
    what = words.get(done.action) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", done.action).lower()
    if done.action == "UpdatePriority" and done.alert.priority:
        return f"priority {done.alert.priority}"
    return f"{what} by {done.alert.username}" if done.alert.username else what


def _moment(milliseconds: int | None, now: datetime) -> datetime:
    if milliseconds is None or not 0 < milliseconds < 10**14:
        return now
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
