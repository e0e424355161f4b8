"""Which weeks of 2013 an incident is planted in."""

from __future__ import annotations

from random import Random

import numpy as np

from bot.demo.flights import DAY, Raw

FIRST_DAY, LAST_DAY = 15784, 16056
"""Weeks are drawn between 20 March and 17 December 2013 (days since 1970)."""


def any_week(rng: Random, raw: Raw) -> int:
    """The first day of a week, drawn evenly."""
    del raw
    return rng.randrange(FIRST_DAY, LAST_DAY)


ROUGH_HOURS = 240


def rough_week(rng: Random, raw: Raw) -> int:
    """A week that begins with some of the year's worst weather."""
    start, span = FIRST_DAY * DAY, (LAST_DAY - FIRST_DAY) * DAY
    days = {hour // DAY for hour in worst_hours(raw, start, span, ROUGH_HOURS)}
    return rng.choice(sorted(days))


def worst_hours(raw: Raw, start: int, span: int, count: int) -> list[int]:
    """The hours of ``start <= t < start + span`` with the roughest observations, by time."""
    table = raw.weather
    inside = (table.time >= start) & (table.time < start + span)
    values = {name: np.nan_to_num(v[inside], nan=0.0) for name, v in table.values.items()}
    rough = 2 * np.clip(3 - values["visib"], 0, 3) + 8 * np.clip(values["precip"], 0, 0.5)
    rough += np.clip(values["wind_speed"] - 20, 0, 25) / 5
    hours, place = np.unique(table.time[inside], return_inverse=True)
    total = np.bincount(place, weights=rough)
    return sorted(int(h) for h in hours[np.argsort(-total, kind="stable")[:count]])


def stormy_week(rng: Random, raw: Raw) -> int:
    """One of the worst days: over half of all arrivals were more than 15 minutes late."""
    flights = raw.flights
    known = np.isfinite(flights.arr_delay)
    day = flights.day[known] - FIRST_DAY
    inside = (day >= 0) & (day < LAST_DAY - FIRST_DAY)
    late = np.bincount(day[inside], weights=flights.arr_delay[known][inside] > 15)
    share = late / np.maximum(np.bincount(day[inside]), 1)
    return FIRST_DAY + int(rng.choice(np.flatnonzero(share > 0.5).tolist()))
