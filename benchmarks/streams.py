"""Two served streams of real rows: flights of 2013, and a census taken as a stream.

Flights are scored when they leave, by the demo's feature pipeline; their natural drift is that of
seasons, storms and weekdays. Persons of the census come in the survey's order, some 2,500 a day
along a daily cycle; their natural drift is that of households and of four years.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from benchmarks import census
from bot.demo import columns, pipeline
from bot.demo import flights as raw_flights

Kind = Literal["number", "level"]
Late = Callable[[np.ndarray, str, str, pd.Timestamp, float], Any]

PERSONS_A_DAY = 2_500
CENSUS_TRAINING = 40_000
"""So many persons of 2015 train the models; the stream begins after them."""
PERIODS = (("2013-01-01", "2013-04-01"), ("2013-06-01", "2013-09-01"))
"""Flights of these days train the models."""
GROUPS = tuple(g for g in columns.GROUPS.values() if len(g) > 1)
LATE = (
    *raw_flights.WEATHER_COLUMNS,
    *columns.GROUPS["trailing_delays"],
    *columns.GROUPS["tail_history"],
    "dep_delay",
)
"""Features of flights that are looked up as of the moment of scoring."""


@dataclass(frozen=True)
class Stream:
    """Clean rows by time.

    ``frame`` has ``time`` (naive UTC), ``label`` (NaN where it never came), ``label_time`` and
    the features. ``groups`` are features that one upstream table feeds. ``training`` are masks
    of rows that models are trained on; each is served after its rows. ``dominant`` is a feature
    beside which hardly another one counts. ``late`` gives the values
    that some rows' feature would have, were its source stale since a moment or late by hours.
    """

    name: str
    frame: pd.DataFrame
    kinds: Mapping[str, Kind]
    dims: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    lagging: tuple[str, ...]
    dominant: tuple[str, ...]
    training: tuple[np.ndarray, ...]
    history: int
    late: Late

    @property
    def features(self) -> tuple[str, ...]:
        """All columns that a model may use."""
        return tuple(self.kinds)

    @property
    def labelled(self) -> bool:
        """Whether the serving log has labels."""
        return self.name == "flights"


def flights(cache: Path) -> Stream:
    """All flights of 2013 that left, and models of two training periods."""
    raw = raw_flights.load(cache)
    rows = raw.flights.take(raw.flights.scored < raw_flights.NEVER)
    code = pipeline.Code()
    found = _cached(cache / "columns.pickle", lambda: _by_month(raw, rows, code))
    time = pd.to_datetime(rows.scored * 60, unit="s").as_unit("us")
    frame = pd.DataFrame(found)
    frame.insert(0, "time", time)
    frame["label"] = np.where(np.isfinite(rows.arr_delay), rows.arr_delay > 15, np.nan)
    known = np.where(rows.arr < raw_flights.NEVER, rows.arr, 0)
    frame["label_time"] = pd.to_datetime(known * 60, unit="s").as_unit("us")

    def late(at: np.ndarray, name: str, how: str, moment: pd.Timestamp, hours: float) -> Any:
        mine = rows.take(at)
        then = int(moment.timestamp() // 60)
        left = np.minimum(mine.dep, then) if how == "stale" else mine.dep - int(hours * 60)
        return pipeline.features(raw, replace(mine, dep=left), code)[name]

    return Stream(
        "flights",
        frame,
        {f: "level" if f in columns.TEXT_FEATURES else "number" for f in columns.FEATURES},
        ("origin", "carrier"),
        GROUPS,
        LATE,
        ("dep_delay",),
        tuple(_between(time, *period) for period in PERIODS),
        28,
        late,
    )


def _between(time: pd.DatetimeIndex, first: str, last: str) -> np.ndarray:
    moments = time.to_numpy()
    return (moments >= np.datetime64(first)) & (moments < np.datetime64(last))


def _by_month(raw: Any, rows: Any, code: Any) -> dict[str, Any]:
    parts = [
        pipeline.features(raw, rows.take(part), code)
        for part in np.array_split(np.arange(len(rows)), 12)
    ]
    return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}


def _cached(file: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    if file.exists():
        found: dict[str, Any] = pickle.loads(file.read_bytes())
        return found
    made = make()
    file.write_bytes(pickle.dumps(made, protocol=5))
    return made


def persons(seed: int = 0) -> Stream:
    """The census as a stream, and models trained on its first rows."""
    table = census.load()
    frame = table[list(census.FEATURES)].copy()
    for name in census.FEATURES:
        number = name in census.NUMBERS
        frame[name] = frame[name].astype(float) if number else frame[name].astype(str)
    frame["label"] = table["employed"].astype(float)
    frame.insert(0, "time", _daily_cycle(len(frame), np.random.default_rng(seed)))
    frame["label_time"] = frame["time"]
    training = np.arange(len(frame)) < CENSUS_TRAINING

    def late(at: np.ndarray, name: str, how: str, moment: pd.Timestamp, hours: float) -> Any:
        del moment
        # No person comes twice: a lookup that lags hands out the value of somebody before.
        values = frame[name].to_numpy()
        return values[at // 60 * 60 - 1] if how == "stale" else values[at - int(hours * 100)]

    return Stream(
        "census",
        frame,
        {f: "number" if f in census.NUMBERS else "level" for f in census.FEATURES},
        ("SEX", "MAR"),
        (("DIS", "DEAR", "DEYE", "DREM"), ("CIT", "NATIVITY", "ANC")),
        census.FEATURES,
        (),
        (training,),
        14,
        late,
    )


def _daily_cycle(count: int, rng: np.random.Generator) -> Any:
    """``count`` sorted moments, PERSONS_A_DAY a day, three times as many at noon as at night."""
    days = -(-count // PERSONS_A_DAY)
    minute = np.arange(24 * 60)
    rate = 2 - np.cos(minute / len(minute) * 2 * np.pi)
    place = rng.choice(minute, (days, PERSONS_A_DAY), p=rate / rate.sum())
    second = place * 60 + rng.integers(0, 60, place.shape)
    moments = (np.sort(second, axis=1) + np.arange(days)[:, None] * 86_400).ravel()[:count]
    return (pd.Timestamp("2024-01-01") + pd.to_timedelta(moments, unit="s")).as_unit("us")
