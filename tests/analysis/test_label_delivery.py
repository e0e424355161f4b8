"""Labels that come late: whether they do, where, and what broke that delivers them."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analysis import cause, topline
from analysis.evidence import CannotExamine
from analysis.label_delivery import who_delivers
from tests.analysis import logs

LATE = pd.Timedelta(days=3)
EDGES = (("click_stream", "clicks"), ("clicks", "label"), ("weather", "f"))
RUNS = {"source": "runs.csv", "rows": "rows", "status": "status"}
LINEAGE = {"source": "lineage.csv"}


def _stopped(*, share=1.0, where=None, since=logs.ONSET, seed=3):
    """Labels that would have come after ``since`` come days later, of a part of the rows."""
    frame = logs.log(seed, per_hour=120)
    rng = np.random.default_rng(seed)
    hit = (frame["label_time"] >= since.replace(tzinfo=None)) & (rng.random(len(frame)) < share)
    if where:
        hit &= frame["region"] == where
    frame.loc[hit, "label_time"] += LATE
    return frame


def _runs(folder, ill="", seed=5):
    """Hourly runs of each node; one writes hardly anything since the onset."""
    rng = np.random.default_rng(seed)
    hours = pd.date_range(end=logs.NOW.replace(tzinfo=None), periods=14 * 24, freq="h")
    rows = [
        {
            "node": node,
            "time": time + pd.Timedelta(minutes=4),
            "status": "success",
            "rows": int(1000 * rng.lognormal(0, 0.05) * (0.03 if late and node == ill else 1)),
        }
        for node in ("click_stream", "clicks", "weather")
        for time in hours
        for late in [time >= logs.ONSET.replace(tzinfo=None)]
    ]
    pd.DataFrame(rows).to_csv(folder / "runs.csv", index=False)


def _lineage(folder, edges=EDGES):
    pd.DataFrame(edges, columns=["upstream", "downstream"]).to_csv(
        folder / "lineage.csv", index=False
    )


def _look(folder, frame, check=who_delivers, scope=None, **tables):
    return check(logs.warehouse(folder, frame, **tables), scope or logs.scope())


def test_labels_that_stop_are_a_real_alert_and_no_false_alarm(tmp_path):
    """Predictions look as ever, and the figure can hardly be judged."""
    evidence = _look(tmp_path, _stopped(), topline.is_it_real)
    assert evidence.verdict == "real"
    assert evidence.headline.startswith("Label coverage of calibration left its band")
    # Rows of some hours before have none either: they would have come since.
    assert timedelta(0) <= logs.ONSET - evidence.onset.at <= timedelta(hours=5)


def test_labels_are_the_class_of_cause(tmp_path):
    """They do not come; nothing else moved."""
    evidence = _look(tmp_path, _stopped(), cause.which_class)
    assert evidence.verdict == "labels"
    assert "of rows have a label" in evidence.headline
    assert "labels that came" in [row[0] for row in evidence.table.rows]


@pytest.mark.parametrize("check", [topline.is_it_real, cause.which_class])
def test_labels_that_come_as_ever_are_not_told(tmp_path, check):
    """Nor where the log does not say when they came."""
    for number, frame in enumerate((logs.log(3), _stopped().drop(columns="label_time"))):
        folder = tmp_path / str(number)
        folder.mkdir()
        evidence = _look(folder, frame, check)
        assert "Label coverage" not in evidence.headline
        assert evidence.verdict != "labels"


def test_late_labels_of_which_nothing_is_recorded(tmp_path):
    """That is said, and nobody is blamed."""
    evidence = _look(tmp_path, _stopped())
    assert evidence.verdict == "labels"
    assert evidence.confidence > 0.9
    assert "no runs and no services are recorded" in evidence.headline
    assert evidence.named == ()
    assert evidence.charts
    assert set(evidence.shares) == {"labels", "none"}  # what nobody could look at is not ruled out


def test_a_segment_whose_labels_are_late_is_named(tmp_path):
    """The others' come as they did."""
    evidence = _look(tmp_path, _stopped(where="south"))
    assert evidence.verdict == "labels"
    assert [(s.kind, s.name) for s in evidence.named] == [("segment", "region=south")]
    assert "most of all in region=south" in evidence.headline


