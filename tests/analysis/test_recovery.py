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


@pytest.mark.parametrize(("part", "verdict"), [(0.2, "recovered"), (0.3, "not_recovering")])
def test_a_last_look_says_what_is_likelier_and_how_sure_it_is(tmp_path, part, verdict):
    """Half mended is neither: as long as it is waited for, it is too early to tell."""
    frame = logs.log(0)
    mended = (frame["time"] >= (logs.NOW - timedelta(hours=4)).replace(tzinfo=None)).to_numpy()
    hit = logs.since_onset(frame) * np.where(mended, part, 1.0)
    logit = np.log(frame["prediction"] / (1 - frame["prediction"])) + 1.5 * hit
    frame = frame.assign(prediction=1 / (1 + np.exp(-logit)))
    wh = logs.warehouse(tmp_path, frame, logs.metric("mean_prediction"))
    assert recovery.is_it_back(wh, _scope(4)).verdict == "watching"
    found = recovery.is_it_back(wh, replace(_scope(4), last=True))
    assert found.verdict == verdict
    assert 0.5 < found.confidence < 0.9
    assert "more likely" in found.headline


def test_a_last_look_still_waits_for_anything_to_judge_by(tmp_path):
    """Labels may come later than anybody waits."""
    frame = logs.log(0)
    wh = logs.warehouse(tmp_path, frame, logs.metric("mean_prediction"))
    assert recovery.is_it_back(wh, replace(_scope(0.5), last=True)).verdict == "watching"


def test_without_history_it_cannot_be_watched(tmp_path):
    """Nothing to be back in."""
    frame = logs.log(days=15)
    wh = logs.warehouse(tmp_path, frame[logs.since_onset(frame)], logs.metric("mean_prediction"))
    with pytest.raises(CannotExamine, match="can't be watched"):
        recovery.is_it_back(wh, _scope(4))
