"""Which features moved the predictions: planted faults are found, decoys are not blamed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest

from analysis.evidence import CannotExamine, Onset, Scope, Suspect, Window
from analysis.features import which_features
from analysis.inputs import freshness, gather
from analysis.scenarios import Options, plant
from analysis.tables import Contract
from analysis.warehouse import Warehouse

SMALL = Options(rows_per_day=900, days=12)
NOW = datetime(2024, 5, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """The evidence of the features node on an incident that is planted and looked at once, what
    was planted, and its warehouse, to look again."""

    @cache
    def look(fault, seed):
        planted = plant(fault, seed, tmp_path_factory.mktemp(fault), SMALL)
        warehouse = Warehouse(planted.contract, planted.root, planted.scope.now)
        return which_features(warehouse, planted.at("features")), planted, warehouse

    return look


def look(fault, seed, folder, options=SMALL):
    """The evidence of the features node on a planted incident, and the truth."""
    planted = plant(fault, seed, folder, options)
    warehouse = Warehouse(planted.contract, planted.root, planted.scope.now)
    return which_features(warehouse, planted.at("features")), planted.truth


def own(folder, frame, onset=None, metric=None, **contract):
    """Evidence on a frame of our own: times in the last ten days, the window the last 8 hours."""
    frame.to_parquet(folder / "log.parquet", index=False)
    predictions = {"source": "log.parquet", "time": "time", "prediction": "p"} | contract
    metric = {"name": "mean", **(metric or {"kind": "mean_prediction"})}
    team = Contract.model_validate({"predictions": predictions, "metrics": [metric]})
    window = Window(NOW - timedelta(hours=8), NOW)
    before = Window(NOW - timedelta(days=10), onset.low if onset else window.start)
    scope = Scope(NOW, window, before, "metric", "mean", onset)
    return which_features(Warehouse(team, folder, NOW), scope)


def made_up(n=9_000, seed=0):
    """A log of ten days: a model on x and k, and which rows are in the last eight hours."""
    rng = np.random.default_rng(seed)
    hours = np.sort(rng.uniform(0, 240, n))
    time = pd.Timestamp(NOW.replace(tzinfo=None)) - pd.to_timedelta(240 - hours, unit="h")
    x = rng.normal(10, 2, n)
    kind = rng.choice(["a", "b", "c"], n)
    late = hours >= 232
    return pd.DataFrame({"time": time.as_unit("us"), "x": x, "k": kind}), late, rng


def served(frame):
    """The probability that a fixed model gives."""
    x = frame["x"].astype(float).fillna(0.0)
    return 1 / (1 + np.exp(-(0.5 * (x - 10) + (frame["k"] == "b") * 1.0)))


@pytest.mark.parametrize(
    ("fault", "seed"),
    [
        ("nulls", 3),
        ("zeros", 2),
        ("unit_change", 3),
        ("frozen", 3),
        ("sign_flip", 3),
        ("new_level", 3),
        ("lost_level", 3),
        ("remapped", 2),
        ("clipped", 3),
    ],
)
def test_a_planted_fault_in_the_values_is_the_first_suspect(looked, fault, seed):
    """The broken feature leads and its change is said."""
    evidence, planted, _ = looked(fault, seed)
    assert evidence.verdict == "inputs"
    assert evidence.suspects[0].name in planted.truth.features
    assert evidence.suspects[0].changed not in ("", "usual")


@pytest.mark.parametrize("seed", [2, 4])
def test_values_of_other_rows_are_found_though_every_marginal_is_unchanged(seed, tmp_path):
    """A shuffled join is seen by the joint view."""
    o = replace(SMALL, features=("queue",), dose=1.0)
    evidence, _ = look("shuffled", seed, tmp_path, o)
    assert evidence.verdict == "inputs"
    assert evidence.suspects[0].name == "queue"
    assert "mixed up" in evidence.suspects[0].changed


def test_a_feed_that_stopped_is_said_to_stand_still(tmp_path):
    """Stale values are plausible values: only their standing still gives them away."""
    evidence, _ = look("stale", 2, tmp_path, replace(SMALL, features=("queue",)))
    assert evidence.verdict == "inputs"
    assert evidence.suspects[0].name == "queue"
    assert "stands still" in evidence.suspects[0].changed


def test_a_late_feed_is_said_to_repeat_its_past_with_the_lag(tmp_path):
    """A delayed join repeats what it was some hours before."""
    evidence, _ = look("delayed", 2, tmp_path, replace(SMALL, features=("queue",)))
    assert evidence.suspects[0].name == "queue"
    assert "before" in evidence.suspects[0].changed


def test_since_is_the_hour_of_the_fault(looked):
    """Each suspect has a time of its own, here the planted one."""
    evidence, planted, _ = looked("unit_change", 3)
    since = evidence.suspects[0].since
    assert since is not None
    assert abs(since - planted.truth.onset) <= timedelta(minutes=45)


def test_a_feature_that_the_model_ignores_is_not_blamed(tmp_path):
    """An unused feature jumps at the onset together with a real fault; only the latter counts."""
    frame, late, rng = made_up()
    frame["idle"] = rng.normal(0, 1, len(frame)) + late * 5
    frame.loc[late & (rng.random(len(frame)) < 0.6), "x"] = np.nan
    frame["p"] = served(frame)
    evidence = own(tmp_path, frame)
    assert evidence.verdict == "inputs"
    assert [s.name for s in evidence.named] == ["x"]
    assert any("idle" in d for d in evidence.disagreements)


def test_what_broke_beside_a_far_larger_fault_is_handed_on_if_the_model_uses_it(tmp_path):
    """Its effect is too small to tell, but another node may have broken it."""
    frame, late, rng = made_up()
    frame["w"], frame["unused"] = rng.normal(0, 1, len(frame)), rng.normal(0, 1, len(frame))
    frame.loc[late, "x"] *= 60
    frame.loc[late, "w"] += 40
    frame.loc[late, "unused"] += 40
    frame["p"] = (frame["x"] - 10) + (frame["k"] == "b") + 0.3 * np.clip(frame["w"], -1, 1)
    evidence = own(tmp_path, frame)
    assert [s.name for s in evidence.named] == ["x", "w"]


def test_one_value_in_the_place_of_many_is_blamed_though_effects_spread_as_before(tmp_path):
    """What moved is each row, not the width of the distribution; days here differ a lot."""
    frame, late, rng = made_up()
    day = (frame["time"] - frame["time"].min()).dt.days.to_numpy()
    frame["x"] += rng.normal(0, 1.5, 11)[day]
    frame.loc[late & (rng.random(len(frame)) < 0.5), "x"] = 10.125
    frame["p"] = served(frame)
    evidence = own(tmp_path, frame)
    assert (evidence.verdict, evidence.suspects[0].name) == ("inputs", "x")


def test_rows_mixed_up_are_found_by_what_goes_with_a_number_in_steps(tmp_path):
    """Schooling goes with age in steps, and a rare level must not drown that."""
    frame, late, rng = made_up()
    step = np.searchsorted([5, 8, 12, 15], frame["x"])
    level = np.array(["none", "first", "second", "third", "late"], object)[step]
    level[rng.random(len(frame)) < 0.004] = "other"
    frame["school"] = level
    mixed = frame["school"].to_numpy(copy=True)
    rows = np.flatnonzero(late & (rng.random(len(frame)) < 0.5))
    mixed[rows] = rng.permutation(mixed[rows])
    frame["school"] = mixed
    frame["p"] = 1 / (1 + np.exp(-(2.0 * (frame["school"] == "second") + (frame["k"] == "b"))))
    evidence = own(tmp_path, frame)
    assert (evidence.verdict, evidence.suspects[0].name) == ("inputs", "school")


def test_a_change_of_serving_is_the_models(tmp_path):
    """Familiar inputs that get other predictions are not the inputs' doing."""
    evidence, _ = look("serving_change", 2, tmp_path)
    assert evidence.verdict == "model"
    assert evidence.figures["model_shift"] > 0.3


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_blamed_where_nothing_broke(seed, tmp_path):
    """Natural drift of a clean week is no fault."""
    evidence, _ = look("none", seed, tmp_path, replace(SMALL, decoys=False))
    assert evidence.verdict == "none"


