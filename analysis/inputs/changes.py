"""What happened to a feature, in the words of the person who will mend it.

Old and new values are compared for the faults that pipelines really have: missing, constant,
clipped, another unit, another sign, levels renamed. The first that fits well is said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Conversion:
    """``new = slope * old + shift``: what a value becomes when its unit changes unannounced."""

    words: str
    slope: float
    shift: float = 0.0
    names: tuple[str, ...] = ()

    @property
    def formula(self) -> str:
        """``0.5556 × old − 17.78``, ``old − 273.15``, ``old ÷ 60``."""
        down = 1 / self.slope
        if down > 1 and abs(down - round(down)) < 1e-6 * down:
            return f"old ÷ {down:g}"
        if self.slope == 1:
            return f"old {'−' if self.shift < 0 else '+'} {abs(self.shift):g}"
        shift = f" {'−' if self.shift < 0 else '+'} {abs(self.shift):.4g}" if self.shift else ""
        return f"{self.slope:.4g} × old{shift}"


def _both(
    one: str, other: str, slope: float, names: tuple[str, ...], shift: float = 0.0
) -> tuple[Conversion, Conversion]:
    """The conversion and the way back."""
    there = Conversion(f"{one} → {other}", slope, shift, names)
    return there, Conversion(f"{other} → {one}", 1 / slope, -shift / slope, names)


_HEAT, _WAY = ("temp", "dewp", "heat"), ("dist", "mile", "km", "visib")
_SPEED, _RAIN = ("wind", "speed", "gust"), ("precip", "rain")
_LENGTH = ("height", "alt", "altitude", "length")
_DURATION = ("time", "delay", "duration", "hour", "minute", "second", "hrs", "mins", "secs", "age")
_DAYS = ("days", "age", "hour", "hrs", "since", "tenure")
CONVERSIONS = (
    *_both("°F", "°C", 5 / 9, _HEAT, -160 / 9),
    *_both("K", "°C", 1.0, _HEAT, -273.15),
    *_both("miles", "km", 1.609344, _WAY),
    *_both("miles", "m", 1609.344, _WAY),
    *_both("mph", "km/h", 1.609344, _SPEED),
    *_both("mph", "m/s", 0.44704, _SPEED),
    *_both("knots", "mph", 1.15078, _SPEED),
    *_both("feet", "m", 0.3048, _LENGTH),
    *_both("inches", "cm", 2.54, _LENGTH + _RAIN),
    *_both("inches", "mm", 25.4, _LENGTH + _RAIN),
    *_both("lb", "kg", 0.45359237, ("weight", "load")),
    *_both("inHg", "hPa", 33.8639, ("press",)),
    *_both("hours", "seconds", 3600.0, _DURATION),
    *_both("days", "hours", 24.0, _DAYS),
    *_both("days", "seconds", 86400.0, _DAYS),
    Conversion("minutes → seconds or hours → minutes", 60.0, 0.0, _DURATION),
    Conversion("minutes → hours or seconds → minutes", 1 / 60, 0.0, _DURATION),
    Conversion("the sign turned", -1.0),
    Conversion("", 1000.0),
    Conversion("", 0.001),
    Conversion("share → percent or whole units → cents", 100.0),
    Conversion("percent → share or cents → whole units", 0.01),
    Conversion("", 10.0),
    Conversion("", 0.1),
)


@dataclass(frozen=True)
class Change:
    """``kind`` is one word for tests and code; ``words`` are for people; ``share`` of rows."""

    kind: str
    words: str
    share: float = 1.0


NOTHING = Change("none", "", 0.0)
FEWEST_SWAPPED = 50
"""Values of which two columns are said to have changed places."""
APART, CROSSED = 0.3, 0.25
"""Columns that changed places are so far from what they held before, as a mean distance of
cumulative shares, and by at most this part of it from what the other held."""
GRID = np.linspace(0.02, 0.98, 33)
"""Shares at which two numbers are held beside each other."""
SHORT = 3
"""Words as short as this are taken as they are: "age" begins "agent" as well."""
FAR, LIKED = 0.25, 0.02
"""A factor that no table knows is said where its logarithm is as large, and where it leaves less of
the gap, by so much, than one that is known."""
TELLING, FITTING = 0.12, 0.5
"""A conversion that leaves so little of the gap is said before all else: a limit or a default that
was converted looks like a new one."""


def numbers(
    name: str, old: Floats, new: Floats, hidden: bool = False, standing: bool = False
) -> Change:
    """What happened to a number between ``old`` and ``new`` values; NaN is missing.

    ``standing``: its hourly means are known to stand still.
    """
    if len(old) < 10 or len(new) < 5:
        return NOTHING
    gone, before = float(np.isnan(new).mean()), float(np.isnan(old).mean())
    if gone - before > max(0.03, 4 * np.sqrt(before * (1 - before) / len(new))):
        return Change("nulls", f"{_percent(gone)} missing, was {_percent(before)}", gone - before)
    a, b = old[np.isfinite(old)], new[np.isfinite(new)]
    if len(a) < 10 or len(b) < 5:
        return NOTHING
    return (
        (_still(b, standing) if standing else None)
        or (_converted(name, a, b, TELLING) if _zeros(b) - _zeros(a) < 0.12 else None)
        or _constant(a, b, hidden)
        or _clipped(a, b, hidden)
        or _converted(name, a, b, FITTING)
        or _moved(a, b, hidden)
        or NOTHING
    )


def swapped(one: Sequence[Floats], other: Sequence[Floats]) -> bool:
    """Whether each of two numbers has come to hold what the other held: both are (old, new)."""
    values = [x[np.isfinite(x)] for x in (*one, *other)]
    if min(len(x) for x in values) < FEWEST_SWAPPED:
        return False
    a, b, c, d = map(_thin, values)
    own = min(_apart(a, b), _apart(c, d))
    return own > APART and max(_apart(c, b), _apart(a, d)) < CROSSED * own


def _apart(a: Floats, b: Floats) -> float:
    """How far two numbers lie apart, as :func:`_gap`."""
    return _gap(a, b, 1.0, 0.0, 0.0)


def _still(b: Floats, standing: bool) -> Change | None:
    """Several values that stand still: a feed that stopped, where a constant would be one."""
    _, counts = np.unique(b, return_counts=True)
    if standing and counts.max() < 0.9 * len(b):
        return Change("stale", "stands still since then")
    return None


def _constant(a: Floats, b: Floats, hidden: bool) -> Change | None:
    values, counts = np.unique(b, return_counts=True)
    often = np.argsort(-counts, kind="stable")[:5]
    gained = [float(counts[i] / len(b) - np.mean(a == values[i])) for i in often]
    top = int(often[int(np.argmax(gained))])
    value, share, excess = float(values[top]), float(counts[top] / len(b)), max(gained)
    before = share - excess
    if excess < 0.12 or (share < 0.9 and excess < 3 * before and excess < 0.3):
        return None
    if _is_limit(a, b, value):
        return None
    said = "one value" if hidden else f"{value:g}"
    if value == 0:
        return Change("zeros", f"{_percent(share)} zeros, was {_percent(before)}", excess)
    if share > 0.97:
        return Change("frozen", f"constant at {said}", share)
    return Change("default", f"{_percent(share)} are {said}, was {_percent(before)}", excess)


def _zeros(values: Floats) -> float:
    return float(np.mean(values == 0))


def _is_limit(a: Floats, b: Floats, value: float) -> bool:
    """Whether ``value`` is the new extreme although old values went well beyond it."""
    above, below = float(np.mean(a > value)), float(np.mean(a < value))
    # Clipping leaves the other side as it was; a constant thins both sides alike.
    top = value >= b.max() and 0.05 < above < 0.95 and np.mean(b < value) > 0.8 * below
    bottom = value <= b.min() and 0.05 < below < 0.95 and np.mean(b > value) > 0.8 * above
    return bool(top or bottom)


def _clipped(a: Floats, b: Floats, hidden: bool) -> Change | None:
    values, counts = np.unique(b, return_counts=True)
    value = float(values[int(np.argmax(counts))])
    share = float(counts.max() / len(b))
    before = float(np.mean(a == value))
    if share - before < 0.12:
        return None
    above = float(np.mean(a > value)), float(np.mean(b > value))
    below = float(np.mean(a < value)), float(np.mean(b < value))
    said = "" if hidden else f" at {value:g}"
    if above[0] > 0.1 and above[1] < 0.75 * above[0] and below[1] > 0.8 * below[0]:
        return Change("clipped", f"cut off{said}: {_percent(share)} lie there", share)
    if below[0] > 0.1 and below[1] < 0.75 * below[0] and above[1] > 0.8 * above[0]:
        return Change("clipped", f"cut off{said} from below: {_percent(share)} lie there", share)
    return None


def _converted(name: str, a: Floats, b: Floats, most: float) -> Change | None:
    """A known conversion that explains the new values better than the old ones do: so that at most
    this part of the gap between both is left."""
    a, b = _thin(a), _thin(b)
    plain = _apart(a, b)
    spread = np.std(a) + 1e-12
    if plain < 0.18:
        return None
    found: list[tuple[float, Conversion, float]] = []
    for c in CONVERSIONS:
        fits = _speaks_for(name, c)
        if c.names and not fits and (c.shift or abs(np.log(abs(c.slope))) < 1.5):
            continue  # a small factor fits any drift a little: the name must speak for it
        for share in (1.0, 0.8, 0.6, 0.45, 0.3, 0.15):
            gap = _gap(a, b, c.slope, c.shift, share)
            liked = 0.75 if fits and share == 1 else 1.0  # a mixture fits most of what moved
            found.append((gap * liked + 0.01 * (share < 1), c, share))
    if free := _scaled(a, b):
        gap = _gap(a, b, free.slope, 0.0, 1.0)
        # A constant that was added is no factor.
        added = _gap(a, b, 1.0, float(np.median(b) - np.median(a)), 1.0)
        found += [(gap + LIKED, free, 1.0)] if gap < min(TELLING * plain, added / 2) else []
    best, c, share = min(found, key=lambda f: f[0])
    near = abs(np.log(abs(c.slope))) < 0.3 and c.slope > 0  # a factor near 1 fits any drift
    if best > (0.4 if near else 1.0) * most * plain or spread < 1e-9:
        return None
    part = "" if share == 1 else f" in about {_percent(share)}"
    if c.words == "the sign turned":
        return Change("sign_flip", f"the sign turned{part}", share)
    # The name of a unit is said where the feature's own speaks for it: a factor alone fits several.
    named = not c.names or _speaks_for(name, c)
    meant = f": {c.words}?" if c.words and named else ""
    return Change("unit", f"values are {c.formula}{part}{meant}", share)


def _speaks_for(name: str, c: Conversion) -> bool:
    """Whether a word of a feature's name is one of a unit's, or begins with it: "temperature" does
    with "temp", and "page" is no "age"."""
    said = [w.lower() for w in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)]
    return any(w == n or (len(n) > SHORT and w.startswith(n)) for w in said for n in c.names)


def _scaled(a: Floats, b: Floats) -> Conversion | None:
    """The factor by which all values lie higher or lower, where it is far enough from 1."""
    old, new = np.quantile(a, GRID), np.quantile(b, GRID)
    with np.errstate(over="ignore", invalid="ignore"):
        slope = float(old @ new) / (float(old @ old) + 1e-300)
    if not 0 < slope < np.inf or abs(np.log(slope)) < FAR:
        return None
    return Conversion("", float(f"{slope:.2g}"))


def _thin(values: Floats, most: int = 600) -> Floats:
    """At most so many values, evenly spaced in order of size."""
    ordered = np.sort(values)
    index = np.linspace(0, len(ordered) - 1, min(most, len(ordered))).astype(int)
    out: Floats = ordered[index]
    return out


def _gap(a: Floats, b: Floats, slope: float, shift: float, share: float) -> float:
    """Mean distance of cumulative shares between ``b`` and a mixture of old and converted."""
    old, new = np.sort(a), np.sort(b)
    turned = np.sort(slope * a + shift)
    at = np.concatenate([np.quantile(x, GRID) for x in (old, new, turned)])
    mixed = (1 - share) * np.searchsorted(old, at) / len(a)
    mixed = mixed + share * np.searchsorted(turned, at) / len(a)
    return float(np.abs(mixed - np.searchsorted(new, at) / len(b)).mean() * 2)


def _moved(a: Floats, b: Floats, hidden: bool) -> Change | None:
    spread = float(np.std(a)) + 1e-12
    step = float(np.median(b) - np.median(a))
    width = float((np.std(b) + 1e-12) / spread)
    if abs(step) > 0.3 * spread:
        way = "higher" if step > 0 else "lower"
        if hidden:
            return Change("shift", f"values are {abs(step) / spread:.1f} sd {way}")
        return Change("shift", f"median {np.median(a):.4g} → {np.median(b):.4g}")
    if width > 1.4 or width < 0.7:
        return Change("spread", f"spread is {width:.2g} × what it was")
    return None


def levels(old: pd.Series[Any], new: pd.Series[Any], hidden: bool = False) -> Change:
    """What happened to a category between ``old`` and ``new`` values; null is missing."""
    if len(old) < 10 or len(new) < 5:
        return NOTHING
    gone, before = float(new.isna().mean()), float(old.isna().mean())
    if gone - before > max(0.03, 4 * np.sqrt(before * (1 - before) / len(new))):
        return Change("nulls", f"{_percent(gone)} missing, was {_percent(before)}", gone - before)
    a, b = old.value_counts(normalize=True), new.value_counts(normalize=True)
    fresh = [str(x) for x in b.index if x not in a.index]
    share = float(b[[x not in a.index for x in b.index]].sum())
    if share > 0.03:
        which = "" if hidden else f" ({', '.join(fresh[:2])}{' …' if len(fresh) > 2 else ''})"
        return Change("new_levels", f"{_percent(share)} are unknown levels{which}", share)
    return _moved_levels(a, b, hidden)


def _moved_levels(a: pd.Series[Any], b: pd.Series[Any], hidden: bool) -> Change:
    both = a.index.union(b.index)
    p, q = a.reindex(both, fill_value=0.0), b.reindex(both, fill_value=0.0)
    step = (q - p).sort_values()
    if float(step.abs().sum()) / 2 < 0.04:
        return NOTHING
    lost = [str(x) for x in both if p[x] > 0.03 and q[x] < 0.2 * p[x]]
    if lost:
        which = "" if hidden else f": {', '.join(lost[:2])}{' …' if len(lost) > 2 else ''}"
        word = "level" if len(lost) == 1 else "levels"
        return Change("lost_levels", f"{len(lost)} {word} lost{which}", float(p[lost].sum()))
    same = float(np.abs(np.sort(p.to_numpy()) - np.sort(q.to_numpy())).sum()) / 2
    if same < 0.35 * float(step.abs().sum()) / 2:
        return Change("remapped", "levels changed places", float(step.abs().sum()) / 2)
    if hidden:
        return Change("mix", "levels come in other shares")
    up = str(step.index[-1])
    return Change("mix", f"{up} is {_percent(float(q[up]))}, was {_percent(float(p[up]))}")


def _percent(share: float) -> str:
    return f"{share * 100:.0f}%" if share >= 0.01 or share == 0 else "< 1%"
