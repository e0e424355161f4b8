"""Mitigations from the settings: a webhook that a team's own deployment tool answers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.evidence import Suspect, SuspectKind
from state.incident import Incident

if TYPE_CHECKING:
    from bot.config import Mitigation

EVERY_KIND: tuple[SuspectKind, ...] = (
    "segment",
    "infra",
    "model",
    "arm",
    "snapshot",
    "feature",
    "upstream",
    "training_data",
)
SECONDS = 30.0
MOST_BYTES = 100_000


class WebhookError(Exception):
    """The team's tool did not do it; the message says what it answered and what to do."""


@dataclass(frozen=True)
class Configured:
    """What the settings say of a mitigation."""

    settings: Mitigation

    @property
    def name(self) -> str:
        """Its name in buttons' values."""
        return self.settings.name

    @property
    def title(self) -> str:
        """What the button says."""
        return self.settings.name

    @property
    def acts_on(self) -> tuple[SuspectKind, ...]:
        """Kinds of suspects that it can be aimed at."""
        return self.settings.suspects or EVERY_KIND


@dataclass(frozen=True)
class Webhook(Configured):
    """POSTs ``{"incident", "link", "action", "dry_run", "owner", "target": {"kind", "name"}}``.

    The answer's ``text`` (or its body) is what people read. ``owner`` says whose a suspect is,
    ``link`` where an incident's thread is.
    """

    owner: Callable[[Incident, Suspect], str]
    link: Callable[[str], str]

    def plan(self, incident: Incident, target: Suspect) -> str:
        """Ask the tool what it would do; without a dry-run address, say what will be called."""
        if self.settings.dry_run_url is None:
            return (
                f"I would send `{self.name}` for {target.kind} {target.name} to your tool. It has "
                "no dry run in the settings, so I can't show what it will change."
            )
        return self._post(self.settings.dry_run_url, incident, target, dry_run=True)

    def carry_out(self, incident: Incident, target: Suspect) -> str:
        """Have the tool do it. Raises WebhookError with what it answered."""
        return self._post(str(self.settings.url), incident, target, dry_run=False)

    def _post(self, url: str, incident: Incident, target: Suspect, *, dry_run: bool) -> str:
        body = {
            "incident": incident.id,
            "link": self.link(incident.id),
            "owner": self.owner(incident, target),
            "action": self.name,
            "dry_run": dry_run,
            "target": {"kind": target.kind, "name": target.name},
        }
        request = urllib.request.Request(
            url,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method="POST",
        )
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                said = answer.read(MOST_BYTES).decode(errors="replace")
        except urllib.error.HTTPError as error:
            said = error.read(300).decode(errors="replace")
            raise WebhookError(
                f"Your tool answered {error.code}: {said or error.reason}. Nothing was confirmed "
                "as changed; look there before you try again."
            ) from error
        except OSError as error:
            raise WebhookError(
                f"Your tool could not be reached ({error}). Nothing was sent twice; try again, "
                "or do it by hand and add a note."
            ) from error
        return _text(said)


def _text(said: str) -> str:
    try:
        found = json.loads(said)
    except ValueError:
        return said[:2000] or "Done."
    return str(found.get("text", said))[:2000] if isinstance(found, dict) else said[:2000]