def test_hidden_values_are_never_shown(tmp_path):
    """A column marked hidden is blamed by name, without any of its values."""
    frame, late, _ = made_up()
    frame.loc[late, "x"] = 7.25
    frame["p"] = served(frame)
    evidence = own(tmp_path, frame, hidden=("x",))
    said = repr(evidence.without_bytes())
    assert evidence.suspects[0].name == "x"
    assert "7.25" not in said


def test_every_kind_of_column_can_be_counted(tmp_path):
    """Booleans, dates, integers, decimals, all-null and constant columns do no harm."""
    frame, late, rng = made_up(4_000)
    frame["flag"] = rng.random(len(frame)) < 0.3
    frame["seen"] = frame["time"] - pd.to_timedelta(rng.integers(1, 90, len(frame)), unit="D")
    frame["count"] = rng.integers(0, 9, len(frame))
    frame["empty"] = pd.Series([None] * len(frame), dtype="float64")
    frame["one"] = 3.0
    frame.loc[late, "x"] = -1.0
    frame["p"] = served(frame)
    evidence = own(tmp_path, frame)
    assert evidence.verdict == "inputs"
    assert evidence.suspects[0].name == "x"


def test_a_constant_prediction_blames_nobody(tmp_path):
    """Without any movement of predictions no feature is responsible."""
    frame, late, _ = made_up(3_000)
    frame.loc[late, "x"] += 6
    evidence = own(tmp_path, frame.assign(p=0.25))
    assert evidence.verdict == "none"


