"""One web socket of Socket Mode: what Slack sends over it is seen to and acknowledged.

The protocol is Slack's, https://docs.slack.dev/apis/events-api/using-socket-mode. Slack's SDK has
clients too, but they close a connection before the next one stands, and under load one loses
long messages and the other takes up to ten seconds to notice that it was closed.
"""

from __future__ import annotations

import json
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
LONGEST = 2**24
"""The longest message that is read, in bytes."""


class Receiver(Protocol):
    """Takes Slack's requests: a Bolt app, or what picks one of several."""

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """Verify a request, see to it, and acknowledge."""


class Link:
    """A connection to ``url``, which is good for one.

    ``over`` is set once another one is needed: it broke, could not be opened, or Slack asked for
    it, as ``asked`` then says. Until Slack closes a connection that it asked to replace, what comes
    over it is still seen to.
    """

    def __init__(self, url: str, receiver: Receiver, pool: ThreadPoolExecutor) -> None:
        self._url, self._receiver, self._pool = url, receiver, pool
        self._socket: ClientConnection | None = None
        self.asked, self._leaves = False, float("inf")
        self._settled, self.over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="hawkeye-link", daemon=True)

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
            ) as self._socket:
                self._settled.set()
                self._read(self._socket)
        except (OSError, WebSocketException) as error:
            log.warning("a connection to Slack ended", error=str(error)[:200])
        finally:
            self._settled.set()
            self.over.set()

    def _read(self, socket: ClientConnection) -> None:
        """Until it is closed, or stayed open too long after Slack asked for another one."""
        while (left := self._leaves - time.monotonic()) > 0:
            try:
                text = socket.recv(timeout=min(left, threading.TIMEOUT_MAX))
            except (TimeoutError, ConnectionClosed) as error:
                log.info("a connection to Slack was closed", why=str(error)[:200])
                return
            self._hear(socket, text)

    def _hear(self, socket: ClientConnection, text: str | bytes) -> None:
        try:
            frame: Any = json.loads(text)
        except ValueError:
            return
        if not isinstance(frame, dict):
            return
        if frame.get("type") == "disconnect":
            self.asked = frame.get("reason") != "too_many_websockets"
            self._leaves = time.monotonic() + STAYS
            self.over.set()
        elif request := SocketModeRequest.from_dict(frame):
            self._pool.submit(self._see_to, request, socket.send)

    def _see_to(self, request: SocketModeRequest, send: Callable[[str], None]) -> None:
        """Have it seen to and acknowledge. What fails is logged; Slack tells the person."""
        try:
            response = self._receiver.dispatch(_asked(request))
            if response.status == 200:
                answer = SocketModeResponse(request.envelope_id, _payload(response))
                send(json.dumps(answer.to_dict()))
            else:
                log.info("not taken", status=response.status, body=str(response.body)[:200])
        except ConnectionClosed:
            log.warning("closed before it was acknowledged", kind=request.type)
        except Exception:
            log.exception("a request from Slack failed", kind=request.type)


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
