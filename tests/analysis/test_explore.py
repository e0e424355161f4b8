"""Questions beside the tree find what was planted, and say so when nothing was."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analysis import metrics
from analysis.charts import explore as charts
from analysis.charts.explore import Drawn
from analysis.evidence import CannotExamine, Filter, Onset
from analysis.explore import Misnamed, Question, lines
from analysis.explore.chart import _said
from analysis.explore.look import look
from analysis.few import enough_pass
from analysis.publishes import publishes
from analysis.scenarios import Options, plant
from analysis.warehouse import Warehouse
from state.hawkeye import TREE
from tests.analysis.logs import NOW, ONSET, log, metric, scope, since_onset, warehouse


def ask(house, kind, **more):
    """The answer to a question about the toy log's incident."""
    return look(house, Question(kind, scope(), **more))


def moved(where):
    """A log in which predictions double since the onset where ``where(frame)``."""
    frame = log(per_hour=120)
    hit = since_onset(frame) & where(frame)
    frame.loc[hit, "prediction"] = np.clip(frame["prediction"] * 2.2, 0, 0.99)[hit]
    return frame


MEAN = metric("mean_prediction")


def test_a_planted_step_is_told_as_out_of_its_band(tmp_path):
    """With figures before and since, a chart, and its words for those who can't see it."""
    house = warehouse(tmp_path, moved(lambda f: f["region"] != ""), MEAN)
    found = ask(house, "chart", name="mean_prediction")
    assert "out of its band" in found.headline
    assert found.charts[0].png
    assert "mean_prediction" in found.charts[0].alt


def test_a_calm_series_is_told_to_be_in_its_band(tmp_path):
    """Also a feature's."""
    house = warehouse(tmp_path, log(), MEAN)
    assert "in its band" in ask(house, "chart", name="mean_prediction").headline
    assert "in its band" in ask(house, "chart", thing="feature", name="f").headline


def _beside(out: int, below: int) -> lines.Held:
    """A series of twenty points since it began."""
    none = np.array([])
    return lines.Held(Drawn("ctr", none, none), 0.3, 0.4, out, below, 20, 2000)


def test_a_series_that_left_its_band_once_is_not_told_to_stay_in_it():
    """One of twenty points is usual, and is said to be; the alert may name that very one."""
    assert "ctr left its band 1 of 20 times, which is usual: 0.3" in _said(_beside(1, 10))
    assert "left its band 1 of 20 times, and is low 19 of 20 times" in _said(_beside(1, 19))
    assert "ctr stays in its band: 0.3" in _said(_beside(0, 10))


def test_a_chart_of_what_the_alert_calls_off_never_calls_it_usual():
    """All points together tell what none of them does alone."""
    for out, below in ((0, 10), (1, 10), (0, 19), (1, 19), (5, 12), (15, 19)):
        said = _said(_beside(out, below), off=True)
        assert "s in its band" not in said
        assert "usual:" not in said
    assert "ctr does not leave the band that is drawn here" in _said(_beside(0, 10), off=True)


def test_only_the_subject_of_an_alert_goes_by_the_walk_and_only_once_that_has_an_onset(tmp_path):
    """Another series, and one that the walk has not judged, are told by their bands alone."""
    house = warehouse(tmp_path, log(), MEAN, metric("volume"))
    calm = scope("mean_prediction")
    off = replace(calm, onset=Onset(ONSET, ONSET - timedelta(hours=1), ONSET))
    about = {
        (asked.onset is not None, name): look(house, Question("chart", asked, name=name)).headline
        for asked in (calm, off)
        for name in ("mean_prediction", "volume")
    }
    inside = [key for key, said in about.items() if "does not leave the band" in said]
    assert inside == [(True, "mean_prediction")], about


@pytest.mark.parametrize("hours", [0, 168])
def test_a_chart_shows_as_much_as_was_asked_for(tmp_path, hours):
    """By default the window and a day and a half before it."""
    house = warehouse(tmp_path, log(), MEAN)
    found = ask(house, "chart", name="mean_prediction", hours=hours)
    assert found.figures["hours shown"] == (hours or 8 + 36)


def test_the_level_that_moved_is_named_with_both_figures(tmp_path):
    """The others are told to have stayed."""
    house = warehouse(tmp_path, moved(lambda f: f["region"] == "west"), MEAN)
    found = ask(house, "chart", name="mean_prediction", by="region")
    assert found.headline.startswith("west moved most")
    assert found.table.rows[0][0] == "west"


