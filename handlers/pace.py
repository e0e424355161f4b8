"""How fast Slack may be told: so many posts for each channel, and nothing while it asks to wait."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from state.outbox import Owed

POSTS_A_SECOND = 1.0
"""chat.postMessage allows one message a second per channel …"""
BURST = 4.0
"""… and short bursts above that."""
MOST_SECONDS = 300.0
"""No message waits longer than this for its next try."""


@dataclass
class Pace:
    """What was sent lately, and until when Slack wants to be left alone."""

    _left: dict[str, tuple[float, float]] = field(default_factory=dict)
    _quiet_until: dict[str, float] = field(default_factory=dict)

    def allows(self, owed: Owed) -> bool:
        """Whether a message may be sent now; if so, it counts as sent."""
        now = time.monotonic()
        if now < self._quiet_until.get(_method(owed), 0):
            return False
        if owed.ts:
            return True
        left, since = self._left.get(owed.channel, (BURST, now))
        left = min(BURST, left + (now - since) * POSTS_A_SECOND)
        self._left[owed.channel] = (left - 1 if left >= 1 else left, now)
        return left >= 1

    def hush(self, owed: Owed, seconds: float) -> None:
        """Slack wants to be left alone for so long with what this is: changes, or posts there."""
        self._quiet_until[_method(owed)] = time.monotonic() + seconds


def _method(owed: Owed) -> str:
    return "update" if owed.ts else f"post:{owed.channel}"
