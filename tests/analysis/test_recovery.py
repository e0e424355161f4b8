"""Recovered, not recovering, or too early to tell."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from analysis import recovery
from analysis.evidence import CannotExamine, Onset, Suspect, Window
from tests.analysis import logs


def _scope(hours):
    at = logs.NOW - timedelta(hours=hours)
    scope = logs.scope("mean_prediction")
    onset = Onset(logs.ONSET, logs.ONSET - timedelta(hours=1), logs.ONSET + timedelta(hours=1))
    left = (Suspect("feature", "visib", 0.2),)
    return replace(scope, window=Window(at, logs.NOW), onset=onset, suspects=left)


def _ask(folder, hours, healed, seed=0):
    frame = logs.log(seed)
    mitigated = (logs.NOW - timedelta(hours=hours)).replace(tzinfo=None)
    hit = logs.since_onset(frame)
    if healed:
        hit = hit & (frame["time"] < mitigated).to_numpy()
    logit = np.log(frame["prediction"] / (1 - frame["prediction"])) + 1.5 * hit
    frame = frame.assign(prediction=1 / (1 + np.exp(-logit)))
    wh = logs.warehouse(folder, frame, logs.metric("mean_prediction"))
    return recovery.is_it_back(wh, _scope(hours))


@pytest.mark.parametrize("seed", range(4))
def test_a_metric_that_came_back_is_recovered(tmp_path, seed):
    """Four hours after the mitigation."""
    evidence = _ask(tmp_path, 4, healed=True, seed=seed)
    assert evidence.verdict == "recovered"
    assert evidence.confidence >= 0.9


@pytest.mark.parametrize("seed", range(4))
def test_a_metric_that_stays_out_is_not_recovering(tmp_path, seed):
    """The suspects that are left are handed back."""
    evidence = _ask(tmp_path, 4, healed=False, seed=seed)
    assert evidence.verdict == "not_recovering"
    assert [s.name for s in evidence.suspects] == ["visib"]


def test_minutes_after_the_mitigation_it_watches(tmp_path):
    """Not a full bucket yet."""
    assert _ask(tmp_path, 0.5, healed=True).verdict == "watching"


def test_without_history_it_cannot_be_watched(tmp_path):
    """Nothing to be back in."""
    frame = logs.log(days=15)
    wh = logs.warehouse(tmp_path, frame[logs.since_onset(frame)], logs.metric("mean_prediction"))
    with pytest.raises(CannotExamine, match="can't be watched"):
        recovery.is_it_back(wh, _scope(4))
