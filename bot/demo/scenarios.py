"""The scenarios: each declares what is planted, and how the seed draws it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

import numpy as np

from bot.demo import faults as f
from bot.demo.faults import Fault, Truth
from bot.demo.flights import DAY, HOUR, Raw, to_time
from bot.demo.pipeline import trailing_delays_as_of
from bot.demo.registry import EXPERIMENT, TREATMENT, Publish
from bot.demo.stage import Stage

RISK = ("risk_log_loss", "risk_calibration", "alert_precision")
SCORES = ("mean_risk", "alert_rate", "predicted_delay")
DELAY = ("delay_error", "delay_bias")
QUALITY = (*RISK, *DELAY)


@dataclass(frozen=True)
class Draw:
    """What a planting function draws from: random numbers, the clean world, and how many draws
    before were not serious enough."""

    rng: Random
    stage: Stage
    failed: int = 0

    def onset(self) -> int:
        """A minute in the morning or at noon of one of the week's days."""
        return f.moment_of(self.stage.anchor + self.rng.randrange(7), self.rng.random())

    def publish(self, model: str | None = None) -> Publish | None:
        """One of the week's publishes that falls into the day's traffic; None when none does."""
        start = self.stage.anchor * DAY
        found = [
            p
            for p in self.stage.publishes
            if start <= p.published < start + 7 * DAY and model in (None, p.series.model)
        ]
        return self.rng.choice(found) if found else None


FIRST_DAY, LAST_DAY = 15784, 16056
"""Weeks are drawn between 20 March and 17 December 2013 (days since 1970)."""


def any_week(rng: Random, raw: Raw) -> int:
    """The first day of a week, drawn evenly."""
    del raw
    return rng.randrange(FIRST_DAY, LAST_DAY)


WEATHER_DRAWS = 48
ROUGH_HOURS = 240