def test_one_feature_is_enough(tmp_path):
    """A model of a single feature is examined like any other."""
    frame, late, _ = made_up(3_000)
    frame = frame.drop(columns="k").assign(k="b")
    frame.loc[late, "x"] += 5
    frame["p"] = served(frame)
    evidence = own(tmp_path, frame, features=("x",))
    assert (evidence.verdict, evidence.suspects[0].name) == ("inputs", "x")


def test_too_few_rows_are_said_with_what_to_do(tmp_path):
    """The error names both counts and asks for a wider window."""
    frame, _, _ = made_up(40)
    frame["p"] = served(frame)
    with pytest.raises(CannotExamine, match="wider window"):
        own(tmp_path, frame)


def test_features_without_a_single_value_are_no_familiar_inputs(tmp_path):
    """All of them empty, nothing can be compared, dimension or not; one of them is named."""
    frame, late, _ = made_up(3_000)
    frame.loc[late, "x"] += 5
    frame["p"] = served(frame)
    none = pd.Series(np.nan, frame.index)
    with pytest.raises(CannotExamine, match=r"No feature has a value in these rows \(x\)"):
        own(tmp_path, frame.assign(x=none), dimensions=("k",))
    evidence = own(tmp_path, frame.assign(y=none))
    assert "of what moved predictions. By the hour" in evidence.charts[0].alt
    assert evidence.suspects[0].name == "x"
    assert "y: it has no value in these rows" in evidence.not_examined


def test_a_log_without_features_can_not_be_examined(tmp_path):
    """The message names the setting."""
    frame, _, _ = made_up(500)
    frame["p"] = served(frame)
    with pytest.raises(CannotExamine, match="features"):
        own(tmp_path, frame, features=())


def test_raw_regression_predictions_work_too(tmp_path):
    """Outside 0..1 the raw value is the scale."""
    frame, late, _ = made_up(4_000)
    frame.loc[late, "x"] *= 2.54
    frame["p"] = 3 * frame["x"] + 40 * (frame["k"] == "b")
    evidence = own(tmp_path, frame)
    assert evidence.suspects[0].name == "x"
    assert evidence.verdict == "inputs"


def test_a_confirmed_arm_narrows_what_is_read(looked):
    """The suspects on the way here choose model and arm."""
    evidence, planted, warehouse = looked("nulls", 3)
    scope = planted.at("features")
    arm = replace(scope, suspects=(*scope.suspects, Suspect("arm", "ranker_test/test", 1.0)))
    assert which_features(warehouse, arm).how.rows < evidence.how.rows / 2


def of_one_arm(folder, frame, score):
    """The evidence about the arm "test" of a log of two arms whose logits are ``score``."""
    frame["p"] = 1 / (1 + np.exp(-score))
    frame.to_parquet(folder / "log.parquet", index=False)
    predictions = {"source": "log.parquet", "time": "time", "prediction": "p", "arm": "arm"}
    metric = {"name": "mean", "kind": "mean_prediction"}
    team = Contract.model_validate({"predictions": predictions, "metrics": [metric]})
    window = Window(NOW - timedelta(hours=8), NOW)
    before = Window(NOW - timedelta(days=10), window.start)
    scope = Scope(NOW, window, before, "metric", "mean", suspects=(Suspect("arm", "test", 1.0),))
    return which_features(Warehouse(team, folder, NOW), scope)


