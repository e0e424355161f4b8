"""Slack's client: an answer that can't be read is a failure of the network like any other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse


class Client(WebClient):
    """Raises SlackApiError where Slack refuses, and OSError where its answer does not come, breaks
    off or is none of Slack's."""

    def api_call(self, *args: Any, **more: Any) -> SlackResponse:
        """Call a method of the Web API, as slack_sdk does."""
        with readable():
            try:
                return super().api_call(*args, **more)
            except SlackApiError as error:
                if _is_foreign(error):
                    raise ConnectionError(str(error.response["error"])) from error
                raise


@contextmanager
def readable() -> Iterator[None]:
    """An answer over HTTP that breaks off or can't be decoded becomes a ConnectionError."""
    try:
        yield
    except (ValueError, HTTPException) as error:
        raise ConnectionError(f"an answer can't be read: {error!r}") from error


def _is_foreign(error: SlackApiError) -> bool:
    """Whether something else answered as if all were well, as a proxy does with a page: slack_sdk
    puts a sentence about it where Slack's code would stand, which has no spaces."""
    return error.response.status_code == 200 and " " in str(error.response.get("error", ""))
