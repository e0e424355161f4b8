"""A page to the owner of a suspect, as an event of PagerDuty's Events API v2.

The format: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from analysis.evidence import Suspect
from bot.mitigations import MOST_BYTES, SECONDS, Configured
from state.incident import Incident

if TYPE_CHECKING:
    from analysis.graph.lineage import Graph
    from analysis.tables import Contract

ENQUEUE = "https://events.pagerduty.com/v2/enqueue"
SEVERITIES = {1: "critical", 2: "error", 3: "warning", 4: "info"}
"""PagerDuty's words for the severities of an incident."""
LONGEST_SUMMARY, LONGEST_KEY = 1024, 255
"""PagerDuty's limits in characters."""


class PageError(Exception):
    """Nobody was paged; the message says why and what to do."""


@dataclass(frozen=True)
class Owners:
    """Whose a suspect is, from the lineage and the settings."""

    lineage: Callable[[], Graph]
    contract: Contract

    def of(self, incident: Incident, suspect: Suspect) -> str:
        """The team of the suspect itself, else of the incident's model or metric; "" for none."""
        found = self._own(suspect)
        return found or self._of_subject(incident) or incident.alert.owner

    def _own(self, suspect: Suspect) -> str:
        graph, name = self.lineage(), suspect.name
        if suspect.kind == "model":
            return self._of_model(name)
        if suspect.kind == "feature":
            # The nearest node above the feature that somebody owns: its maker.
            nodes = sorted(graph.of_feature(name).items(), key=lambda pair: pair[1])
            return next((o for node, _ in nodes if (o := graph.owners.get(node, ""))), "")
        return graph.owners.get(name, "") or graph.owners.get(name.partition("/")[0], "")

    def _of_model(self, name: str | None) -> str:
        return next((m.owner for m in self.contract.models if m.name == name and m.owner), "")

    def _of_subject(self, incident: Incident) -> str:
        subject = incident.alert.subject
        metric = next((m for m in self.contract.metrics if m.name == subject), None)
        if incident.alert.entry == "metric" and metric is not None:
            return metric.owner or self._of_model(metric.model)
        return self._of_model(subject)


@dataclass(frozen=True)
class Page(Configured):
    """Pages the owner of a suspect. ``keys`` are integration keys by owner, "*" for the others.

    The same incident and suspect have the same ``dedup_key``: asked twice, it is one alert there.
    """

    keys: Mapping[str, str]
    owner: Callable[[Incident, Suspect], str]
    link: Callable[[str], str]
    calls: ClassVar[bool] = True

    def plan(self, incident: Incident, target: Suspect) -> str:
        """Who would be paged, how loudly and with what words. Raises PageError."""
        owner, _ = self._whom(incident, target)
        event = self.event(incident, target)["payload"]
        return (
            f"I would page {owner}, the owner, through PagerDuty as {event['severity']}: "
            f"“{event['summary']}”. Nothing else changes."
        )

    def carry_out(self, incident: Incident, target: Suspect) -> str:
        """Page them. Raises PageError with what PagerDuty answered."""
        owner, key = self._whom(incident, target)
        event = {"routing_key": key, **self.event(incident, target)}
        request = urllib.request.Request(
            self.settings.url or ENQUEUE,
            data=json.dumps(event).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                answer.read(MOST_BYTES)
        except urllib.error.HTTPError as error:
            raise PageError(_refused(owner, error)) from error
        except OSError as error:
            raise PageError(
                f"PagerDuty could not be reached ({error}). Call {owner} by hand, or try again: "
                "a page that did get through is not sent twice."
            ) from error
        return f"{owner} is paged: PagerDuty has taken it in."

    def event(self, incident: Incident, target: Suspect) -> dict[str, Any]:
        """The event without its key."""
        link = self.link(incident.id)
        what = f"{target.kind.replace('_', ' ')} {target.name}"
        about = incident.alert.title or incident.alert.subject
        event: dict[str, Any] = {
            "event_action": "trigger",
            "dedup_key": f"hawkeye:{incident.id}:{target.kind}:{target.name}"[:LONGEST_KEY],
            "client": "HawkEye",
            "payload": {
                "summary": f"{about}: {what} is the suspect ({incident.id})"[:LONGEST_SUMMARY],
                "source": target.name,
                "severity": SEVERITIES.get(incident.severity, "error"),
                "timestamp": incident.alert.since.isoformat(),
                "component": target.name,
                "class": target.kind,
                "custom_details": {
                    "incident": incident.id,
                    "metric": incident.alert.subject,
                    "what changed": target.changed or "see the thread",
                },
            },
        }
        if link:
            event |= {"client_url": link, "links": [{"href": link, "text": "The thread in Slack"}]}
        return event

    def _whom(self, incident: Incident, target: Suspect) -> tuple[str, str]:
        owner = self.owner(incident, target)
        if not owner:
            raise PageError(
                f"Nobody owns {target.name}: name an `owner` in the lineage, or for its model or "
                "metric in the settings. Nobody is paged."
            )
        key = self.keys.get(owner) or self.keys.get("*")
        if not key:
            raise PageError(
                f"{target.name} is {owner}'s, and I have no PagerDuty key for them: add "
                f"{owner}=… to HAWKEYE_PAGERDUTY_ROUTING_KEYS. Nobody is paged."
            )
        return owner, key


def _refused(owner: str, error: urllib.error.HTTPError) -> str:
    said = error.read(2000).decode(errors="replace")
    try:
        told = json.loads(said)
        why = "; ".join(told.get("errors") or []) or str(told.get("message", said))
    except (ValueError, AttributeError, TypeError):
        why = said or error.reason
    later = " Wait a minute before you try again." if error.code == 429 else ""
    return f"PagerDuty answered {error.code}: {why[:300]}. {owner} is not paged.{later}"
