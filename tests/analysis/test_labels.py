"""What labels alone can tell of features, and what must not be taken for a fault of theirs."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from analysis import odds
from analysis.features import which_features
from analysis.inputs import labels, size
from analysis.warehouse import Warehouse
from tests.analysis import logs


def users(
    folder, mixed: float, per_hour: int = 250, rare: float = 1.5, *, lineage: bool = True
) -> Warehouse:
    """A log of three independent features, two of a user; since the onset a part of the rows is
    served both features of another row's user. The log odds of the outcome are ``rare`` below even
    for a middling user."""
    frame = logs.log(1, per_hour=per_hour).drop(columns=["f", "region", "channel"])
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, (len(frame), 3))
    happened = 1 / (1 + np.exp(rare - x @ (1.0, 0.7, 0.7)))
    hit = np.flatnonzero(logs.since_onset(frame) & (rng.random(len(frame)) < mixed))
    x[hit, :2] = x[rng.permutation(hit), :2]
    frame = frame.assign(
        label=(rng.random(len(frame)) < happened) * 1.0,
        prediction=1 / (1 + np.exp(rare - x @ (1.0, 0.7, 0.7))),
        arm="control",
        loyalty=x[:, 0],
        basket=x[:, 1],
        price=x[:, 2],
    )
    edges = [("profile", "loyalty"), ("profile", "basket"), ("catalogue", "price")]
    table = pd.DataFrame(edges, columns=["upstream", "downstream"])
    table.to_parquet(folder / "lineage.parquet", index=False)
    frame["label_time"] = frame["time"] + timedelta(minutes=20)
    known = {"lineage": {"source": "lineage.parquet"}} if lineage else {}
    return logs.warehouse(folder, frame, **known)


def test_rows_that_get_all_of_another_users_features_are_found_by_their_labels(tmp_path):
    """The features agree with each other as ever, and each has its usual values."""
    evidence = which_features(users(tmp_path, 0.45), logs.scope())
    assert evidence.verdict == "inputs"
    assert {s.name for s in evidence.named} <= {"loyalty", "basket"}
    assert "price" not in {s.name for s in evidence.named}


def test_features_that_broke_together_are_found_where_no_lineage_says_so(tmp_path):
    """Either alone leaves a part of the loss to the other; both together, nothing."""
    evidence = which_features(users(tmp_path, 0.7, lineage=False), logs.scope())
    assert evidence.verdict == "inputs"
    assert {s.name for s in evidence.named} == {"loyalty", "basket"}


def test_labels_of_an_ordinary_day_blame_nobody(tmp_path):
    """The same log without the fault."""
    assert which_features(users(tmp_path, 0.0), logs.scope()).verdict == "none"


def test_a_large_log_is_judged_by_more_labelled_rows_than_its_sample_holds(tmp_path, monkeypatch):
    """Counted by the engine, where the sample of earlier days is thin."""
    from analysis.inputs import gather

    monkeypatch.setattr(gather, "IN_MEMORY", 0)
    monkeypatch.setattr(gather, "BLOCK_ROWS", 3_000)
    evidence = which_features(users(tmp_path, 0.45), logs.scope())
    assert evidence.verdict == "inputs"
    assert {s.name for s in evidence.named} <= {"loyalty", "basket"}


def delays(folder, *, true: bool) -> Warehouse:
    """Since the onset a feature that predictions lean on is far higher; ``true`` when what happens
    follows it."""
    frame = logs.log(1, per_hour=120).drop(columns=["f", "region", "channel"])
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, (len(frame), 3))
    late = logs.since_onset(frame)
    served = x + np.outer(late, (2.5, 0.0, 0.0))
    chance, said = (
        1 / (1 + np.exp(1.5 - v @ (1.0, 0.5, 0.5))) for v in (served if true else x, served)
    )
    frame = frame.assign(
        label=(rng.random(len(frame)) < chance) * 1.0,
        prediction=said,
        arm="control",
        delay=served[:, 0],
        distance=x[:, 1],
        seats=x[:, 2],
    )
    frame["label_time"] = frame["time"] + timedelta(minutes=20)
    return logs.warehouse(folder, frame)


@pytest.mark.parametrize("true", [True, False])
def test_values_that_outcomes_follow_are_true(tmp_path, true):
    """In a storm predictions and outcomes rise together; a broken sensor's outcomes stay."""
    evidence = which_features(delays(tmp_path, true=true), logs.scope())
    assert [s.name for s in evidence.named] == ([] if true else ["delay"])


