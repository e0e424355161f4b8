"""Each class of cause is told from the others."""

import numpy as np
import pandas as pd
import pytest

from analysis import cause, cause_odds, seen, segments
from analysis.evidence import CannotExamine
from analysis.scenarios import Options, plant
from analysis.shift_share import shift_share
from analysis.warehouse import Warehouse
from tests.analysis import logs


def _infra(folder, broken, seed=0):
    rng = np.random.default_rng(seed)
    start = pd.Timestamp(logs.NOW.replace(tzinfo=None))
    times = pd.date_range(start - pd.Timedelta(days=15), start, freq="15min", inclusive="left")
    parts = []
    for service in ("feature_store", "gateway", "queue"):
        latency = 40 + 8 * np.sin(np.arange(len(times)) / 96 * 2 * np.pi)
        latency = latency + rng.normal(0, 3, len(times))
        if broken and service == "feature_store":
            latency = latency + 60 * (times >= logs.ONSET.replace(tzinfo=None))
        parts.append(
            pd.DataFrame({"time": times, "service": service, "metric": "latency", "value": latency})
        )
    pd.concat(parts).to_parquet(folder / "infra.parquet")
    return {"infra": {"source": "infra.parquet"}}


def _shifted(frame, by):
    logit = np.log(frame["prediction"] / (1 - frame["prediction"])) + by * logs.since_onset(frame)
    return frame.assign(prediction=1 / (1 + np.exp(-logit)))


def _model(frame, _):
    return _shifted(frame, 1.2)


def _traffic(frame, _):
    late = frame[logs.since_onset(frame) & (frame["region"] == "west")]
    return pd.concat([frame, *[late] * 5])


def _world(frame, seed):
    moved = _shifted(frame, 1.5)
    hit = logs.since_onset(frame)
    draw = np.random.default_rng(seed).random(len(frame)) < moved["prediction"]
    return moved.assign(label=np.where(hit, draw * 1.0, moved["label"]))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    ("change", "broken", "verdict"),
    [
        (_model, False, "model"),
        (_traffic, False, "traffic"),
        (_world, False, "world"),
        (_model, True, "infrastructure"),
    ],
)
def test_the_class_of_the_planted_cause_is_named(tmp_path, seed, change, broken, verdict):
    """A broken model, a grown region, a storm, a slow feature store."""
    frame = change(logs.log(seed), seed)
    wh = logs.warehouse(
        tmp_path, frame, logs.metric("mean_prediction"), **_infra(tmp_path, broken, seed)
    )
    evidence = cause.which_class(wh, logs.scope("mean_prediction"))
    assert evidence.verdict == verdict
    assert evidence.confidence > 0.5
    assert sum(v for k, v in evidence.figures.items() if "probability" in k) == pytest.approx(1)


def _astray(frame, seed):
    """A storm, while an input in other units drives answers to both ends: the mean goes along."""
    moved = _world(frame, seed)
    high = np.random.default_rng(seed + 1).random(len(frame)) < moved["prediction"]
    ends = np.where(high, 0.99, 0.01)
    return moved.assign(prediction=np.where(logs.since_onset(frame), ends, moved["prediction"]))


@pytest.mark.parametrize("seed", range(2))
def test_a_storm_costs_a_model_no_skill(tmp_path, seed):
    """Where answers are far worse than usual beside a constant, something broke as well."""
    for change, lost, verdict in ((_world, False, "world"), (_astray, True, "model")):
        frame = change(logs.log(seed), seed)
        wh = logs.warehouse(tmp_path, frame, logs.metric("mean_prediction"))
        found = cause.which_class(wh, logs.scope("mean_prediction"))
        assert (found.figures["log odds that skill moved"] > 0) == lost
        assert found.verdict == verdict


def test_of_few_outcomes_no_skill_is_judged(tmp_path):
    """With a handful of them in the window any loss is chance."""
    frame, rng = logs.log(3), np.random.default_rng(3)
    p = frame["prediction"] * 0.01
    frame = frame.assign(prediction=p, label=(rng.random(len(frame)) < p) * 1.0)
    wh = logs.warehouse(tmp_path, frame, logs.metric("calibration"))
    figures = cause.which_class(wh, logs.scope("calibration")).figures
    assert "log odds that skill moved" not in figures


