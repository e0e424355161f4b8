"""Work that waits for a worker: people's requests first, and never all workers for guesses."""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Work:
    """A pickled ``(fn, args)``, what to call it in messages, and the promise of its result."""

    pickled: bytes
    name: str
    speculative: bool
    future: Future[Any] = field(default_factory=Future)


class WorkQueue:
    """Two lines: a person's work goes first, in order; speculative work follows.

    At most ``most_speculative`` pieces of speculative work run at once, so that a click never
    waits for a guess to end.
    """

    def __init__(self, most_speculative: int) -> None:
        self._most_speculative = most_speculative
        self._speculating: set[Work] = set()
        self._people: deque[Work] = deque()
        self._guesses: deque[Work] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, work: Work) -> None:
        """Adds work; RuntimeError once closed."""
        with self._changed:
            if self._closed:
                raise RuntimeError("the workers are shut down: no work is taken any more")
            (self._guesses if work.speculative else self._people).append(work)
            self._changed.notify_all()

    def take(self, seconds: float) -> Work | None:
        """The next piece of work, marked as running; None after ``seconds`` or when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._next() is not None, seconds)
            while (line := self._next()) is not None:
                work = line.popleft()
                if work.future.set_running_or_notify_cancel():
                    if work.speculative:
                        self._speculating.add(work)
                    return work
            return None

    def done(self, work: Work) -> None:
        """Says that a taken piece of work runs no more."""
        with self._changed:
            self._speculating.discard(work)
            self._changed.notify_all()

    def hurry(self, future: Future[Any]) -> None:
        """A person now waits for this: it goes to the people's line, or counts as theirs."""
        with self._changed:
            for work in (*self._guesses, *self._speculating):
                if work.future is future:
                    work.speculative = False
                    self._speculating.discard(work)
                    if work in self._guesses:
                        self._guesses.remove(work)
                        self._people.append(work)
                    self._changed.notify_all()

    def close(self) -> list[Work]:
        """Takes no more work; returns what was still waiting."""
        with self._changed:
            self._closed = True
            left = [*self._people, *self._guesses]
            self._people.clear()
            self._guesses.clear()
            self._changed.notify_all()
            return left

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    def __len__(self) -> int:
        return len(self._people) + len(self._guesses)

    def _next(self) -> deque[Work] | None:
        if self._people:
            return self._people
        if self._guesses and len(self._speculating) < self._most_speculative:
            return self._guesses
        return None
