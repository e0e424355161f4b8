"""Socket Mode: a connection to Slack that is tried until it stands, and replaced when it ends."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from bot.config import SettingsError
from bot.config.problems import Problem
from bot.link import Link, Receiver
from handlers.access import lost
from handlers.client import Client

log = structlog.get_logger()
FIRST_SECONDS = 5.0
"""The start waits so long for Slack's first answer; then it goes on without."""
REST, LONGEST_REST = 1.0, 60.0
"""The pause after the first try, in seconds, and the longest that it grows to."""
LASTED, ASKED = 10.0, 0.5
"""Seconds that a connection must have stood to be replaced without a pause; if Slack asked, these
few."""
SEEN_TO = 10
"""Requests that are seen to at once, each until it is acknowledged."""


class Connection:
    """Hands what Slack sends to ``receiver``.

    ``made`` says whether there has been a connection. ``refused`` is Slack's code for why it does
    not take the app's token, else "".
    """

    def __init__(self, receiver: Receiver, token: str | None, url: str) -> None:
        self.made, self.refused = False, ""
        self._receiver, self._token = receiver, token or ""
        self._client = Client(base_url=url)
        self._client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=3))
        self._pool = ThreadPoolExecutor(SEEN_TO, thread_name_prefix="hawkeye-request")
        self._links: list[Link] = []
        self._stopped, self._tried = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="hawkeye-connection", daemon=True)

    def start(self) -> None:
        """Begin. Raises SettingsError when Slack does not take the app's token."""
        self._thread.start()
        self._tried.wait(FIRST_SECONDS)
        if self.refused:
            self.stop()
            found = f"a token that Slack refuses ({self.refused})"
            expected = (
                'an app-level token, xapp-…, under "Basic Information", with connections:write'
            )
            raise SettingsError([Problem("environment", "SLACK_APP_TOKEN", found, expected)])

    def problem(self) -> str:
        """What an operator has to do; "" also in an outage, which passes."""
        if not self.refused:
            return ""
        return f"Slack refuses the app's token ({self.refused}): start the bot with another one"

    def stop(self) -> None:
        """Hang up. What is being seen to goes on, and is acknowledged no more."""
        self._stopped.set()
        for link in self._links:
            link.close()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        pause = REST
        while not self._stopped.is_set():
            if self._lasted():
                pause = REST
                continue
            self._stopped.wait(pause)
            pause = min(2 * pause, LONGEST_REST)

    def _lasted(self) -> bool:
        """Open one and wait until another one is needed; False when it was not for long."""
        try:
            link = Link(self._address(), self._receiver, self._pool)
            if not link.open():
                return False
        except (SlackApiError, OSError) as error:
            self.refused = lost(error)
            code = error.response.get("error") if isinstance(error, SlackApiError) else error
            log.error("Slack opened no connection", error=str(code)[:200])
            return False
        finally:
            self._tried.set()
        self.made, self.refused = True, ""
        # The one before is read until Slack closes it, so that nothing is lost in between.
        self._links = [*self._links[-1:], link]
        if self._stopped.is_set():
            link.close()
        began = time.monotonic()
        link.over.wait()
        return time.monotonic() - began >= (ASKED if link.asked else LASTED)

    def _address(self) -> str:
        return str(self._client.apps_connections_open(app_token=self._token)["url"])
