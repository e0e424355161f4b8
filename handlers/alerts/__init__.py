"""Alerts from other systems as values: a payload in, alerts and problems out. Pure.

A format is a function from a payload and what is known to :class:`Taken`; each of ours has a file
here, and a plugin can add others. An alert about something unknown is no error of the request: it
becomes a sentence and a stray, which a person places; the others of the same payload are taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handlers.alerts.alertmanager import alertmanager
from handlers.alerts.datadog import datadog
from handlers.alerts.generic import GENERIC_KEYS, generic
from handlers.alerts.grafana import grafana
from handlers.alerts.opsgenie import opsgenie
from handlers.alerts.pagerduty import pagerduty
from handlers.alerts.placing import Draft, taken
from handlers.alerts.shared import BadPayload, Known, Stray, Taken

__all__ = [
    "FORMATS",
    "GENERIC_KEYS",
    "MAY_BE_FORMS",
    "BadPayload",
    "Draft",
    "Format",
    "Known",
    "Stray",
    "Taken",
    "alertmanager",
    "datadog",
    "generic",
    "grafana",
    "opsgenie",
    "pagerduty",
    "taken",
]

Format = Callable[[Any, Known], Taken]

FORMATS: dict[str, Format] = {
    "alertmanager": alertmanager,
    "grafana": grafana,
    "pagerduty": pagerduty,
    "datadog": datadog,
    "opsgenie": opsgenie,
    "generic": generic,
}
"""The formats that we ship, by the last part of their address."""
MAY_BE_FORMS = frozenset({"datadog"})
"""Those whose sender may send the payload's keys as fields of a form instead."""
