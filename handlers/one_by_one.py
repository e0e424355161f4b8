"""What is heard in Slack, seen to in the order in which it was heard."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from handlers.loop import Loop

POLL_SECONDS = 0.25
LAST_SECONDS = 5.0
"""A stop waits so long for what was heard before; threads are read back at the next start."""


@dataclass
class OneByOne:
    """A queue with one thread.

    Bolt hears of several changes of a message at once: each is read and written before the next,
    so that an older state never overwrites a newer one. Bolt's own threads stay free for clicks,
    which have to be acknowledged while Slack is slow to tell about messages.
    """

    loop: Loop = field(init=False)
    _waiting: deque[Callable[[], None]] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.loop = Loop("hawkeye-heard", self._turn, POLL_SECONDS)

    def put(self, what: Callable[[], None]) -> None:
        """See to it when all that was heard before is seen to."""
        self._waiting.append(what)
        self.loop.wake()

    def stop(self) -> None:
        """End when what was heard is seen to, or after a few seconds."""
        end = time.monotonic() + LAST_SECONDS
        while self._waiting and self.loop.alive and time.monotonic() < end:
            time.sleep(POLL_SECONDS / 5)
        self.loop.stop()

    def _turn(self) -> bool:
        if not self._waiting:
            return False
        self._waiting.popleft()()
        return True
