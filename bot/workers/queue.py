"""Work that waits for a worker: what people wait for first, and never all workers for guesses."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from state.due import Urgency


@dataclass(eq=False)
class Work:
    """A pickled ``(fn, args)``, what to call it in messages, the seconds that it may take (None:
    those of the pool), and the promise of its result."""

    pickled: bytes
    name: str
    urgency: Urgency
    seconds: float | None = None
    future: Future[Any] = field(default_factory=Future)


class WorkQueue:
    """A line for each urgency, the more urgent ones first, each in order.

    At most ``most_ahead`` workers do what nobody waits for, so that a click never waits for a
    guess to end; the watch looks only when nothing else is to be done.
    """

    def __init__(self, most_ahead: int) -> None:
        self._most_ahead = most_ahead
        self._running: set[Work] = set()
        self._lines: dict[Urgency, deque[Work]] = {urgency: deque() for urgency in Urgency}
        self._changed = threading.Condition()
        self._closed = False

    def put(self, work: Work) -> None:
        """Adds work; RuntimeError once closed."""
        with self._changed:
            if self._closed:
                raise RuntimeError("the workers are shut down: no work is taken any more")
            self._lines[work.urgency].append(work)
            self._changed.notify_all()

    def take(self, seconds: float) -> Work | None:
        """The next piece of work, marked as running; None after ``seconds`` or when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._next() is not None, seconds)
            while (line := self._next()) is not None:
                work = line.popleft()
                if work.future.set_running_or_notify_cancel():
                    self._running.add(work)
                    return work
            return None

    def done(self, work: Work) -> None:
        """Says that a taken piece of work runs no more."""
        with self._changed:
            self._running.discard(work)
            self._changed.notify_all()

    def hurry(self, future: Future[Any]) -> None:
        """A person now waits for this: it goes to the people's line, or counts as theirs."""
        with self._changed:
            for work in (*self._waiting(), *self._running):
                if work.future is future and work.urgency is not Urgency.WAITED_FOR:
                    if work not in self._running:
                        self._lines[work.urgency].remove(work)
                        self._lines[Urgency.WAITED_FOR].append(work)
                    work.urgency = Urgency.WAITED_FOR
                    self._changed.notify_all()

    def close(self) -> list[Work]:
        """Takes no more work; returns what was still waiting."""
        with self._changed:
            self._closed = True
            left = self._waiting()
            for line in self._lines.values():
                line.clear()
            self._changed.notify_all()
            return left

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def __len__(self) -> int:
        return len(self._waiting())

    def _waiting(self) -> list[Work]:
        return [work for line in self._lines.values() for work in line]

    def _next(self) -> deque[Work] | None:
        """The line whose first piece may begin now."""
        running = [work.urgency for work in self._running]
        free = {
            Urgency.WAITED_FOR: True,
            Urgency.AHEAD: len(running) - running.count(Urgency.WAITED_FOR) < self._most_ahead,
            Urgency.WATCH: not running,
        }
        first = next((urgency for urgency, line in self._lines.items() if line), None)
        return self._lines[first] if first is not None and free[first] else None
