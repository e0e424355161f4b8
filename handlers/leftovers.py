"""What nobody else handles: buttons, forms and shortcuts of an earlier version of the app.

Without an acknowledgement Slack puts a warning sign beside the button, and says nothing more.
"""

from __future__ import annotations

import re
from typing import Any

import structlog
from slack_bolt import Ack, App
from slack_sdk import WebClient

from handlers import blocks as b
from handlers.forms import open_form
from handlers.whispers import Asker, whisper

log = structlog.get_logger()
Body = dict[str, Any]
ANY = re.compile("")
OLD = (
    "That comes from an earlier version of me, and does nothing any more: use the newest message "
    "of the thread, or `/hawkeye incidents`."
)


class Leftovers:
    """Registers what is left with Bolt; to be the last, since Bolt takes the first that fits."""

    def register(self, app: App) -> None:
        """Tell Bolt about all that it can be asked."""
        app.action(ANY)(self._on_action)
        app.view(ANY)(self._on_view)
        app.shortcut(ANY)(self._on_shortcut)

    def _on_action(self, ack: Ack, body: Body, client: WebClient) -> None:
        """A choice in a form, or the Home tab, is read when that is submitted: no word about it."""
        ack()
        if body.get("message"):
            log.info("a button that nobody handles", action=body["actions"][0].get("action_id"))
            whisper(client, Asker.of(body), OLD)

    def _on_view(self, ack: Ack, view: Body) -> None:
        log.info("a form that nobody handles", callback=view.get("callback_id"))
        ack(response_action="update", view=b.notice_of("An earlier version", OLD))

    def _on_shortcut(self, ack: Ack, body: Body, client: WebClient) -> None:
        ack()
        log.info("a shortcut that nobody handles", callback=body.get("callback_id"))
        notice = b.notice_of("An earlier version", OLD)
        open_form(client, str(body.get("trigger_id", "")), notice, Asker.of(body))
