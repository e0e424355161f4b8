"""Seeded metric series of many kinds, clean or with a planted truth.

Each kind is what a team would watch: gauges, counts, ratios with few rows, counters, with the
seasons, gaps and tails of their trade. A series of one kind and seed is always the same.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Draw = Callable[[np.random.Generator, Floats], Floats]
DAY = 1440
"""Minutes."""


@dataclass(frozen=True)
class Kind:
    """``draw`` makes values (n,) from minutes since a Monday's midnight (n,).

    ``counted``: they are the increments of a counter, which is what is seen of them.
    """

    name: str
    minutes: int
    days: int
    draw: Draw
    counted: bool = False


@dataclass(frozen=True)
class Planted:
    """A series (n,) at ``times``; ``changes`` are the first points of new regimes (indices),
    ``spells`` the disturbed stretches as (first, last) indices."""

    name: str
    times: np.ndarray[Any, np.dtype[np.datetime64]]
    values: Floats
    changes: tuple[int, ...] = ()
    spells: tuple[tuple[int, int], ...] = ()

    @property
    def months(self) -> float:
        """Length in months of 30 days."""
        return float((self.times[-1] - self.times[0]) / np.timedelta64(30, "D"))


def _daily(t: Floats) -> Floats:
    return np.sin(2 * np.pi * (t / DAY - 0.3)) + 0.4 * np.sin(4 * np.pi * t / DAY)


def _weekly(t: Floats) -> Floats:
    return np.asarray(np.where((t // DAY) % 7 >= 5, 0.6, 1.0))


def _wander(rng: np.random.Generator, n: int, memory: float) -> Floats:
    noise = rng.normal(0, np.sqrt(1 - memory**2), n)
    noise[0] /= np.sqrt(1 - memory**2)
    for i in range(1, n):
        noise[i] += memory * noise[i - 1]
    return noise


def _gauge(rng: np.random.Generator, t: Floats) -> Floats:
    return 50 + rng.normal(0, 1, len(t))


def _wandering(rng: np.random.Generator, t: Floats) -> Floats:
    return 50 + 6 * _daily(t) + 1.5 * _wander(rng, len(t), 0.7)


def _growing(rng: np.random.Generator, t: Floats) -> Floats:
    return np.asarray(100 + 30 * t / t[-1] + 8 * _daily(t) + 2 * rng.normal(0, 1, len(t)))


def _traffic(rng: np.random.Generator, t: Floats) -> Floats:
    return rng.poisson(np.exp(5 + 0.8 * _daily(t)) * _weekly(t)).astype(float)


def _holidays(rng: np.random.Generator, t: Floats) -> Floats:
    """Every seventeenth day goes like a Sunday."""
    holiday = (t // DAY) % 17 == 9
    return _traffic(rng, np.where(holiday, t % DAY + 6 * DAY, t))


def _sparse(rng: np.random.Generator, t: Floats) -> Floats:
    return rng.poisson(np.exp(0.7 + 0.6 * _daily(t))).astype(float)


def _ratio(rng: np.random.Generator, t: Floats) -> Floats:
    rows = rng.poisson(np.exp(3.4 + 0.8 * _daily(t)) * _weekly(t))
    good = rng.binomial(rows, 0.9)
    return np.asarray(np.where(rows > 0, good / np.maximum(rows, 1), np.nan))


def _latency(rng: np.random.Generator, t: Floats) -> Floats:
    return np.exp(3 + 0.3 * _daily(t) + 0.25 * rng.normal(0, 1, len(t)))


def _heavy(rng: np.random.Generator, t: Floats) -> Floats:
    return 20 + 4 * _daily(t) + rng.standard_t(4, len(t))


def _requests(rng: np.random.Generator, t: Floats) -> Floats:
    return rng.poisson(200, len(t)).astype(float)


def _counter(rng: np.random.Generator, increments: Floats) -> Floats:
    """The sum of increments since the last of some random resets."""
    total, out = 0.0, np.empty(len(increments))
    for i, more in enumerate(np.maximum(increments, 0)):
        total = 0.0 if rng.random() < 0.004 else total + more
        out[i] = total
    return out


def _gappy(rng: np.random.Generator, t: Floats) -> Floats:
    y = _wandering(rng, t)
    y[rng.random(len(t)) < 0.03] = np.nan
    hole = int(rng.integers(len(t) // 4, len(t) // 2))
    y[hole : hole + len(t) // 30] = np.nan
    y[-3:] = np.nan  # has not arrived yet
    return y


def _business(rng: np.random.Generator, t: Floats) -> Floats:
    return 1000 * _weekly(t) * (1 + 0.03 * rng.normal(0, 1, len(t)))


KINDS = (
    Kind("a steady gauge", 5, 14, _gauge),
    Kind("a gauge that wanders over the day", 5, 14, _wandering),
    Kind("the same by the hour", 60, 30, _wandering),
    Kind("growth with a daily season", 60, 30, _growing),
    Kind("traffic by day and week", 60, 42, _traffic),
    Kind("the same every 5 minutes", 5, 28, _traffic),
    Kind("the same with holidays", 60, 42, _holidays),
    Kind("sparse counts", 60, 30, _sparse),
    Kind("a ratio of few rows", 60, 42, _ratio),
    Kind("latencies", 5, 14, _latency),
    Kind("heavy tails", 60, 30, _heavy),
    Kind("a counter that is reset", 60, 30, _requests, counted=True),
    Kind("gaps and late data", 60, 30, _gappy),
    Kind("a day's total over a year", DAY, 365, _business),
)


def clean(kind: Kind, seed: int) -> Planted:
    """A series with nothing to find."""
    one = _drawn(kind, seed)
    return Planted(kind.name, one.times, _seen(kind, seed, one.values))


def _seen(kind: Kind, seed: int, values: Floats) -> Floats:
    rng = np.random.default_rng([seed, 3, *kind.name.encode()])
    return _counter(rng, values) if kind.counted else values


def _drawn(kind: Kind, seed: int) -> Planted:
    n = kind.days * DAY // kind.minutes
    t = np.arange(n, dtype=float) * kind.minutes
    rng = np.random.default_rng([seed, *kind.name.encode()])
    times = np.datetime64("2024-01-01", "s") + np.arange(n) * np.timedelta64(kind.minutes, "m")
    return Planted(kind.name, times, kind.draw(rng, t))


def changed(kind: Kind, seed: int, size: float = 3.0) -> Planted:
    """One or two lasting steps of ``size`` standard deviations of the season's residuals."""
    one, rng = _drawn(kind, seed), np.random.default_rng([seed, 1, *kind.name.encode()])
    n, unit = len(one.values), _unit(one, kind)
    places = sorted(
        int(n * share) for share in rng.choice([0.3, 0.45, 0.6, 0.75], rng.integers(1, 3), False)
    )
    places = [place + int(rng.integers(0, n // 20)) for place in places]
    y = one.values.copy()
    for place in places:
        y[place:] += size * unit * rng.choice([-1, 1])
    return Planted(one.name, one.times, _seen(kind, seed, y), changes=tuple(places))


def disturbed(kind: Kind, seed: int) -> Planted:
    """A spike, and a spell of a fiftieth of the series that is two standard deviations off."""
    one, rng = _drawn(kind, seed), np.random.default_rng([seed, 2, *kind.name.encode()])
    n, unit = len(one.values), _unit(one, kind)
    y, length = one.values.copy(), max(len(one.values) // 50, 4)
    spike, spell = (int(n * share) + int(rng.integers(0, n // 10)) for share in (0.4, 0.7))
    y[spike] += 10 * unit * rng.choice([-1, 1])
    y[spell : spell + length] += 2.5 * unit * rng.choice([-1, 1])
    spells = ((spike, spike), (spell, spell + length - 1))
    return Planted(one.name, one.times, _seen(kind, seed, y), spells=spells)


def _unit(one: Planted, kind: Kind) -> float:
    """Robust standard deviation of the values less what is usual at their time of the week."""
    slot = (np.arange(len(one.values)) * kind.minutes % (7 * DAY)) // max(kind.minutes, 60)
    rest = one.values.copy()
    for s in np.unique(slot):
        rest[slot == s] -= np.nanmedian(rest[slot == s])
    return 1.4826 * float(np.nanmedian(np.abs(rest))) or 1.0