def test_a_change_everywhere_blames_no_level(tmp_path):
    """Naming one of four that all moved would mislead."""
    house = warehouse(tmp_path, moved(lambda f: f["region"] != ""), MEAN)
    found = ask(house, "chart", name="mean_prediction", by="channel")
    assert "moved alike" in found.headline


def many(level_of):
    """A log of seven channels, of which predictions double since the onset where ``level_of``."""
    frame = log(per_hour=240)
    frame["channel"] = [f"c{n % 7}" for n in range(len(frame))]
    hit = since_onset(frame) & frame["channel"].isin(level_of)
    frame.loc[hit, "prediction"] = np.clip(frame["prediction"] * 2.2, 0, 0.99)[hit]
    return frame


def facets_of(monkeypatch, house, **more):
    """The panels that a chart by channel is made of; none where all is in one panel."""
    drawn = []
    real = charts.facets
    monkeypatch.setattr(
        charts, "facets", lambda shown, *rest: drawn.extend(shown) or real(shown, *rest)
    )
    return ask(house, "chart", by="channel", **more), drawn


def test_many_levels_get_a_panel_each_those_that_moved_most_first(tmp_path, monkeypatch):
    """All before the same whole, and only what moved is in colour."""
    house = warehouse(tmp_path, many(["c5"]), MEAN)
    found, drawn = facets_of(monkeypatch, house, name="mean_prediction")
    assert found.headline.startswith("c5 moved most")
    assert [one.drawn.name for one in drawn] == [row[0] for row in found.table.rows]
    assert [one.drawn.name for one in drawn if one.loud] == ["c5"] == [drawn[0].drawn.name]
    assert {one.drawn.name for one in drawn} == {f"c{n}" for n in range(7)}
    wholes = [one.whole for one in drawn]
    assert all(np.array_equal(w.values, wholes[0].values, equal_nan=True) for w in wholes)
    assert wholes[0].name == "mean_prediction, all rows"
    assert found.charts[0].png


def test_four_levels_stay_in_one_panel(tmp_path, monkeypatch):
    """As many colours are told apart."""
    house = warehouse(tmp_path, log(), MEAN)
    _, drawn = facets_of(monkeypatch, house, name="mean_prediction")
    assert drawn == []


def test_the_whole_behind_a_volume_is_where_the_level_would_be(tmp_path, monkeypatch):
    """Else it would stand far above all of them."""
    house = warehouse(tmp_path, many([]), metric("volume"))
    _, drawn = facets_of(monkeypatch, house, name="volume")
    for one in drawn:
        assert np.nanmedian(one.whole.values) == pytest.approx(
            np.nanmedian(one.drawn.values), rel=0.2
        )


def test_two_of_many_levels_are_named_where_both_moved(tmp_path):
    """Neither is "alike in every" true, nor that one alone did."""
    house = warehouse(tmp_path, many(["c1", "c4"]), MEAN)
    headline = ask(house, "chart", name="mean_prediction", by="channel").headline
    assert "moved most" in headline
    assert ", then c" in headline
    assert {"c1", "c4"} <= set(headline.replace(":", "").split())


def test_levels_of_few_rows_and_hidden_columns_are_not_shown(tmp_path):
    """They could be one person, and hidden is hidden."""
    frame = log()
    frame["channel"] = np.where(np.arange(len(frame)) % 4000 == 7, "secret", frame["channel"])
    house = warehouse(tmp_path, frame, MEAN)
    shown = ask(house, "chart", name="mean_prediction", by="channel")
    assert "secret" not in str(shown)
    hidden = house.contract.predictions.model_copy(update={"hidden": ("region", "f")})
    contract = house.contract.model_copy(update={"predictions": hidden})
    house = Warehouse(contract, tmp_path, NOW)
    with pytest.raises(CannotExamine, match="hidden"):
        ask(house, "chart", name="mean_prediction", by="region")
    alone = ask(house, "chart", thing="feature", name="f")
    assert "null share" in alone.headline
    assert "region=" not in str(ask(house, "segments", name="mean_prediction"))


def test_what_a_shown_level_has_few_rows_of_is_not_shown(tmp_path):
    """It was common and has two rows since the onset: their mean could be read back to them."""
    frame = log()
    late = since_onset(frame)
    rare = np.where(late, np.cumsum(late) <= 2, np.arange(len(frame)) % 3 == 0)
    frame["channel"] = np.where(rare, "rare", frame["channel"])
    house = warehouse(tmp_path, frame, MEAN)
    found = ask(house, "chart", name="mean_prediction", by="channel")
    [row] = [r for r in found.table.rows if r[0] == "rare"]
    assert (row[1] != "–", row[2:]) == (True, ("–", "under 5"))
    assert "rare 0." in found.charts[0].alt
    assert found.charts[0].alt.count("→ –") == 1