def rough_week(rng: Random, raw: Raw) -> int:
    """A week that begins with some of the year's worst weather."""
    start, span = FIRST_DAY * DAY, (LAST_DAY - FIRST_DAY) * DAY
    days = {hour // DAY for hour in _worst_hours(raw, start, span, ROUGH_HOURS)}
    return rng.choice(sorted(days))


def _worst_hours(raw: Raw, start: int, span: int, count: int) -> list[int]:
    """The hours of ``start <= t < start + span`` with the roughest observations, by time."""
    table = raw.weather
    inside = (table.time >= start) & (table.time < start + span)
    values = {name: np.nan_to_num(v[inside], nan=0.0) for name, v in table.values.items()}
    rough = 2 * np.clip(3 - values["visib"], 0, 3) + 8 * np.clip(values["precip"], 0, 0.5)
    rough += np.clip(values["wind_speed"] - 20, 0, 25) / 5
    hours, place = np.unique(table.time[inside], return_inverse=True)
    total = np.bincount(place, weights=rough)
    return sorted(int(h) for h in hours[np.argsort(-total, kind="stable")[:count]])


def stormy_week(rng: Random, raw: Raw) -> int:
    """One of the worst days: over half of all arrivals were more than 15 minutes late."""
    flights = raw.flights
    known = np.isfinite(flights.arr_delay)
    day = flights.day[known] - FIRST_DAY
    inside = (day >= 0) & (day < LAST_DAY - FIRST_DAY)
    late = np.bincount(day[inside], weights=flights.arr_delay[known][inside] > 15)
    share = late / np.maximum(np.bincount(day[inside]), 1)
    return FIRST_DAY + int(rng.choice(np.flatnonzero(share > 0.5).tolist()))


@dataclass(frozen=True)
class Scenario:
    """One kind of incident. ``expected`` is the kind of conclusion, ``causes`` what it may be
    named after, ``metrics`` those that may raise the alert, ``find`` how the alert is found:
    "damage" compares with the world without the fault, "quiet" wants a false alarm, "storm"
    wants a real change with nothing broken. ``entry`` is where the walk starts,
    ``week`` draws the days, ``patience`` is for how many hours the metrics are looked at."""

    name: str
    about: str
    expected: str
    causes: str
    metrics: tuple[str, ...]
    plant: Callable[[Draw], Fault | None]
    find: Literal["damage", "quiet", "storm"] = "damage"
    entry: Literal["metric", "model", "feature"] = "metric"
    week: Callable[[Random, Raw], int] = any_week
    patience: int = 24


def _stale(draw: Draw) -> Fault:
    """The weather feed breaks in bad weather; where that harms nobody, another feed or job."""
    if draw.failed < WEATHER_DRAWS:
        node = draw.rng.choice(("noaa_feed", "weather_hourly"))
        start = draw.stage.anchor * DAY
        onset = draw.rng.choice(_worst_hours(draw.stage.regime.raw, start, 2 * DAY, 8))
        onset += draw.rng.randrange(5, HOUR)
    else:
        node = draw.rng.choice(("trailing_delays", "acars_out"))
        onset = draw.onset()
    if node == "acars_out":
        truth = Truth("upstream", (node,), "no pushback messages come in any more", onset)
        return Fault(truth, onset, edit_raw=f.silent_aircraft(onset), node=node)
    if node == "trailing_delays":
        truth = Truth("upstream", (node,), "the job of trailing_delays fails since then", onset)
        edit = f.step_swapped(node, trailing_delays_as_of(onset))
        return Fault(truth, onset, edit_code=edit, node=node, failing=frozenset({node}))
    failing = frozenset({node}) if node == "weather_hourly" else frozenset()
    told = "the weather feed sends nothing new" if not failing else "the weather job fails"
    return Fault(
        Truth("upstream", (node,), told, onset),
        onset,
        edit_raw=f.frozen_weather(onset) if not failing else f.unchanged_raw,
        edit_code=f.frozen_hourly(onset) if failing else f.unchanged_code,
        node=node,
        failing=failing,
    )


def _units(draw: Draw) -> Fault:
    onset = draw.onset()
    names = [*sorted(f.UNITS), *["fahrenheit"] * 5]
    node, columns, told, convert = f.UNITS[draw.rng.choice(names)]
    at_feed = node == "weather_hourly" and draw.rng.random() < 0.25
    if at_feed:
        truth = Truth("upstream", ("noaa_feed",), f"noaa_feed: {told}", onset)
        edit = f.converted_weather(onset, columns, convert)
        return Fault(truth, onset, edit_raw=edit, node="noaa_feed")
    truth = Truth("upstream", (node,), f"{node}: {told} in {', '.join(columns)}", onset)
    code = f.converted(node, columns, convert)
    return Fault(truth, onset, edit_code=code, node=node, released=(node,))


def _tails_null(draw: Draw) -> Fault:
    onset = draw.onset()
    truth = Truth("upstream", ("tail_keys",), "no tail number matches any more", onset)
    edit = f.tails_keyed(f.unmatched_tails)
    feature = draw.rng.choice(("dep_delay", "plane_seats", "plane_age", "tail_prev_delay"))
    return Fault(
        truth,
        onset,
        edit_code=edit,
        node="tail_keys",
        released=("tail_keys",),
        feature=feature,
    )


def _tails_shuffled(draw: Draw) -> Fault:
    onset = draw.onset()
    truth = Truth("upstream", ("tail_keys",), "aircraft are joined to other aircraft", onset)
    edit = f.tails_keyed(f.shuffled_tails(draw.rng.randrange(10**6)))
    return Fault(truth, onset, edit_code=edit, node="tail_keys", released=("tail_keys",))


def _training_fault(
    draw: Draw, publish: Publish, truth: Truth, change: Callable[..., object]
) -> Fault:
    del draw
    edit = f.training_of(publish.snapshot, change)  # type: ignore[arg-type]
    return Fault(truth, publish.trained - 1, edit_code=edit)


def _labels(draw: Draw) -> Fault | None:
    publish = draw.publish()
    if publish is None:
        return None
    days = sorted(set(draw.stage.job_days(publish)))
    count = max(3, round(len(days) * draw.rng.uniform(0.4, 0.9)))
    chosen = frozenset(days[-count:])
    share = draw.rng.uniform(0.5, 1.0)
    if publish.series.task == "binary":
        told, rewrite = draw.rng.choice(
            (("set to 0", np.zeros_like), ("inverted", lambda v: 1 - v), ("set to 1", np.ones_like))
        )
    else:
        told, rewrite = draw.rng.choice(
            (("set to 0", np.zeros_like), ("negated", lambda v: -v), ("in hours", lambda v: v / 60))
        )
    truth = Truth(
        "training_data",
        (publish.snapshot, "label", "training_set", *_partitions(chosen)),
        f"{publish.snapshot}: {share:.0%} of the labels of its last {count} days were {told}",
        publish.published,
    )
    return _training_fault(draw, publish, truth, f.labels_rewritten(chosen, share, rewrite))


def _partition(draw: Draw) -> Fault | None:
    publish = draw.publish()
    if publish is None:
        return None
    bad, days = draw.stage.late_days(publish)
    part = draw.rng.choice(("late", "few", "few late", "few calm"))
    count = round(len(days) * draw.rng.uniform(0.6, 0.85))
    left = draw.rng.randrange(2, 6)
    chosen, which = {
        "late": (bad[-count:], "the days with the most delays, whose files came in late"),
        "few": (days[:-left], "all but the latest days"),
        "few late": (bad[:-left], "all but the days with the most delays"),
        "few calm": (bad[left:], "all but the calmest days"),
    }[part]
    count = len(chosen)
    truth = Truth(
        "training_data",
        (publish.snapshot, "training_set", *_partitions(frozenset(chosen))),
        f"{publish.snapshot} was trained without {count} of {len(days)} partitions: {which}",
        publish.published,
    )
    return _training_fault(draw, publish, truth, f.without_days(frozenset(chosen)))


def _diverged(draw: Draw) -> Fault | None:
    publish = draw.publish()
    if publish is None:
        return None
    rate = 10 ** draw.rng.uniform(-0.7, 0.6)
    truth = Truth(
        "snapshot",
        (publish.snapshot,),
        f"{publish.snapshot} was trained with a learning rate of {rate:.2f}",
        publish.published,
    )
    return _training_fault(draw, publish, truth, f.recipe_changed(rate=rate, penalty=0.0))


def _arm(draw: Draw) -> Fault:
    onset = draw.onset()
    slope, shift = draw.rng.choice(((1, 1.6), (1, -1.8), (0.2, 0), (3, 0), (1, 2.4), (-1, 0)))
    model = "late_arrival"
    arm = draw.rng.choice((TREATMENT, TREATMENT, "control"))
    truth = Truth(
        "model",
        (model, arm, f"{EXPERIMENT}/{arm}", f"{model}/{arm}"),
        f"the scorer passes {arm}'s logits through {slope} · x {shift:+} since then",
        onset,
    )
    edit = f.scores_changed(model, arm, f.logit_changed(slope, shift))
    return Fault(truth, onset, edit_code=edit, config_of=(model, arm))


def _timeouts(draw: Draw) -> Fault:
    onset = draw.onset()
    dose = draw.rng.uniform(0.45, 0.95)
    truth = Truth(
        "infra",
        ("feature_store", "feature_store/timeout_rate", "feature_store/latency_ms"),
        f"{dose:.0%} of the feature store's requests time out; the scorer takes defaults",
        onset,
    )
    return Fault(truth, onset, edit_code=f.timeouts_of(dose, onset), node="feature_store")


def _mix(draw: Draw) -> Fault:
    onset = draw.onset()
    column, value = draw.rng.choice(
        (
            *(("carrier", c) for c in ("UA", "B6", "EV", "DL", "AA")),
            *(("origin", o) for o in ("EWR", "JFK", "LGA")),
        )
    )
    if draw.rng.random() < 0.5:
        share = draw.rng.uniform(0.6, 0.95)
        edit, told = f.fewer_flights(onset, column, value, share), f"{share:.0%} fewer"
    else:
        times = draw.rng.choice((2, 3, 4))
        edit = f.more_flights(onset, column, value, times, draw.stage.end)
        told = f"{times + 1} times as many"
    truth = Truth("traffic", (f"{column}={value}",), f"{told} flights of {value}", onset)
    return Fault(truth, onset, edit_raw=edit)


def _storm(draw: Draw) -> Fault:
    onset = draw.stage.anchor * DAY + draw.rng.randrange(11, 19) * HOUR
    day = to_time(onset).strftime("%-d %B")
    truth = Truth("world", ("world",), f"bad weather on {day} 2013; nothing is broken", onset)
    return Fault(truth, onset)


def _nothing(draw: Draw) -> Fault:
    onset = (draw.stage.anchor + draw.rng.randrange(7)) * DAY + draw.rng.randrange(11, 24) * HOUR
    return Fault(Truth("false_alarm", (), "nothing happened: ordinary scatter", onset), onset)


def _outside(draw: Draw) -> Fault:
    onset = draw.onset()
    limit = draw.rng.choice((-25, -20, -15, 60, 90, 120))
    truth = Truth(
        "unknown",
        (),
        f"operations count an arrival as late from {limit} minutes on; no table says so",
        onset,
    )
    edit = f.labels_of("late_arrival", lambda delay: (delay > limit).astype(float))
    return Fault(truth, onset, edit_code=edit)


def _unlisted(draw: Draw) -> Fault:
    onset = draw.onset()
    node, name, told, convert = draw.rng.choice(f.UNLISTED)
    truth = Truth("feature", (name,), f"{name}, which no lineage lists: {told}", onset)
    edit = f.converted(node, (name,), convert)
    return Fault(truth, onset, edit_code=edit, node=name, hidden=(name,))


def _partitions(days: frozenset[int]) -> tuple[str, ...]:
    return tuple(f"{to_time(d * DAY):%Y-%m-%d}" for d in sorted(days))


_ALL = (
    Scenario(
        "unit_change",
        "A transformation writes other units (°F becomes °C, minutes become seconds, …).",
        "upstream", "the node that changed", (*QUALITY, *SCORES), _units,
    ),
    Scenario(
        "corrupted_labels",
        "A snapshot was trained on labels that were overwritten.",
        "training_data", "the snapshot, its label or partitions", (*QUALITY, *SCORES), _labels,
    ),
    Scenario(
        "false_alarm",
        "A metric crosses its line by chance; nothing happened.",
        "false_alarm", "none", ("alert_rate", "mean_risk", "risk_log_loss", "delay_error"),
        _nothing, find="quiet",
    ),
    Scenario(
        "feed_stale",
        "A feed or a job stops (weather, pushback messages, …); the last values are served on.",
        "upstream", "the feed or the job", (*QUALITY, *SCORES), _stale,
        week=rough_week, patience=36,
    ),
    Scenario(
        "tail_join_broken",
        "No tail number matches any more: what is known of the aircraft becomes null.",
        "upstream", "tail_keys", (*QUALITY, *SCORES), _tails_null,
    ),
    Scenario(
        "tail_join_shuffled",
        "Flights are joined to the wrong aircraft; each column alone looks as always.",
        "upstream", "tail_keys", (*QUALITY, *SCORES), _tails_shuffled,
    ),
    Scenario(
        "missing_partition",
        "A snapshot was trained without a part of its days.",
        "training_data", "the snapshot or its partitions", (*QUALITY, *SCORES), _partition,
    ),
    Scenario(
        "diverged_training",
        "A snapshot whose training diverged was published.",
        "snapshot", "the snapshot", (*QUALITY, *SCORES), _diverged,
    ),
    Scenario(
        "arm_config_change",
        "An arm's post-processing changed without a publish.",
        "model", "the model or the arm", (*RISK, "alert_rate", "mean_risk"), _arm,
    ),
    Scenario(
        "feature_store_timeouts",
        "The feature store times out; the scorer takes defaults.",
        "infra", "feature_store", (*QUALITY, *SCORES), _timeouts,
    ),
    Scenario(
        "traffic_mix_shift",
        "A carrier or an airport flies far less or far more than usual.",
        "traffic", "the segment", ("flights_scored", "alert_rate", "mean_risk"), _mix,
    ),
    Scenario(
        "storm",
        "A real storm of 2013: delays soar, and nothing is broken.",
        "world", "the world", ("late_share", "alert_rate", "mean_risk"), _storm,
        find="storm", week=stormy_week,
    ),
    Scenario(
        "outside_tree",
        "Something changed that no table shows; the honest answer is: unknown.",
        "unknown", "none", RISK, _outside,
    ),
    Scenario(
        "unlisted_feature",
        "A feature that the lineage does not list breaks.",
        "feature", "the feature", (*QUALITY, *SCORES), _unlisted,
    ),
    Scenario(
        "model_alert",
        "As diverged_training, but the alert is about the model: the walk starts there.",
        "snapshot", "the snapshot", QUALITY, _diverged, entry="model",
    ),
    Scenario(
        "feature_alert",
        "As tail_join_broken, but the alert is about a feature: the walk starts there.",
        "upstream", "tail_keys", (*QUALITY, *SCORES), _tails_null, entry="feature",
    ),
)  # fmt: skip


def scenarios() -> tuple[Scenario, ...]:
    """All scenarios, the ones to begin with first."""
    return _ALL


def scenario(name: str) -> Scenario:
    """The scenario of that name; KeyError names the ones that exist."""
    for each in _ALL:
        if each.name == name:
            return each
    raise KeyError(f"no scenario {name!r}; there are {', '.join(s.name for s in _ALL)}")
