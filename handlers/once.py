"""No message is posted twice: whether Slack has one already whose fate is not known.

An answer that does not come, or that says that something broke in Slack, leaves open whether the
message was posted; so does a crash. Then the messages since that attempt are looked through, before
anything is posted again.
"""

from __future__ import annotations

from typing import Any
from urllib.error import HTTPError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry import (
    ConnectionErrorRetryHandler,
    HttpRequest,
    HttpResponse,
    RetryHandler,
    RetryState,
)

from handlers.access import lost
from state.outbox import Owed

POSTING = ("/chat.postMessage", "/files.completeUploadExternal")
"""Methods that show something a second time when they are called again."""
EARLIER_SECONDS = 300.0
"""Slack's clock and ours may differ by that much."""
PAGE, MOST_PAGES = 200, 50
BROKEN = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable"})
"""After these some of the work may have been done (Slack's reference of chat.postMessage)."""


FAILED = frozenset({"internal_error", "fatal_error"})
"""Of these, the ones that tell of this call alone, not of an outage that ends for all."""
LIMITED = frozenset({"ratelimited", "rate_limited"})
"""It may say so with status 200 too: the references of its methods name the latter."""
WAIT_SECONDS = 30.0
"""So long where Slack asks to wait and does not say how long."""


class CannotLookError(Exception):
    """Whether a message is there can't be found out now, but perhaps in ``seconds`` (0: when is
    not known)."""

    def __init__(self, why: str, seconds: float) -> None:
        super().__init__(why)
        self.seconds = seconds


class _Reconnect(ConnectionErrorRetryHandler):
    """Sends a request again whose connection broke, but none that posts or shares: the first may
    have arrived."""

    def _can_retry(
        self,
        *,
        state: RetryState,
        request: HttpRequest,
        response: HttpResponse | None = None,
        error: Exception | None = None,
    ) -> bool:
        again = super()._can_retry(state=state, request=request, response=response, error=error)
        return again and not request.url.endswith(POSTING)


def retries() -> list[RetryHandler]:
    """What a client of Slack may send again by itself."""
    return [_Reconnect()]


def uncertain(error: SlackApiError) -> bool:
    """Whether something may have been posted although Slack answered with an error."""
    status = int(error.response.status_code)
    return error.response.get("error") in BROKEN or status >= 500


def outage(error: SlackApiError) -> bool:
    """Whether Slack serves nobody: not this call alone is broken, and it will pass."""
    return uncertain(error) and error.response.get("error") not in FAILED


def asked_to_wait(error: SlackApiError) -> float:
    """The seconds that Slack wants to be left alone; 0 where it does not say so."""
    if error.response.status_code != 429 and error.response.get("error") not in LIMITED:
        return 0.0
    told = {name.lower(): value for name, value in error.response.headers.items()}
    seconds = str(told.get("retry-after", ""))
    return max(1.0, float(seconds)) if seconds.isdecimal() else WAIT_SECONDS


def passes(error: SlackApiError | OSError) -> bool:
    """Whether the same may go well later: nothing about it was refused."""
    if isinstance(error, SlackApiError):
        return bool(asked_to_wait(error) or outage(error) or lost(error))
    return not (isinstance(error, HTTPError) and 400 <= error.code < 500 and error.code != 429)


def find(client: WebClient, owed: Owed) -> str:
    """The ts of a message that an earlier attempt may have posted; "" when it is not there.

    Raises CannotLookError when it has to be asked again later, and SlackApiError when Slack does
    not take the token. What can't be read at all (a channel that was left) counts as not there.
    """
    wanted = {"incident": owed.incident, "name": owed.name}
    cursor = ""
    try:
        for _ in range(MOST_PAGES):
            page = _page(client, owed, cursor)
            for message in page.get("messages") or []:
                if message.get("metadata", {}).get("event_payload") == wanted:
                    return str(message["ts"])
            cursor = str((page.get("response_metadata") or {}).get("next_cursor") or "")
            if not cursor:
                break
    except SlackApiError as error:
        if lost(error):
            raise
        if wait := asked_to_wait(error):
            raise CannotLookError("Slack asked to wait", wait) from error
        if uncertain(error):
            raise CannotLookError(str(error.response.get("error", "")), 0.0) from error
    return ""


def _page(client: WebClient, owed: Owed, cursor: str) -> Any:
    arguments: dict[str, Any] = {
        "channel": owed.channel,
        "oldest": f"{max(owed.tried_at - EARLIER_SECONDS, 0.0):.6f}",
        "include_all_metadata": True,
        "limit": PAGE,
        "cursor": cursor or None,
    }
    if owed.thread:
        return client.conversations_replies(ts=owed.thread, **arguments)
    return client.conversations_history(**arguments)
