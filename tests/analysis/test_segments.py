"""Planted segments are found, exactly, and clean traffic is left alone."""

import time

import numpy as np
import pandas as pd
import pytest

from analysis import segments
from analysis.evidence import CannotExamine
from analysis.odds import NOT_SEEN, Shift
from analysis.outcomes import Held
from tests.analysis import logs


def _cells(rng, sizes=(10, 8, 12, 6)):
    """Leaf cells with a forecast and counts that scatter around it."""
    grids = np.meshgrid(*[np.arange(s) for s in sizes], indexing="ij")
    frame = pd.DataFrame({f"d{i}": [f"v{x}" for x in g.ravel()] for i, g in enumerate(grids)})
    frame["expected"] = rng.lognormal(3, 1, len(frame))
    frame["actual"] = frame["expected"] * np.exp(rng.normal(0, 0.08, len(frame)))
    return frame


def _plant(frame, where, factor):
    hit = np.logical_and.reduce([frame[k] == v for k, v in where.items()])
    frame.loc[hit, "actual"] *= factor


CASES = (
    [{"d0": "v3"}],
    [{"d0": "v3", "d2": "v5"}],
    [{"d0": "v3", "d1": "v2", "d3": "v1"}],
    [{"d1": "v4"}, {"d0": "v7", "d3": "v2"}],
    [{"d0": "v1", "d2": "v2"}, {"d1": "v6", "d2": "v9"}, {"d0": "v8", "d3": "v5"}],
)


@pytest.mark.parametrize("planted", CASES)
@pytest.mark.parametrize("seed", range(3))
def test_the_planted_segments_are_found_exactly(planted, seed):
    """Up to three causes of up to three dimensions, each with its own factor."""
    rng = np.random.default_rng(seed)
    frame = _cells(rng)
    for where, factor in zip(planted, (0.45, 1.9, 0.6), strict=False):
        _plant(frame, where, factor)
    found = segments.explain(frame, ["d0", "d1", "d2", "d3"])
    assert sorted(map(str, (sorted(s.where.items()) for s in found))) == sorted(
        map(str, (sorted(w.items()) for w in planted))
    )


@pytest.mark.parametrize("seed", range(10))
def test_clean_cells_have_no_segment(seed):
    """Scatter alone explains nothing."""
    frame = _cells(np.random.default_rng(seed))
    assert segments.explain(frame, ["d0", "d1", "d2", "d3"]) == []


def test_a_rate_that_fell_is_told_from_traffic_that_grew():
    """The denominator's change is mix, what is left is rate."""
    rng = np.random.default_rng(0)
    frame = _cells(rng).rename(columns={"actual": "n", "expected": "n0"})
    _plant(frame.rename(columns={"n": "actual"}), {"d0": "v1"}, 1.0)
    frame.loc[frame["d1"] == "v3", "n"] *= 2.0
    usual = np.where(frame["d1"] == "v3", 0.6, 0.3)
    frame["v0"] = usual * frame["n0"]
    frame["v"] = usual * frame["n"] * np.exp(rng.normal(0, 0.05, len(frame)))
    frame.loc[frame["d2"] == "v7", "v"] *= 0.5
    found = segments.explain(frame, ["d0", "d1", "d2", "d3"], "v", "v0", denominator=("n", "n0"))
    assert {(s.effect, s.name) for s in found} == {("mix", "d1=v3"), ("rate", "d2=v7")}


def test_traffic_that_grew_at_the_usual_rate_does_not_explain_a_ratio():
    """Twice the requests of one value, whose rate is everybody's."""
    rng = np.random.default_rng(1)
    frame = _cells(rng).rename(columns={"actual": "n", "expected": "n0"})
    frame.loc[frame["d1"] == "v3", "n"] *= 2.0
    frame["v0"], frame["v"] = 0.3 * frame["n0"], 0.3 * frame["n"]
    frame["v"] *= np.exp(rng.normal(0, 0.05, len(frame)))
    frame.loc[frame["d2"] == "v7", "v"] *= 0.5
    found = segments.explain(frame, ["d0", "d1", "d2", "d3"], "v", "v0", denominator=("n", "n0"))
    assert {(s.effect, s.name) for s in found} == {("rate", "d2=v7")}


