"""The feature pipeline: pure functions from raw tables to a flight's features.

Each node of the lineage is one step. :class:`Code` holds the steps that are deployed; a fault
swaps one of them, or edits a raw table, and everything downstream is computed again.
Nothing that happened at or after a flight's scoring time enters its features.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from bot.demo.columns import DEFAULTS, FEATURES, Columns
from bot.demo.flights import (
    DAY,
    HOUR,
    NEVER,
    WEATHER_COLUMNS,
    Flights,
    Floats,
    Minutes,
    Raw,
    Strings,
    Weather,
    uniform,
)
from bot.demo.registry import Job

Step: TypeAlias = Callable[[Raw, Flights, "Code"], Columns]
"""Computes one node's columns for flights that are scored."""

QUEUE_HOURS = 2
"""A flight is counted in the departure queue for at most this many hours."""

NEAR = 10
"""So many days before the first flight scored enter its features at most."""

TAIL_DAYS = 2
"""How far back a tail's previous flight is looked for."""


def schedule(raw: Raw, rows: Flights, code: Code) -> Columns:
    """What ops_schedule knows of the flight itself; clock hours and weekdays are local."""
    del raw, code
    return {
        "origin": rows.origin,
        "carrier": rows.carrier,
        "sched_hour": rows.hour.astype(float),
        "weekday": rows.weekday.astype(float),
        "distance": rows.distance,
    }


