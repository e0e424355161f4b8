"""One web socket of Socket Mode: what Slack sends over it is seen to and acknowledged.

The protocol is Slack's, https://docs.slack.dev/apis/events-api/using-socket-mode. Slack's SDK has
clients too, but they close a connection before the next one stands, and under load one loses
long messages and the other takes up to ten seconds to notice that it was closed.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import structlog
from slack_bolt import BoltRequest, BoltResponse
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.sync.client import ClientConnection, connect

log = structlog.get_logger()
OPENING, CLOSING = 10.0, 2.0
"""Seconds that opening and closing may take."""
PING = 10.0
"""Seconds between two pings, and until one that has no answer ends the connection."""
STAYS = 30.0
"""Seconds that Slack has to close a connection after it asked for another one."""
AGAIN = ("warning", "refresh_requested")
"""Reasons of Slack to open another connection at once; the others call for a pause."""
LONGEST = 2**24
"""The longest message that is read, in bytes."""
_QUIET = logging.getLogger("hawkeye.websocket")
_QUIET.setLevel(logging.CRITICAL + 1)  # how a connection ended is told in one line below


class Receiver(Protocol):
    """Takes Slack's requests: a Bolt app, or what picks one of several."""

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """Verify a request, see to it, and acknowledge."""


class Link:
    """A connection to ``url``, which is good for one.

    ``over`` is set once another one is needed: it broke, could not be opened, or Slack asked for
    it, with the ``reason`` that it gave. Until Slack closes a connection that it asked to replace,
    what comes over it is still seen to; nothing is once it is ``deaf``.
    """

    def __init__(self, url: str, receiver: Receiver, pool: ThreadPoolExecutor) -> None:
        self._url, self._receiver, self._pool = url, receiver, pool
        self._socket: ClientConnection | None = None
        self.reason, self.deaf, self._leaves = "", False, float("inf")
        self._settled, self.over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="hawkeye-link", daemon=True)

    @property
    def asked(self) -> bool:
        """Whether Slack asked to open another one now."""
        return self.reason in AGAIN

    @property
    def is_open(self) -> bool:
        """Whether something may still come over it."""
        return self._thread.is_alive()

    def open(self) -> bool:
        """Whether the connection stands; waits until that is known."""
        self._thread.start()
        self._settled.wait()
        return self._socket is not None

    def close(self) -> None:
        """Hang up; nothing is heard afterwards. Takes twice ``CLOSING`` seconds at most."""
        self._leaves = time.monotonic()
        if self._socket is not None:
            self._socket.close()
        self._thread.join(CLOSING)

    def _run(self) -> None:
        try:
            with connect(
                self._url,
                open_timeout=OPENING,
                close_timeout=CLOSING,
                ping_interval=PING,
                ping_timeout=PING,
                max_size=LONGEST,
                logger=_QUIET,
            ) as self._socket:
                self._settled.set()
                self._read(self._socket)
        except (OSError, WebSocketException, ValueError) as error:
            log.warning("a connection to Slack ended", error=without_ticket(str(error)))
        finally:
            self._settled.set()
            self.over.set()

    def _read(self, socket: ClientConnection) -> None:
        """Until it is closed, or stayed open too long after Slack asked for another one."""
        while (left := self._leaves - time.monotonic()) > 0:
            try:
                text = socket.recv(timeout=min(left, threading.TIMEOUT_MAX))
            except TimeoutError:
                log.info("left a connection that Slack asked to replace and did not close")
                return
            except ConnectionClosed as error:
                log.info("a connection to Slack was closed", why=str(error)[:200])
                return
            self._hear(socket, text)

    def _hear(self, socket: ClientConnection, text: str | bytes) -> None:
        """Take one message; of what is none nothing is heard, and the next one is."""
        try:
            frame: Any = json.loads(text)
            if not isinstance(frame, dict) or self.deaf:
                return
            if frame.get("type") == "disconnect":
                self._leave(str(frame.get("reason", "")))
            elif request := SocketModeRequest.from_dict(frame):
                self._pool.submit(self._see_to, request, socket.send)
        except Exception as error:  # whatever it is, it is no reason to hang up
            log.warning("a message from Slack can't be read", error=repr(error)[:200])

    def _leave(self, reason: str) -> None:
        log.info("Slack asks for another connection", reason=reason)
        self.reason, self._leaves = reason, time.monotonic() + STAYS
        self.over.set()

    def _see_to(self, request: SocketModeRequest, send: Callable[[str], None]) -> None:
        """Have it seen to and acknowledge. What fails is logged; Slack tells the person."""
        try:
            response = self._receiver.dispatch(_asked(request))
            if response.status == 200:
                told = None if request.type == "events_api" else _payload(response)
                answer = SocketModeResponse(request.envelope_id, told)
                send(json.dumps(answer.to_dict()))
            else:
                log.info("not taken", status=response.status, body=str(response.body)[:200])
        except ConnectionClosed:
            log.warning("closed before it was acknowledged", kind=request.type)
        except Exception:
            log.exception("a request from Slack failed", kind=request.type)


def without_ticket(text: str) -> str:
    """What went wrong, in short, without what opens a connection."""
    return re.sub(r"\?\S+", "?…", text)[:200]


def _asked(request: SocketModeRequest) -> BoltRequest:
    """As over HTTP, where headers say that an event comes again."""
    again = {
        "x-slack-retry-num": request.retry_attempt,
        "x-slack-retry-reason": request.retry_reason,
    }
    headers: dict[str, str | Sequence[str]] = {k: str(v) for k, v in again.items() if v is not None}
    return BoltRequest(mode="socket_mode", body=request.payload, headers=headers)


def _payload(response: BoltResponse) -> dict[str, Any] | None:
    """What goes back with the acknowledgement."""
    if not response.body:
        return None
    if response.headers.get("content-type", [""])[0].startswith("application/json"):
        found: dict[str, Any] = json.loads(response.body)
        return found
    return {"text": response.body}
