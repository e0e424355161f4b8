"""The stage: the clean world of some weeks, on which a fault is planted and looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bot.demo.faults import Fault
from bot.demo.flights import DAY, HOUR, Raw
from bot.demo.pipeline import NEAR, Code
from bot.demo.registry import Publish, calendar
from bot.demo.timeline import Past, Regime, Say, Served, replay

SHOWN_DAYS = 35
"""Days of serving log before the week in which the incident begins."""
AFTER_DAYS = 11
"""Days from the start of that week to the end of the timeline."""
TRAINING_DAYS = 62


def _quiet(step: str) -> None:
    del step


@dataclass(frozen=True)
class Stage:
    """A clean world. ``anchor`` is the first day (since 1970) of the week of the incident;
    ``start`` and ``end`` bound what is served, in minutes."""

    anchor: int
    start: int
    end: int
    regime: Regime
    clean: Served
    publishes: tuple[Publish, ...]
    cache: Path | None

    @property
    def log_start(self) -> int:
        """From when features are logged: the oldest row that a snapshot may be trained on."""
        return self.start - TRAINING_DAYS * DAY

    def job_days(self, publish: Publish) -> list[int]:
        """The partitions that the clean training job of ``publish`` reads."""
        return [int(d) for d in np.unique(self.clean.snapshots[publish.snapshot].job.day)]

    def late_days(self, publish: Publish) -> tuple[list[int], list[int]]:
        """The job's partitions by share (or minutes) of delay, calmest first; and by date."""
        job = self.clean.snapshots[publish.snapshot].job
        days = self.job_days(publish)
        mean = {d: float(job.label[job.day == d].mean()) for d in days}
        return sorted(days, key=lambda d: mean[d]), days

    def regimes(self, fault: Fault) -> tuple[Regime, ...]:
        """The clean regime, then the one with the fault."""
        clean = self.regime
        broken = replace(
            clean,
            start=fault.start,
            raw=fault.edit_raw(clean.raw),
            code=fault.edit_code(clean.code),
            failing=fault.failing,
            releases=dict.fromkeys(fault.released, 1),
        )
        return (clean, broken)

    def replay(
        self, regimes: tuple[Regime, ...], end: int, served: Served | None = None, say: Say = _quiet
    ) -> Served:
        """What these regimes serve until ``end``; before the last one starts, as ``served``
        (by default as in the clean world)."""
        source = served or self.clean
        past = Past(regimes[-1].start, source)
        return replay(regimes, self.log_start, end, self.start, self.cache, past, say)


def set_stage(raw: Raw, anchor: int, cache: Path | None, say: Say = _quiet) -> Stage:
    """The clean world around the week that starts on day ``anchor``."""
    start = (anchor - SHOWN_DAYS) * DAY + 6 * HOUR
    end = (anchor + AFTER_DAYS) * DAY + 6 * HOUR
    around = raw.flights.due(start - (TRAINING_DAYS + NEAR + 1) * DAY, end + 2 * DAY)
    regime = Regime(0, Raw(around, raw.weather, raw.planes), Code())
    clean = replay((regime,), start - TRAINING_DAYS * DAY, end, start, cache, None, say)
    return Stage(anchor, start, end, regime, clean, calendar(start, end), cache)
