"""What changed, in order: the feed of the page, and what tests wait on."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Listener = Callable[[], None]
KEPT = 5000


@dataclass(frozen=True)
class Change:
    """One change; ``only`` names the people who may know of it (None: everyone)."""

    seq: int
    type: str
    fields: dict[str, Any]
    only: frozenset[str] | None = None

    def to_json(self) -> dict[str, Any]:
        """As the stream sends it."""
        return {"seq": self.seq, "type": self.type, **self.fields}


@dataclass
class Changes:
    """A bounded, numbered list of changes with listeners. Thread-safe."""

    last: int = 0
    kept: deque[Change] = field(default_factory=lambda: deque(maxlen=KEPT))
    condition: threading.Condition = field(default_factory=threading.Condition)
    listeners: list[Listener] = field(default_factory=list)

    def add(self, kind: str, only: frozenset[str] | None = None, **fields: Any) -> None:
        """Append a change and wake everyone who waits."""
        present = {key: value for key, value in fields.items() if value is not None}
        with self.condition:
            self.last += 1
            self.kept.append(Change(self.last, kind, present, only))
            self.condition.notify_all()
            listeners = list(self.listeners)
        for listener in listeners:
            listener()

    def after(self, seq: int, user: str) -> list[Change] | None:
        """Changes after ``seq`` that this user may see; None when some were forgotten."""
        with self.condition:
            oldest = self.kept[0].seq if self.kept else self.last + 1
            if seq > self.last or seq < oldest - 1:
                return None
            return [
                change
                for change in self.kept
                if change.seq > seq and (change.only is None or user in change.only)
            ]

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` after every change; returns the function that ends this."""
        with self.condition:
            self.listeners.append(listener)

        def stop() -> None:
            with self.condition:
                self.listeners.remove(listener)

        return stop

    def wait_for(self, predicate: Callable[[], Any], timeout: float) -> Any:
        """The first truthy value of ``predicate``, tried after every change and every 50 ms.

        Raises:
            TimeoutError: it stayed falsy for ``timeout`` seconds.
        """
        end = time.monotonic() + timeout
        while True:
            value = predicate()
            if value:
                return value
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"not true within {timeout:g} s: {predicate}")
            with self.condition:
                self.condition.wait(min(left, 0.05))
