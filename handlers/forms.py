"""Opening a form in front of somebody, or telling them why it did not open."""

from __future__ import annotations

from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers import blocks as b
from handlers.whispers import Asker, whisper

log = structlog.get_logger()
TOO_LATE = frozenset({"expired_trigger_id", "trigger_expired"})
"""A trigger lives three seconds."""
AGAIN = "That took too long for Slack to open a form; please try once more."
BROKE_OFF = "The connection to Slack broke off before the form opened; please try once more."
REFUSED = "Slack did not open the form ({code}). `@hawkeye help` tells what can be typed."


def open_form(client: WebClient, trigger: str, view: dict[str, Any], asker: Asker) -> None:
    """Open it; when it does not open, that is told to who asked for it, once, and logged."""
    try:
        client.views_open(trigger_id=trigger, view=view)
    except SlackApiError as error:
        code = str(error.response.get("error") or error.response.status_code)
        _tell(client, view, asker, code, AGAIN if code in TOO_LATE else REFUSED)
    except OSError as error:
        _tell(client, view, asker, str(error), BROKE_OFF)


def _tell(client: WebClient, view: dict[str, Any], asker: Asker, code: str, sentence: str) -> None:
    log.warning("a form could not be opened", error=code[:200], callback=view.get("callback_id"))
    # Where Slack's servers break, the code may be a whole page of HTML.
    whisper(client, asker, sentence.format(code=b.escape(b.clip(code, 80))))