def bank(raw: Raw, rows: Flights, code: Code) -> Columns:
    """How many departures the origin has scheduled in the flight's clock hour."""
    del code
    every, mine = _codes(raw.flights.origin, rows.origin)
    hours = np.sort(every * NEVER + raw.flights.sched // HOUR)
    key = mine * NEVER + rows.sched // HOUR
    count = np.searchsorted(hours, key, "right") - np.searchsorted(hours, key, "left")
    return {"bank_departures": count.astype(float)}


def weather(raw: Raw, rows: Flights, code: Code) -> Columns:
    """The newest hourly observation at the origin before the flight is scored."""
    table = code.weather_hourly(raw.weather)
    stations, mine = _codes(table.origin, rows.origin)
    order = np.lexsort((table.time, stations))
    key = stations[order] * NEVER + table.time[order]
    place = np.searchsorted(key, mine * NEVER + rows.scored, "left") - 1
    found = (place >= 0) & (stations[order][np.maximum(place, 0)] == mine)
    row = order[np.maximum(place, 0)]
    return {name: np.where(found, table.values[name][row], np.nan) for name in WEATHER_COLUMNS}


def plane_facts(raw: Raw, rows: Flights, code: Code) -> Columns:
    """Age (years in 2013) and seats of the aircraft, by tail number; null when not registered."""
    keys = code.tail_keys(raw.planes.tail)
    year = dict(zip(keys, raw.planes.year, strict=True))
    seats = dict(zip(keys, raw.planes.seats, strict=True))
    built = np.array([year.get(t, np.nan) for t in rows.tail], dtype=float)
    return {
        "plane_age": 2013 - built,
        "plane_seats": np.array([seats.get(t, np.nan) for t in rows.tail], dtype=float),
    }


def trailing_delays(raw: Raw, rows: Flights, code: Code) -> Columns:
    """Delays and queues at the origin and of the carrier, as known when the flight is scored."""
    del code
    return _trailing(raw, rows, rows.scored)


def trailing_delays_as_of(moment: int) -> Step:
    """The step whose job last succeeded at ``moment``: later values are those of then."""

    def stale(raw: Raw, rows: Flights, code: Code) -> Columns:
        del code
        return _trailing(raw, rows, np.minimum(rows.scored, moment))

    return stale


def _trailing(raw: Raw, rows: Flights, known: Minutes) -> Columns:
    flights = raw.flights
    origin, mine = _codes(flights.origin, rows.origin)
    left = flights.dep < min(NEVER, raw.messages_until)
    came = flights.arr < NEVER
    carrier, whose = _codes(flights.carrier, rows.carrier)
    return {
        "origin_delay_3h": _mean_before(
            origin[left], flights.dep[left], flights.dep_delay[left], mine, known, 3 * HOUR
        ),
        "origin_queue": _queue(flights, left, origin, mine, known),
        "carrier_delay_24h": _mean_before(
            carrier[came], flights.arr[came], flights.arr_delay[came], whose, known, DAY
        ),
    }


def _queue(
    flights: Flights,
    left: npt.NDArray[np.bool_],
    origin: Minutes,
    mine: Minutes,
    known: Minutes,
) -> Floats:
    """Flights due in the two hours before ``known`` that have not ``left``.

    Nobody knows then which of those that are later still will be cancelled.
    """
    longest = flights.sched + QUEUE_HOURS * HOUR
    gone = np.where(left, np.minimum(flights.dep, longest), longest)
    due = np.sort(origin * NEVER + flights.sched)
    out = np.sort(origin * NEVER + np.maximum(gone, flights.sched))
    key = mine * NEVER + known
    waiting: Floats = (np.searchsorted(due, key) - np.searchsorted(out, key)).astype(float)
    return waiting


def pushback(raw: Raw, rows: Flights, code: Code) -> Columns:
    """How late the aircraft left the gate: its newest pushback message before it is scored."""
    flights = raw.flights
    sent = (flights.dep < NEVER) & (flights.tail != "") & (flights.dep < raw.messages_until)
    place, found = _newest(flights.take(sent), code, rows, "dep", NEAR)
    delay = flights.dep_delay[sent][place]
    return {"dep_delay": np.where(found, delay, np.nan)}


def _newest(
    flights: Flights, code: Code, rows: Flights, event: str, days: int
) -> tuple[Minutes, npt.NDArray[np.bool_]]:
    """The position of each tail's newest ``event`` before scoring, and whether there is one
    that is at most ``days`` old."""
    time: Minutes = getattr(flights, event)
    tails, mine = _codes(code.tail_keys(flights.tail), rows.tail)
    order = np.lexsort((time, tails))
    key = tails[order] * NEVER + time[order]
    place = np.searchsorted(key, mine * NEVER + rows.scored, "left") - 1
    row = order[np.maximum(place, 0)]
    found = (place >= 0) & (tails[row] == mine) & (rows.tail != "")
    return row, found & (time[row] >= rows.scored - days * DAY)


def tail_history(raw: Raw, rows: Flights, code: Code) -> Columns:
    """The aircraft's previous flight out of New York: its arrival delay, and hours since."""
    flights = raw.flights
    came = flights.take((flights.arr < NEVER) & (flights.tail != ""))
    row, found = _newest(came, code, rows, "arr", TAIL_DAYS)
    return {
        "tail_prev_delay": np.where(found, came.arr_delay[row], np.nan),
        "tail_idle_hours": np.where(found, (rows.sched - came.arr[row]) / HOUR, np.nan),
    }


STEPS: Mapping[str, Step] = {
    "ops_schedule": schedule,
    "request": bank,
    "weather_hourly": weather,
    "plane_facts": plane_facts,
    "pushback": pushback,
    "trailing_delays": trailing_delays,
    "tail_history": tail_history,
}
"""The node that writes each group of columns, and its step."""


def same_tails(tails: Strings) -> Strings:
    """The key of an aircraft is its tail number as registered."""
    return tails


def same_weather(table: Weather) -> Weather:
    """Hourly weather in the feed's own units."""
    return table


def few_timeouts(time: Minutes) -> Floats:
    """Share of requests to the feature store that time out on an ordinary day: 0 to 0.4 %."""
    return 0.004 * uniform(time // HOUR, "timeouts")


def with_defaults(columns: Columns, rows: Flights, timeouts: Floats) -> Columns:
    """Stored features are replaced by :data:`DEFAULTS` in the requests that time out."""
    lost = uniform(rows.id, "feature_store") < timeouts
    return {
        name: np.where(lost, DEFAULTS[name], values) if name in DEFAULTS else values
        for name, values in columns.items()
    }


def at_defaults(columns: Columns, names: Collection[str]) -> Columns:
    """These features are off: the scorer gets their :data:`DEFAULTS` in every request."""
    return {
        name: np.full(len(values), DEFAULTS[name]) if name in names else values
        for name, values in columns.items()
    }


def same_job(job: Job, columns: Columns) -> Job:
    """Training reads what was logged."""
    del columns
    return job


def same_scores(scores: Floats, model: str, arm: str) -> Floats:
    """The scorer returns what the model says."""
    del model, arm
    return scores


def is_late(arr_delay: Floats) -> Floats:
    """The label of ``late_arrival``: more than 15 minutes late."""
    return (arr_delay > 15).astype(float)


def minutes_late(arr_delay: Floats) -> Floats:
    """The label of ``arrival_delay``: minutes, negative when early."""
    return arr_delay


@dataclass(frozen=True)
class Code:
    """What is deployed: a function for every place where a fault can be.

    ``steps`` compute the nodes' columns; ``tail_keys`` and ``weather_hourly`` feed them;
    ``timeouts`` is the share of requests that the feature store does not answer; ``scores``
    post-processes an arm's scores; ``labels`` turn arrival delays into each model's label;
    ``training`` prepares the rows of a training job.
    """

    steps: Mapping[str, Step] = field(default_factory=lambda: dict(STEPS))
    tail_keys: Callable[[Strings], Strings] = same_tails
    weather_hourly: Callable[[Weather], Weather] = same_weather
    timeouts: Callable[[Minutes], Floats] = few_timeouts
    training: Callable[[Job, Columns], Job] = same_job
    scores: Callable[[Floats, str, str], Floats] = same_scores
    labels: Mapping[str, Callable[[Floats], Floats]] = field(
        default_factory=lambda: {"late_arrival": is_late, "arrival_delay": minutes_late}
    )

    def with_step(self, node: str, step: Step) -> Code:
        """The same code with another step at ``node``."""
        return replace(self, steps={**self.steps, node: step})


def features(raw: Raw, rows: Flights, code: Code) -> Columns:
    """All features of ``rows``, in the order of :data:`FEATURES`, as the store would return them.

    Pure: the same inputs give the same columns. Uses nothing at or after ``rows.scored``.
    """
    if len(rows):
        near = raw.flights.due(
            int(rows.scored.min()) - NEAR * DAY, int(rows.scored.max()) + 2 * DAY
        )
        raw = replace(raw, flights=near)
    columns: Columns = {}
    for node in STEPS:
        columns |= code.steps[node](raw, rows, code)
    columns = with_defaults(columns, rows, code.timeouts(rows.scored))
    return {name: columns[name] for name in FEATURES}


def _codes(every: Strings, mine: Strings) -> tuple[Minutes, Minutes]:
    """Both text arrays as numbers under one dictionary (text unknown to ``every`` included)."""
    import pandas as pd

    codes, _ = pd.factorize(np.concatenate([every, mine]))
    codes = codes.astype(np.int64)
    return codes[: len(every)], codes[len(every) :]


def _mean_before(
    group: Minutes, time: Minutes, value: Floats, mine: Minutes, known: Minutes, span: int
) -> Floats:
    """Mean of ``value`` of the same group in ``known - span <= time < known``; NaN when none."""
    key = group * NEVER + time
    order = np.argsort(key, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(value[order])])
    high = np.searchsorted(key[order], mine * NEVER + known)
    low = np.searchsorted(key[order], mine * NEVER + known - span)
    count = high - low
    mean: Floats = np.where(count > 0, (total[high] - total[low]) / np.maximum(count, 1), np.nan)
    return mean