def test_an_unknown_dimension_is_answered_with_those_there_are(tmp_path):
    """A typo is no fault of the data."""
    house = warehouse(tmp_path, log(), MEAN)
    with pytest.raises(CannotExamine, match="region"):
        ask(house, "chart", name="mean_prediction", by="regin")


def test_a_service_is_drawn_from_the_infrastructure_table(tmp_path):
    """Its jump at the onset is told."""
    times = pd.date_range(
        ONSET.replace(tzinfo=None) - timedelta(days=10), periods=1500, freq="10min"
    )
    values = 20 + np.sin(np.arange(1500)) + 40 * (times >= pd.Timestamp(ONSET.replace(tzinfo=None)))
    infra = pd.DataFrame({"time": times, "service": "store", "metric": "p99", "value": values})
    infra.to_parquet(tmp_path / "infra.parquet")
    house = warehouse(tmp_path, log(), MEAN, infra={"source": "infra.parquet"})
    found = ask(house, "chart", thing="infra", name="store/p99")
    assert found.headline.startswith("store/p99 is out of its band")


def test_the_segment_that_carries_a_metrics_change_is_named(tmp_path):
    """Its rate now and before, its share of the whole change."""
    house = warehouse(tmp_path, moved(lambda f: f["region"] == "west"), MEAN)
    found = ask(house, "segments", name="mean_prediction")
    assert found.suspects[0].name == "region=west"
    assert found.suspects[0].score > 0.6
    calm = ask(warehouse(tmp_path, log(), MEAN), "segments", name="mean_prediction")
    assert "No segment stands out" in calm.headline


def test_sparklines_hold_a_day_and_say_what_could_not_be_read(tmp_path):
    """An unknown feature costs its own row, no other."""
    house = warehouse(tmp_path, moved(lambda f: f["region"] != ""), MEAN)
    found = ask(house, "sparks", others=("metric:mean_prediction", "feature:nope"))
    first, second = found.table.rows
    assert len(first[1].split(",")) == 24
    assert first[2] == "no"
    assert (second[1], "nope" in second[3]) == ("", True)


def test_values_to_filter_by_are_counted_and_hidden_ones_left_out(tmp_path):
    """Commonest first; a dimension of one value is no filter, a value of few rows no group."""
    frame = log()
    frame["channel"] = np.where(np.arange(len(frame)) % 4000 == 7, "secret", frame["channel"])
    house = warehouse(tmp_path, frame, MEAN)
    levels = ask(house, "levels").table.rows
    assert [r[:2] for r in levels][:4] == [
        ("region", r) for r in ("north", "south", "east", "west")
    ]
    assert "secret" not in str(levels)
    assert not any(r[0] == "model" for r in levels)
    hidden = house.contract.predictions.model_copy(update={"hidden": ("region", "f")})
    contract = house.contract.model_copy(update={"predictions": hidden})
    assert "region" not in str(ask(Warehouse(contract, tmp_path, NOW), "levels"))


def test_a_check_sees_only_the_traffic_of_its_filters(tmp_path):
    """The planted segment alone moved; without it the same alert is false."""
    house = warehouse(tmp_path, moved(lambda f: f["region"] == "west"), MEAN)
    verdicts = {}
    for region in ("west", "north"):
        asked = replace(scope("mean_prediction"), filters=(Filter("region", (region,)),))
        seen = Warehouse(house.contract, tmp_path, NOW, filters=asked.filters)
        assert set(seen.fetch(seen.predictions().select("region").distinct())["region"]) == {region}
        verdicts[region] = TREE.node("real").check(seen, asked).verdict
    assert verdicts == {"west": "real", "north": "false_alarm"}


def test_a_filter_that_a_table_cannot_take_is_told(tmp_path):
    """Nobody is to read a figure of all traffic as one of the part."""
    frame = log()
    house = warehouse(tmp_path, frame, MEAN)
    wrong = Warehouse(house.contract, tmp_path, NOW, filters=(Filter("carrier", ("UA",)),))
    with pytest.raises(CannotExamine, match="no dimension `carrier`"):
        wrong.predictions()


