"""Saying something to one person alone."""

from __future__ import annotations

from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

log = structlog.get_logger()


def whisper(
    client: WebClient, channel: str, user: str, text: str, thread: str = "", blocks: object = None
) -> None:
    """Tell it where they are; without a channel (the Home tab) in a direct message."""
    more: dict[str, Any] = {"thread_ts": thread} if thread else {}
    if blocks:
        more["blocks"] = blocks
    try:
        if channel:
            client.chat_postEphemeral(channel=channel, user=user, text=text, **more)
        else:
            client.chat_postMessage(channel=user, text=text, **more)
    except SlackApiError as error:
        log.warning("a private answer could not be posted", error=error.response.get("error"))
