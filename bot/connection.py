"""Socket Mode's connection to Slack, which is tried until it stands."""

from __future__ import annotations

import threading
from typing import Any, Protocol

import structlog
from slack_bolt import BoltRequest, BoltResponse
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_sdk.errors import SlackApiError

from bot.config import SettingsError
from bot.config.problems import Problem
from handlers.access import lost
from handlers.client import Client

log = structlog.get_logger()
FIRST_SECONDS = 5.0
"""The start waits so long for Slack's first answer; then it goes on without."""
REST, LONGEST_REST = 1.0, 60.0
"""The pause after the first try, in seconds, and the longest that it grows to."""


class Receiver(Protocol):
    """Takes Slack's requests: a Bolt app, or what picks one of several."""

    @property
    def logger(self) -> Any:
        """Bolt's logger."""

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """Verify a request, see to it, and acknowledge."""


class Connection:
    """Hands what comes through the socket to ``receiver``.

    ``made`` says whether there has been a connection: from then on the SDK renews it. ``refused``
    is Slack's code for why it does not take the app's token, else "".
    """

    def __init__(self, receiver: Receiver, token: str | None, url: str) -> None:
        self.made, self.refused = False, ""
        self._socket = SocketModeHandler(
            receiver,  # type: ignore[arg-type]
            token,
            web_client=Client(base_url=url),
        )
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
        """Hang up. The SDK's own threads take ten seconds to notice; nobody waits for them."""
        self._stopped.set()
        closing = threading.Thread(target=self._hang_up, name="hang-up", daemon=True)
        closing.start()
        closing.join(timeout=0.5)

    def _hang_up(self) -> None:
        # A connection can't be closed while it is being opened.
        self._thread.join()
        self._socket.close()  # type: ignore[no-untyped-call]

    def _run(self) -> None:
        pause = REST
        while not self._stopped.is_set():
            if self._connected():
                return
            self._stopped.wait(pause)
            pause = min(2 * pause, LONGEST_REST)

    def _connected(self) -> bool:
        try:
            self._socket.connect()  # type: ignore[no-untyped-call]
        except (SlackApiError, OSError) as error:
            self.refused = lost(error)
            code = error.response.get("error") if isinstance(error, SlackApiError) else error
            log.error("Slack opened no connection", error=str(code)[:200])
            return False
        else:
            self.made, self.refused = True, ""
            return True
        finally:
            self._tried.set()