def test_of_too_few_filtered_rows_no_figure_is_shown(tmp_path):
    """A filter could single out a person, by itself or together with others."""
    frame = log()
    begun = since_onset(frame)
    frame.loc[frame.index[begun][:19], "region"] = "tiny"
    frame.loc[frame.index[begun][20:41], "region"] = "small"
    house = warehouse(tmp_path, frame, MEAN)
    for region, enough in (("tiny", False), ("nobody", False), ("small", True)):
        asked = replace(scope("mean_prediction"), filters=(Filter("region", (region,)),))
        seen = Warehouse(house.contract, tmp_path, NOW, filters=asked.filters)
        if enough:
            enough_pass(seen, asked)
            continue
        with pytest.raises(CannotExamine, match=f"where region = {region}: of so few"):
            enough_pass(seen, asked)
    enough_pass(house, scope("mean_prediction"))


def test_a_point_of_few_filtered_rows_is_not_drawn(tmp_path):
    """The series has a gap there, as where there are no rows."""
    frame = log(per_hour=8)
    house = warehouse(tmp_path, frame, MEAN)
    seen = Warehouse(house.contract, tmp_path, NOW, filters=(Filter("region", ("east",)),))
    asked = Question("chart", scope(), name="mean_prediction")
    [drawn] = lines.held(seen, asked)
    blocks = lines.blocks_of(asked.scope, 0)
    series = metrics.series(seen, seen.contract.metric("mean_prediction"), blocks)
    assert (series.rows < 5).any()
    assert np.isnan(series.values[series.rows < 5]).all()
    assert np.isfinite(series.values[series.rows >= 5]).all()
    assert drawn.rows > 0


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """A unit change upstream, with snapshots, lineage and runs."""
    folder = tmp_path_factory.mktemp("planted")
    found = plant("unit_change", 2, folder, Options(rows_per_day=900, days=12))
    return found, Warehouse(found.contract, found.root, found.scope.now)


def test_what_changed_lists_the_nearest_first_and_names_what_it_cannot_see(planted):
    """A run's schema or version, publishes, and the distance from the onset."""
    found, house = planted
    begun = found.at("snapshot")
    answer = look(house, Question("changed", begun))
    onset = begun.onset.at if begun.onset else begun.window.start
    assert answer.table is not None
    assert "began" in answer.table.rows[0][3]
    assert any("onfiguration" in n for n in answer.not_examined)
    assert answer.charts[0].png
    assert answer.figures["changes"] >= len(answer.table.rows)
    assert onset <= house.now


def test_two_snapshots_are_compared_on_the_same_inputs(planted):
    """A benign retraining gives about the same answers; both names are told."""
    found, house = planted
    begun = replace(found.at("snapshot"), suspects=())
    table = house.fetch(house.predictions().group_by(["_model", "_snapshot"]).aggregate(n=1))
    model = table["_model"].iloc[0]
    names = sorted(table.loc[table["_model"] == model, "_snapshot"])[:2]
    answer = look(house, Question("compare", begun, others=tuple(names)))
    assert all(name in answer.headline for name in names)
    assert answer.table.rows[-1][0] == "rows compared"
    for typed, meant in ((names[1] + "x", names[1]), (names[1].rsplit("-", 1)[-1] + "x", "")):
        with pytest.raises(CannotExamine, match=f"Did you mean `{meant}"):
            look(house, Question("compare", begun, others=(names[0], typed)))


def test_a_snapshot_that_is_not_known_gets_the_pair_that_may_be_meant(planted):
    """A typo is corrected; without one that is near, the newest swaps of the model are offered."""
    found, house = planted
    begun = replace(found.at("snapshot"), suspects=())
    swaps = [p for p in publishes(house, begun, ()) if p.model == begun.subject] or publishes(
        house, begun, ()
    )
    last = swaps[-1]
    typo = Question("compare", begun, others=(last.before + "x", last.snapshot))
    with pytest.raises(Misnamed, match="Did you mean") as told:
        look(house, typo)
    assert [q.others for q in told.value.instead] == [(last.before, last.snapshot)]
    for others in ((), ("§", "%")):
        with pytest.raises(Misnamed) as told:
            look(house, Question("compare", begun, others=others))
        assert (last.before, last.snapshot) in [q.others for q in told.value.instead]
    assert pickle.loads(pickle.dumps(told.value)).instead == told.value.instead


def test_one_snapshot_is_compared_with_what_it_replaced(planted):
    """Its name is all that somebody at 3 a.m. knows."""
    found, house = planted
    begun = replace(found.at("snapshot"), suspects=())
    last = publishes(house, begun, ())[-1]
    answer = look(house, Question("compare", begun, others=(last.snapshot,)))
    assert last.snapshot in answer.headline
    assert last.before in answer.headline
