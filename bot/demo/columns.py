"""The features by name: who writes which, and what stands in for one that is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from bot.demo.flights import WEATHER_COLUMNS

Columns: TypeAlias = dict[str, Any]
"""Feature name to values, an entry a flight; a null is NaN (or None in a text column)."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "ops_schedule": ("origin", "carrier", "sched_hour", "weekday", "distance"),
    "request": ("bank_departures",),
    "weather_hourly": WEATHER_COLUMNS,
    "plane_facts": ("plane_age", "plane_seats"),
    "pushback": ("dep_delay",),
    "trailing_delays": ("origin_delay_3h", "origin_queue", "carrier_delay_24h"),
    "tail_history": ("tail_prev_delay", "tail_idle_hours"),
}
"""The columns that each node writes. ``request`` is the caller: no table lists it."""

FEATURES: tuple[str, ...] = tuple(name for names in GROUPS.values() for name in names)
TEXT_FEATURES = ("origin", "carrier")

DEFAULTS: Mapping[str, float] = {
    "temp": 55.0,
    "dewp": 42.0,
    "humid": 60.0,
    "wind_speed": 10.0,
    "precip": 0.0,
    "pressure": 1018.0,
    "visib": 10.0,
    "plane_age": 11.0,
    "plane_seats": 140.0,
    "dep_delay": 0.0,
    "origin_delay_3h": 0.0,
    "origin_queue": 0.0,
    "carrier_delay_24h": 0.0,
    "tail_prev_delay": 0.0,
    "tail_idle_hours": 12.0,
}
"""What the scorer assumes when the feature store does not answer in time."""
