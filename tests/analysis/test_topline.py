"""Real alerts are told from scatter, and dated."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis import odds, topline
from analysis.evidence import CannotExamine, Onset, Window
from analysis.metrics import Blocks, Series
from analysis.series.judging import judge
from analysis.series.seasonal import Break
from analysis.tables import Metric
from analysis.warehouse import Warehouse
from tests.analysis import logs


def _overconfident(frame, by=1.2):
    hit = logs.since_onset(frame)
    logit = np.log(frame["prediction"] / (1 - frame["prediction"])) + by * hit
    return frame.assign(prediction=1 / (1 + np.exp(-logit)))


@pytest.mark.parametrize("seed", range(4))
def test_a_planted_jump_is_real_and_dated_to_the_hour(tmp_path, seed):
    """Predictions jump by 1.2 logits: the onset lies within its bounds."""
    wh = logs.warehouse(tmp_path, _overconfident(logs.log(seed)))
    evidence = topline.is_it_real(wh, logs.scope())
    assert evidence.verdict == "real"
    assert evidence.confidence > 0.8
    assert evidence.onset is not None
    assert abs(evidence.onset.at - logs.ONSET) <= timedelta(hours=1)
    assert evidence.onset.low <= logs.ONSET <= evidence.onset.high
    assert evidence.charts[0].png.startswith(b"\x89PNG")


def test_an_alert_that_comes_late_finds_the_earlier_onset(tmp_path):
    """The alert's window starts five hours after the jump."""
    scope = logs.scope()
    late = Window(logs.ONSET + timedelta(hours=5), logs.NOW)
    scope = replace(scope, window=late, baseline=Window(scope.baseline.start, late.start))
    wh = logs.warehouse(tmp_path, _overconfident(logs.log(0), 2.0))
    evidence = topline.is_it_real(wh, scope)
    assert evidence.verdict == "real"
    assert abs(evidence.onset.at - logs.ONSET) <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("by", "seed", "happened"), [(0.35, 2, "shifted at"), (0.25, 0, "is off as a whole since")]
)
def test_what_moved_within_its_band_is_not_said_to_have_left_it(tmp_path, by, seed, happened):
    """In words, and in what stands in the place of the chart."""
    wh = logs.warehouse(tmp_path, _overconfident(logs.log(seed), by))
    evidence = topline.is_it_real(wh, logs.scope())
    assert evidence.verdict == "real"
    assert evidence.figures["buckets_out"] == 0
    for told in (evidence.headline, evidence.charts[0].alt):
        assert f"{happened} 2024-03-20 07:00 UTC, without leaving its band" in told


@pytest.mark.parametrize("seed", range(6))
def test_clean_series_are_false_alarms(tmp_path, seed):
    """Nothing was planted."""
    evidence = topline.is_it_real(logs.warehouse(tmp_path, logs.log(seed + 50)), logs.scope())
    assert evidence.verdict == "false_alarm"
    assert evidence.onset is None


def test_a_confirmed_onset_is_kept(tmp_path):
    """Run again, the check does not argue with what a person said."""
    onset = Onset(logs.ONSET, logs.ONSET, logs.ONSET)
    wh = logs.warehouse(tmp_path, _overconfident(logs.log(0)))
    evidence = topline.is_it_real(wh, replace(logs.scope(), onset=onset))
    assert evidence.onset == onset


@pytest.mark.parametrize(("kind", "label"), [("calibration", 0.0), ("auc", 0.0), ("auc", 1.0)])
def test_one_class_of_label_is_no_false_alarm(tmp_path, kind, label):
    """A metric without any value is not called usual: the predictions stand in, and it is said."""
    frame = _overconfident(logs.log(0), 2.0).assign(label=label)
    evidence = topline.is_it_real(
        logs.warehouse(tmp_path, frame, logs.metric(kind)), logs.scope(kind)
    )
    assert evidence.verdict == "real"
    assert evidence.headline.startswith(f"The mean prediction behind {kind}")
    assert evidence.not_examined == (
        f"`{kind}` has no value at any hour: are its labels all of one class?",
    )