def test_an_arm_whose_answers_leave_the_others_is_the_models_though_inputs_are_new(tmp_path):
    """Every value is one that was never seen before, in both arms; only one answers otherwise."""
    frame, late, rng = made_up(n=12_000)
    frame["arm"] = rng.choice(["control", "test"], len(frame))
    frame["z"] = rng.normal(0, 1, len(frame)) + 100 * late
    score = 0.5 * (frame["x"] - 10) + rng.normal(0, 0.1, len(frame))
    score += 2.0 * (late & (frame["arm"] == "test"))
    assert of_one_arm(tmp_path, frame, score).verdict == "model"


def test_a_feature_that_broke_in_one_arm_alone_is_the_inputs(tmp_path):
    """All of the arm's rows are new, and those of the other are not: no arm beside it answers the
    same inputs."""
    frame, late, rng = made_up(n=12_000)
    frame["arm"] = rng.choice(["control", "test"], len(frame))
    frame["x"] = frame["x"].where(~(late & (frame["arm"] == "test")), 0.0)
    score = 0.5 * (frame["x"] - 10) + rng.normal(0, 0.1, len(frame))
    evidence = of_one_arm(tmp_path, frame, score)
    assert (evidence.verdict, evidence.suspects[0].name) == ("inputs", "x")


def test_three_hundred_features_are_examined(tmp_path):
    """Wide logs: the joint view is bounded and says so, the broken feature still leads."""
    frame, late, rng = made_up(3_000)
    frame.loc[late, "x"] = 0.0
    frame["p"] = served(frame)
    wide = pd.DataFrame(rng.normal(0, 1, (len(frame), 298)), columns=[f"f{i}" for i in range(298)])
    evidence = own(tmp_path, pd.concat([frame, wide], axis=1))
    assert (evidence.verdict, evidence.suspects[0].name) == ("inputs", "x")
    assert any("least used" in m for m in evidence.not_examined)


def test_large_logs_are_counted_by_the_engine_with_the_same_verdict(looked, monkeypatch):
    """Cut in memory or counted in the engine: the same suspects."""
    near, planted, warehouse = looked("unit_change", 3)
    monkeypatch.setattr(gather, "IN_MEMORY", 100)
    far = which_features(warehouse, planted.at("features"))
    assert near.verdict == far.verdict == "inputs"
    assert near.suspects[0].name == far.suspects[0].name
    assert near.how.rows == far.how.rows


@pytest.mark.parametrize("in_memory", [4_000_000, 100])
def test_a_fault_that_began_long_before_its_onset_was_placed_is_found(
    in_memory, tmp_path, monkeypatch
):
    """All hours before the window are of the incident, as the onset's bounds say they may be."""
    monkeypatch.setattr(gather, "IN_MEMORY", in_memory)
    frame, _, rng = made_up()
    began = pd.Timestamp(NOW.replace(tzinfo=None)) - pd.Timedelta(hours=14)
    late = (frame["time"] >= began).to_numpy()
    frame.loc[late & (rng.random(len(frame)) < 0.6), "x"] = np.nan
    frame["p"] = served(frame)
    placed = NOW - timedelta(hours=8)
    low = placed - timedelta(hours=8)
    onset = Onset(placed, low, placed + timedelta(hours=2))
    evidence = own(tmp_path, frame, onset, features=["x", "k"])
    assert evidence.verdict == "inputs"
    assert evidence.suspects[0].name == "x"


def test_a_model_that_errs_everywhere_is_not_excused_by_a_few_missing_values(tmp_path):
    """A broken feature answers for what is wrong where it broke, not for as much elsewhere."""
    frame, late, rng = made_up()
    frame["p"] = served(frame)
    gone = late & (rng.random(len(frame)) < 0.08)
    frame.loc[late, "p"] = 1 - frame.loc[late, "p"]
    frame.loc[gone, "x"] = np.nan
    evidence = own(tmp_path, frame, features=["x", "k"])
    assert evidence.verdict == "model"


def test_an_outcome_that_is_counted_differently_blames_no_feature(tmp_path):
    """Labels need a far higher score since the onset; inputs and model are as they were."""
    frame, late, rng = made_up()
    frame["p"] = served(frame)
    hard = 1 / (1 + np.exp(-(np.log(frame["p"] / (1 - frame["p"])) - 3 * late)))
    frame["label"] = (rng.random(len(frame)) < hard).astype(float)
    evidence = own(tmp_path, frame, label="label")
    assert evidence.verdict == "none"


