"""Unit changes and broken features to draw from."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from bot.demo.flights import DAY, HOUR, Floats

UNITS: Mapping[str, tuple[str, tuple[str, ...], str, Callable[[Floats], Floats]]] = {
    "fahrenheit": (
        "weather_hourly",
        ("temp", "dewp"),
        "°F became °C",
        lambda v: (v - 32) * 5 / 9,
    ),
    "pressure": ("weather_hourly", ("pressure",), "hPa became inHg", lambda v: v / 33.8639),
    "pascal": ("weather_hourly", ("pressure",), "hPa became kPa", lambda v: v / 10),
    "wind": ("weather_hourly", ("wind_speed",), "mph became km/h", lambda v: v * 1.609344),
    "rain": ("weather_hourly", ("precip",), "inches became millimetres", lambda v: v * 25.4),
    "visibility": ("weather_hourly", ("visib",), "miles became kilometres", lambda v: v * 1.609344),
    "humidity": ("weather_hourly", ("humid",), "percent became a fraction", lambda v: v / 100),
    "delays": (
        "trailing_delays",
        ("origin_delay_3h", "carrier_delay_24h"),
        "minutes became seconds",
        lambda v: v * 60,
    ),
    "hours": (
        "trailing_delays",
        ("origin_delay_3h", "carrier_delay_24h"),
        "minutes became hours",
        lambda v: v / 60,
    ),
    "pushback_hours": ("pushback", ("dep_delay",), "minutes became hours", lambda v: v / 60),
    "pushback_seconds": ("pushback", ("dep_delay",), "minutes became seconds", lambda v: v * 60),
    "metres": ("weather_hourly", ("visib",), "miles became metres", lambda v: v * 1609.344),
    "distance": ("ops_schedule", ("distance",), "miles became kilometres", lambda v: v * 1.609344),
}
"""Name → the node, its columns, what happened, and the conversion."""

UNLISTED: tuple[tuple[str, str, str, Callable[[Floats], Floats]], ...] = (
    ("pushback", "dep_delay", "minutes became hours", lambda v: v / 60),
    ("pushback", "dep_delay", "minutes became seconds", lambda v: v * 60),
    ("pushback", "dep_delay", "its sign was lost", np.abs),
    ("pushback", "dep_delay", "a constant 0", np.zeros_like),
    ("trailing_delays", "origin_delay_3h", "minutes became seconds", lambda v: v * 60),
    ("trailing_delays", "origin_delay_3h", "its sign was lost", lambda v: -v),
    ("trailing_delays", "carrier_delay_24h", "minutes became seconds", lambda v: v * 60),
    ("trailing_delays", "origin_queue", "a constant 40", lambda v: np.full_like(v, 40.0)),
    ("request", "bank_departures", "per minute, not per hour", lambda v: v / 60),
    ("request", "bank_departures", "counts both directions twice", lambda v: v * 4),
    ("tail_history", "tail_prev_delay", "minutes became seconds", lambda v: v * 60),
    ("weather_hourly", "humid", "percent became a fraction", lambda v: v / 100),
    ("weather_hourly", "pressure", "hPa became kPa", lambda v: v / 10),
)
"""Node, feature, what happened, and how its values change; the lineage leaves it out."""

HOURS_OF_DAY = (11 * HOUR, 17 * HOUR)
"""Onsets are drawn between these minutes of the UTC day: morning and noon in New York."""


def moment_of(day: int, share: float) -> int:
    """A minute of the UTC day ``day`` in :data:`HOURS_OF_DAY`, by ``share`` in 0..1."""
    low, high = HOURS_OF_DAY
    return day * DAY + low + int(share * (high - low))
