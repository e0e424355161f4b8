"""The world on disk: what a team would have, and what mitigations do to it."""

from dataclasses import replace
from datetime import timedelta
from shutil import copytree

import numpy as np
import pandas as pd
import pytest

from analysis.tables import Role
from analysis.warehouse import Warehouse
from bot.config import load
from bot.demo import CannotMitigate, World, build
from bot.demo.columns import FEATURES
from bot.demo.measure import aggregate
from tests.demo.conftest import NAME, SEED


@pytest.fixture
def mine(world, tmp_path):
    """A copy of the world that a test may change."""
    folder = copytree(world.folder, tmp_path / "world")
    return replace(world, folder=folder)


def log(world):
    """The serving log as written."""
    return pd.read_parquet(world.folder / "predictions.parquet")


def naive(moment):
    """As the tables have it."""
    return pd.Timestamp(moment).tz_localize(None)


def test_every_table_of_the_settings_can_be_read(world):
    """Through the settings file and the warehouse, as of now."""
    settings = load(world.folder / "hawkeye.toml", {})
    assert settings.tables.predictions == world.contract.predictions
    warehouse = Warehouse(world.contract, world.folder, world.now)
    assert warehouse.features == FEATURES
    for name in ("infra", "snapshots", "experiments", "lineage", "runs", "training"):
        assert warehouse.fetch(warehouse.table(name).limit(5)).shape[0] == 5 or name == (
            "experiments"
        )
    span = warehouse.span()
    assert span.end <= world.now
    assert span.length > timedelta(days=34)


def test_labels_arrive_when_the_flights_do(world):
    """Some are still missing at the alert; all predictions know their hour."""
    table = log(world)
    assert (table["label_time"].dropna() > table["time"][table["label_time"].notna()]).all()
    before = table[table["time"] < naive(world.now)]
    late = before["label_time"] >= naive(world.now)
    assert 0 < late.sum() < 0.05 * len(before)
    cancelled = table["label_time"].isna()
    assert table["label"][cancelled].isna().all()
    warehouse = Warehouse(world.contract, world.folder, world.now)
    seen = warehouse.predictions()
    known = int(seen.filter(seen[Role.LABEL].notnull()).count().to_pandas())
    assert known == int((before["label_time"] < naive(world.now)).sum())


def test_the_models_are_sane_in_the_clean_world(stage):
    """Ranked well, calibrated over the weeks, better than guessing; both arms alike."""
    from sklearn.metrics import roc_auc_score

    clean = stage.clean
    known = np.isfinite(clean.label)
    for arm in ("control", "treatment"):
        part = clean.take(known & (clean.arm == arm) & (clean.model == "late_arrival"))
        assert roc_auc_score(part.label, part.score) > 0.85
        assert 0.8 < aggregate("calibration", part.score, part.label) < 1.25
    part = clean.take(known & (clean.model == "arrival_delay"))
    error = aggregate("mae", part.score, part.label)
    assert error < 0.75 * np.abs(part.label - np.median(part.label)).mean()


def test_snapshots_serve_from_their_publish_to_the_next(world):
    """Each series in turn; the artifact gives back the logged predictions."""
    from bot.demo.nets import Net

    table = pd.read_parquet(world.folder / "snapshots.parquet").set_index("snapshot")
    served = log(world).groupby("snapshot")["time"].agg(["min", "max"])
    for name, (first, last) in served.iterrows():
        assert first >= table.loc[name, "published"] - pd.Timedelta(minutes=1)
        later = table[
            (table["model"] == table.loc[name, "model"])
            & (table["arm"] == table.loc[name, "arm"])
            & (table["published"] > table.loc[name, "published"])
        ]["published"]
        if len(later):
            assert last <= later.min()
    name = world.served.snapshot[0]
    net = Net.load(world.folder / table.loc[name, "artifact"])
    rows = world.served.take(world.served.snapshot == name)
    assert np.allclose(net.score(world.served.log.inputs[rows.row]), rows.score)


def test_no_file_of_the_world_tells_the_truth(world):
    """The walk can only find it out."""
    told = world.truth.told.encode()
    for file in world.folder.rglob("*"):
        if file.is_file():
            assert told not in file.read_bytes(), file
    assert b"truth" not in (world.folder / "hawkeye.toml").read_bytes()


def test_the_same_seed_builds_the_same_world(world, home):
    """Byte for byte, from the cache or not."""
    again = build(NAME, SEED, home / "again", cache=home / "cache")
    assert (again.truth, again.alert, again.now) == (world.truth, world.alert, world.now)
    for file in ("predictions", "runs", "infra", "training", "snapshots"):
        name = f"{file}.parquet"
        assert (home / "again" / name).read_bytes() == (world.folder / name).read_bytes(), file