@pytest.mark.parametrize("seed", range(2))
def test_traffic_of_which_little_can_be_told_costs_a_model_no_skill(tmp_path, seed):
    """Most requests come from the one region where the outcome is a toss; answers are right."""
    frame, rng = logs.log(seed), np.random.default_rng(seed)
    base = {"north": -3.0, "south": 0.0, "east": 2.5, "west": -1.0}
    region = rng.choice(list(base), len(frame), p=[0.35, 0.15, 0.35, 0.15])
    region[logs.since_onset(frame) & (rng.random(len(frame)) < 0.85)] = "south"
    logit = np.array([base[r] for r in region]) + rng.normal(0, 0.25, len(frame))
    p = 1 / (1 + np.exp(-logit))
    frame = frame.assign(region=region, prediction=p, label=(rng.random(len(frame)) < p) * 1.0)
    found = cause.which_class(
        logs.warehouse(tmp_path, frame, logs.metric("mean_prediction")),
        logs.scope("mean_prediction"),
    )
    assert found.verdict == "traffic"
    assert found.figures["log odds that skill moved"] < 0


def _with_arms(seed: int, ramped: bool, apart: float):
    """The arm "test" answers ``apart`` higher on every day, and gets more requests or not."""
    frame, rng = logs.log(seed), np.random.default_rng(seed)
    share = np.where(logs.since_onset(frame) & ramped, 0.6, 0.1)
    frame["arm"] = np.where(rng.random(len(frame)) < share, "test", "control")
    logit = np.log(frame["prediction"] / (1 - frame["prediction"]))
    higher = 1 / (1 + np.exp(-logit - apart))
    return frame.assign(prediction=np.where(frame["arm"] == "test", higher, frame["prediction"]))


@pytest.mark.parametrize("before", [0.0, 0.02, 0.1])
def test_an_arm_that_gets_more_requests_and_broke_is_the_model(tmp_path, before):
    """A launch that is broken is not undone by giving the arm its old share."""
    frame, rng = logs.log(4, per_hour=120), np.random.default_rng(4)
    since = logs.since_onset(frame)
    frame["arm"] = np.where(
        rng.random(len(frame)) < np.where(since, 0.4, before), "test", "control"
    )
    logit = np.log(frame["prediction"] / (1 - frame["prediction"]))
    broken = 1 / (1 + np.exp(-logit - 2.0))
    hit = since & (frame["arm"] == "test")
    frame = frame.assign(prediction=np.where(hit, broken, frame["prediction"]))
    wh = logs.warehouse(tmp_path, frame, logs.metric("mean_prediction"))
    assert cause.which_class(wh, logs.scope("mean_prediction")).verdict == "model"


def test_a_ramp_hides_no_other_model_that_broke(tmp_path):
    """What is left is asked of every model."""
    other = _shifted(logs.log(5), 1.5).assign(model="search", arm="none")
    frame = pd.concat([_with_arms(3, True, 1.5), other])
    wh = logs.warehouse(tmp_path, frame, logs.metric("mean_prediction"))
    assert cause.which_class(wh, logs.scope("mean_prediction")).verdict == "model"


@pytest.mark.parametrize("kind", ["mean_prediction", "calibration"])
def test_an_arm_that_gets_more_requests_is_the_traffic_and_is_named(tmp_path, kind):
    """It answers as it always did: nothing is left of the change at the usual shares of arms."""
    wh = logs.warehouse(tmp_path, _with_arms(3, True, 1.5), logs.metric(kind))
    evidence = cause.which_class(wh, logs.scope(kind))
    assert evidence.verdict == "traffic"
    assert "arm=test: 11% → 60%" in evidence.headline
    named = segments.which_traffic(wh, logs.scope(kind))
    assert named.verdict == "segment"
    assert named.suspects[0].name == "arm=test"


