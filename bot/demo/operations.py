"""What the operations of a pipeline leave behind: lineage, runs, infrastructure, experiments.

Runs are read off the data: a node's rows are the rows it really wrote, its data time the
newest event in them. On top lie the mishaps of ordinary weeks: a job that fails and is run
again, a feed that comes an hour late, a new column, a deploy.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np

from bot.demo.columns import GROUPS
from bot.demo.flights import DAY, HOUR, NEVER, Floats, Minutes, Raw, uniform
from bot.demo.registry import EXPERIMENT, MODELS
from bot.demo.timeline import Regime, Served

UNLISTED = ("bank_departures",)
"""Features that the caller sends along: the lineage never lists them."""

OWNERS = {
    "noaa_feed": "data-platform",
    "faa_registry": "data-platform",
    "ops_schedule": "airline-ops",
    "ops_actuals": "airline-ops",
    "acars_out": "airline-ops",
    "weather_hourly": "weather-data",
    "tail_keys": "fleet-data",
    "plane_facts": "fleet-data",
    "pushback": "fleet-data",
    "tail_history": "fleet-data",
    "trailing_delays": "delay-models",
    "flight_outcomes": "delay-models",
    "training_set": "delay-models",
    "feature_store": "ml-platform",
}
JOINS = (
    ("noaa_feed", "weather_hourly"),
    ("faa_registry", "plane_facts"),
    ("ops_schedule", "tail_keys"),
    ("tail_keys", "plane_facts"),
    ("tail_keys", "pushback"),
    ("tail_keys", "tail_history"),
    ("acars_out", "pushback"),
    ("acars_out", "trailing_delays"),
    ("ops_actuals", "trailing_delays"),
    ("ops_actuals", "tail_history"),
    ("ops_actuals", "flight_outcomes"),
    ("flight_outcomes", "training_set"),
    ("feature_store", "training_set"),
)
"""Which node reads which: the joins of the pipeline."""

DAILY = ("faa_registry", "ops_schedule", "training_set", "flight_outcomes")


@dataclass(frozen=True)
class Habits:
    """How a node usually runs: minutes after the hour it finishes, its columns, its version."""

    node: str
    finishes: int
    columns: int
    version: tuple[int, int, int]


def habits(seed: int) -> tuple[Habits, ...]:
    """The nodes' habits in this world."""
    rng = Random(f"habits{seed}")
    return tuple(
        Habits(
            node,
            rng.randrange(3, 25),
            rng.randrange(6, 20),
            (rng.randrange(1, 5), rng.randrange(0, 20), rng.randrange(0, 6)),
        )
        for node in OWNERS
        if node != "feature_store"
    )


