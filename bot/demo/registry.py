"""The registry: when each series publishes a snapshot, and how that snapshot was trained.

A series is a model, or one arm of a model. Publishes follow one calendar for the whole year,
about a week apart, so that clean snapshots can be kept from one world to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from bot.demo.cached import cached
from bot.demo.flights import DAY, HOUR, Floats, Minutes, to_minute, to_time
from bot.demo.nets import Recipe, Trained, train

EXPERIMENT = "wider_net"
CONTROL, TREATMENT, NO_ARM = "control", "treatment", "none"
TRAINING_TAKES = 95
"""Minutes from the start of a training job to its publish."""

_CACHE_FORMAT = 2


@dataclass(frozen=True)
class Series:
    """Snapshots of one model for one arm. ``first`` and ``every`` are in minutes."""

    model: str
    arm: str
    task: str
    recipe: Recipe
    first: datetime
    every: int = 7 * DAY

    @property
    def key(self) -> tuple[str, str]:
        """Model and arm."""
        return (self.model, self.arm)


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")


SERIES = (
    Series("late_arrival", CONTROL, "binary", Recipe(seed=11), _utc("2013-01-08T15:20")),
    Series(
        "late_arrival",
        TREATMENT,
        "binary",
        Recipe(hidden=(40, 20), penalty=3e-3, seed=23),
        _utc("2013-01-10T16:05"),
    ),
    Series("arrival_delay", NO_ARM, "regression", Recipe(seed=37), _utc("2013-01-11T13:40")),
)
MODELS: Mapping[str, str] = {s.model: s.task for s in SERIES}


@dataclass(frozen=True)
class Publish:
    """One entry of the calendar. ``published`` and the training window are minutes in UTC."""

    series: Series
    snapshot: str
    parent: str | None
    published: int
    train_start: int
    train_end: int

    @property
    def trained(self) -> int:
        """When the training job started and read its data."""
        return self.published - TRAINING_TAKES


@dataclass(frozen=True)
class Job:
    """One training job: which rows of the feature log it reads, with which labels and recipe.

    ``rows`` are positions in the log, ``day`` their partitions (days since 1970), ``label``
    one value a row.
    """

    publish: Publish
    rows: Minutes
    day: Minutes
    label: Floats
    recipe: Recipe

    def keep(self, mask: Any) -> Job:
        """The job with the rows of ``mask`` alone."""
        return replace(self, rows=self.rows[mask], day=self.day[mask], label=self.label[mask])


def calendar(start: int, end: int) -> tuple[Publish, ...]:
    """Publishes that serve at some time in ``start <= t < end``, by time."""
    found: list[Publish] = []
    for series in SERIES:
        moments = _moments(series, end)
        serving = max((i for i, m in enumerate(moments) if m <= start), default=0)
        for place in range(serving, len(moments)):
            parent = _name(series, moments[place - 1]) if place else None
            found.append(_publish(series, moments[place], parent))
    return tuple(sorted(found, key=lambda p: p.published))


def _moments(series: Series, end: int) -> list[int]:
    first = to_minute(series.first)
    moments = []
    for week in range(60):
        moment = first + week * series.every + _jitter(series, week)
        if moment >= end:
            break
        moments.append(moment)
    return moments


def _jitter(series: Series, week: int) -> int:
    """Up to two hours either way and now and then a day later, the same in every world."""
    digest = hashlib.blake2b(f"{series.key}{week}".encode(), digest_size=4).digest()
    return int.from_bytes(digest[:2], "big") % (4 * HOUR) - 2 * HOUR + (digest[2] % 5 == 0) * DAY


def _name(series: Series, published: int) -> str:
    mark = "" if series.arm == NO_ARM else series.arm[0]
    return f"{series.model}-{mark}{to_time(published):%m%d}"


def _publish(series: Series, published: int, parent: str | None) -> Publish:
    train_end = (published - TRAINING_TAKES) // DAY * DAY + 8 * HOUR
    if train_end > published - TRAINING_TAKES:
        train_end -= DAY
    start = train_end - series.recipe.window * DAY
    return Publish(series, _name(series, published), parent, published, start, train_end)


def run(job: Job, design: Floats, cache: Path | None) -> Trained:
    """Train the job's snapshot; the same rows, labels and recipe are trained only once."""
    matrix = np.ascontiguousarray(design[job.rows])
    seen = hashlib.blake2b(digest_size=16)
    for part in (matrix, np.ascontiguousarray(job.label)):
        seen.update(part.tobytes())
    seen.update(f"{_CACHE_FORMAT}{job.publish.series.task}{job.recipe}".encode())

    def make() -> Trained:
        return train(job.publish.series.task, matrix, job.label, job.recipe)

    return cached(cache / f"net-{seen.hexdigest()}.pickle", make) if cache else make()
