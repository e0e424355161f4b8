"""Whether Slack takes the bot's token: what should be posted waits while it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

log = structlog.get_logger()

LOST = frozenset(
    {"not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired"}
)
"""What Slack answers when it does not take a token, whatever was asked."""
PROBE_SECONDS = 30.0
"""A refused token is tried again after so long: Slack may be mistaken, or the token replaced."""


@dataclass
class Access:
    """The bot's access to one installation. ``where`` names it in the log ("" when there is one).

    ``refused`` is Slack's code for why it does not take the token; "" while it does.
    """

    client: WebClient
    where: str = ""
    refused: str = ""
    _again: float = 0.0

    @property
    def works(self) -> bool:
        """Whether there is a token, and Slack took it when it was last used."""
        return bool(self.client.token) and not self.refused

    @property
    def may_try(self) -> bool:
        """Whether it is worth to ask Slack for something now."""
        return bool(self.client.token) and time.monotonic() >= self._again

    def lose(self, code: str) -> None:
        """Slack did not take the token."""
        if not self.refused:
            log.error("Slack refuses the bot's token", workspace=self.where, error=code)
        self.refused, self._again = code, time.monotonic() + PROBE_SECONDS

    def regain(self) -> None:
        """Slack took it."""
        if self.refused:
            log.info("Slack takes the bot's token again", workspace=self.where)
        self.refused, self._again = "", 0.0

    def probe(self) -> None:
        """Ask Slack whether it takes the token, before anybody waits for it."""
        token, self._again = self.client.token, time.monotonic() + PROBE_SECONDS
        code = refusal(self.client)
        if code and token == self.client.token:
            self.lose(code)
        elif code == "":
            self.regain()

    def problem(self) -> str:
        """What an operator has to know and to do; "" when all is well.

        Slack is asked again now and then: where nothing is to be posted nobody else would.
        """
        if self.refused and self.may_try:
            self.probe()
        if self.works:
            return ""
        if not self.client.token:
            return (
                "HawkEye is not installed there: open /slack/install. What should be posted waits"
            )
        again = "open /slack/install" if self.where else "and start the bot with the new token"
        return (
            f"Slack refuses the bot's token ({self.refused}): install the app again, {again}. What "
            "should be posted waits"
        )


def lost(error: Exception) -> str:
    """Slack's code when an error says that the token is not taken, else ""."""
    code = str(error.response.get("error", "")) if isinstance(error, SlackApiError) else ""
    return code if code in LOST else ""


def refusal(client: WebClient) -> str | None:
    """Asks Slack: its code for why it does not take the token, "" when it does; None while it does
    not say."""
    try:
        client.auth_test()
    except SlackApiError as error:
        return lost(error) or None
    except OSError as error:
        log.warning("the token could not be tried", error=str(error)[:200])
        return None
    return ""


@dataclass(frozen=True)
class Installed:
    """Hears where the app may be: ``gone`` is told Slack's code when it was uninstalled or its
    token revoked, ``moved`` is called when an org added or removed workspaces.

    The former events may come late, when the app is installed again: the token itself is asked.
    """

    access: Access
    gone: Callable[[str], None]
    moved: Callable[[], None]

    def register(self, app: App) -> None:
        """Listen to all of them."""
        app.event("app_uninstalled")(self.on_gone)
        app.event("tokens_revoked")(self.on_gone)
        app.event("team_access_granted")(self.on_moved)
        app.event("team_access_revoked")(self.on_moved)

    def on_moved(self, event: dict[str, Any]) -> None:
        """An org's admin chose other workspaces."""
        log.info(
            "the org's workspaces changed", told=event.get("type"), teams=event.get("team_ids")
        )
        self.moved()

    def on_gone(self, event: dict[str, Any]) -> None:
        """Stop sending, unless the token is good all the same."""
        if not self.access.client.token:
            return
        log.info("Slack says that the app is gone", told=event.get("type"))
        # While Slack does not say, whoever sends next finds it out.
        if code := refusal(self.access.client):
            self.gone(code)