def lineage(hidden: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """The edges as columns. ``hidden`` features have no edge, nor have the caller's own."""
    edges: list[tuple[str, str, str | None, str | None]] = [(a, b, None, None) for a, b in JOINS]
    for node, names in GROUPS.items():
        listed = [n for n in names if node != "request" and n not in (*hidden, *UNLISTED)]
        edges += [(node, "feature_store", name, name) for name in listed]
    for model in MODELS:
        edges += [("feature_store", model, None, None), ("training_set", model, None, None)]
    return {
        "upstream": [e[0] for e in edges],
        "downstream": [e[1] for e in edges],
        "upstream_column": [e[2] for e in edges],
        "downstream_column": [e[3] for e in edges],
        "owner": [OWNERS[e[0]] for e in edges],
    }


def experiments(regimes: tuple[Regime, ...], start: int) -> dict[str, list[Any]]:
    """One row an arm and period of a constant share; times are minutes, None while it lasts."""
    periods: list[tuple[int, float]] = []
    for regime in regimes:
        if not periods or periods[-1][1] != regime.share:
            periods.append((max(regime.start, start), regime.share))
    rows: list[tuple[Any, ...]] = []
    for place, (since, share) in enumerate(periods):
        until = periods[place + 1][0] if place + 1 < len(periods) else None
        rows.append((EXPERIMENT, "treatment", "late_arrival", since, until, share))
        rows.append((EXPERIMENT, "control", "late_arrival", since, until, 1 - share))
    names = ("experiment", "arm", "model", "start", "end", "share")
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


# -- runs ----------------------------------------------------------------------------------------


def runs(
    served: Served, regimes: tuple[Regime, ...], start: int, end: int, seed: int
) -> dict[str, list[Any]]:
    """Every run of every node that finished in ``start <= t < end``, by time."""
    rows: list[tuple[Any, ...]] = []
    for habit in habits(seed):
        rows += _node_runs(habit, served, regimes, start, end, seed)
    rows.sort(key=lambda row: (row[1], row[0]))
    names = ("node", "finished", "status", "rows", "data_time", "schema", "version")
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


def _node_runs(
    habit: Habits, served: Served, regimes: tuple[Regime, ...], start: int, end: int, seed: int
) -> list[tuple[Any, ...]]:
    node = habit.node
    rng = Random(f"runs{seed}{node}")
    every = DAY if node in DAILY else HOUR
    offset = 9 * HOUR if node in DAILY else 0
    mishaps = _mishaps(rng, start, end)
    last_good = start
    rows: list[tuple[Any, ...]] = []
    for due in range((start // every + 1) * every + offset, end, every):
        finished = due + habit.finishes + rng.randrange(-2, 3)
        regime = [r for r in regimes if r.start <= finished][-1]
        late = mishaps["late"] <= due < mishaps["late"] + 2 * HOUR
        asof = due - HOUR if late and every == HOUR else due
        count, newest = written(node, served, regime.raw, asof, every)
        bump = int(due >= mishaps["deploy"]) + int(due >= mishaps["second"])
        version = _version(habit, bump, regime.releases.get(node, 0))
        columns = habit.columns + int(due >= mishaps["column"])
        schema = f"{columns} columns"
        if node in regime.failing:
            rows.append((node, finished, "failed", 0, last_good, schema, version))
            continue
        if rng.random() < 0.004:
            rows.append((node, finished, "failed", 0, last_good, schema, version))
            finished += rng.randrange(6, 25)
        last_good = newest if newest is not None else last_good
        rows.append((node, finished, "success", count, last_good, schema, version))
    return [row for row in rows if row[1] < end]


def _mishaps(rng: Random, start: int, end: int) -> dict[str, int]:
    """When the node's benign changes take place; some never do."""
    span = end - start

    def moment(chance: float) -> int:
        at = start + rng.randrange(span)
        return at if rng.random() < chance else NEVER

    return {
        "late": moment(0.5),
        "deploy": moment(0.8),
        "second": moment(0.5),
        "column": moment(0.35),
    }


def _version(habit: Habits, bump: int, releases: int) -> str:
    major, minor, patch = habit.version
    if releases % 2:
        return f"{major}.{minor + bump + 1}.0"
    return f"{major}.{minor + bump}.{patch if not bump else 0}"


def written(node: str, served: Served, raw: Raw, due: int, every: int) -> tuple[int, int | None]:
    """Rows that the run due at ``due`` wrote, and the newest event in them."""
    low = due - every
    if node in ("noaa_feed", "weather_hourly"):
        inside = _span(raw.weather.time, low, due)
        newest = int(np.searchsorted(raw.weather.time, due)) - 1
        return inside, int(raw.weather.time[newest])
    if node in ("faa_registry",):
        return len(raw.planes.tail), due // DAY * DAY
    if node == "ops_schedule":
        return int(((raw.flights.sched >= due) & (raw.flights.sched < due + DAY)).sum()), due
    flights = served.log.flights
    low_row, high_row = np.searchsorted(flights.scored, [low, due])
    if node == "acars_out":
        known = flights.dep[low_row:high_row] < raw.messages_until
        until = min(due, raw.messages_until)
        return int(known.sum()), _newest(flights.dep, high_row, until)
    if node in GROUPS or node == "tail_keys":
        column = {
            "plane_facts": "plane_seats",
            "pushback": "dep_delay",
            "tail_history": "tail_prev_delay",
            "trailing_delays": "carrier_delay_24h",
            "tail_keys": "sched_hour",
        }[node]
        values = served.log.columns[column][low_row:high_row]
        until = min(due, raw.messages_until) if node == "pushback" else due
        return int(np.isfinite(values).sum()), _newest(flights.dep, high_row, until)
    arrivals = flights.arr[max(0, low_row - 1500) : high_row]
    landed = (arrivals >= low) & (arrivals < due)
    return int(landed.sum()), int(arrivals[arrivals < due].max(initial=due - DAY))


def _span(time: Minutes, low: int, high: int) -> int:
    first, last = np.searchsorted(time, [low, high])
    return int(last - first)


def _newest(dep: Minutes, high: int, until: int) -> int | None:
    recent = dep[max(0, high - 3000) : high]
    recent = recent[recent < until]
    return int(recent.max()) if len(recent) else None


# -- infrastructure ------------------------------------------------------------------------------


def infra(
    served: Served, regimes: tuple[Regime, ...], start: int, end: int, seed: int
) -> dict[str, Any]:
    """Series every five minutes of feature_store, scorer and gateway, in long form.

    Requests follow the real traffic; the timeout rate is that of the code in force.
    """
    time = np.arange(start // 5 * 5, end, 5, dtype=np.int64)
    rate = _requests(served, time)
    share = np.zeros(len(time))
    for place, regime in enumerate(regimes):
        ends = regimes[place + 1].start if place + 1 < len(regimes) else NEVER
        mine = (time >= regime.start) & (time < ends)
        share[mine] = regime.code.timeouts(time[mine])
    rng = np.random.default_rng(seed)

    def noise(scale: float) -> Floats:
        wobble: Floats = np.exp(rng.normal(0, scale, len(time)))
        return wobble

    def blips(size: float) -> Floats:
        """Now and then ten bad minutes, on an ordinary day too."""
        rare: Floats = 1 + size * (uniform(time // 10, f"blip{seed}{size}") < 0.002).astype(float)
        return rare

    busy = rate / max(rate.mean(), 1e-9)
    slow = (9 + 3 * busy) * noise(0.15) * blips(2.5) + 240 * share
    scorer = (14 + 4 * busy) * noise(0.12) * blips(2.1)
    series = {
        ("feature_store", "latency_ms"): slow,
        ("feature_store", "timeout_rate"): np.clip(share * noise(0.1), 0, 1),
        ("feature_store", "cpu"): np.clip((0.2 + 0.08 * busy) * noise(0.08), 0, 1),
        ("feature_store", "qps"): rate * 2,
        ("scorer", "latency_ms"): scorer,
        ("scorer", "error_rate"): np.clip(0.0008 * noise(0.6) * blips(6.0), 0, 1),
        ("scorer", "cpu"): np.clip((0.3 + 0.15 * busy) * noise(0.1), 0, 1),
        ("scorer", "qps"): rate * 2,
        ("gateway", "latency_ms"): slow + scorer + 5 * noise(0.2),
        ("gateway", "error_rate"): np.clip(0.001 * noise(0.5) * blips(5.0), 0, 1),
        ("gateway", "qps"): rate,
    }
    return {
        "time": np.tile(time, len(series)),
        "service": np.repeat(np.array([k[0] for k in series], object), len(time)),
        "metric": np.repeat(np.array([k[1] for k in series], object), len(time)),
        "value": np.concatenate(list(series.values())),
    }


def _requests(served: Served, time: Minutes) -> Floats:
    """Requests a minute over the half hour around each moment."""
    scored = served.time[served.model == "late_arrival"]
    high = np.searchsorted(scored, time + 15)
    low = np.searchsorted(scored, time - 15)
    rate: Floats = (high - low) / 30
    return rate