def test_a_rerun_of_the_broken_node_heals_what_follows_and_nothing_before(mine):
    """After it the world serves what the clean one would; the log until then is the same."""
    before, at = log(mine), mine.now + timedelta(hours=1)
    assert "predictions an hour" in mine.dry_run("rerun_node", {"name": mine.fault.node}, at)
    pd.testing.assert_frame_equal(log(mine), before)
    mine.apply("rerun_node", {"kind": "upstream", "name": mine.fault.node}, at)
    after, edge = log(mine), naive(at)
    pd.testing.assert_frame_equal(after[after["time"] < edge], before[before["time"] < edge])
    late = after["time"] >= edge
    clean = mine.stage.clean
    follows = clean.take(clean.time >= int(at.timestamp() // 60) + 1)
    same = np.isclose(after["prediction"][late].to_numpy()[-len(follows) :], follows.score)
    trained_since = after["snapshot"][late].nunique()
    assert same.mean() > 0.3
    assert trained_since >= 3
    assert not np.allclose(before["prediction"][late], after["prediction"][late])


def test_a_rerun_of_another_node_changes_no_prediction(mine):
    """Only the cause heals."""
    before, at = log(mine), mine.now + timedelta(hours=1)
    mine.apply("rerun_node", {"name": "training_set"}, at)
    pd.testing.assert_frame_equal(log(mine), before)


def test_a_rollback_serves_the_snapshot_before(mine):
    """From then on the series stays on it."""
    at = mine.now + timedelta(hours=1)
    rows = log(mine)
    newest = rows[(rows["time"] < naive(at)) & (rows["arm"] == "treatment")].iloc[-1]["snapshot"]
    registry = pd.read_parquet(mine.folder / "snapshots.parquet").set_index("snapshot")
    words = mine.dry_run("rollback", {"kind": "snapshot", "name": newest}, at)
    assert registry.loc[newest, "parent"] in words
    mine.apply("rollback", {"kind": "snapshot", "name": newest}, at)
    after = log(mine)
    later = after[(after["time"] >= naive(at)) & (after["arm"] == "treatment")]
    assert set(later["snapshot"]) == {registry.loc[newest, "parent"]}


def test_an_arm_at_zero_serves_nothing_more(mine):
    """All traffic goes to the other arm; no flight is lost."""
    before, at = log(mine), mine.now + timedelta(hours=1)
    mine.apply("arm_to_zero", {"kind": "arm", "name": "wider_net/treatment"}, at)
    after = log(mine)
    later = after[(after["time"] >= naive(at)) & (after["model"] == "late_arrival")]
    assert set(later["arm"]) == {"control"}
    assert len(after) == len(before)
    arms = pd.read_parquet(mine.folder / "experiments.parquet")
    assert arms[arms["arm"] == "treatment"]["share"].tolist() == [0.5, 0.0]


@pytest.mark.parametrize(
    ("mitigation", "target", "words"),
    [
        ("rollback", {"name": "nobody"}, "No snapshot 'nobody'"),
        ("arm_to_zero", {"name": "wider_net/third"}, "no arm 'wider_net/third'"),
        ("rerun_node", {"name": "elsewhere"}, "no node 'elsewhere'"),
        ("reboot", {"name": "x"}, "there are rollback, arm_to_zero, rerun_node"),
    ],
)
def test_what_cannot_be_mitigated_says_why(world, mitigation, target, words):
    """And changes nothing."""
    with pytest.raises(CannotMitigate, match=words):
        world.dry_run(mitigation, target, world.now + timedelta(hours=1))


def test_the_past_cannot_be_changed(world):
    """Nor what lies beyond the timeline."""
    target = {"name": "weather_hourly"}
    with pytest.raises(CannotMitigate, match="outside what can still be changed"):
        world.dry_run("rerun_node", target, world.now - timedelta(days=20))
    with pytest.raises(CannotMitigate, match="outside what can still be changed"):
        world.dry_run("rerun_node", target, world.end + timedelta(hours=1))


def test_the_timeline_goes_on_long_enough_to_see_a_recovery(world):
    """At least a day and a half, and no temporary file is left behind."""
    assert isinstance(world, World)
    assert world.end - world.now >= timedelta(hours=36)
    assert not list(world.folder.glob(".*"))


def test_a_feature_at_its_default_is_that_in_every_request_from_then_on(mine):
    """Nothing before changes, and another mitigation afterwards leaves it off."""
    before, at = log(mine), mine.now + timedelta(hours=1)
    assert "its default, 55" in mine.dry_run("feature_default", {"name": "temp"}, at)
    mine.apply("feature_default", {"kind": "feature", "name": "temp"}, at)
    mine.apply("rerun_node", {"name": mine.fault.node}, at + timedelta(hours=1))
    after = log(mine)
    late = after["time"] >= naive(at)
    assert set(after["temp"][late]) == {55.0}
    assert not np.allclose(after["prediction"][late], before["prediction"][late])
    pd.testing.assert_frame_equal(after[~late], before[~late])
    with pytest.raises(CannotMitigate, match="'carrier' has no default"):
        mine.dry_run("feature_default", {"name": "carrier"}, at + timedelta(hours=2))
