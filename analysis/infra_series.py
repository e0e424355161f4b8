"""Infrastructure series, each with its break around the onset."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from analysis import odds, words
from analysis.charts.series import utc
from analysis.evidence import CannotExamine, Onset, Scope, Window
from analysis.load import Load, at_this_load, requests
from analysis.metrics import bucket_of
from analysis.portable import as_number
from analysis.quality import Floats
from analysis.series import seasonal
from analysis.series.seasonal import Band, Break
from analysis.warehouse import MOST_ROWS, Warehouse, naive

if TYPE_CHECKING:
    import pandas as pd

NEAR = timedelta(hours=2)
"""A cause breaks at most this long before, or shortly after, what it causes …"""
SHOWS_LATE = timedelta(hours=3)
"""… unless that shows late: each such stretch longer makes it less likely by a factor of e."""
BEFORE = 6
"""Points right before a break that show whether it was one."""
LARGEST = 3.0
"""A break smaller than this many usual residuals is no suspect, however certain."""
_UP_IS_GOOD = re.compile(
    r"avail|success|hit_?rate|hit_?ratio|throughput|uptime|healthy|fresh_?share|qps|rps|ready", re.I
)
_UP_IS_BAD = re.compile(
    r"laten|error|timeout|fail|lag|delay|retr|queue|cpu|memory|mem_|disk|age|stale|miss|drop|"
    r"p50|p9|5xx|4xx|restart|throttl|default|fallback|gc_|reject|evict|backlog|saturation",
    re.I,
)


@dataclass(frozen=True)
class Broken:
    """One series and its break. ``log_odds`` already counts how many series were looked at.

    ``near`` is False where it broke after the onset or long before; ``ahead`` is how long before it
    did, beyond the onset's bounds.
    """

    service: str
    metric: str
    times: NDArray[np.datetime64]
    values: Floats
    band: Band
    found: Break
    log_odds: float
    size: float
    near: bool
    ahead: timedelta = timedelta(0)

    @property
    def name(self) -> str:
        """``service/metric``."""
        return f"{self.service}/{self.metric}"

    @property
    def at(self) -> datetime:
        """When it broke."""
        return utc(self.times[self.found.index : self.found.index + 1])[0]


def breaks(warehouse: Warehouse, scope: Scope) -> list[Broken]:
    """All series of the infra table with their break around the onset, clearest first."""
    frame, width = _load(warehouse, scope)
    groups = list(frame.groupby(["service", "metric"], sort=True))
    load = Load(requests(warehouse, Window(scope.baseline.start, scope.window.end), width), width)
    found = []
    for (service, metric), part in groups:
        one = _examine(str(service), str(metric), part, width, scope, len(groups), load)
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda one: (-(one.near and one.size >= LARGEST), -one.log_odds))


def _load(warehouse: Warehouse, scope: Scope) -> tuple[pd.DataFrame, int]:
    """Mean per series and bucket; buckets as narrow as the row limit allows."""
    table = warehouse.table("infra")
    low, high = scope.baseline.start, scope.window.end
    table = table.filter(table["time"] >= naive(low), table["time"] < naive(high))
    facts = warehouse.fetch(
        table.aggregate(
            rows=table.count(),
            series=(
                table["service"].cast("string") + "/" + table["metric"].cast("string")
            ).nunique(),
        )
    )
    rows, series = int(facts["rows"].iloc[0]), int(facts["series"].iloc[0])
    if not rows:
        raise CannotExamine(
            f"The infrastructure table has no rows between {words.clock(low)} and "
            f"{words.clock(high)}."
        )
    seconds = (high - low).total_seconds()
    usual = seconds * series / rows
    width = next(
        (
            w
            for w in (60, 300, 600, 900, 1800, 3600, 7200, 21600, 86400)
            if w >= 0.9 * min(usual, 86400) and seconds / w * series < 0.9 * MOST_ROWS
        ),
        86400,
    )
    table = table.mutate(bucket=bucket_of(table["time"], width))
    grouped = table.group_by(["service", "metric", "bucket"])
    frame = warehouse.fetch(grouped.aggregate(value=as_number(table["value"]).mean()))
    return frame.sort_values("bucket"), width


def _examine(
    service: str,
    metric: str,
    part: pd.DataFrame,
    width: int,
    scope: Scope,
    count: int,
    load: Load,
) -> Broken | None:
    keys = part["bucket"].to_numpy(np.int64)
    low, high = int(keys[0]), math.ceil(scope.window.end.timestamp() / width)
    values = np.full(max(high - low, 1), np.nan)
    inside = keys - low < len(values)
    values[(keys - low)[inside]] = part["value"].to_numpy(float)[inside]
    stamps = (low + np.arange(len(values))) * width
    times = stamps.astype("datetime64[s]")
    onset = scope.onset or Onset(scope.window.start, scope.window.start, scope.window.start)
    early = int(np.searchsorted(stamps, (onset.low - NEAR).timestamp()))
    late = int(np.searchsorted(stamps, (onset.high + NEAR / 2).timestamp(), side="right"))
    work = _even(values)
    train = stamps < stamps[min(early, len(stamps) - 1)]
    try:
        band = seasonal.fit(times, work, train=train)
    except ValueError:
        return None
    first = max(early - (late - early) * 2, 4)
    band = at_this_load(work, band, load.beyond_usual(stamps, train), train)
    found = seasonal.locate(work, band, first)
    if found is None:
        return None
    unusual = odds.shift(_strength(found, metric), _past(work, band, first, width, metric), 1.0)
    log_odds = unusual.log_odds if unusual.seen and unusual.z > 0 else -1.5
    if not unusual.seen:
        log_odds = 0.3 * max(found.evidence, 0.0) - 1.0
    off = np.abs((work - band.expected) / band.spread)
    size = float(np.nanmedian(off[found.index :]))
    log_odds = min(log_odds, 20.0) - math.log(count)
    ahead = timedelta(seconds=width) * max(early - 1 - found.high, 0)
    log_odds -= ahead / SHOWS_LATE
    near = found.low <= late and not (ahead and _was_broken(off, found.index, size))
    if near and not ahead and not early - 1 <= found.index <= late:
        # Its likeliest place is elsewhere: only the part of its bounds that is near speaks for it.
        shared = min(found.high, late) - max(found.low, early - 1) + 1
        log_odds += math.log(shared / (found.high - found.low + 1))
    usual = _plain(band, values)
    return Broken(service, metric, times, values, usual, found, log_odds, size, near, ahead)


def _was_broken(off: Floats, index: int, size: float) -> bool:
    """Whether a series was about as far off right before its break: it broke before the search."""
    before = off[max(index - BEFORE, 0) : index]
    known = before[np.isfinite(before)]
    return not len(known) or float(np.median(known)) > size / 2


def _even(values: Floats) -> Floats:
    """Positive series that span a decade are judged by factors."""
    known = values[np.isfinite(values)]
    if len(known) and known.min() > 0 and np.quantile(known, 0.99) > 8 * np.quantile(known, 0.05):
        return np.log(values)
    return values


def _plain(band: Band, values: Floats) -> Band:
    """The band on the scale of the values."""
    if _even(values) is values:
        return band
    middle = np.exp(band.expected)
    return replace(band, expected=middle, spread=middle * np.minimum(band.spread, 1.0))


def _strength(found: Break | None, metric: str) -> float:
    if found is None or found.evidence <= 0:
        return 0.0
    harmless = "down" if _UP_IS_BAD.search(metric) else "up" if _UP_IS_GOOD.search(metric) else ""
    if found.direction == harmless:
        return 0.0
    return math.sqrt(2 * found.evidence)


def _past(work: Floats, band: Band, first: int, width: int, metric: str) -> list[float]:
    """The strongest break that the same search finds as of this clock time of earlier days."""
    per_day = max(1, 86_400 // width)
    past = []
    for back in range(per_day, first - 4, per_day):
        end = len(work) - back
        found = seasonal.locate(work[:end], band.until(end), first - back)
        past.append(_strength(found, metric))
    return past


def levels(one: Broken) -> tuple[float, float]:
    """Mean of a series and of its expectation since it broke."""
    since = slice(one.found.index, None)
    return float(np.nanmean(one.values[since])), float(np.nanmean(one.band.expected[since]))