def test_a_metric_that_says_nothing_of_the_task_is_not_worked_out(tmp_path):
    """AUC of a regression is a number, and no figure."""
    listed = [{"name": "ranker", "task": "regression"}]
    wh = logs.warehouse(tmp_path, logs.log(0), logs.metric("auc"), models=listed)
    evidence = topline.is_it_real(wh, logs.scope("auc"))
    assert "`auc` says nothing of a regression model" in evidence.not_examined[0]
    assert evidence.headline.startswith("The mean prediction behind auc")


def test_a_first_day_of_data_is_no_verdict(tmp_path):
    """There is nothing to hold it against, which is not a want of labels."""
    frame = logs.log(0)
    wh = logs.warehouse(tmp_path, frame[logs.since_onset(frame)], logs.metric("calibration"))
    with pytest.raises(CannotExamine, match="too few earlier hours") as told:
        topline.is_it_real(wh, logs.scope("calibration"))
    assert "labels" not in str(told.value)


def test_a_move_for_the_better_is_no_incident(tmp_path):
    """A metric that hurts when it falls has risen."""
    wh = logs.warehouse(
        tmp_path, _overconfident(logs.log(0)), logs.metric("mean_prediction", bad="down")
    )
    evidence = topline.is_it_real(wh, logs.scope("mean_prediction"))
    assert evidence.verdict == "false_alarm"
    assert "better" in evidence.headline


@pytest.mark.parametrize(("entry", "subject"), [("model", "ranker"), ("feature", "f")])
def test_a_model_and_a_feature_can_be_asked_about(tmp_path, entry, subject):
    """The walk may start at either."""
    frame = _overconfident(logs.log(2), 1.5)
    frame.loc[logs.since_onset(frame), "f"] += 1.5
    evidence = topline.is_it_real(logs.warehouse(tmp_path, frame), logs.scope(subject, entry))
    assert evidence.verdict == "real"
    assert abs(evidence.onset.at - logs.ONSET) <= timedelta(hours=1)


def test_a_feature_that_went_null_is_real(tmp_path):
    """The null share is a series of its own."""
    frame = logs.log(2)
    rng = np.random.default_rng(0)
    frame.loc[logs.since_onset(frame) & (rng.random(len(frame)) < 0.4), "f"] = np.nan
    evidence = topline.is_it_real(logs.warehouse(tmp_path, frame), logs.scope("f", "feature"))
    assert evidence.verdict == "real"
    assert "null" in evidence.headline


def test_two_days_of_history_are_enough_for_a_large_jump(tmp_path):
    """The series' own noise has to do where there are no earlier days to compare with."""
    wh = logs.warehouse(
        tmp_path, _overconfident(logs.log(0, days=3), 2.0), logs.metric("mean_prediction")
    )
    evidence = topline.is_it_real(wh, logs.scope("mean_prediction", days=2))
    assert evidence.verdict == "real"


def test_without_labels_the_predictions_stand_in(tmp_path):
    """Calibration has no value at all; the mean prediction behind it has."""
    frame = _overconfident(logs.log(0), 2.0).assign(label=np.nan)
    evidence = topline.is_it_real(logs.warehouse(tmp_path, frame), logs.scope())
    assert evidence.verdict == "real"
    assert evidence.not_examined


@pytest.mark.parametrize(
    ("entry", "subject", "words"),
    [("metric", "nope", "no metric `nope`"), ("feature", "nope", "no feature `nope`")],
)
def test_an_unknown_subject_names_what_there_is(tmp_path, entry, subject, words):
    """A sentence with the names that exist."""
    wh = logs.warehouse(tmp_path, logs.log(days=5))
    with pytest.raises(CannotExamine, match=words):
        topline.is_it_real(wh, logs.scope(subject, entry, days=4))


def test_an_empty_log_says_so(tmp_path):
    """No rows in the span."""
    wh = logs.warehouse(tmp_path, logs.log(days=5).iloc[:0])
    with pytest.raises(CannotExamine, match="no rows"):
        topline.is_it_real(wh, logs.scope(days=4))


