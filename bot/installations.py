"""Where HawkEye is installed with OAuth: the tokens, kept in the store, and how they are renewed.

One row a workspace or org. The store's file can be read by its owner alone, because of the tokens.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from slack_sdk.errors import SlackTokenRotationError
from slack_sdk.oauth import InstallationStore, OAuthStateStore
from slack_sdk.oauth.installation_store import Bot, Installation
from slack_sdk.oauth.token_rotation import TokenRotator

from handlers.client import Client
from state.store import Store

log = structlog.get_logger()
STATES = "oauth:states"
STATE_SECONDS = 600
"""So long somebody has to allow the installation on Slack's page."""
KEPT = (
    *("app_id", "bot_token", "bot_id", "bot_user_id", "bot_scopes", "bot_refresh_token"),
    *("bot_token_expires_at", "enterprise_id", "enterprise_name", "team_id", "team_name"),
    *("is_enterprise_install", "installed_at"),
)


class Installations(InstallationStore):
    """Bots' tokens by the id of their workspace, or of their org where it is installed for all of
    it. ``changed`` is told the id when a token is new or gone."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.changed: Callable[[str], None] = lambda _: None
        for end in ("", "-wal", "-shm"):
            # What is written stands in SQLite's log first, made with the rights of its time.
            if (path := Path(store.path + end)).exists():
                path.chmod(0o600)

    def of(self, installation: str) -> Bot | None:
        """The bot of a workspace or org; None where it is not installed."""
        kept: dict[str, Any] | None = self.store.settings(f"installed:{installation}")
        return Bot(**kept) if kept else None

    def token(self, installation: str) -> str | None:
        """The token there."""
        found = self.of(installation)
        return found.bot_token if found else None

    def save(self, installation: Installation) -> None:
        """Keep what Slack granted; an earlier installation there is replaced."""
        self.save_bot(installation.to_bot())

    def save_bot(self, bot: Bot) -> None:
        """Keep a bot, new or with a renewed token."""
        self._keep(bot)
        self.changed(key_of(bot))

    def _keep(self, bot: Bot) -> None:
        row = {name: getattr(bot, name) for name in KEPT}
        self.store.set_settings(f"installed:{key_of(bot)}", row)

    def find_bot(
        self,
        *,
        enterprise_id: str | None,
        team_id: str | None,
        is_enterprise_install: bool | None = False,
    ) -> Bot | None:
        """The bot of a workspace, or with ``is_enterprise_install`` that of an org."""
        return self.of((enterprise_id if is_enterprise_install else team_id) or "")

    def forget(self, installation: str) -> None:
        """It was taken out there."""
        self.store.set_settings(f"installed:{installation}", None)
        self.changed(installation)

    def renew(self, installation: str, rotator: TokenRotator) -> None:
        """Where tokens expire (Slack's token rotation): have a new one two hours before the end."""
        bot = self.of(installation)
        if bot is None or not bot.bot_refresh_token:
            return
        try:
            fresh = rotator.perform_bot_token_rotation(bot=bot)
        except (SlackTokenRotationError, OSError) as error:
            # The token is good for a while yet; the next tick tries again.
            log.error("a token could not be renewed", workspace=installation, error=str(error))
            return
        if fresh is None:
            return
        with self.store.transaction():
            known = self.of(installation)
            current = known is not None and known.bot_refresh_token == bot.bot_refresh_token
            if current:
                self._keep(fresh)
        if current:
            # Else it was taken out or installed anew while Slack was asked.
            self.changed(installation)


def key_of(bot: Bot | Installation) -> str:
    """The id of the workspace, or of the org where it is installed for all of it."""
    return str((bot.enterprise_id if bot.is_enterprise_install else bot.team_id) or "")


class States(OAuthStateStore):
    """The states of installations under way: each is good once, for ten minutes."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def issue(self, *args: Any, **kwargs: Any) -> str:
        """A new state."""
        del args, kwargs
        state = secrets.token_urlsafe(24)
        with self.store.transaction():
            self.store.set_settings(STATES, {**self._good(), state: time.time()})
        return state

    def consume(self, state: str) -> bool:
        """Whether it is good; it is not a second time."""
        with self.store.transaction():
            good = self._good()
            found = good.pop(state, None) is not None
            self.store.set_settings(STATES, good)
        return found

    def _good(self) -> dict[str, float]:
        kept: dict[str, float] = self.store.settings(STATES) or {}
        return {state: at for state, at in kept.items() if time.time() - at < STATE_SECONDS}


def rotator(client_id: str, client_secret: str, api_url: str) -> TokenRotator:
    """What asks Slack for new tokens."""
    client = Client(base_url=api_url)
    return TokenRotator(client_id=client_id, client_secret=client_secret, client=client)
