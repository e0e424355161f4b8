"""Bolt's apps: one for each bot, whose token is known without asking Slack for every request."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from slack_bolt import App, BoltContext
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.authorize import Authorize

from bot.config import Settings
from handlers.access import refusal
from handlers.client import Client
from handlers.directory import Directory

if TYPE_CHECKING:
    from slack_bolt.oauth import OAuthFlow

LISTENERS = 64
"""Requests that are worked on at once: a few that wait for Slack must not keep a click waiting."""
NOT_HERE = (
    "Slack does not take HawkEye's token here. Whoever runs HawkEye has to install it again; "
    "nothing that it keeps is lost."
)


class Own(Authorize):
    """Bolt asks who the bot is for each request: always the one whose app it is."""

    def __init__(self, client: Client, directory: Directory) -> None:
        self.client = client
        self.directory = directory

    def __call__(self, *, team_id: str | None, **_: Any) -> AuthorizeResult | None:
        """The bot; None where it is not installed, or Slack does not take its token.

        Raises OSError while Slack does not say who it is: Bolt then answers with status 500, and
        Slack tells the event again.
        """
        me = self.directory.me()
        if not self.client.token or (not me["user_id"] and self._refused()):
            return None
        return AuthorizeResult(
            enterprise_id=me["enterprise_id"] or None,
            team_id=team_id or me["team_id"],
            bot_user_id=me["user_id"],
            bot_id=me["bot_id"],
            bot_token=self.client.token,
        )

    def _refused(self) -> bool:
        """Whether Slack does not take the token, rather than not answer."""
        if refusal(self.client):
            return True
        raise ConnectionError("Slack does not say who the bot is")


def signing_secret(settings: Settings) -> str:
    """What Slack signs its requests with; in Socket Mode there are none."""
    secret = settings.secrets.slack_signing_secret
    return secret.get_secret_value() if secret else "unused"


def bolt_app(
    settings: Settings,
    authorize: Authorize,
    flow: OAuthFlow | None = None,
    not_here: str = NOT_HERE,
) -> App:
    """A Bolt app without listeners; its clients get their token from ``authorize``. People for
    whom there is none read ``not_here``."""
    app = App(
        client=Client(base_url=settings.secrets.slack_api_url),
        authorize=authorize,  # type: ignore[arg-type]
        oauth_flow=flow,
        signing_secret=signing_secret(settings),
        listener_executor=ThreadPoolExecutor(LISTENERS, "hawkeye-listener"),
        user_facing_authorize_error_message=not_here,
    )
    app.use(_our_client)
    return app


def _our_client(context: BoltContext, next_: Callable[[], None]) -> None:
    """Bolt makes a client of slack_sdk's own class for each request: ours takes its place."""
    theirs = context.client
    context["client"] = Client(
        theirs.token,
        base_url=theirs.base_url,
        team_id=context.team_id,
        retry_handlers=theirs.retry_handlers,
    )
    next_()