def test_a_few_equal_hours_do_not_repeat_the_past():
    """Rounded values meet by chance: three cells out of a night that nobody flew."""
    rng = np.random.default_rng(0)
    means = np.round(rng.normal(6, 3, (240, 3)))
    means[np.arange(240) % 24 < 5] = np.nan
    means[232:235] = means[221:224]
    means[232:235, 1:] = np.nan
    best, _ = freshness.repeating_the_past(means, [232, 208, 184, 160, 136], 8)
    assert best[0] > -2


def test_models_that_share_their_features_are_told_apart(tmp_path):
    """One of two answers a tenth higher since the window began; the other answers otherwise."""
    frame, late, rng = made_up()
    frame["m"] = rng.choice(["trip", "pickup"], len(frame))
    trip = frame["m"] == "trip"
    frame["p"] = np.where(trip, 30 + 4 * (frame["x"] - 10), 8 - 2 * (frame["x"] - 10))
    frame.loc[trip & late, "p"] *= 1.1
    evidence = own(tmp_path, frame, features=["x", "k"], model="m")
    assert evidence.verdict == "model"
    assert evidence.figures["surrogate_r2"] > 0.9


@pytest.mark.parametrize(("more", "way"), [(6.0, "higher"), (-6.0, "lower"), (0.0, "")])
def test_other_outcomes_of_the_same_inputs_are_said(more, way, tmp_path):
    """Neither inputs nor answers change; what happens does, of which the model says too much."""
    frame, late, rng = made_up()
    frame["p"] = 30 + 4 * (frame["x"] - 10) + (frame["k"] == "b") * 3.0
    frame["y"] = frame["p"] - 20 + late * more + rng.normal(0, 2, len(frame))
    unused = {f"f{i}": rng.normal(0, 1, len(frame)) for i in range(6)}
    evidence = own(tmp_path, frame.assign(**unused), features=["x", "k", *unused], label="y")
    assert evidence.verdict == "none"
    told = "labels lie " in evidence.headline
    assert told == bool(way)
    assert f"{way} beside the predictions" in evidence.headline or not way
    assert (evidence.shares["world"] > 0.2) == bool(way)


def test_outcomes_that_go_with_everything_less_are_no_features_fault(tmp_path):
    """Amounts are six tenths of what they were, whatever they were made of."""
    frame, late, rng = made_up()
    for name in ("load", "wind", "sun", "price"):
        frame[name] = rng.normal(0, 1, len(frame))
    names = ["load", "wind", "sun", "price"]
    frame["p"] = 40 + frame[names] @ (5.0, 4.0, 3.0, 2.0)
    frame["y"] = frame["p"] * np.where(late, 0.6, 1.0) + rng.normal(0, 2, len(frame))
    unused = {f"f{i}": rng.normal(0, 1, len(frame)) for i in range(6)}
    evidence = own(tmp_path, frame.assign(**unused), features=[*names, *unused], label="y")
    assert evidence.verdict == "none"
    assert "labels lie lower" in evidence.headline


@pytest.mark.parametrize(
    "metric", [None, {"source": "m.parquet", "time": "day", "value": "v", "dimensions": ["shop"]}]
)
@pytest.mark.parametrize("lost", [True, False])
def test_labels_that_left_all_others_in_one_segment_are_told(lost, metric, tmp_path):
    """A release no longer reports what happens; inputs and answers are as usual. The log tells,
    whatever table the metric has."""
    frame, late, rng = made_up(12_000)
    frame["release"] = rng.choice(["a1", "a2", "a3", "a4"], len(frame))
    frame["p"] = served(frame)
    happened = rng.random(len(frame)) < frame["p"]
    frame["y"] = (happened & ~(lost & late & (frame["release"] == "a3"))) * 1.0
    unused = {f"f{i}": rng.normal(0, 1, len(frame)) for i in range(6)}
    names = {"features": ["x", "k", *unused], "label": "y", "dimensions": ["release"]}
    evidence = own(tmp_path, frame.assign(**unused), metric=metric, **names)
    assert evidence.verdict == "none"
    assert ("in release=a3: " in evidence.headline) == lost
    assert (evidence.shares["world"] > 0.2) == lost
