"""The degraded model and arm are named; what cannot be judged is said."""

import numpy as np
import pytest

from analysis import models
from analysis.evidence import CannotExamine
from tests.analysis import logs


def _worse(frame, hit):
    logit = np.log(frame["prediction"] / (1 - frame["prediction"])) + 1.3 * hit
    return frame.assign(prediction=1 / (1 + np.exp(-logit)))


@pytest.mark.parametrize("seed", range(3))
def test_the_degraded_model_is_named_and_the_other_is_not(tmp_path, seed):
    """Two models on the same traffic; one jumps."""
    frame = logs.log(seed)
    rng = np.random.default_rng(seed)
    frame["model"] = np.where(rng.random(len(frame)) < 0.5, "good", "bad")
    frame = _worse(frame, logs.since_onset(frame) & (frame["model"] == "bad").to_numpy())
    evidence = models.which_models(logs.warehouse(tmp_path, frame), logs.scope())
    assert evidence.verdict == "degraded"
    assert [s.name for s in evidence.suspects if s.kind == "model"] == ["bad"]
    assert [s for s in evidence.suspects if s.kind == "arm"] == []


@pytest.mark.parametrize("seed", range(3))
def test_damage_in_one_arm_names_the_arm(tmp_path, seed):
    """The other arm serves the same model and is fine."""
    frame = logs.log(seed)
    hit = logs.since_onset(frame) & (frame["arm"] == "test").to_numpy()
    evidence = models.which_models(logs.warehouse(tmp_path, _worse(frame, hit)), logs.scope())
    assert evidence.verdict == "degraded"
    assert [s.name for s in evidence.suspects if s.kind == "arm"] == ["test"]


@pytest.mark.parametrize("seed", range(4))
def test_clean_models_are_left_alone(tmp_path, seed):
    """Nothing was planted."""
    evidence = models.which_models(logs.warehouse(tmp_path, logs.log(seed + 20)), logs.scope())
    assert evidence.verdict == "none"
    assert evidence.suspects == ()


def test_without_labels_the_shift_of_predictions_is_an_estimate(tmp_path):
    """It says so, and it is less sure."""
    frame = _worse(logs.log(0), logs.since_onset(logs.log(0))).drop(columns=["label", "label_time"])
    wh = logs.warehouse(tmp_path, frame, logs.metric("mean_prediction"))
    evidence = models.which_models(wh, logs.scope("mean_prediction"))
    assert evidence.verdict == "degraded"
    assert any("no labels" in text for text in evidence.not_examined)


def test_a_regression_is_judged_by_its_error(tmp_path):
    """Bias, MAE and RMSE instead of calibration and AUC."""
    frame = logs.log(0)
    rng = np.random.default_rng(0)
    frame["label"] = 10 * frame["f"] + rng.normal(0, 2, len(frame))
    frame["prediction"] = 10 * frame["f"] + 6.0 * logs.since_onset(frame)
    listed = [{"name": "ranker", "task": "regression"}]
    wh = logs.warehouse(tmp_path, frame, logs.metric("mae"), models=listed)
    evidence = models.which_models(wh, logs.scope("mae"))
    assert evidence.verdict == "degraded"
    assert evidence.table is not None
    assert any("MAE" in row[0] for row in evidence.table.rows)


def test_scores_of_a_ranking_that_moved_alike_are_told(tmp_path):
    """Its order is as good as ever."""
    frame = logs.log(0).assign(group=lambda f: np.arange(len(f)) // 20)
    frame["prediction"] = 10 + frame["f"] - 5 * logs.since_onset(frame)
    listed = [{"name": "ranker", "task": "ranking"}]
    wh = logs.warehouse(tmp_path, frame, logs.metric("mean_prediction"), models=listed)
    evidence = models.which_models(wh, logs.scope("mean_prediction"))
    assert evidence.verdict == "degraded"
    assert evidence.headline.startswith("ranker answers otherwise: mean prediction")


def test_without_labels_nothing_is_called_worse(tmp_path):
    """Predictions that moved may be right; the headline says no more than that they moved."""
    frame = logs.log(0).drop(columns=["label", "label_time"])
    frame["prediction"] = (frame["prediction"] + 0.4 * logs.since_onset(frame)).clip(0, 1)
    wh = logs.warehouse(tmp_path, frame, logs.metric("mean_prediction"))
    evidence = models.which_models(wh, logs.scope("mean_prediction"))
    assert evidence.verdict == "degraded"
    assert evidence.headline.startswith("ranker answers otherwise: mean prediction")


def test_one_class_of_label_only_does_not_break_it(tmp_path):
    """No positives at all: what is defined is judged."""
    frame = logs.log(0).assign(label=0.0)
    evidence = models.which_models(logs.warehouse(tmp_path, frame), logs.scope())
    assert evidence.verdict == "none"


def test_a_short_history_is_no_verdict(tmp_path):
    """One earlier day is no spread: nothing can be called worse."""
    wh = logs.warehouse(tmp_path, logs.log(0, days=2))
    with pytest.raises(CannotExamine, match="1 earlier copies of these hours, 3 are needed"):
        models.which_models(wh, logs.scope(days=1))


def test_an_empty_window_says_what_to_do(tmp_path):
    """No predictions, no verdict."""
    frame = logs.log(days=5)
    with pytest.raises(CannotExamine, match="no predictions between"):
        models.which_models(
            logs.warehouse(tmp_path, frame[~logs.since_onset(frame)]), logs.scope(days=4)
        )


@pytest.mark.parametrize(("rightly", "verdict"), [(False, "degraded"), (True, "none")])
def test_predictions_that_moved_alone_are_told_where_few_labels_can_judge(
    tmp_path, rightly, verdict
):
    """Of rare outcomes too few happen to show in calibration; of many they show that predictions
    moved rightly."""
    frame = logs.log(3, per_hour=200)
    rng = np.random.default_rng(3)
    shift = np.where(logs.since_onset(frame), -1.8, 0.0)
    usual = np.log(frame["prediction"] / (1 - frame["prediction"])) - (0.0 if rightly else 4.5)
    chance = 1 / (1 + np.exp(-(usual + (shift if rightly else 0.0))))
    frame["label"] = (rng.random(len(frame)) < chance) * 1.0
    frame["prediction"] = 1 / (1 + np.exp(-(usual + shift)))
    evidence = models.which_models(logs.warehouse(tmp_path, frame), logs.scope("ranker", "model"))
    assert evidence.verdict == verdict
    assert ("answers otherwise" in evidence.headline) == (not rightly)
