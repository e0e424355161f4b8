"""The values of the dimensions, for menus: read by a worker, remembered for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field

from analysis.evidence import Evidence, Filter, Scope
from analysis.explore import MOST_LEVELS, Question
from handlers.work import Runner

MEMORY_SECONDS = 900.0
PATIENCE_SECONDS = 1.5
"""Slack waits three seconds for a menu; what comes later is there at the next letter typed."""

Level = tuple[str, str]


@dataclass
class Levels:
    """(dimension, value) pairs of the traffic, commonest first within each dimension."""

    runner: Runner
    _asked: dict[str, tuple[float, Future[Evidence]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def prepare(self, incident: str, scope: Scope) -> Future[Evidence]:
        """Have them read, for a menu that is about to be opened."""
        asked = f"{incident} {scope.window}"
        with self._lock:
            kept = self._asked.get(asked)
            fresh = kept is not None and time.monotonic() - kept[0] < MEMORY_SECONDS
            if kept is not None and fresh and not _failed(kept[1]):
                return kept[1]
            plain = Scope(scope.now, scope.window, scope.baseline, scope.entry, scope.subject)
            future = self.runner.look(Question("levels", plain))
            now = time.monotonic()
            young = {k: v for k, v in self._asked.items() if now - v[0] < MEMORY_SECONDS}
            self._asked = {**young, asked: (now, future)}
            return future

    def of(self, incident: str, scope: Scope) -> list[Level]:
        """What is known by now; nothing while it is being read, or when it can't be."""
        try:
            found = self.prepare(incident, scope).result(timeout=PATIENCE_SECONDS)
        except NotYet:
            return []
        except Exception:
            # A menu without values still takes what is typed; the check itself says what is wrong.
            return []
        return [(row[0], row[1]) for row in (found.table.rows if found.table else ())]

    def unseen(self, incident: str, scope: Scope, filters: Sequence[Filter]) -> str:
        """A sentence about the first picked value that the traffic does not show; "" for none.

        What can't be told by now, or lies beyond the commonest values, is the check's to find.
        """
        known = self.of(incident, scope) if filters else []
        for wanted in filters:
            there = [level for dimension, level in known if dimension == wanted.dimension]
            kept = next((f.values for f in scope.filters if f.dimension == wanted.dimension), ())
            strange = [v for v in wanted.values if v not in (*there, *kept)]
            if known and strange and len(there) < MOST_LEVELS:
                value = f"{wanted.dimension} = {strange[0]}"
                return f"Too few rows of the window are where {value}; pick values of the list."
        return ""


def _failed(future: Future[Evidence]) -> bool:
    return future.done() and (future.cancelled() or future.exception() is not None)