@pytest.mark.parametrize("mixed", [0.8, 0.0])
def test_an_outcome_of_one_row_in_fifty_still_tells_whose_features_were_served(
    tmp_path, monkeypatch, mixed
):
    """Of a large log nearly all rows with the outcome are looked at, among as many without."""
    from analysis.inputs import gather

    monkeypatch.setattr(gather, "IN_MEMORY", 0)
    monkeypatch.setattr(gather, "BLOCK_ROWS", 3_000)
    monkeypatch.setattr(gather, "LABELLED_ROWS", 12_000)
    evidence = which_features(users(tmp_path, mixed, 800, 4.8), logs.scope())
    assert (evidence.figures["p_inputs"] > 0.75) == (mixed > 0)
    if mixed:
        assert evidence.named
        assert {s.name for s in evidence.named} <= {"loyalty", "basket"}


@pytest.mark.parametrize(("weekly", "part"), [(10.0, 0.3), (0.0, 1.01)])
def test_what_a_week_brings_by_itself_is_no_day_to_day_change(weekly, part):
    """Four weeks of daily means: their spread is that around their own weekday's."""
    rng = np.random.default_rng(3)
    numbers = tuple(range(28))
    means = rng.normal(0, 1, 28) + weekly * (np.array(numbers) % 7 > 4)
    r = SimpleNamespace(
        comparison=SimpleNamespace(period=timedelta(days=1)),
        days=SimpleNamespace(numbers=numbers),
    )
    plain = odds.shift(float(means[0]), means[1:]).spread
    found = size.spread_by_weekday(r, means)
    assert min(found, plain) <= part * plain
    assert found < 2.0
    short = SimpleNamespace(comparison=r.comparison, days=SimpleNamespace(numbers=numbers[:12]))
    assert size.spread_by_weekday(short, means[:12]) == np.inf


def trips(folder, mixed: str) -> Warehouse:
    """How late trips arrive is mostly how late they left, which the queue foretells a little; since
    the onset ``mixed`` is another row's."""
    frame = logs.log(1, per_hour=120).drop(columns=["f", "region", "channel"])
    rng = np.random.default_rng(1)
    late = rng.gamma(0.6, 25.0, len(frame))
    frame = frame.assign(left=late, queue=0.1 * late + rng.normal(0, 4, len(frame)), arm="control")
    frame["wind"] = rng.normal(0, 1, len(frame))
    frame["label"] = late + 8 * frame["wind"] + rng.normal(0, 8, len(frame))
    hit = np.flatnonzero(logs.since_onset(frame))
    frame.loc[hit, mixed] = frame[mixed].to_numpy()[rng.permutation(hit)]
    frame["prediction"] = frame["left"] + 8 * frame["wind"] + 0.2 * (frame["queue"] > 10)
    frame["label_time"] = frame["time"] + timedelta(minutes=20)
    return logs.warehouse(folder, frame)


@pytest.mark.parametrize(("mixed", "blamed"), [("left", ["left"]), ("label", [])])
def test_another_rows_value_is_told_from_another_rows_outcome(tmp_path, mixed, blamed):
    """What is left of the prediction goes with outcomes as ever in the one case alone."""
    evidence = which_features(trips(tmp_path, mixed), logs.scope())
    assert [s.name for s in evidence.named] == blamed
    assert (evidence.figures["p_inputs"] > 0.8) == bool(blamed)
    assert ("labels go with predictions less" in evidence.headline) == (not blamed)


def test_what_falls_farther_than_it_could_by_itself_lost_nothing():
    """A feature of hardly any effect goes with whatever else went wrong."""
    found = odds.Shift(now=139.0, usual=0.0, spread=23.0, z=6.0, df=20)
    assert labels.Fall(found, whole=1.0).lost < 0.5
    assert labels.Fall(found, whole=139.0).lost > 4