def test_what_shows_first_after_a_closed_night_may_have_begun_in_it():
    """The onset's lower bound goes back to the last hour that had a value."""
    day = logs.NOW.replace(hour=0, minute=0)
    times = np.array([day.replace(tzinfo=None) + timedelta(hours=i) for i in range(20)])
    values = np.where((np.arange(20) > 2) & (np.arange(20) < 7), np.nan, 1.0)
    window = Window(day.replace(hour=7), day.replace(hour=19))
    series = SimpleNamespace(times=times.astype("datetime64[s]"), minutes=60, values=values)
    scope = replace(logs.scope(), now=window.end, window=window)
    for found in (Break(7, 7, 8, "down", 10.0, -1.0), Break(15, 14, 15, "down", 10.0, -1.0)):
        best = SimpleNamespace(found=found, series=series)
        onset = topline.onset_of(best, scope)
        assert onset.low == day.replace(hour=3 if found.index == 7 else 14)


@pytest.mark.parametrize(("high", "at"), [(3, 14), (2, 8)])
def test_the_alert_decides_between_neighbours_that_the_series_cannot_tell_apart(high, at):
    """Buckets of four hours: the break is in the one from 8 or the one from 12, the alert says
    14; where the series is sure, it has the last word."""
    day = logs.NOW.replace(hour=0, minute=0)
    times = np.array([day.replace(tzinfo=None) + timedelta(hours=4 * i) for i in range(5)])
    window = Window(day.replace(hour=14), day.replace(hour=20))
    best = SimpleNamespace(
        found=Break(2, 2, high, "down", 10.0, -1.0),
        series=SimpleNamespace(
            times=times.astype("datetime64[s]"), minutes=240, values=np.zeros(len(times))
        ),
    )
    scope = replace(logs.scope(), now=window.end, window=window)
    assert topline.onset_of(best, scope).at == day.replace(hour=at)


def test_where_hardly_a_label_has_come_the_predictions_are_judged_as_well(tmp_path):
    """Most labels come after a day: of a fault of hours they tell little, and predictions do."""
    frame = _overconfident(logs.log(0), 2.0)
    early = np.random.default_rng(5).random(len(frame)) < 0.06
    frame["label"] = frame["label"].where(early | ~logs.since_onset(frame))
    evidence = topline.is_it_real(logs.warehouse(tmp_path, frame), logs.scope())
    assert evidence.verdict == "real"
    assert any("have arrived, so the predictions" in one for one in evidence.not_examined)


@pytest.mark.parametrize(("squeezed", "verdict"), [(True, "real"), (False, "false_alarm")])
def test_predictions_that_keep_their_mean_and_move_about_it_are_real(tmp_path, squeezed, verdict):
    """Two faults may cancel out in the mean prediction of a model that is alerted on."""
    frame = logs.log(4).drop(columns=["label", "label_time"])
    hit = logs.since_onset(frame) & squeezed
    mean = frame["prediction"].groupby(frame["time"].dt.floor("h")).transform("mean")
    nearer = mean + 0.3 * (frame["prediction"] - mean)
    frame["prediction"] = np.where(hit, nearer, frame["prediction"])
    wh = logs.warehouse(tmp_path, frame, logs.metric("mean_prediction"))
    evidence = topline.is_it_real(wh, logs.scope("ranker", "model"))
    assert evidence.verdict == verdict


def test_labels_that_take_a_day_are_judged_by_when_a_day_and_a_half_has_passed(tmp_path):
    """They have come for the first hours of the window alone, and tell that it is real."""
    frame = _overconfident(logs.log(1, per_hour=120), 1.5)
    frame["label_time"] = frame["time"] + timedelta(hours=24.5)
    end = logs.ONSET + timedelta(hours=38)
    later = frame[logs.since_onset(frame)]
    shift = [later.assign(time=later["time"] + timedelta(hours=h)) for h in (8, 16, 24, 30)]
    frame = pd.concat([frame, *shift])
    frame["label_time"] = frame["time"] + timedelta(hours=24.5)
    wh = logs.warehouse(tmp_path, frame, logs.metric("log_loss"))
    wh = Warehouse(wh.contract, tmp_path, end)
    scope = logs.scope("log_loss")
    scope = replace(scope, now=end, window=Window(logs.ONSET, end))
    evidence = topline.is_it_real(wh, scope)
    assert evidence.verdict == "real"
    assert evidence.headline.startswith("log_loss")


