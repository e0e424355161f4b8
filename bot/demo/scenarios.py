"""The scenarios: each declares what is planted, what should be concluded, and what pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from bot.demo import plants
from bot.demo.faults import Fault
from bot.demo.flights import Raw
from bot.demo.plants import Draw
from bot.demo.weeks import any_week, rough_week, stormy_week

RISK = ("risk_log_loss", "risk_calibration", "alert_precision")
SCORES = ("mean_risk", "alert_rate", "predicted_delay")
DELAY = ("delay_error", "delay_bias")
QUALITY = (*RISK, *DELAY)


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


_ALL = (
    Scenario(
        "unit_change",
        "A transformation writes other units (°F becomes °C, minutes become seconds, …).",
        "upstream", "the node that changed", (*QUALITY, *SCORES),
        plants.other_units,
    ),
    Scenario(
        "corrupted_labels",
        "A snapshot was trained on labels that were overwritten.",
        "training_data", "the snapshot, its label or partitions", (*QUALITY, *SCORES),
        plants.corrupted_labels,
    ),
    Scenario(
        "false_alarm",
        "A metric crosses its line by chance; nothing happened.",
        "false_alarm", "none", ("alert_rate", "mean_risk", "risk_log_loss", "delay_error"),
        plants.nothing, find="quiet",
    ),
    Scenario(
        "feed_stale",
        "A feed or a job stops (weather, pushback messages, …); the last values are served on.",
        "upstream", "the feed or the job", (*QUALITY, *SCORES),
        plants.stale_feed,
        week=rough_week, patience=36,
    ),
    Scenario(
        "tail_join_broken",
        "No tail number matches any more: what is known of the aircraft becomes null.",
        "upstream", "tail_keys", (*QUALITY, *SCORES),
        plants.unmatched_tails,
    ),
    Scenario(
        "tail_join_shuffled",
        "Flights are joined to the wrong aircraft; each column alone looks much as always.",
        "upstream", "tail_keys", (*QUALITY, *SCORES),
        plants.shuffled_tails,
    ),
    Scenario(
        "missing_partition",
        "A snapshot was trained without a part of its days.",
        "training_data", "the snapshot or its partitions", (*QUALITY, *SCORES),
        plants.missing_partitions,
    ),
    Scenario(
        "diverged_training",
        "A snapshot whose training diverged was published.",
        "snapshot", "the snapshot", (*QUALITY, *SCORES),
        plants.diverged_training,
    ),
    Scenario(
        "arm_config_change",
        "An arm's post-processing changed without a publish.",
        "model", "the model or the arm", (*RISK, "alert_rate", "mean_risk"),
        plants.changed_arm,
    ),
    Scenario(
        "feature_store_timeouts",
        "The feature store times out; the scorer takes defaults.",
        "infra", "feature_store", (*QUALITY, *SCORES),
        plants.timeouts,
    ),
    Scenario(
        "traffic_mix_shift",
        "A carrier or an airport flies far less or far more than usual.",
        "traffic", "the segment", ("flights_scored", "alert_rate", "mean_risk"),
        plants.other_traffic,
    ),
    Scenario(
        "storm",
        "A real storm of 2013: delays soar, and nothing is broken.",
        "world", "the world", ("late_share", "alert_rate", "mean_risk"),
        plants.storm,
        find="storm", week=stormy_week,
    ),
    Scenario(
        "outside_tree",
        "Something changed that no table shows; the honest answer is: unknown.",
        "unknown", "none", RISK,
        plants.other_labels,
    ),
    Scenario(
        "unlisted_feature",
        "A feature that the lineage does not list breaks.",
        "feature", "the feature", (*QUALITY, *SCORES),
        plants.unlisted_feature,
    ),
    Scenario(
        "model_alert",
        "As diverged_training, but the alert is about the model: the walk starts there.",
        "snapshot", "the snapshot", QUALITY,
        plants.diverged_training, entry="model",
    ),
    Scenario(
        "feature_alert",
        "As tail_join_broken, but the alert is about a feature: the walk starts there.",
        "upstream", "tail_keys", (*QUALITY, *SCORES),
        plants.unmatched_tails, entry="feature",
    ),
    Scenario(
        "two_inputs",
        "Two nodes break at once, each badly enough to page somebody: both are to be named.",
        "upstream", "both nodes", (*QUALITY, *SCORES),
        plants.two_inputs,
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