@pytest.mark.parametrize(("hidden", "told"), [((), "secret/test"), (("study",), "arm=test")])
def test_an_experiment_that_is_hidden_is_not_named(tmp_path, hidden, told):
    """Neither in the sentence nor as a segment."""
    frame = _with_arms(3, True, 1.5).assign(study="secret")
    wh = logs.warehouse(tmp_path, frame, logs.metric("mean_prediction"))
    source = wh.contract.predictions.model_copy(update={"experiment": "study", "hidden": hidden})
    contract = wh.contract.model_copy(update={"predictions": source})
    wh = Warehouse(contract, tmp_path, logs.NOW)
    evidence = cause.which_class(wh, logs.scope("mean_prediction"))
    assert told in evidence.headline
    named = segments.which_traffic(wh, logs.scope("mean_prediction"))
    assert ("secret" in f"{named.headline}{evidence.headline}") == (not hidden)


def test_an_arm_that_gets_more_requests_beside_a_broken_model_is_not_blamed(tmp_path):
    """Both arms answer alike, so that the shares of arms explain nothing."""
    frame = _shifted(_with_arms(3, True, 0.0), 1.2)
    wh = logs.warehouse(tmp_path, frame, logs.metric("mean_prediction"))
    assert cause.which_class(wh, logs.scope("mean_prediction")).verdict == "model"


def test_labels_that_move_without_the_predictions_are_told(tmp_path):
    """It may be the world, or how labels are made: the sentence says what was seen."""
    frame = logs.log(6, per_hour=200)
    hit = logs.since_onset(frame) & (np.random.default_rng(6).random(len(frame)) < 0.35)
    frame["label"] = np.where(hit, 1.0, frame["label"])
    wh = logs.warehouse(tmp_path, frame, logs.metric("calibration"))
    evidence = cause.which_class(wh, logs.scope("calibration"))
    assert evidence.headline.startswith("The model, or what it predicts: mean label 0.")
    assert "and predictions did not follow" in evidence.headline


@pytest.mark.parametrize(("broken", "verdict"), [(True, "infrastructure"), (False, "world")])
def test_requests_that_stay_away_everywhere_are_not_the_model(tmp_path, broken, verdict):
    """A third of all traffic is gone: lost by a service that broke then, or nobody sent it."""
    frame = logs.log(1)
    gone = logs.since_onset(frame) & (np.random.default_rng(1).random(len(frame)) < 0.4)
    tables = _infra(tmp_path, broken)
    wh = logs.warehouse(tmp_path, frame[~gone], logs.metric("volume"), **tables)
    evidence = cause.which_class(wh, logs.scope("volume"))
    assert evidence.verdict == verdict
    assert evidence.confidence > 0.6
    assert "%" not in evidence.headline  # the mix did not change


def test_infrastructure_that_nobody_records_is_not_blamed(tmp_path):
    """Where there is no table to look into, the next question would have nothing to ask."""
    frame = logs.log(1)
    gone = logs.since_onset(frame) & (np.random.default_rng(1).random(len(frame)) < 0.4)
    wh = logs.warehouse(tmp_path, frame[~gone], logs.metric("volume"))
    evidence = cause.which_class(wh, logs.scope("volume"))
    assert evidence.verdict == "world"
    assert "rows instead of about" in evidence.headline


@pytest.mark.parametrize(("share", "verdict"), [(0.5, "world"), (1.0, "traffic")])
def test_requests_that_stay_away_are_missed_without_dimensions_and_down_to_none(
    tmp_path, share, verdict
):
    """A log needs no dimensions to be counted; and where nothing came, that is what is known."""
    frame = logs.log(1).drop(columns=["region", "channel"])
    gone = logs.since_onset(frame) & (np.random.default_rng(1).random(len(frame)) < share)
    wh = logs.warehouse(tmp_path, frame[~gone], logs.metric("volume"))
    evidence = cause.which_class(wh, logs.scope("volume"))
    assert evidence.verdict == verdict
    assert "rows instead of about" in evidence.headline
    assert (" 0 rows" in evidence.headline) == (share == 1.0)


def test_a_volume_like_on_other_days_is_not_said_to_have_changed(tmp_path):
    """The alert says that the volume moved, and the figures that it did not."""
    evidence = cause.which_class(
        logs.warehouse(tmp_path, logs.log(1), logs.metric("volume")), logs.scope("volume")
    )
    assert evidence.headline.startswith("No cause stands out")


