"""Grafana Alerting's webhook contact point.

Source of the format: "Configure webhook notifications" in Grafana's documentation. It is the
shape of Alertmanager's, with the measured ``values`` and links to panels beside it.
"""

from __future__ import annotations

from typing import Any

from handlers.alerts.alertmanager import Firing, Group, cut_off, draft
from handlers.alerts.placing import taken
from handlers.alerts.shared import Known, Taken, not_too_many, validated


class _Firing(Firing):
    values: dict[str, Any] | None = None
    panelURL: str = ""  # noqa: N815 - Grafana's name
    dashboardURL: str = ""  # noqa: N815


class _Group(Group):
    alerts: tuple[_Firing, ...]


def grafana(payload: Any, known: Known) -> Taken:
    """The alerts of a notification. Raises BadPayload."""
    group = validated(_Group, payload)
    not_too_many(len(group.alerts))
    drafts = (
        draft(f, group, "grafana", _values(f), f.panelURL or f.dashboardURL) for f in group.alerts
    )
    return taken(drafts, known, cut_off(group))


def _values(firing: _Firing) -> str:
    """ "B = 44.24, C = 1": what the rule measured."""
    numbers = {k: v for k, v in (firing.values or {}).items() if isinstance(v, int | float)}
    return ", ".join(f"{name} = {value:.4g}" for name, value in numbers.items())
