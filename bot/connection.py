"""Socket Mode: a connection to Slack that is tried until it stands, and replaced when it ends."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import structlog
from slack_sdk.errors import SlackApiError

from analysis import words
from bot.config import SettingsError
from bot.config.problems import Problem
from bot.link import Link, Receiver, without_ticket
from handlers.access import lost
from handlers.client import Client

log = structlog.get_logger()
FIRST_SECONDS = 5.0
"""The start waits so long for Slack's first answer; then it goes on without."""
REST, LONGEST_REST = 1.0, 60.0
"""The pause after the first try, in seconds, and the longest that it grows to."""
LASTED = 10.0
"""A connection that stood for so many seconds is replaced without a pause."""
A_MINUTE = 20
"""Connections that Slack asks to replace are at once, up to so many in a minute."""
OUTAGE = 120.0
"""Seconds without a connection after which that is a problem, and no outage that passes."""
POLITE = 1.0
"""Seconds that what is being seen to has at a stop, to be acknowledged."""
SEEN_TO = 10
"""Requests that are seen to at once, each until it is acknowledged."""
WRONG = {
    "missing_scope": "its app-level token lacks the scope connections:write",
    "not_allowed_token_type": "SLACK_APP_TOKEN is no app-level token, xapp-…",
    "link_disabled": "Socket Mode is switched off in the app's settings",
}
"""Codes of Slack that somebody has to do something about, and what they mean."""


class Connection:
    """Hands what Slack sends to ``receiver``.

    ``made`` says whether there has been a connection. ``refused`` is Slack's code for why there is
    none, where that does not pass by itself, else "".
    """

    def __init__(self, receiver: Receiver, token: str | None, url: str) -> None:
        self.made, self.refused = False, ""
        self._receiver, self._token = receiver, token or ""
        self._client = Client(base_url=url)
        self._pool = ThreadPoolExecutor(SEEN_TO, thread_name_prefix="hawkeye-request")
        self._links: list[Link] = []
        self._heard = time.monotonic()
        self._replaced: deque[float] = deque(maxlen=A_MINUTE)
        self._stopped, self._tried = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="hawkeye-connection", daemon=True)

    def start(self) -> None:
        """Begin. Raises SettingsError when Slack does not take the app's token."""
        self._thread.start()
        if not self._tried.wait(FIRST_SECONDS):
            log.warning("Slack has not answered yet: the connection is made as soon as it does")
        if self.refused:
            self.stop()
            found = f"a token that Slack refuses ({self.refused})"
            expected = (
                'an app-level token, xapp-…, under "Basic Information", with connections:write'
            )
            raise SettingsError([Problem("environment", "SLACK_APP_TOKEN", found, expected)])

    def problem(self) -> str:
        """What an operator has to do; "" also in a short outage, which passes."""
        if self.refused in WRONG:
            return f"Slack opens no connection ({self.refused}): {WRONG[self.refused]}"
        if self.refused:
            return f"Slack refuses the app's token ({self.refused}): start the bot with another one"
        gone = time.monotonic() - self._heard
        if gone > OUTAGE and not self._stands():
            span = words.span(timedelta(seconds=gone))
            return f"No connection to Slack for {span}: clicks and commands are lost"
        return ""

    def stop(self) -> None:
        """Hang up, once what is being seen to is acknowledged or had its time."""
        self._stopped.set()
        for link in self._links:
            link.deaf = True
        ending = threading.Thread(
            target=self._pool.shutdown, kwargs={"cancel_futures": True}, daemon=True
        )
        ending.start()
        ending.join(POLITE)
        for link in self._links:
            link.close()

    def _stands(self) -> bool:
        return bool(self._links) and not self._links[-1].over.is_set()

    def _run(self) -> None:
        pause = REST
        while not self._stopped.is_set():
            try:
                lasted, least = self._stand()
            except Exception as error:  # the thread that ends here would be the last
                log.error("Slack opened no connection", error=_told(error))
                lasted, least = False, _asked_for(error)
                self.refused = _refused(error)
            finally:
                self._tried.set()
            self._stopped.wait(least if lasted else max(least, pause))
            pause = REST if lasted else min(2 * pause, LONGEST_REST)

    def _stand(self) -> tuple[bool, float]:
        """Open one and wait until another one is needed: whether it lasted, and the seconds to
        wait before that at the least."""
        began = time.monotonic()
        link = Link(self._address(), self._receiver, self._pool)
        if not link.open():
            return False, 0.0
        self.made, self.refused = True, ""
        self._tried.set()
        log.info("connected to Slack")
        # The one before is read until Slack closes it, so that nothing is lost in between.
        self._links = [*(one for one in self._links if one.is_open), link]
        if self._stopped.is_set():
            link.close()
        link.over.wait()
        self._heard = time.monotonic()
        if link.reason == "link_disabled":
            self.refused = link.reason
        stood = self._heard - began
        return (True, self._least()) if link.asked else (stood >= LASTED, 0.0)

    def _least(self) -> float:
        """Seconds until one more in a minute is not too many."""
        self._replaced.append(self._heard)
        full = len(self._replaced) == A_MINUTE
        return max(60.0 - (self._heard - self._replaced[0]), 0.0) if full else 0.0

    def _address(self) -> str:
        return str(self._client.apps_connections_open(app_token=self._token)["url"])


def _refused(error: Exception) -> str:
    """Slack's code where somebody has to do something, else ""."""
    code = str(error.response.get("error", "")) if isinstance(error, SlackApiError) else ""
    return code if code in WRONG else lost(error)


def _asked_for(error: Exception) -> float:
    """The seconds that Slack asks to wait."""
    if not isinstance(error, SlackApiError):
        return 0.0
    asked = str(error.response.headers.get("Retry-After", "0"))
    return float(asked) if asked.isdigit() else 0.0


def _told(error: Exception) -> str:
    code = error.response.get("error") if isinstance(error, SlackApiError) else error
    return without_ticket(str(code))
