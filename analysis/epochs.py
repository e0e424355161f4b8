"""Numbers that count the time since 1970, and in what."""

from __future__ import annotations

NAMES = {1: "seconds", 10**3: "milliseconds", 10**6: "microseconds", 10**9: "nanoseconds"}
"""What numbers since 1970 may count, by how many make a second."""


def unit_of(low: float, high: float | None = None) -> int | None:
    """How many of what is counted since 1970 make a second, by the least and the greatest number;
    None when it is no such count. The years 1973 to 5138 in one unit lie apart from the next's."""
    high = low if high is None else high
    return next((unit for unit in NAMES if low / unit >= 1e8 and high / unit < 1e11), None)