def test_the_world_of_a_regression_is_seen_in_its_labels(tmp_path):
    """Amounts that grow, and predictions that know: nothing broke."""
    frame = logs.log(1)
    frame["f"] += 3 * logs.since_onset(frame)
    frame["prediction"] = 30 + 5 * frame["f"]
    frame["label"] = frame["prediction"] + np.random.default_rng(0).normal(0, 3, len(frame))
    models = [{"name": "ranker", "task": "regression"}]
    wh = logs.warehouse(tmp_path, frame, logs.metric("mean_prediction"), models=models)
    evidence = cause.which_class(wh, logs.scope("mean_prediction"))
    assert evidence.verdict == "world"
    assert "mean label" in evidence.headline


def test_traffic_whose_figures_are_other_ones_is_not_a_model_that_got_worse(tmp_path):
    """A region of long trips, wrong by more minutes, sends more: at the usual mix nothing moved."""
    frame = logs.log(1)
    far = frame["region"] == "west"
    frame["prediction"] = 30 + 5 * frame["f"] + 30 * far
    error = np.random.default_rng(0).normal(0, 1, len(frame)) * np.where(far, 12, 3)
    frame["label"] = frame["prediction"] + error
    late = frame[logs.since_onset(frame) & far]
    models = [{"name": "ranker", "task": "regression"}]
    frame = pd.concat([frame, *[late] * 4])
    wh = logs.warehouse(tmp_path, frame, logs.metric("mean_prediction"), models=models)
    evidence = cause.which_class(wh, logs.scope("mean_prediction"))
    assert evidence.verdict == "traffic"
    assert evidence.confidence > 0.8
    assert evidence.figures["log odds that quality moved"] < 0


