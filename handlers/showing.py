"""The charts of a message: shown, or a line in their place while Slack does not show them."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import structlog

from handlers import blockkit
from handlers.pace import MOST_SECONDS
from handlers.plain import FOLLOWS, GIVEN_UP
from handlers.uploads import Uploads
from state.outbox import Owed

log = structlog.get_logger()


@dataclass
class Showing:
    """Remembers of each message which charts Slack has not processed, and how often they failed."""

    uploads: Uploads
    _unready: set[str] = field(default_factory=set)
    _tries: Counter[str] = field(default_factory=Counter)

    def instead(self, owed: Owed) -> str:
        """The line in the place of charts that could not be uploaded, or that Slack lacks or has
        not processed yet, so that the words go out before them; "" where they are shown."""
        if owed.wanted not in self._unready and self.uploads.all_there(owed.payload):
            return ""
        if self._tries[owed.wanted] >= self.uploads.most_tries:
            return GIVEN_UP
        return "" if owed.in_words else FOLLOWS

    def payload(self, owed: Owed, instead: str) -> dict[str, Any]:
        """The payload as Slack takes it: charts uploaded, and nothing beyond the limits."""
        payload = copy.deepcopy(owed.payload)
        payload["blocks"] = self.uploads.resolve(payload.get("blocks", []), instead)
        problems = blockkit.problems(payload["blocks"])
        if problems:
            log.error("a message breaks Slack's limits", name=owed.name, problems=problems[:5])
            payload["blocks"] = []
        return payload

    def unprocessed(self, owed: Owed, code: str) -> bool:
        """Whether Slack may refuse its blocks because it has not processed a chart yet: sent
        without charts, the blocks are at fault."""
        shows = self.uploads.names_a_file(owed.payload) and not self.instead(owed)
        if code != "invalid_blocks" or not shows:
            return False
        self._unready.add(owed.wanted)
        return True

    def failed(self, owed: Owed) -> float:
        """The seconds until the next try: ever longer, but none before the words are out."""
        tries = self._tries[owed.wanted]
        self._tries[owed.wanted] += 1
        return min(MOST_SECONDS, 0.1 * 4**tries) if owed.in_words else 0.0

    def told(self, owed: Owed, short: bool) -> None:
        """Slack has the message: all of it, or where ``short`` its words alone."""
        self._unready.discard(owed.wanted)
        if not short:
            self._tries.pop(owed.wanted, None)