@pytest.mark.parametrize(("broken", "verdict"), [(True, "real"), (False, "false_alarm")])
def test_a_feature_with_a_heavy_tail_is_judged_by_its_ends(tmp_path, broken, verdict):
    """Its mean wanders by itself; that a fifth of it is below all that was there is plain."""
    rng = np.random.default_rng(2)
    frame = logs.log(2)
    value = rng.pareto(1.2, len(frame)) * 100
    hit = logs.since_onset(frame) & broken & (rng.random(len(frame)) < 0.2)
    frame["f"] = np.where(hit, -value, value)
    evidence = topline.is_it_real(logs.warehouse(tmp_path, frame), logs.scope("f", "feature"))
    assert evidence.verdict == verdict
    assert "low values" in evidence.headline or not broken


@pytest.mark.parametrize("busy", [True, False])
def test_a_day_that_is_busy_every_week_is_held_against_its_own_kind(busy):
    """Among all days it stands out; among the Wednesdays before it does not."""
    rng = np.random.default_rng(0)
    now = np.datetime64(logs.NOW.replace(tzinfo=None), "s")
    times = now - np.arange(16 * 24, 0, -1) * np.timedelta64(3600, "s")
    wednesday = ((times.astype("datetime64[D]").astype(int) + 3) % 7 == 2) & busy
    value = 50 + 6.0 * wednesday + rng.normal(0, 1, len(times))
    one = Series(times, value, value, np.full(len(times), np.nan), np.ones(len(times)), 60)
    scope = logs.scope("load", days=15)
    metric = Metric(name="load", source="load.csv")
    plain = odds.shift(6.0, rng.normal(0, 1, 14))
    judged = judge(metric, one, Blocks.of(scope), scope, plain)
    assert (judged.matched.log_odds < plain.log_odds - 3) == busy
    assert ("week" in judged.band.seasons) == busy


@pytest.mark.parametrize(("by", "verdict"), [(0.9, "real"), (0.0, "false_alarm")])
def test_an_alert_on_a_model_looks_at_each_of_its_arms(tmp_path, by, verdict):
    """One of two arms answers higher, the other lower: their mean hardly moves."""
    frame = logs.log(5, per_hour=90).drop(columns=["label", "label_time"])
    sign = np.where(frame["arm"] == "test", 1.0, -0.7) * by * logs.since_onset(frame)
    frame["prediction"] = 1 / (1 + np.exp(-np.log(1 / frame["prediction"] - 1) * -1 - sign))
    evidence = topline.is_it_real(logs.warehouse(tmp_path, frame), logs.scope("ranker", "model"))
    assert evidence.verdict == verdict
    assert ("mean prediction of ranker in test" in evidence.headline) == (by > 0)


@pytest.mark.parametrize(("part", "verdict"), [(0.5, "real"), (1.0, "false_alarm")])
def test_a_day_that_has_not_ended_is_judged_by_its_hours(tmp_path, part, verdict):
    """A figure a day, on days of the week that differ: the newest whole day is not the alert's."""
    frame = logs.log(4, days=35, per_hour=30)
    rng = np.random.default_rng(4)
    kept = np.where(frame["time"].dt.day_of_week >= 5, 0.85, 1.0)
    kept *= np.where(logs.since_onset(frame), part, 1.0)
    frame = frame[rng.random(len(frame)) < kept]
    wh = logs.warehouse(tmp_path, frame, logs.metric("volume", every=1440))
    evidence = topline.is_it_real(wh, logs.scope("volume", days=34))
    assert evidence.verdict == verdict
    rows = int(logs.since_onset(frame).sum())
    assert f"{rows:,} instead of about" in evidence.headline
