"""The oracle: would somebody be paged, by which metric, and when?

It alone compares the world with the fault to the same world without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from bot.demo.faults import Fault
from bot.demo.flights import DAY, HOUR
from bot.demo.measure import Reading, read, wandered, watch
from bot.demo.scenarios import Scenario
from bot.demo.stage import Stage
from bot.demo.timeline import Served

LOOKS = (4, 6, 8, 10, 12, 16, 20, 24, 30, 36, 44)
"""Hours after the onset at which the metrics are looked at, while the scenario has patience."""
RULES = (4, 6, 8, 12, 16, 24, 36, 48)
"""Hours that the rules of alerts look back."""

RARE = 0.03
"""An alert is about a value that at most this share of earlier windows reached, at any hour."""
QUIET = 1.6
"""A day is ordinary when no metric is farther out than this over twelve hours."""


@dataclass(frozen=True)
class Found:
    """The alert: which reading, over ``since <= t < now`` (minutes, UTC)."""

    reading: Reading
    since: int
    now: int


def find(
    stage: Stage, scenario: Scenario, fault: Fault, served: Served, rng: Random
) -> Found | None:
    """The alert that this incident raises, or None when nobody would be paged."""
    if scenario.find == "quiet":
        return _by_chance(stage, scenario, fault, rng)
    if scenario.find == "storm":
        return _storm(stage, scenario, fault)
    return _damage(stage, scenario, fault, served)


def _damage(stage: Stage, scenario: Scenario, fault: Fault, served: Served) -> Found | None:
    """The first look at which a metric is out, most of it because of the fault."""
    for since, now in _looks(fault, LOOKS, scenario.patience):
        best: Reading | None = None
        for name in scenario.metrics:
            reading = read(served, name, since, now, now)
            if reading is None or not reading.pages():
                continue
            without = read(stage.clean, name, since, now, now)
            if without is None or without.pages(2.0) or not _mostly(reading, without):
                continue
            plain = read(served, name, since, now, now, as_fresh=False)
            if plain is None or not plain.pages() or plain.z * reading.z < 0:
                continue
            if wandered(served, name, since, now, now) > RARE or not _calm_after(stage, name, now):
                continue
            if best is None or abs(reading.z) > abs(best.z):
                best = reading
        if best is not None:
            return Found(best, since, now)
    return None


def _looks(fault: Fault, hours: Sequence[int], patience: int) -> Iterator[tuple[int, int]]:
    """The windows (minutes) over which rules look.

    A rule is evaluated on the hour, over its own hours: an alert does not know when it began.
    """
    first = -(-fault.truth.onset // HOUR) * HOUR
    for after in (h for h in hours if h <= patience):
        back = next(r for r in RULES if r >= after)
        yield first + (after - back) * HOUR, first + after * HOUR


def _calm_after(stage: Stage, name: str, now: int) -> bool:
    """Whether the day that follows would be ordinary without the fault: a recovery can show."""
    after = read(stage.clean, name, now, now + DAY, now + 2 * DAY, as_fresh=False)
    return after is not None and abs(after.z) < 2


def _mostly(reading: Reading, without: Reading) -> bool:
    """Whether at least two thirds of the excursion are absent from the world without fault."""
    return abs(reading.z - without.z) >= 2 / 3 * abs(reading.z)


def _storm(stage: Stage, scenario: Scenario, fault: Fault) -> Found | None:
    """Delays are out of the usual and the models took it as well as ever."""
    for since, now in _looks(fault, LOOKS[2:], scenario.patience):
        share = read(stage.clean, "late_share", since, now, now)
        if share is None or not share.pages(3.0) or share.beyond:
            continue
        honest = [
            read(stage.clean, name, since, now, now)
            for name in ("risk_calibration", "risk_log_loss", "delay_bias")
        ]
        if any(r is None or abs(r.z) > 2 for r in honest):
            return None
        out = [r for m in scenario.metrics if (r := read(stage.clean, m, since, now, now))]
        out = [r for r in out if r.pages(3.0) and r.z > 0]
        if out:
            return Found(max(out, key=lambda r: abs(r.z)), since, now)
    return None


def _by_chance(stage: Stage, scenario: Scenario, fault: Fault, rng: Random) -> Found | None:
    """One bucket of a metric crosses a line of 2 deviations, as it did on other days as well;
    the day around it is ordinary in every metric."""
    name = rng.choice(scenario.metrics)
    metric = watch(name)
    width = max(metric.every, 2 * HOUR)
    since = fault.truth.onset // HOUR * HOUR
    delay = 4 * HOUR if metric.needs_label else HOUR // 4
    now = since + width + delay
    reading = read(stage.clean, name, since, since + width, now)
    if reading is None or not 1.8 <= abs(reading.z) <= 2.8 or reading.beyond < 2:
        return None
    if metric.bad == "up" and reading.z < 0:
        return None
    plain = read(stage.clean, name, since, since + width, now, as_fresh=False)
    if plain is None or abs(plain.z) > 2.8:
        return None
    for other in scenario.metrics:
        day = read(stage.clean, other, now - 12 * HOUR, now, now)
        if day is None or abs(day.z) > QUIET:
            return None
    return Found(reading, since, now)


def counterfactual(stage: Stage, served: Served, found: Found) -> tuple[float, float]:
    """The alert's metric over its window, with the fault and without."""
    values = []
    for each in (served, stage.clean):
        reading = read(each, found.reading.name, found.since, found.now, found.now)
        values.append(reading.value if reading else float(np.nan))
    return values[0], values[1]
