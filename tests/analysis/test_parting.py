"""An arm that parts from the others was changed itself; what hits all arms is no arm's doing."""

import numpy as np
import pandas as pd
import pytest

from analysis import cause
from analysis.performance.parting import partings
from analysis.performance.sums import add_up
from tests.analysis import logs


def apart(folder, frame):
    """What is seen of the arms of a log."""
    warehouse = logs.warehouse(folder, frame)
    return next(iter(partings(warehouse, add_up(warehouse, logs.scope())).values()), None)


def moved(frame, rows, by):
    """The predictions of these rows moved on the logit; labels stay."""
    logit = np.log(frame["prediction"] / (1 - frame["prediction"])) + by * rows
    return frame.assign(prediction=1 / (1 + np.exp(-logit)))


@pytest.mark.parametrize("seed", range(3))
def test_an_arm_that_is_served_otherwise_parts_from_the_other(tmp_path, seed):
    """It is named, and it alone."""
    frame = logs.log(seed)
    hit = logs.since_onset(frame) & (frame["arm"] == "test").to_numpy()
    found = apart(tmp_path, moved(frame, hit, 1.5))
    assert found.arm == "none/test"
    assert found.log_odds > 3


@pytest.mark.parametrize("seed", range(3))
def test_what_hits_all_arms_parts_none(tmp_path, seed):
    """A feature that breaks for both makes both wrong."""
    frame = logs.log(seed)
    assert apart(tmp_path, moved(frame, logs.since_onset(frame), 1.5)).log_odds < 1


@pytest.mark.parametrize("seed", range(3))
def test_a_storm_parts_no_arm(tmp_path, seed):
    """Labels go up in both arms, and predictions with them."""
    frame = logs.log(seed)
    frame = moved(frame, logs.since_onset(frame), 1.5)
    label = np.random.default_rng(seed).random(len(frame)) < frame["prediction"]
    assert apart(tmp_path, frame.assign(label=label * 1.0)).log_odds < 0


def test_of_two_arms_the_one_that_got_worse_is_named(tmp_path):
    """In a storm the sound arm's predictions move, and the broken one's stay where they were."""
    frame = logs.log(1)
    late = logs.since_onset(frame)
    storm = moved(frame, late, 2.0)
    label = np.random.default_rng(1).random(len(frame)) < storm["prediction"]
    stuck = late & (frame["arm"] == "control").to_numpy()
    prediction = np.where(stuck, frame["prediction"], storm["prediction"])
    found = apart(tmp_path, frame.assign(prediction=prediction, label=label * 1.0))
    assert found.arm == "none/control"


def test_an_arm_that_parts_speaks_for_the_model_where_the_whole_stays_usual(tmp_path):
    """Half of the traffic gets higher scores, and little of it: no figure of the whole tells."""
    frame = logs.log(2, per_hour=40)
    hit = logs.since_onset(frame) & (frame["arm"] == "test").to_numpy()
    frame = moved(frame, hit, 0.8)
    evidence = cause.which_class(logs.warehouse(tmp_path, frame), logs.scope())
    without = frame.drop(columns="arm")
    blind = cause.which_class(logs.warehouse(tmp_path, without), logs.scope())
    assert evidence.figures["probability of model"] > blind.figures["probability of model"]
    assert ("one arm alone", "moved") in [row[:2] for row in evidence.table.rows]


def test_a_log_of_one_arm_or_of_none_tells_nothing(tmp_path):
    """There is nothing to hold an arm against."""
    frame = logs.log(0)
    assert apart(tmp_path, frame.assign(arm="all")) is None
    assert apart(tmp_path, frame.drop(columns="arm")) is None


def test_an_arm_without_rows_in_the_window_is_passed_over(tmp_path):
    """An experiment that ended is no fault."""
    frame = logs.log(0)
    gone = logs.since_onset(frame) & (frame["arm"] == "test").to_numpy()
    assert isinstance(frame, pd.DataFrame)
    found = apart(tmp_path, frame[~gone])
    assert found is None or found.log_odds < 0