def _ratio(rng, dim, often):
    """What explains a day of requests and failures beside three: three times the requests of one
    value of ``dim``, in which ``often`` of them fail."""
    frame = _cells(rng, (8, 6, 5))
    frame["n0"] = rng.poisson(frame["expected"] * 60)
    more = frame[dim] == "v3"
    frame["n"] = rng.poisson(frame["expected"] * np.where(more, 60, 20))
    usual = np.where(more, often, 0.08)
    frame["v0"] = rng.binomial(frame["n0"], usual) / 3
    frame["v"] = rng.binomial(frame["n"], usual)
    frame["n0"] /= 3
    return segments.explain(frame, ["d0", "d1", "d2"], "v", "v0", denominator=("n", "n0"))


@pytest.mark.parametrize("seed", range(6))
def test_a_ratio_that_moved_by_chance_has_no_mix(seed):
    """Three times the requests of one value, whose rate is everybody's: the little that the ratio
    moved is chance, and a part of chance explains nothing."""
    found = _ratio(np.random.default_rng(seed), "d0", 0.08)
    assert found == []


def test_a_shift_of_traffic_that_moved_the_ratio_is_told():
    """Three times the requests of the value that fails three times as often."""
    found = _ratio(np.random.default_rng(0), "d1", 0.24)
    assert [(s.effect, s.name) for s in found] == [("mix", "d1=v3")]


def test_a_total_that_stands_still_has_no_shares():
    """What one value lost another got: shares of nothing are no billions."""
    frame = _cells(np.random.default_rng(0))
    lost, got = frame["d1"] == "v5", frame["d1"] == "v2"
    frame.loc[lost, "expected"] = frame.loc[got, "expected"].to_numpy()
    frame["actual"] = frame["expected"]
    _plant(frame, {"d1": "v2"}, 1.3)
    _plant(frame, {"d1": "v5"}, 0.7)
    found = segments.explain(frame, ["d0", "d1", "d2", "d3"])
    assert {s.name: s.share for s in found} == {"d1=v2": 0.0, "d1=v5": 0.0}


def test_a_hundred_thousand_cells_take_about_a_second():
    """Large cubes are searched by counting, not by looping (generous bound: shared machines)."""
    rng = np.random.default_rng(0)
    frame = _cells(rng, (20, 20, 16, 16))
    _plant(frame, {"d0": "v3", "d1": "v2"}, 0.5)
    began = time.process_time()
    found = segments.explain(frame, ["d0", "d1", "d2", "d3"])
    assert [s.name for s in found] == ["d0=v3, d1=v2"]
    assert time.process_time() - began < 5


@pytest.mark.parametrize("seed", range(3))
def test_traffic_that_nobody_expected_is_one_segment(seed):
    """A pair of values whose forecasts are zero, or nearly; its children are not named."""
    frame = _cells(np.random.default_rng(seed))
    hit = (frame["d0"] == "v3") & (frame["d2"] == "v5")
    frame.loc[hit, "expected"] *= np.where(np.arange(hit.sum()) % 3, 0.0, 0.02)
    found = segments.explain(frame, ["d0", "d1", "d2", "d3"])
    assert [s.name for s in found] == ["d0=v3, d2=v5"]


@pytest.mark.parametrize("seed", range(4))
def test_counts_of_yesterday_that_were_low_by_luck_are_no_cause(seed):
    """What is expected is itself a count: of thousands of cells some went from 3 to 17."""
    rng = np.random.default_rng(seed)
    frame = _cells(rng, (25, 20, 12, 3))
    usual = rng.lognormal(0.5, 1.5, len(frame))
    moved = np.where(frame["d1"] == "v4", 0.4, 1.0)
    frame["expected"], frame["actual"] = rng.poisson(usual), rng.poisson(usual * moved)
    found = segments.explain(frame, ["d0", "d1", "d2", "d3"])
    assert [s.name for s in found] == ["d1=v4"]


