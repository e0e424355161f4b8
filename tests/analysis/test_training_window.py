"""Where a training's window begins and ends, and whether its newest labels had come."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from analysis.training.labels import _newest_labels
from analysis.training.rows import Trainings, day_of
from analysis.training_data import missing_partitions

NAMES = ("s4", "s3", "s2", "s1")


def _trainings(seed, *, immature=0.0, last=300):
    """Ten days each, ending four days later each time; the suspect's last day has ``last`` rows,
    and of its newest three days' positives the share ``immature`` has not come."""
    rng, rows, labels = np.random.default_rng(seed), [], []
    for i, name in enumerate(reversed(NAMES)):
        end = date(2026, 3, 10) + timedelta(days=4 * i)
        for age in range(10):
            rate = 0.2 * (1 - immature * (name == "s4" and age < 3))
            count = last if name == "s4" and age == 0 else 300
            drawn = rng.random(count) < rate
            rows.append((name, str(end - timedelta(days=age)), count, drawn.mean()))
            labels.append(pd.DataFrame({"snapshot": name, "_label": drawn.astype(float)}))
    parts = pd.DataFrame(rows, columns=["snapshot", "part", "n", "label"])
    known = parts.assign(day=parts["part"].map(lambda p: day_of(p)[0]))
    ended = known.groupby("snapshot")["day"].max().to_dict()
    frame = pd.concat(labels, ignore_index=True)
    return Trainings("s4", NAMES[1:], parts, frame, {}, ended, True)


def test_a_window_that_ends_in_the_morning_misses_no_partition():
    """Its last day has few rows, and is there."""
    assert missing_partitions(_trainings(0, last=20))[0] == []


def test_a_day_within_the_window_that_lost_its_rows_is_missing():
    """Between days that are whole."""
    t = _trainings(0)
    mine = (t.parts["snapshot"] == "s4") & (t.parts["part"] == "2026-03-18")
    t.parts.loc[mine, "n"] = 10
    assert missing_partitions(t)[0] == ["2026-03-18"]


@pytest.mark.parametrize("seed", range(4))
def test_labels_that_had_not_come_are_told_by_the_newest_days(seed):
    """They are fewer there, and in earlier trainings they were not."""
    assert _newest_labels(_trainings(seed, immature=0.7)).log_odds > 1
    assert _newest_labels(_trainings(seed)).log_odds < 1
