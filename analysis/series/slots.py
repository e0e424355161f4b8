"""Which slot of its seasons a moment is in: of the day, the week and the weekend."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
MINUTE_S, HOUR_S, DAY_S, WEEK_S = 60, 3_600, 86_400, 7 * 86_400
FEWEST_FREE_DAYS = 3
"""Saturdays and Sundays, of two weekends at least, that tell what weekends are like before there
are three weeks to tell each day of the week."""
PLAIN = 4.0
"""Standard errors between weekends and other days from which that is a season."""

WHOLE = 0.75
"""A day with less than this part of the points of the fullest is not whole."""
BY_CHANCE = 0.01
"""So often days of the week that are alike are taken to differ, before there are three weeks."""


def seconds_of(times: ArrayLike) -> NDArray[np.int64]:
    """Times as whole seconds; integers are taken as they are."""
    stamps = np.asarray(times)
    if np.issubdtype(stamps.dtype, np.datetime64):
        return stamps.astype("datetime64[s]").astype(np.int64)
    return stamps.astype(np.int64)


def step_of(stamps: NDArray[np.int64]) -> int:
    """The usual time between two moments of a series, in seconds, at least 1."""
    steps = np.diff(stamps)
    steps = steps[steps > 0]
    return max(int(np.median(steps)), 1) if len(steps) else 1


def slots_of(
    stamps: NDArray[np.int64], known: NDArray[np.bool_], weekends: bool | None
) -> dict[str, NDArray[np.int64]]:
    """Which slot of each season a point is in; a season needs three rounds to be learnt."""
    if len(stamps) < 2:
        return {}
    step = step_of(stamps)
    seen = stamps[known]
    span = int(seen[-1] - seen[0]) + step
    slots: dict[str, NDArray[np.int64]] = {}
    if step <= DAY_S // 4 and span >= 3 * DAY_S:
        slots["day"] = (stamps % DAY_S) // max(step, MINUTE_S)
    if step <= DAY_S and span >= 3 * WEEK_S:
        slots["week"] = (stamps // DAY_S) % 7
    elif step <= DAY_S and weekends is not False:
        free = _free(stamps)
        fewest = FEWEST_FREE_DAYS if weekends is None else 2
        if len(np.unique(seen[free[known] > 0] // DAY_S)) >= fewest:
            slots["weekend"] = free
    return slots


def _free(stamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """1 on Saturdays and Sundays, else 0; 1970-01-01 was a Thursday."""
    return ((stamps // DAY_S + 3) % 7 >= 5).astype(np.int64)


def hours_of(
    stamps: NDArray[np.int64], slots: dict[str, NDArray[np.int64]]
) -> dict[str, NDArray[np.int64]]:
    """Hours of the weekend, then of the week, beside a day's profile and its days' levels.

    Saturday's evening is not a usual evening at Saturday's level; the two evenings of a weekend
    have more in common, and are seen twice as often, than each has to itself.
    """
    step = max(step_of(stamps), HOUR_S)
    out: dict[str, NDArray[np.int64]] = {}
    if "week" in slots or "weekend" in slots:
        count = DAY_S // step + 1
        out["hours of the weekend"] = _free(stamps) * count + stamps % DAY_S // step
    if "week" in slots:
        out["hours of the week"] = stamps % WEEK_S // step
    return out


def shows(
    free: NDArray[np.int64], stamps: NDArray[np.int64], y: Floats, known: NDArray[np.bool_]
) -> bool:
    """Whether free days differ from the others by more than days do: the day is the unit, whose
    hours share what it brings."""
    days, place = np.unique(stamps[known] // DAY_S, return_inverse=True)
    means = np.bincount(place, y[known]) / np.bincount(place)
    kind = np.zeros(len(days), dtype=np.int64)
    kind[place] = free[known]
    sides = [means[kind == side] for side in (0, 1)]
    if min(len(side) for side in sides) < FEWEST_FREE_DAYS:
        return False
    apart = middle_of(sides[0]) - middle_of(sides[1])
    away = np.concatenate([np.abs(side - middle_of(side)) for side in sides])
    error = 1.4826 * middle_of(away) * math.sqrt(sum(1 / len(side) for side in sides))
    return abs(apart) > PLAIN * error


def differ(stamps: NDArray[np.int64], y: Floats, known: NDArray[np.bool_]) -> bool:
    """Whether days of the week, seen twice at least, differ by more than two of one kind do
    (analysis of variance, Fisher 1925, with whole days as the unit, counted back from the last
    known point: of two weeks none is lost at the edges)."""
    from scipy.stats import f

    back = (stamps[known][-1] - stamps[known]) // DAY_S
    days, place, size = np.unique(back, return_inverse=True, return_counts=True)
    whole = size >= WHOLE * size.max()
    means = (np.bincount(place, y[known]) / size)[whole]
    kind = days[whole] % 7
    count = np.bincount(kind, minlength=7)
    freedom = len(means) - 7
    if count.min() < 2:
        return False
    middle = np.bincount(kind, means, 7) / count
    within = float(((means - middle[kind]) ** 2).sum()) / freedom
    between = float((count * (middle - means.mean()) ** 2).sum()) / 6
    return between > within * float(f.isf(BY_CHANCE, 6, freedom))


def sloped(profile: Floats, stamps: NDArray[np.int64]) -> Floats:
    """A profile of hours (n,) drawn straight from the middle of each to the next one's.

    So that nothing jumps at the hour that does not jump in truth; at midnight it may. The points
    are in order of time.
    """
    day, hour = stamps // DAY_S, stamps // HOUR_S
    first = np.flatnonzero(np.diff(hour, prepend=hour[0] - 1))
    size = np.diff(np.append(first, len(stamps)))
    middle = np.add.reduceat(stamps - stamps[0], first) / size
    out = np.empty(len(stamps))
    edges = np.flatnonzero(np.diff(day[first], prepend=day[0] - 1))
    for start, end in zip(edges, [*edges[1:], len(first)], strict=True):
        here = slice(first[start], first[end] if end < len(first) else len(stamps))
        inside = slice(start, end)
        out[here] = np.interp(stamps[here] - stamps[0], middle[inside], profile[first[inside]])
    return out


def middle_of(x: Floats) -> float:
    """The median of some finite values, without NumPy's search for NaN, which takes longer."""
    half = len(x) // 2
    if len(x) % 2:
        return float(np.partition(x, half)[half])
    parted = np.partition(x, (half - 1, half))
    return float(parted[half - 1] + parted[half]) / 2