@pytest.mark.parametrize("seed", range(4))
def test_forecasts_that_err_by_a_skewed_factor_name_nobody(seed):
    """Upwards by half as often as downwards by a third; nothing happened."""
    rng = np.random.default_rng(seed)
    frame = _cells(rng)
    frame["actual"] = frame["expected"] * np.exp(rng.normal(0, 0.4, len(frame)))
    assert segments.explain(frame, ["d0", "d1", "d2", "d3"]) == []


def _searches(rng, count):
    """Eight rows of one place for each of so many searches, over twelve categories and two arms."""
    place = rng.choice(20, count, p=np.repeat([0.5, 0.3, 0.15, 0.05], 5) / 5)
    rows = pd.DataFrame({"d0": place // 5, "d1": place % 5, "d3": rng.choice(2, count)})
    kind = rng.choice(12, count)
    rows = rows.assign(kind=kind).loc[rows.index.repeat(8)]
    off = np.where(rng.random(len(rows)) < 0.7, 0, rng.choice(12, len(rows)))
    rows["d2"] = (rows.pop("kind") + off) % 12
    return rows.astype(str)


@pytest.mark.parametrize("seed", range(6))
def test_few_searches_that_became_many_are_named_though_rows_come_in_groups(seed):
    """One search in thirty becomes one in three: that rows come eight at a time moves every
    value by more than chance, and by no more of what nobody expected."""
    rng = np.random.default_rng(seed)
    dims = ["d0", "d1", "d2", "d3"]
    days = pd.concat([_searches(rng, 75) for _ in range(19)])
    more = _searches(rng, 1500)
    more = more[(more["d0"] == "2") & (more["d1"] == "4")][: 8 * 40]
    today = pd.concat([_searches(rng, 75), more])
    now, usual = (x.groupby(dims).size() for x in (today, days))
    frame = pd.DataFrame({"actual": now, "expected": usual / 19}).fillna(0.0).reset_index()
    assert [s.name for s in segments.explain(frame, dims)] == ["d0=2, d1=4"]
    clean = _searches(rng, 75).groupby(dims).size()
    frame = pd.DataFrame({"actual": clean, "expected": usual / 19}).fillna(0.0).reset_index()
    assert segments.explain(frame, dims) == []


def test_what_grew_many_times_is_not_widened_to_what_did_not():
    """Eight times the errors in one pair of values; its siblings are too few to tell at half."""
    rng = np.random.default_rng(3)
    frame = _cells(rng, (5, 4, 3))
    hit = (frame["d1"] == "v2") & (frame["d2"] == "v0")
    frame["expected"] = np.where(frame["d2"] == "v0", 2.0, 0.7)
    frame["actual"] = rng.poisson(frame["expected"] * np.where(hit, 8, 1))
    (one,) = segments.explain(frame, ["d0", "d1", "d2"])
    assert one.name == "d1=v2, d2=v0"


def test_amounts_below_zero_are_amounts():
    """Losses that doubled in one value."""
    frame = _cells(np.random.default_rng(4))
    frame[["actual", "expected"]] *= -1
    _plant(frame, {"d1": "v2"}, 2.0)
    assert [s.name for s in segments.explain(frame, ["d0", "d1", "d2", "d3"])] == ["d1=v2"]


def test_a_part_that_moved_more_is_told_with_the_whole():
    """All of a value fell, one pair within it by more: one segment with the share of both."""
    frame = _cells(np.random.default_rng(5))
    _plant(frame, {"d0": "v3"}, 0.6)
    _plant(frame, {"d0": "v3", "d1": "v2"}, 0.3)
    (one,) = segments.explain(frame, ["d0", "d1", "d2", "d3"])
    assert one.name == "d0=v3"
    assert one.share == pytest.approx(1.0, abs=0.1)


def test_a_ratio_near_one_is_as_clear_as_its_failures():
    """Of a thousand requests ten fail, in one value twenty: successes alone hardly moved."""
    rng = np.random.default_rng(6)
    frame = _cells(rng)[["d0", "d1", "d2", "d3"]].assign(n=1000.0, n0=1000.0)
    frame["v0"] = frame["n0"] - rng.poisson(10, len(frame))
    failed = rng.poisson(np.where(frame["d1"] == "v3", 20, 10))
    frame["v"] = frame["n"] - failed
    by_name = {"denominator": ("n", "n0")}
    (good,) = segments.explain(frame, ["d0", "d1", "d2", "d3"], "v", "v0", **by_name)
    frame["v"], frame["v0"] = frame["n"] - frame["v"], frame["n0"] - frame["v0"]
    (bad,) = segments.explain(frame, ["d0", "d1", "d2", "d3"], "v", "v0", **by_name)
    assert (good.name, good.score, good.share) == (bad.name, bad.score, bad.share)
    assert good.name == "d1=v3"
    assert good.actual > 900 * len(good.leaves) > bad.actual


def test_bad_input_says_what_is_missing():
    """No rows, or no such column."""
    with pytest.raises(ValueError, match="0 rows"):
        segments.explain(_cells(np.random.default_rng(0)).head(0), ["d0"])
    with pytest.raises(ValueError, match="missing: nope"):
        segments.explain(_cells(np.random.default_rng(0)), ["nope"])


def test_values_that_are_null_are_a_value():
    """A dimension that went null is a segment like any other."""
    frame = _cells(np.random.default_rng(0))
    frame.loc[frame["d0"] == "v3", "d0"] = None
    frame.loc[frame["d0"].isna(), "actual"] *= 3
    assert [s.name for s in segments.explain(frame, ["d0", "d1", "d2", "d3"])] == ["d0=(null)"]


@pytest.mark.parametrize("seed", range(3))
def test_traffic_that_grew_in_one_region_is_named(tmp_path, seed):
    """Three times the requests of one region."""
    frame = logs.log(seed)
    late = frame[logs.since_onset(frame) & (frame["region"] == "west")]
    frame = pd.concat([frame, late, late, late])
    evidence = segments.which_traffic(logs.warehouse(tmp_path, frame), logs.scope())
    assert evidence.verdict == "segment"
    assert evidence.suspects[0].name == "region=west"
    assert evidence.confidence > 0.6


def test_a_weekend_is_no_dip_of_every_segment(tmp_path):
    """Weekends are half as busy; on one of them a region grows: it alone is named."""
    frame = logs.log(2, days=29)
    ago = (frame["time"].dt.normalize() - pd.Timestamp(logs.NOW.date())).dt.days
    rng = np.random.default_rng(0)
    frame = frame[(~ago.isin([0, -1, -7, -8, -14, -15, -21, -22])) | (rng.random(len(frame)) < 0.5)]
    bots = frame[
        logs.since_onset(frame) & (frame["region"] == "west") & (frame["channel"] == "web")
    ]
    frame = pd.concat([frame, *[bots] * 5])
    evidence = segments.which_traffic(logs.warehouse(tmp_path, frame), logs.scope(days=28))
    assert evidence.verdict == "segment"
    assert [s.name for s in evidence.named] == ["region=west, channel=web"]


@pytest.mark.parametrize("seed", range(2))
def test_traffic_that_fell_everywhere_is_the_world(tmp_path, seed):
    """Half of all requests stay away: nobody's segment, and no model's doing."""
    frame = logs.log(seed)
    gone = logs.since_onset(frame) & (np.random.default_rng(seed).random(len(frame)) < 0.5)
    wh = logs.warehouse(tmp_path, frame[~gone], logs.metric("volume"))
    evidence = segments.which_traffic(wh, logs.scope("volume"))
    assert evidence.verdict == "world"
    assert "everywhere alike" in evidence.headline


def test_a_volume_without_earlier_days_is_told_without_figures(tmp_path):
    """Somebody said that it moved, and nothing can be compared: no figure is made up."""
    frame = logs.log(1, days=2)
    wh = logs.warehouse(tmp_path, frame, logs.metric("volume"))
    evidence = segments.which_traffic(wh, logs.scope("volume", days=1))
    assert evidence.verdict == "world"
    assert "too few earlier days" in evidence.headline
    assert "–" not in evidence.headline


def test_a_world_that_moved_beside_a_segment_does_not_deny_that():
    """Both moved: the figures are those outside of it, and say so."""
    moved = Shift(0.5, 0.2, 0.01, 30.0, 14)
    held = Held("channel=web", 0.3, 0.1, 0.9, alone=True)
    told = segments._world(("region=west",), moved, NOT_SEEN, rate=True, holds=held)
    assert "elsewhere, only in channel=web, the rate of positives there is 10%" in told
    for shifts in ((moved, NOT_SEEN), (NOT_SEEN, moved)):
        alone = segments._world((), *shifts, rate=True)
        beside = segments._world(("region=west",), *shifts, rate=True)
        assert "region=west" in beside
        assert "No segment" not in beside
        assert "alike" not in beside
        assert "region=west" not in alone


def test_a_segment_that_brings_other_labels_is_not_the_world(tmp_path):
    """Requests of a region with more positives: the rate moves with the mix."""
    frame = logs.log(3)
    frame.loc[frame["region"] == "west", "label"] = 1.0
    late = frame[logs.since_onset(frame) & (frame["region"] == "west")]
    evidence = segments.which_traffic(
        logs.warehouse(tmp_path, pd.concat([frame, *[late] * 6])), logs.scope()
    )
    assert evidence.verdict == "segment"
    assert evidence.confidence > 0.9


def test_labels_that_were_said_to_move_are_not_the_world_where_a_segment_explains_it(tmp_path):
    """Robots of one region that never click: without them the rate is as usual."""
    frame = logs.log(0)
    late = frame[logs.since_onset(frame) & (frame["region"] == "west")].assign(label=0.0)
    wh = logs.warehouse(tmp_path, pd.concat([frame, *[late] * 5]), logs.metric("mean_label"))
    evidence = segments.which_traffic(wh, logs.scope("mean_label"))
    assert [s.name for s in evidence.named] == ["region=west"]
    assert evidence.figures["probability of world"] < 0.02


@pytest.mark.parametrize(("usual", "spread", "more"), [(30, 5, 10), (0.2, 0.01, 0.1)])
def test_labels_that_are_amounts_are_no_rate_of_positives(tmp_path, usual, spread, more):
    """Trips of 30 minutes that take 40, or shares of an hour: a mean, not per cent."""
    frame = logs.log(1)
    frame["prediction"] = usual + spread * frame["f"]
    frame["label"] = frame["prediction"] + more * logs.since_onset(frame)
    models = [{"name": "ranker", "task": "regression"}]
    wh = logs.warehouse(tmp_path, frame, logs.metric("mean_label"), models=models)
    evidence = segments.which_traffic(wh, logs.scope("mean_label"))
    assert evidence.verdict == "world"
    assert "mean label" in evidence.headline
    assert "%" not in evidence.headline


def test_labels_that_moved_everywhere_are_the_world(tmp_path):
    """No segment moved; the rate did."""
    frame = logs.log(1)
    hit = logs.since_onset(frame)
    frame.loc[hit, "label"] = np.maximum(
        frame.loc[hit, "label"], np.random.default_rng(0).random(hit.sum()) < 0.5
    )
    evidence = segments.which_traffic(logs.warehouse(tmp_path, frame), logs.scope())
    assert evidence.verdict == "world"


@pytest.mark.parametrize("seed", range(2))
def test_labels_that_moved_in_one_segment_are_told_with_it(tmp_path, seed):
    """Clicks of one channel are lost: the world is named by where."""
    frame = logs.log(seed, per_hour=200)
    lost = logs.since_onset(frame) & (frame["channel"] == "web")
    frame.loc[lost & (np.random.default_rng(seed).random(len(frame)) < 0.8), "label"] = 0.0
    wh = logs.warehouse(tmp_path, frame, logs.metric("mean_label"))
    evidence = segments.which_traffic(wh, logs.scope("mean_label"))
    assert evidence.verdict == "world"
    assert "in channel=web: the rate of positives there is" in evidence.headline
    assert [(s.kind, s.name) for s in evidence.named] == [("segment", "channel=web")]


@pytest.mark.parametrize("seed", range(3))
def test_clean_traffic_is_none(tmp_path, seed):
    """Nothing moved, nobody is named."""
    evidence = segments.which_traffic(logs.warehouse(tmp_path, logs.log(seed)), logs.scope())
    assert evidence.verdict == "none"
    assert evidence.suspects == ()


def test_without_dimensions_it_cannot_be_examined(tmp_path):
    """The sentence names the setting."""
    frame = logs.log(days=5).drop(columns=["region", "channel", "arm"])
    with pytest.raises(CannotExamine, match="dimensions"):
        segments.which_traffic(logs.warehouse(tmp_path, frame), logs.scope(days=4))


@pytest.mark.parametrize(("everywhere", "factor"), [(1.08, 0.5), (1.15, 1.8), (0.8, 0.4)])
def test_a_forecast_that_is_off_everywhere_hides_no_cause(everywhere, factor):
    """All cells moved along; the one segment that moved otherwise is named, with its own sums."""
    frame = _cells(np.random.default_rng(7))
    frame["actual"] *= everywhere
    _plant(frame, {"d1": "v2", "d3": "v1"}, factor)
    (one,) = segments.explain(frame, ["d0", "d1", "d2", "d3"])
    assert one.name == "d1=v2, d3=v1"
    assert one.actual / one.expected == pytest.approx(everywhere * factor, rel=0.03)
    hit = (frame["d1"] == "v2") & (frame["d3"] == "v1")
    moved = frame["actual"] - frame["expected"]
    assert one.share == pytest.approx(moved[hit].sum() / moved.sum())


def test_what_halved_everywhere_has_no_segment():
    """An outage of everything is not five outages."""
    frame = _cells(np.random.default_rng(8))
    frame["actual"] *= 0.5
    assert segments.explain(frame, ["d0", "d1", "d2", "d3"]) == []


@pytest.mark.parametrize("seed", range(4))
def test_levels_that_all_err_a_little_are_no_causes(seed):
    """A forecast errs by 3 % of its own in every value of every dimension; one value fell."""
    rng = np.random.default_rng(seed)
    frame = _cells(rng, (12, 20, 10, 6))
    for dim in ("d0", "d1", "d2", "d3"):
        off = {level: np.exp(rng.normal(0, 0.03)) for level in frame[dim].unique()}
        frame["actual"] *= frame[dim].map(off)
    _plant(frame, {"d2": "v4"}, 0.5)
    assert [s.name for s in segments.explain(frame, ["d0", "d1", "d2", "d3"])] == ["d2=v4"]


@pytest.mark.parametrize("seed", range(4))
def test_the_loudest_leaf_of_heavy_tails_is_no_cause(seed):
    """Student's t with three degrees of freedom: some leaf is always far off."""
    rng = np.random.default_rng(seed)
    frame = _cells(rng, (30, 20, 12))
    frame["actual"] = frame["expected"] * np.exp(0.1 * rng.standard_t(3, len(frame)))
    assert segments.explain(frame, ["d0", "d1", "d2"]) == []
