"""The planting functions: each draws one incident of its kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from bot.demo import faults as f
from bot.demo import units
from bot.demo.columns import Columns
from bot.demo.faults import Fault, Truth
from bot.demo.flights import DAY, HOUR, to_time
from bot.demo.pipeline import trailing_delays_as_of
from bot.demo.registry import EXPERIMENT, TREATMENT, Job, Publish
from bot.demo.stage import Stage
from bot.demo.weeks import worst_hours

WEATHER_DRAWS = 48
"""So often the weather feed is tried before another feed is."""


@dataclass(frozen=True)
class Draw:
    """What a planting function draws from: random numbers, the clean world, and how many draws
    before were not serious enough. ``at`` is the onset where that is settled already."""

    rng: Random
    stage: Stage
    failed: int = 0
    at: int | None = None

    def onset(self) -> int:
        """A minute in the morning or at noon of one of the week's days."""
        if self.at is not None:
            return self.at
        return units.moment_of(self.stage.anchor + self.rng.randrange(7), self.rng.random())

    def publish(self, model: str | None = None) -> Publish | None:
        """One of the week's publishes that falls into the day's traffic; None when none does."""
        start = self.stage.anchor * DAY
        found = [
            p
            for p in self.stage.publishes
            if start <= p.published < start + 7 * DAY and model in (None, p.series.model)
        ]
        return self.rng.choice(found) if found else None


def stale_feed(draw: Draw) -> Fault:
    """The weather feed breaks in bad weather; where that harms nobody, another feed or job."""
    if draw.failed < WEATHER_DRAWS:
        node = draw.rng.choice(("noaa_feed", "weather_hourly"))
        start = draw.stage.anchor * DAY
        onset = draw.rng.choice(worst_hours(draw.stage.regime.raw, start, 2 * DAY, 8))
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


def other_units(draw: Draw) -> Fault:
    """A transformation, now and then the weather feed itself, writes other units."""
    onset = draw.onset()
    names = [*sorted(units.UNITS), *["fahrenheit"] * 5]
    node, columns, told, convert = units.UNITS[draw.rng.choice(names)]
    at_feed = node == "weather_hourly" and draw.rng.random() < 0.25
    if at_feed:
        truth = Truth("upstream", ("noaa_feed",), f"noaa_feed: {told}", onset)
        edit = f.converted_weather(onset, columns, convert)
        return Fault(truth, onset, edit_raw=edit, node="noaa_feed")
    truth = Truth("upstream", (node,), f"{node}: {told} in {', '.join(columns)}", onset)
    code = f.converted(node, columns, convert)
    return Fault(truth, onset, edit_code=code, node=node, released=(node,))


def unmatched_tails(draw: Draw) -> Fault:
    """tail_keys drops the leading N."""
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


def shuffled_tails(draw: Draw) -> Fault:
    """The index of tail_keys slips."""
    onset = draw.onset()
    truth = Truth("upstream", ("tail_keys",), "aircraft are joined to other aircraft", onset)
    flights = draw.stage.regime.raw.flights.between(onset - 8 * DAY, onset)
    edit = f.tails_keyed(f.shuffled_tails(flights.tail, draw.rng.randrange(10**6)))
    return Fault(truth, onset, edit_code=edit, node="tail_keys", released=("tail_keys",))


def _training_fault(publish: Publish, truth: Truth, change: Callable[[Job, Columns], Job]) -> Fault:
    edit = f.training_of(publish.snapshot, change)
    return Fault(truth, publish.trained - 1, edit_code=edit)


def corrupted_labels(draw: Draw) -> Fault | None:
    """The labels of one training job's latest days were overwritten."""
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
    return _training_fault(publish, truth, f.labels_rewritten(chosen, share, rewrite))


def missing_partitions(draw: Draw) -> Fault | None:
    """One training job got only a part of its days."""
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
    return _training_fault(publish, truth, f.without_days(frozenset(chosen)))


def diverged_training(draw: Draw) -> Fault | None:
    """One training job ran with a learning rate that is far too large."""
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
    return _training_fault(publish, truth, f.recipe_changed(rate=rate, penalty=0.0))


def changed_arm(draw: Draw) -> Fault:
    """An arm's scores pass through other post-processing."""
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


def timeouts(draw: Draw) -> Fault:
    """The feature store does not answer in time."""
    onset = draw.onset()
    dose = draw.rng.uniform(0.45, 0.95)
    truth = Truth(
        "infra",
        ("feature_store", "feature_store/timeout_rate", "feature_store/latency_ms"),
        f"{dose:.0%} of the feature store's requests time out; the scorer takes defaults",
        onset,
    )
    return Fault(truth, onset, edit_code=f.timeouts_of(dose, onset), node="feature_store")


def other_traffic(draw: Draw) -> Fault:
    """A carrier or an airport flies far less or far more."""
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


def storm(draw: Draw) -> Fault:
    """Nothing: the weather is real."""
    onset = draw.stage.anchor * DAY + draw.rng.randrange(11, 19) * HOUR
    day = to_time(onset).strftime("%-d %B")
    truth = Truth("world", ("world",), f"bad weather on {day} 2013; nothing is broken", onset)
    return Fault(truth, onset)


def nothing(draw: Draw) -> Fault:
    """Nothing at all."""
    onset = (draw.stage.anchor + draw.rng.randrange(7)) * DAY + draw.rng.randrange(11, 24) * HOUR
    return Fault(Truth("false_alarm", (), "nothing happened: ordinary scatter", onset), onset)


def other_labels(draw: Draw) -> Fault:
    """Operations judge late arrivals by another limit."""
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


def unlisted_feature(draw: Draw) -> Fault:
    """A feature breaks that the lineage leaves out."""
    onset = draw.onset()
    node, name, told, convert = draw.rng.choice(units.UNLISTED)
    truth = Truth("feature", (name,), f"{name}, which no lineage lists: {told}", onset)
    edit = f.converted(node, (name,), convert)
    return Fault(truth, onset, edit_code=edit, node=name, hidden=(name,))


def two_inputs(draw: Draw) -> Fault | None:
    """Two nodes break at once: units in one, units or the join of tail numbers in the other."""
    first = other_units(draw)
    plant = draw.rng.choice((other_units, other_units, unmatched_tails, shuffled_tails))
    second = plant(replace(draw, at=first.truth.onset))
    return f.together(first, second) if first.node != second.node else None


def _partitions(days: frozenset[int]) -> tuple[str, ...]:
    return tuple(f"{to_time(d * DAY):%Y-%m-%d}" for d in sorted(days))
