"""Saying something to one person alone, wherever they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient

from handlers.client import readable

log = structlog.get_logger()
RESPONSE_SECONDS = 10
"""So long a response_url may take."""


@dataclass(frozen=True)
class Asker:
    """One person who asked something, and where to answer them.

    ``channel`` is "" in the Home tab, ``thread`` outside threads. ``response_url`` is Slack's
    address for answers to a click, a shortcut or a slash command ("" for what came otherwise).
    """

    user: str
    channel: str = ""
    thread: str = ""
    response_url: str = ""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Asker:
        """Who clicked, or used a shortcut, and where."""
        container = body.get("container") or {}
        channel = (body.get("channel") or {}).get("id") or container.get("channel_id")
        return cls(
            user=str(body["user"]["id"]),
            channel=str(channel or ""),
            thread=str(container.get("thread_ts") or ""),
            response_url=str(body.get("response_url") or ""),
        )


def whisper(client: WebClient, asker: Asker, text: str, blocks: object = None) -> None:
    """Tell them in the first way that Slack takes."""
    message: dict[str, Any] = {"text": text, **({"blocks": blocks} if blocks else {})}
    for tell in _ways(client, asker):
        try:
            tell(message)
        except (SlackApiError, OSError) as error:
            log.warning("a private answer was not taken", error=str(error)[:200])
        else:
            return


def _ways(client: WebClient, asker: Asker) -> Iterator[Callable[[dict[str, Any]], object]]:
    """A message for their eyes alone where they are, at last a direct message.

    Slack shows such a message only where the bot and they are members of the channel. A
    response_url needs no membership, but what it takes stands beside the threads.
    """
    if asker.response_url and not asker.thread:
        yield lambda message: _respond(asker.response_url, message)
    if asker.channel:
        yield lambda message: client.chat_postEphemeral(
            channel=asker.channel, user=asker.user, thread_ts=asker.thread or None, **message
        )
    if asker.response_url and asker.thread:
        yield lambda message: _respond(asker.response_url, message)
    yield lambda message: client.chat_postMessage(
        channel=asker.user, unfurl_links=False, unfurl_media=False, **message
    )


def _respond(url: str, message: dict[str, Any]) -> None:
    """Raises OSError when it is not taken: it is used up, too old, or does not answer."""
    answer = WebhookClient(url, timeout=RESPONSE_SECONDS)
    private = {"response_type": "ephemeral", "replace_original": False}
    with readable():
        said = answer.send_dict({**message, **private})
    if said.status_code != 200:
        raise ConnectionError(f"the response_url answered {said.status_code}: {said.body}")
