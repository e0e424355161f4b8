"""The pages on which people install HawkEye: ``/slack/install`` and where Slack sends them back."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Any
from urllib.parse import urljoin

import structlog
from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.error import BoltError
from slack_bolt.oauth import OAuthFlow
from slack_bolt.oauth.callback_options import CallbackOptions, FailureArgs, SuccessArgs
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Installation
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bot.config import Settings
from bot.installations import Installations, States, key_of
from bot.manifest import bot_scopes
from handlers.client import Client

log = structlog.get_logger()
INSTALL, BACK = "/slack/install", "/slack/oauth_redirect"
REASONS = {
    "access_denied": (
        "Nothing was installed",
        "You cancelled it on Slack's page. HawkEye has got no access to anything.",
    ),
    "invalid_browser": (
        "Nothing was installed",
        "This browser did not begin the installation here. The page has to be opened with https, "
        "with cookies allowed.",
    ),
    "invalid_state": (
        "Nothing was installed",
        "This link was used before, or is older than ten minutes.",
    ),
    "missing_code": ("Nothing was installed", "Slack sent you back without a code."),
    "invalid_code": (
        "Nothing was installed",
        "Slack did not take the code that it sent: it is used up or too old, or SLACK_CLIENT_ID "
        "and SLACK_CLIENT_SECRET are not this app's.",
    ),
}
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>HawkEye: {title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:17px/1.5 system-ui,sans-serif;max-width:34em;margin:12vh auto;padding:0 1.2em}}
h1{{font-size:1.4em}} :root{{color-scheme:light dark}}</style></head>
<body><h1>{title}</h1>{body}</body></html>
"""


class Flow(OAuthFlow):
    """Slack's OAuth v2, refused to workspaces and orgs that the settings do not name."""

    def __init__(self, settings: Settings, installations: Installations) -> None:
        found = settings.secrets
        secret = found.slack_client_secret
        url = settings.slack.url
        super().__init__(
            client=Client(base_url=found.slack_api_url),
            settings=OAuthSettings(
                client_id=found.slack_client_id,
                client_secret=secret.get_secret_value() if secret else None,
                scopes=bot_scopes(),
                user_scopes=[],
                redirect_uri=url.rstrip("/") + BACK if url else None,
                install_path=INSTALL,
                redirect_uri_path=BACK,
                install_page_rendering_enabled=False,
                authorization_url=urljoin(found.slack_api_url, "/oauth/v2/authorize"),
                installation_store=installations,
                state_store=States(installations.store),
                callback_options=CallbackOptions(self._installed, self._failed),
            ),
        )
        self.known = {w.installation: w for w in settings.slack.workspaces}
        self.inside = {w.id for w in settings.slack.workspaces if w.org}
        self.channel = settings.slack.channel

    def handle_callback(self, request: BoltRequest) -> BoltResponse:
        """Where Slack sends people back: Slack is asked for the token, and may not answer."""
        try:
            return super().handle_callback(request)
        except OSError as error:
            log.warning("Slack could not be asked for a token", error=str(error)[:200])
            sentence = "Slack does not answer. Try it again in a minute."
            again = f'<a href="{INSTALL}">Begin again</a>'
            return page(502, "Nothing was installed", sentence, more=again)

    def store_installation(self, request: BoltRequest, installation: Installation) -> None:
        """Keep it; an installation that nobody asked for is taken back."""
        key = key_of(installation)
        if key in self.known:
            super().store_installation(request, installation)
            log.info("installed", workspace=key)
            return
        log.warning("an installation was refused: not in the settings", workspace=key)
        self._take_back(installation.bot_token or "")
        if key in self.inside:
            raise BoltError(
                f"{installation.team_name or key} ({key}) belongs to an org in the settings of "
                f"this HawkEye. An admin of the org has to begin again, and to pick the org itself "
                f"on Slack's page."
            )
        if installation.is_enterprise_install:
            hint = f'`org = "{key}"` beside the `id` of each of its workspaces'
        else:
            hint = f'`id = "{key}"`'
        raise BoltError(
            f"{installation.team_name or installation.enterprise_name or key} ({key}) is not one "
            f"of the workspaces of this HawkEye. Whoever runs it can add it to its settings: a "
            f"table `[[slack.workspaces]]` with {hint}. Then start it anew and install again."
        )

    def _take_back(self, token: str) -> None:
        """Uninstall the app there; where an org does not let it, give the token back at least."""
        client, own = self.client, self.settings
        try:
            try:
                client.apps_uninstall(
                    client_id=own.client_id, client_secret=own.client_secret, token=token
                )
            except SlackApiError:
                client.auth_revoke(token=token)
        except (SlackApiError, OSError) as error:
            log.warning("an installation could not be undone", error=str(error)[:200])

    def _installed(self, args: SuccessArgs) -> BoltResponse:
        key, done = key_of(args.installation), args.installation
        channel = self.known[key].channel or self.channel
        name = done.enterprise_name if done.is_enterprise_install else done.team_name
        sentence = f"Threads open in {channel}: invite the bot there with `/invite @hawkeye`."
        link = f'<a href="https://app.slack.com/client/{escape(key)}">Open Slack</a>'
        if done.is_enterprise_install:
            where = f"manage/{key}/integrations/profile/{done.app_id}/workspaces/add"
            link = f'<a href="https://app.slack.com/{escape(where)}">Choose the workspaces</a>'
            link += " in which it may be used."
        return page(200, f"HawkEye is installed in {name or key}", sentence, more=link)

    def _failed(self, args: FailureArgs) -> BoltResponse:
        log.warning("an installation did not end well", reason=args.reason, error=str(args.error))
        usual = ("Nothing was installed", f"Slack says: {args.reason}.")
        title, sentence = REASONS.get(args.reason, usual)
        sentence = str(args.error) if args.error else sentence
        again = f'<a href="{INSTALL}">Begin again</a>'
        status = 403 if args.error else args.suggested_status_code
        return page(status, title, sentence, more=again)


def page(status: int, title: str, *sentences: str, more: str = "") -> BoltResponse:
    """A small page; ``more`` is HTML, the rest is text with `code`."""
    body = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    body = re.sub("`([^`]+)`", r"<code>\1</code>", body)
    html = PAGE.format(title=escape(title), body=body + (f"<p>{more}</p>" if more else ""))
    return BoltResponse(
        status=status,
        body=html,
        headers={"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"},
    )


def routes(flow: Flow) -> list[BaseRoute]:
    """Both pages, in HTTP and in Socket Mode."""
    return [
        Route(INSTALL, _route(flow.handle_installation), methods=["GET"]),
        Route(BACK, _route(flow.handle_callback), methods=["GET"]),
    ]


def _route(handle: Callable[[BoltRequest], BoltResponse]) -> Callable[[Request], Any]:
    from slack_bolt.adapter.starlette.handler import to_bolt_request, to_starlette_response

    async def answer(request: Request) -> Response:
        asked = to_bolt_request(request, b"")
        return to_starlette_response(await run_in_threadpool(handle, asked))

    return answer
