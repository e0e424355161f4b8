"""An alert in the words of one of six vendors, as their documentation shows them."""

from __future__ import annotations

import hashlib
import random
from typing import Any

from benchmarks.storms.planting import Told

FORMATS = ("alertmanager", "grafana", "pagerduty", "datadog", "opsgenie", "generic")
NEVER = "0001-01-01T00:00:00Z"


def worded(told: Told, format_: str, rng: random.Random) -> dict[str, Any]:
    """The payload. A rule has one vendor; whether it has labels is the rule's own habit."""
    return _WORDS[format_](told, *told.about, rng)


def _title(kind: str, name: str, rng: random.Random) -> str:
    what = {
        "metric": ("{} left its band", "{} is far below its floor"),
        "model": ("Predictions of {} look wrong", "{}: score distribution shifted"),
        "feature": ("Feature {} drifts", "Too many missing values in {}"),
        "upstream": ("{} did not finish", "Freshness of {} is over its limit"),
    }
    return rng.choice(what[kind]).format(name)


def _group(told: Told, kind: str, name: str, rng: random.Random) -> dict[str, Any]:
    label = {"upstream": "dataset"}.get(kind, kind)
    labels = {"alertname": f"{kind}-off", label: name, "severity": "warning", "rule": told.rule}
    status = "firing" if told.firing else "resolved"
    alert = {
        "status": status,
        "labels": labels,
        "annotations": {"summary": _title(kind, name, rng)},
        "startsAt": told.since.isoformat(),
        "endsAt": NEVER if told.firing else told.since.isoformat(),
        "generatorURL": "https://monitoring.example/graph",
        "fingerprint": hashlib.sha256(told.rule.encode()).hexdigest()[:16],
    }
    return {"receiver": "hawkeye", "status": status, "alerts": [alert], "version": "4"}


def _alertmanager(told: Told, kind: str, name: str, rng: random.Random) -> dict[str, Any]:
    return {**_group(told, kind, name, rng), "groupKey": "{}:{}", "truncatedAlerts": 0}


def _grafana(told: Told, kind: str, name: str, rng: random.Random) -> dict[str, Any]:
    more = {"orgId": 1, "title": "[FIRING:1]", "state": "alerting", "message": "**Firing**"}
    return {**_group(told, kind, name, rng), **more, "version": "1", "truncatedAlerts": 0}


def _pagerduty(told: Told, kind: str, name: str, rng: random.Random) -> dict[str, Any]:
    what = "triggered" if told.firing else "resolved"
    incident = {
        "id": f"P{told.rule}",
        "type": "incident",
        "title": _title(kind, name, rng),
        "status": what,
        "created_at": told.since.isoformat(),
        "urgency": "high",
        "service": {"id": "PF9KMXH", "summary": "Machine learning", "type": "service_reference"},
    }
    event = {"id": "1", "event_type": f"incident.{what}", "resource_type": "incident"}
    return {"event": {**event, "occurred_at": told.since.isoformat(), "data": incident}}


def _datadog(told: Told, kind: str, name: str, rng: random.Random) -> dict[str, Any]:
    moved = "Triggered" if told.firing else "Recovered"
    tagged = {"upstream": "table"}.get(kind, kind)
    return {
        "alert_id": told.rule,
        "alert_title": f"[{moved}] {_title(kind, name, rng)}",
        "alert_transition": moved,
        "alert_type": "error",
        "alert_scope": f"{tagged}:{name}",
        "tags": f"monitor,{tagged}:{name}",
        "date": str(int(told.since.timestamp() * 1000)),
    }


def _opsgenie(told: Told, kind: str, name: str, rng: random.Random) -> dict[str, Any]:
    alert = {
        "alertId": told.rule,
        "message": _title(kind, name, rng),
        "tags": ["ml"],
        "createdAt": int(told.since.timestamp() * 1000),
        "priority": "P3",
    }
    return {"action": "Create" if told.firing else "Close", "alert": alert}


def _generic(told: Told, kind: str, name: str, rng: random.Random) -> dict[str, Any]:
    return {
        kind: name,
        "key": told.rule,
        "title": _title(kind, name, rng),
        "since": told.since.isoformat(),
        "status": "firing" if told.firing else "resolved",
    }


_WORDS = {
    "alertmanager": _alertmanager,
    "grafana": _grafana,
    "pagerduty": _pagerduty,
    "datadog": _datadog,
    "opsgenie": _opsgenie,
    "generic": _generic,
}
