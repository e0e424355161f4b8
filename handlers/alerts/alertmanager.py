"""Alertmanager's webhook, version 4, and what speaks like it.

Source of the format: ``webhook_config`` in Prometheus' documentation on alerting.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from handlers.alerts.placing import Draft, fingerprint, taken
from handlers.alerts.shared import Known, Taken, not_too_many, severity_of, validated


class Lenient(BaseModel):
    """Vendors add keys; those that we don't read are left alone."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Firing(Lenient):
    """One alert of the group."""

    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = {}
    startsAt: AwareDatetime  # noqa: N815 - Alertmanager's name
    generatorURL: str = ""  # noqa: N815
    fingerprint: str = ""


class Group(Lenient):
    """The payload."""

    alerts: tuple[Firing, ...]
    commonLabels: dict[str, str] = {}  # noqa: N815
    commonAnnotations: dict[str, str] = {}  # noqa: N815
    truncatedAlerts: int | None = 0  # noqa: N815


def alertmanager(payload: Any, known: Known) -> Taken:
    """The alerts of a group. Raises BadPayload."""
    group = validated(Group, payload)
    not_too_many(len(group.alerts))
    drafts = (draft(f, group, source="alertmanager") for f in group.alerts)
    return taken(drafts, known, cut_off(group))


def draft(firing: Firing, group: Group, source: str, detail: str = "", url: str = "") -> Draft:
    """One alert of a group, its own labels before the common ones."""
    labels = {**group.commonLabels, **firing.labels}
    notes = {**group.commonAnnotations, **firing.annotations}
    told = [notes.get("description") or notes.get("message") or "", detail]
    return Draft(
        source=source,
        key=firing.fingerprint or fingerprint(labels),
        name=labels.get("rulename") or labels.get("alertname", ""),
        title=notes.get("summary") or notes.get("title") or "",
        since=firing.startsAt,
        severity=severity_of(labels.get("severity") or labels.get("priority") or ""),
        firing=firing.status == "firing",
        labels=labels,
        texts=(notes.get("description", ""), notes.get("message", ""), *_others(labels)),
        detail="\n".join(filter(None, [*told, notes.get("runbook_url", "")])),
        url=url or firing.generatorURL,
    )


def _others(labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(labels.values())


def cut_off(group: Group) -> tuple[str, ...]:
    """A sentence where the sender left alerts out of the payload."""
    if not group.truncatedAlerts:
        return ()
    return (
        f"The sender cut off {group.truncatedAlerts} alerts of this group, so I never saw them: "
        "raise its limit of alerts in a notification (`max_alerts`).",
    )
