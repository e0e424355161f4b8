"""Faults on demand, and the documented rate limit of posting: for tests and for the curious."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.workspace.model import Json, SlackError
from bot.workspace.tiers import per_minute


class ConnectionDropped(Exception):
    """The next answer must be no answer: the server closes the connection."""


@dataclass
class Fault:
    """What happens to the next ``times`` calls of ``method`` ("*": any method).

    ``after``: the call is carried out first, so that only its answer is late or amiss.
    """

    method: str
    times: int = 1
    error: str | None = None
    retry_after: int = 0
    drop: bool = False
    delay: float = 0.0
    after: bool = False

    @classmethod
    def from_json(cls, body: Json) -> Fault:
        """From the body of POST /control/fault."""
        return cls(
            method=str(body["method"]),
            times=int(body.get("times", 1)),
            error=body.get("error"),
            retry_after=int(body.get("retry_after", 0)),
            drop=bool(body.get("drop", False)),
            delay=float(body.get("delay", 0.0)),
            after=bool(body.get("after", False)),
        )


@dataclass
class Faults:
    """Faults that wait for their calls, and the posting budget of each channel. Thread-safe.

    With ``limit_posts`` chat.postMessage is limited as documented: one a second per channel, with
    short bursts (here: ``burst`` messages) allowed; with ``limit_calls`` every method by its tier.
    ``clock`` is monotonic seconds.
    """

    limit_posts: bool = False
    limit_calls: bool = False
    burst: int = 5
    clock: Callable[[], float] = time.monotonic
    waiting: list[Fault] = field(default_factory=list)
    budgets: dict[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        """Queue a fault."""
        with self.lock:
            self.waiting.append(fault)

    def clear(self) -> None:
        """Forget all faults."""
        with self.lock:
            self.waiting.clear()

    def take(self, method: str) -> Fault | None:
        """The fault for this call, if one is due; it is used up by asking."""
        with self.lock:
            for fault in self.waiting:
                if fault.method in (method, "*") and fault.times > 0:
                    fault.times -= 1
                    if fault.times == 0:
                        self.waiting.remove(fault)
                    return fault
        return None

    def spend_post(self, app_id: str, channel: str) -> None:
        """Count one post against the channel's budget.

        Raises:
            SlackError: ratelimited, with the seconds to wait, when the budget is used up.
        """
        if self.limit_posts:
            self._spend((app_id, channel), float(self.burst), 1.0)

    def spend_call(self, app_id: str, method: str) -> None:
        """Count one call against the budget of its method.

        Raises:
            SlackError: ratelimited, with the seconds to wait, when the budget is used up.
        """
        allowed = per_minute(method)
        if self.limit_calls and allowed:
            self._spend((app_id, method), float(allowed), allowed / 60)

    def _spend(self, key: tuple[str, str], most: float, per_second: float) -> None:
        """Take one from a bucket that holds ``most`` and fills with time."""
        with self.lock:
            now = self.clock()
            left, since = self.budgets.get(key, (most, now))
            left = min(most, left + (now - since) * per_second)
            if left < 1:
                self.budgets[key] = (left, now)
                wait = math.ceil((1 - left) / per_second)
                raise SlackError("ratelimited", retry_after=wait)
            self.budgets[key] = (left - 1, now)


async def suffer(fault: Fault) -> None:
    """Act out a fault.

    Raises:
        SlackError: the error or the 429 asked for.
        ConnectionDropped: when the connection is to be closed without an answer.
    """
    await asyncio.sleep(fault.delay)
    if fault.drop:
        raise ConnectionDropped
    if fault.retry_after:
        raise SlackError("ratelimited", retry_after=fault.retry_after)
    if fault.error:
        raise SlackError(fault.error)