@pytest.mark.parametrize("known", [True, False], ids=["lineage", "no lineage"])
def test_the_node_that_delivers_labels_is_named(tmp_path, known):
    """By its runs; the lineage may lead to the label, and need not."""
    _runs(tmp_path, ill="clicks")
    _lineage(tmp_path)
    tables = {"runs": RUNS} | ({"lineage": LINEAGE} if known else {})
    evidence = _look(tmp_path, _stopped(), **tables)
    assert evidence.verdict == "source"
    assert [(s.kind, s.name) for s in evidence.named] == [("upstream", "clicks")]


def test_what_feeds_features_alone_delivers_no_labels(tmp_path):
    """It broke at the same time; the lineage leads from it to no label."""
    _runs(tmp_path, ill="weather")
    _lineage(tmp_path)
    evidence = _look(tmp_path, _stopped(), runs=RUNS, lineage=LINEAGE)
    assert evidence.verdict == "labels"


def test_a_service_that_delivers_labels_is_named(tmp_path):
    """Of two that are recorded one broke."""
    logs.infra(tmp_path, ill="review_tool")
    evidence = _look(tmp_path, _stopped(), infra=logs.INFRA)
    assert evidence.verdict == "service"
    assert [(s.kind, s.name) for s in evidence.named] == [("infra", "review_tool")]


def test_services_that_run_as_ever_are_not_blamed(tmp_path):
    """The table says so."""
    logs.infra(tmp_path)
    _runs(tmp_path)
    _lineage(tmp_path)
    evidence = _look(tmp_path, _stopped(), infra=logs.INFRA, runs=RUNS, lineage=LINEAGE)
    assert evidence.verdict == "labels"
    assert not [s for s in evidence.suspects if s.score > 0.3]
    assert evidence.headline.endswith("at this hour; nothing recorded shows why.")


def test_labels_that_are_not_late_are_none(tmp_path):
    """The walk goes on to the models."""
    evidence = _look(tmp_path, logs.log(3))
    assert evidence.verdict == "none"
    assert evidence.headline.startswith("Labels come as they usually do")


def test_a_log_that_does_not_say_when_labels_came(tmp_path):
    """Nobody can say which are late; what they are can be seen all the same."""
    evidence = _look(tmp_path, _stopped().drop(columns="label_time"))
    assert evidence.verdict == "none"
    assert "late" not in evidence.headline


def test_a_log_without_labels(tmp_path):
    """There is nothing to look at."""
    frame = logs.log(3).drop(columns=["label", "label_time"])
    with pytest.raises(CannotExamine, match="label"):
        _look(tmp_path, frame)


def _lost(part=0.8, seed=3):
    """Labels that come in time, and are written as "nothing happened" since the onset."""
    frame = logs.log(seed, per_hour=120)
    rng = np.random.default_rng(seed)
    frame.loc[logs.since_onset(frame) & (rng.random(len(frame)) < part), "label"] = 0.0
    return frame


@pytest.mark.parametrize("timed", [True, False])
def test_labels_that_are_lost_where_what_delivers_them_broke(tmp_path, timed):
    """Their mean falls, predictions stay, and a node writes hardly any rows."""
    _runs(tmp_path, ill="clicks")
    _lineage(tmp_path)
    frame = _lost() if timed else _lost().drop(columns="label_time")
    tables = {"runs": RUNS, "lineage": LINEAGE}
    seen = _look(tmp_path, frame, cause.which_class, **tables)
    assert seen.verdict == "labels"
    assert "`clicks` broke" in seen.headline
    evidence = _look(tmp_path, frame, **tables)
    assert evidence.verdict == "source"
    assert [s.name for s in evidence.named] == ["clicks"]
    assert evidence.headline.startswith("Labels changed (their mean is")


