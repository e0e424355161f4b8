"""Opening a form in front of somebody, or telling them why Slack did not."""

from __future__ import annotations

from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.whispers import whisper

log = structlog.get_logger()
TOO_LATE = frozenset({"expired_trigger_id", "trigger_expired"})
"""A trigger lives three seconds."""


def open_form(
    client: WebClient,
    trigger: str,
    view: dict[str, Any],
    *,
    user: str,
    channel: str = "",
    thread: str = "",
) -> None:
    """Open it; what Slack refuses is told to ``user`` where they are, once, and logged."""
    try:
        client.views_open(trigger_id=trigger, view=view)
    except SlackApiError as error:
        code = error.response.get("error")
        log.warning("a form could not be opened", error=code, callback=view.get("callback_id"))
        text = "That took too long for Slack to open a form; please try once more."
        if code not in TOO_LATE:
            text = f"Slack did not open the form ({code}). `@hawkeye help` tells what can be typed."
        whisper(client, channel, user, text, thread)
