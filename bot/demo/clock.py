"""The one simulated clock: data, monitors, labels and recovery all ask it what time it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

SLOWEST, FASTEST = 1.0, 1440.0


class Clock:
    """Simulated time that runs ``speed`` times as fast as the real one; thread-safe.

    At the fastest, 1440×, a day passes in a minute. ``end``: it stands still there, where the data
    are at their end. ``real`` gives seconds that never go back.
    """

    def __init__(
        self,
        start: datetime,
        speed: float = 1.0,
        real: Callable[[], float] = time.monotonic,
        *,
        end: datetime | None = None,
    ) -> None:
        if start.utcoffset() is None:
            raise ValueError(f"the clock needs a time with a zone, got {start!r}")
        self._end = end
        self._lock = threading.Lock()
        self._real = real
        self._base = start
        self._since = real()
        self._speed = _checked(speed)

    def now(self) -> datetime:
        """The simulated moment."""
        with self._lock:
            return self._now()

    def _now(self) -> datetime:
        at = self._base + timedelta(seconds=(self._real() - self._since) * self._speed)
        return min(at, self._end) if self._end else at

    @property
    def ended(self) -> bool:
        """Whether it has come to its end."""
        return self._end is not None and self.now() >= self._end

    @property
    def speed(self) -> float:
        """Simulated seconds in a real one."""
        with self._lock:
            return self._speed

    def set_speed(self, speed: float) -> None:
        """Go on from here at another speed. Raises ValueError outside 1 … 1440."""
        wanted = _checked(speed)
        with self._lock:
            self._base, self._since = self._now(), self._real()
            self._speed = wanted

    def stop(self) -> None:
        """Stand still from here on."""
        with self._lock:
            self._base, self._since = self._now(), self._real()
            self._speed = 0.0

    def advance(self, by: timedelta) -> datetime:
        """Jump ahead; returns the new moment. Raises ValueError for a jump back."""
        if by < timedelta():
            raise ValueError(f"the clock does not go back ({by})")
        with self._lock:
            self._base += by
            return self._now()


def _checked(speed: float) -> float:
    if not SLOWEST <= speed <= FASTEST:
        raise ValueError(f"speed {speed} is outside {SLOWEST:g} … {FASTEST:g}")
    return float(speed)