def test_what_broke_is_no_reason_for_labels_that_it_does_not_deliver(tmp_path):
    """Something breaks every other day, and the lineage leads from it to features alone."""
    _runs(tmp_path, ill="weather")
    _lineage(tmp_path, [("weather", "f")])
    tables = {"runs": RUNS, "lineage": LINEAGE}
    assert _look(tmp_path, _lost(), cause.which_class, **tables).verdict != "labels"
    assert _look(tmp_path, _lost(), **tables).verdict == "none"


def test_labels_that_moved_where_nothing_broke_may_be_the_worlds(tmp_path):
    """They are no class of cause then, and the step sends on to the models."""
    _runs(tmp_path)
    _lineage(tmp_path)
    tables = {"runs": RUNS, "lineage": LINEAGE}
    assert _look(tmp_path, _lost(), cause.which_class, **tables).verdict != "labels"
    evidence = _look(tmp_path, _lost(), **tables)
    assert evidence.verdict == "none"
    assert evidence.headline.startswith("Nothing broke that delivers labels")


def test_an_alert_on_how_many_labels_came(tmp_path):
    """It is a kind of metric of its own."""
    metric = logs.metric("label_coverage", bad="down")
    warehouse = logs.warehouse(tmp_path, _stopped(share=0.5), metric)
    scope = logs.scope("label_coverage")
    real = topline.is_it_real(warehouse, scope)
    assert (real.verdict, real.confidence > 0.9) == ("real", True)
    assert cause.which_class(warehouse, scope).verdict == "labels"


def test_a_model_that_is_new_and_has_no_labels_makes_no_others_late(tmp_path):
    """A shadow model is scored beside; labels of the one that serves come as ever."""
    frame = logs.log(3, per_hour=120)
    shadow = frame[logs.since_onset(frame)].assign(model="shadow", label=np.nan)
    both = pd.concat([frame, shadow.assign(label_time=pd.NaT)])
    evidence = _look(tmp_path, both, topline.is_it_real)
    assert "Label coverage" not in evidence.headline
    assert _look(tmp_path, both, cause.which_class).verdict != "labels"
    assert _look(tmp_path, both).verdict == "none"


def test_more_traffic_whose_labels_always_take_long_is_traffic(tmp_path):
    """In each region as many have come as ever."""
    frame = logs.log(3, per_hour=120)
    frame.loc[frame["region"] == "west", "label_time"] += pd.Timedelta(hours=20)
    more = frame[logs.since_onset(frame) & (frame["region"] == "west")]
    frame = pd.concat([frame, *[more] * 4])
    assert _look(tmp_path, frame, cause.which_class).verdict == "traffic"
    assert _look(tmp_path, frame).verdict == "none"


def test_late_labels_are_no_cause_of_what_waits_for_none(tmp_path):
    """An alert on predictions has another."""
    metric = logs.metric("mean_prediction")
    warehouse = logs.warehouse(tmp_path, _stopped(), metric)
    evidence = cause.which_class(warehouse, logs.scope("mean_prediction"))
    assert evidence.verdict != "labels"
    assert "labels that came" not in [row[0] for row in evidence.table.rows]


def test_a_service_that_broke_and_delivers_no_labels_is_not_blamed(tmp_path):
    """The lineage leads from another one to the label, and that one is well."""
    logs.infra(tmp_path, ill="store")
    _lineage(tmp_path, [("review_tool", "label"), ("store", "scorer")])
    evidence = _look(tmp_path, _stopped(), infra=logs.INFRA, lineage=LINEAGE)
    assert evidence.verdict == "labels"


def test_how_many_labels_came_is_not_known_without_their_times(tmp_path):
    """Earlier days have all of theirs, and today never has."""
    metric = logs.metric("label_coverage", bad="down")
    frame = _stopped().drop(columns="label_time")
    with pytest.raises(CannotExamine, match="label_time"):
        topline.is_it_real(logs.warehouse(tmp_path, frame, metric), logs.scope("label_coverage"))
