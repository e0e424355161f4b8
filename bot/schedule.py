"""The ticks: APScheduler says when, the work itself is due work in the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog

log = structlog.get_logger()
GRACE_SECONDS = 3600
"""The default of one second would drop late ticks in silence."""


@dataclass
class Schedule:
    """Calls functions every so many seconds, each at most once at a time."""

    _scheduler: Any = field(init=False)

    def __post_init__(self) -> None:
        from apscheduler.schedulers.background import BackgroundScheduler

        self._scheduler = BackgroundScheduler(timezone="UTC")

    def every(self, seconds: float, what: Callable[[], None], name: str) -> None:
        """Call ``what`` every so many seconds from the start on; its errors are logged."""

        def tick() -> None:
            try:
                what()
            except Exception:
                # The next tick must come whatever this one met.
                log.exception("tick failed", tick=name)

        self._scheduler.add_job(
            tick,
            "interval",
            seconds=seconds,
            id=name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=GRACE_SECONDS,
        )

    def start(self) -> None:
        """Begin to tick."""
        self._scheduler.start()

    def stop(self) -> None:
        """No more ticks; the one that runs is waited for."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
