"""Figures, times and lists as a person reads them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta


def number(x: float) -> str:
    """Three significant digits, thousands with a comma, "–" when it is not a number.

    >>> number(0.71234), number(41234.0), number(12.0), number(float("nan"))
    ('0.712', '41,234', '12', '–')
    """
    if not math.isfinite(x):
        return "–"
    if abs(x) >= 1000 or x == round(x):
        return f"{x:,.0f}"
    return f"{x:.3g}" if abs(x) >= 1e-4 else f"{x:.1e}"


def level(value: float) -> str:
    """A number; a ratio of nothing, such as a calibration without positive labels, has none."""
    return number(value) if math.isfinite(value) else "no value"


def percent(x: float) -> str:
    """A share as a percent, with a digit more below ten.

    >>> percent(0.834), percent(0.031), percent(0.3)
    ('83%', '3.1%', '30%')
    """
    if not math.isfinite(x):
        return "–"
    scaled = 100 * x
    if abs(scaled) >= 9.95 or scaled == round(scaled):
        return f"{scaled:.0f}%"
    return f"{scaled:.1f}%"


def times(x: float) -> str:
    """A ratio: "1.4 ×"."""
    return f"{number(x)} ×"


def span(length: timedelta) -> str:
    """A length of time in its two largest sensible units.

    >>> span(timedelta(minutes=17)), span(timedelta(hours=5, minutes=30)), span(timedelta(days=3))
    ('17 minutes', '5.5 hours', '3 days')
    """
    minutes = length.total_seconds() / 60
    for size, name in ((1440, "day"), (60, "hour"), (1, "minute")):
        if minutes >= 2 * size or (minutes >= size and size == 1):
            count = f"{minutes / size:.1f}".removesuffix(".0")
            return f"{count} {name}" + ("" if count == "1" else "s")
    if minutes >= 60:
        return f"{minutes:.0f} minutes"
    return f"{length.total_seconds():.0f} seconds"


def clock(moment: datetime) -> str:
    """A moment in a sentence, the only form in which a finding tells one.

    It needs no other text to be understood, so that a surface may show it in its reader's zone.

    >>> clock(datetime(2013, 7, 1, 14, 5, tzinfo=UTC))
    '2013-07-01 14:05 UTC'
    """
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Names in a sentence: "a, b and c", the rest counted.

    >>> listed(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    shown = list(names)
    if len(shown) > most:
        return f"{', '.join(shown[:most])} and {len(shown) - most} more"
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def plural(count: float, one: str, many: str | None = None) -> str:
    """A count with its noun.

    >>> plural(1, "day"), plural(1200, "row")
    ('1 day', '1,200 rows')
    """
    return f"{count:,.0f} {one if count == 1 else many or one + 's'}"
