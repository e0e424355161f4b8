"""Labels that are late: what an estimate shows, what it cannot see, and when to look again."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analysis.models import which_models
from analysis.performance.arrivals import arrivals
from analysis.performance.unlabelled import expected
from tests.analysis import logs

HARD_USUALLY, HARD_NOW = 0.25, 0.85


def _log(hours, *, mix=False, concept=False, answers=False, seed=1):
    """The score ranks easy rows well and hard rows hardly; labels come after ``hours``."""
    frame = logs.log(seed, per_hour=120).drop(columns="f")
    rng, now, n = np.random.default_rng(seed), logs.since_onset(frame), len(frame)
    hard = rng.random(n) < np.where(now & mix, HARD_NOW, HARD_USUALLY)
    x = rng.normal(0, 1.5, n)
    score = 1 / (1 + np.exp(0.5 - np.where(now & answers, rng.permutation(x), x)))
    slope = np.where(hard, 0.1, 1.3) * np.where(now & concept, 0.1, 1.0)
    label = (rng.random(n) < 1 / (1 + np.exp(0.5 - slope * x))).astype(float)
    wait = pd.to_timedelta(hours + rng.exponential(hours / 4, n), unit="h")
    columns = {"x": x, "hard": hard, "prediction": score, "label": label}
    return frame.assign(**columns, label_time=frame["time"] + wait)


def _look(tmp_path, frame, **more):
    return which_models(logs.warehouse(tmp_path, frame, **more), logs.scope())


def _estimates(evidence):
    return {row[0]: row for row in evidence.table.rows if "estimate" in row[0]}


@pytest.mark.parametrize("fault", ["mix", "answers"])
def test_damage_that_inputs_or_answers_show_is_seen_before_labels_come(tmp_path, fault):
    """The interval holds the AUC that the labels will show; it is called an estimate."""
    frame = _log(30, **{fault: True})
    evidence = _look(tmp_path, frame)
    assert evidence.verdict == "degraded"
    assert "by an estimate" in evidence.headline
    assert "none of these hours' labels have come" in evidence.headline
    _, _, interval, word = _estimates(evidence)["ranker AUC, estimate"]
    low, high = map(float, interval.split("(")[1].rstrip(")").split(" to "))
    now = frame[logs.since_onset(frame)]
    truth, _ = expected("auc", now["prediction"].to_numpy(), now["label"].to_numpy())
    assert low <= truth <= high
    assert word == "worse"
    assert "Hollow dots are estimates" in evidence.charts[0].alt


def test_a_changed_world_is_not_seen_and_the_model_is_not_called_healthy(tmp_path):
    """The same inputs lead to something else: only labels can tell."""
    evidence = _look(tmp_path, _log(30, concept=True))
    assert evidence.verdict == "unsure"
    assert evidence.suspects == ()
    assert "Not known yet" in evidence.headline
    assert "no estimate can see" in evidence.headline
    assert all(row[3] == "nothing seen" for row in _estimates(evidence).values())
    assert any("same inputs leading to something else" in t for t in evidence.not_examined)


def test_with_all_labels_there_nothing_is_estimated(tmp_path):
    """What is measured needs no estimate beside it."""
    evidence = _look(tmp_path, _log(0.01, mix=True))
    assert evidence.verdict == "degraded"
    assert _estimates(evidence) == {}
    assert "estimate" not in " ".join((evidence.headline, *evidence.not_examined))


def test_with_some_labels_there_the_estimate_stands_beside_what_they_say(tmp_path):
    """A few labels of the window's first hours are here, most are not."""
    evidence = _look(tmp_path, _log(6.5, mix=True))
    assert evidence.verdict == "degraded"
    assert "ranker AUC" in {row[0] for row in evidence.table.rows}
    assert "ranker AUC, estimate" in _estimates(evidence)


@pytest.mark.parametrize("timed", [True, False])
def test_it_says_when_half_of_the_labels_will_be_here(tmp_path, timed):
    """From when labels came; where the log does not say that, from the age of rows with one."""
    frame = _log(30)
    if not timed:
        come = frame["label_time"] < logs.NOW.replace(tzinfo=None)
        frame = frame.assign(label=frame["label"].where(come)).drop(columns="label_time")
    found = arrivals(logs.warehouse(tmp_path, frame), logs.scope(), ["ranker"])["ranker"]
    assert found.late
    true = timedelta(hours=30 * (1 + np.log(2) / 4))
    assert abs(found.half - true) < timedelta(hours=2)
    assert "look again after 2024-03-22 02:" in found.words(logs.NOW, logs.NOW)


def test_labels_that_should_be_here_are_overdue(tmp_path):
    """Those of the window never came, while earlier days' took an hour."""
    frame = _log(0.5)
    frame.loc[logs.since_onset(frame), ["label", "label_time"]] = [np.nan, pd.NaT]
    evidence = _look(tmp_path, frame)
    assert any("they are overdue" in text for text in evidence.not_examined)


def test_inputs_that_no_label_is_known_of_get_no_estimate(tmp_path):
    """A feature in another unit: what is learnt does not reach there."""
    frame = _log(30)
    frame.loc[logs.since_onset(frame), "x"] = 40 + 10 * frame["x"]
    evidence = _look(tmp_path, frame)
    assert evidence.verdict == "unsure"
    assert _estimates(evidence) == {}
    assert any("its estimate is a guess" in text for text in evidence.not_examined)


def test_a_regression_without_labels_is_not_estimated_and_not_called_healthy(tmp_path):
    """There is no estimate for it, and it says so."""
    listed = [{"name": "ranker", "task": "regression"}]
    evidence = _look(tmp_path, _log(30), models=listed)
    assert evidence.verdict == "unsure"
    assert any("none for errors of a regression" in text for text in evidence.not_examined)


def test_a_log_without_labels_calls_no_model_healthy(tmp_path):
    """Predictions as on other days are no proof."""
    evidence = _look(tmp_path, _log(30, concept=True).drop(columns=["label", "label_time"]))
    assert evidence.verdict == "unsure"
    assert "has no labels" in evidence.headline