def _two_models():
    """A classifier, and a ranking that turns its order round as a region grows."""
    frame = _traffic(logs.log(0), 0)
    ranked = frame.assign(model="order", group=np.arange(len(frame)) // 20)
    ranked["prediction"] = ranked["f"] * np.where(logs.since_onset(ranked), -1, 1)
    ranked["label"] = (ranked["f"] > -1).astype(float)
    return pd.concat([frame, ranked], ignore_index=True)


def test_a_ranking_has_no_usual_mix_and_is_looked_at_beside_those_that_have(tmp_path):
    """Its figures are not sums; they still tell that it broke, and are not said to be evened."""
    models = [{"name": "order", "task": "ranking"}]
    wh = logs.warehouse(tmp_path, _two_models(), models=models)
    found = seen.look(wh, logs.scope())
    assert found.moved["mix"] > 0
    assert found.moved["quality"] > 2
    assert found.said["quality"].startswith("NDCG")
    assert not found.said["quality"].endswith(seen.AT_USUAL_MIX)
    assert found.said["labels"].endswith(seen.AT_USUAL_MIX)


def test_labels_of_a_ranking_count_too_though_its_scores_are_on_no_scale_of_theirs(tmp_path):
    """Fewer clicks wherever they were, and the scores as ever."""
    frame = logs.log(4, per_hour=200)
    lost = logs.since_onset(frame) & (np.random.default_rng(3).random(len(frame)) < 0.6)
    frame["label"] = frame["label"].where(~lost, 0.0)
    frame = frame.assign(prediction=10 + frame["f"], group=np.arange(len(frame)) // 20)
    models = [{"name": "ranker", "task": "ranking"}]
    wh = logs.warehouse(tmp_path, frame, logs.metric("mean_label"), models=models)
    found = seen.look(wh, logs.scope("mean_label"))
    assert found.moved["labels"] > 0
    assert found.along is None
    evidence = cause.which_class(wh, logs.scope("mean_label"))
    assert evidence.verdict == "world"
    assert evidence.headline.endswith("and predictions did not move.")


def test_figures_that_cost_too_much_at_the_usual_mix_are_read_as_they_are(tmp_path, monkeypatch):
    """And it is told."""

    def refused(*_):
        raise CannotExamine("Too many rows.")

    monkeypatch.setattr(seen, "add_up_evenly", refused)
    found = seen.look(logs.warehouse(tmp_path, _traffic(logs.log(0), 0)), logs.scope())
    assert "quality" in found.moved
    assert any("usual mix of region" in m for m in found.missing)


def test_a_model_that_broke_while_the_mix_moved_is_seen_at_the_usual_mix(tmp_path):
    """Both at once: the mix does not hide the damage."""
    frame = _traffic(_model(logs.log(0), 0), 0)
    evidence = cause.which_class(logs.warehouse(tmp_path, frame), logs.scope())
    assert evidence.figures["log odds that quality moved"] > 2


def test_mix_and_rate_add_up_to_the_change():
    """Nothing is left over, and each part is what was planted."""
    cells = pd.DataFrame(
        {
            "_block": [1, 1, 0, 0],
            "d": ["a", "b", "a", "b"],
            "value": [10.0, 40.0, 30.0, 20.0],
            "below": [100.0, 100.0, 300.0, 50.0],
        }
    )
    parts = shift_share(cells, "d")
    assert parts.mix + parts.rate == pytest.approx(50 / 350 - 50 / 200)
    assert parts.rate == pytest.approx(0.0)
    assert parts.mix_share == pytest.approx(1.0)


def test_what_is_not_there_is_said(tmp_path):
    """No infrastructure table, no dimensions: the rest is weighed."""
    frame = _model(logs.log(0), 0).drop(columns=["region", "channel"])
    evidence = cause.which_class(logs.warehouse(tmp_path, frame), logs.scope())
    assert evidence.verdict == "model"
    assert any("infra" in text for text in evidence.not_examined)
    assert any("dimensions" in text for text in evidence.not_examined)


def test_nothing_to_compare_cannot_be_examined(tmp_path):
    """An empty window."""
    frame = logs.log(days=5)
    wh = logs.warehouse(tmp_path, frame[~logs.since_onset(frame)])
    with pytest.raises(CannotExamine):
        cause.which_class(wh, logs.scope(days=4))


def test_weights_of_nothing_seen_are_the_prior():
    """Without evidence, the prior; labels are no class of which nothing is known."""
    known = {name: chance for name, chance in cause_odds.PRIOR.items() if name != "labels"}
    assert cause_odds.weigh({}) == pytest.approx(known)


def test_a_moved_mix_speaks_for_traffic_and_moved_quality_for_the_model():
    """The direction of each inference."""
    calm = {"quality": -1.5, "labels": -1.5, "predictions": 1.0, "mix": -1.5, "infra": -5.0}
    assert cause_odds.weigh({**calm, "mix": 5.0})["traffic"] > 0.8
    assert cause_odds.weigh({**calm, "quality": 5.0})["model"] > 0.9
    assert cause_odds.weigh({**calm, "labels": 5.0, "predictions": 5.0})["world"] > 0.6
    assert cause_odds.weigh({**calm, "infra": 5.0})["infrastructure"] > 0.8


def test_labels_that_move_alone_are_no_sign_of_a_world_that_changed():
    """A storm moves predictions along; another way to count what is late does not, nor does what
    happens to the same requests now, which is rare and not ruled out."""
    moved = {"quality": 5.0, "labels": 5.0, "predictions": 0.5, "mix": -2.0, "infra": -5.0}
    along, alone = (cause_odds.weigh(moved, part) for part in (0.9, 0.0))
    assert along["world"] > cause_odds.weigh(moved)["world"] > 2 * alone["world"]
    assert alone["model"] > 2 * alone["world"] > 0.2


@pytest.mark.parametrize(("fault", "pictures"), [("unit_change", 1), ("infra", 2)])
def test_infrastructure_is_drawn_where_it_may_have_broken(fault, pictures, tmp_path):
    """One chart is enough where it is out of the question."""
    planted = plant(fault, 1, tmp_path, Options(rows_per_day=150, days=10))
    warehouse = Warehouse(planted.contract, planted.root, planted.scope.now)
    assert len(cause.which_class(warehouse, planted.at("cause")).charts) == pictures


@pytest.mark.parametrize("verdict", ["model", "world"])
def test_labels_of_one_segment_alone_may_be_wrong(verdict):
    """Whether it is the model's or the world's doing: who knows how labels are made is told."""
    found = seen.Seen(moved={"labels": 3.0}, said={"labels": ""}, parted="app=web: 0.3 → 0.1")
    told = cause._disagreements(found, verdict)
    assert any("app=web" in one and "labels are wrong" in one for one in told)
