"""The synthetic incidents hold what they promise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.scenarios import FAULTS, INPUT_FAULTS, Options, plant
from analysis.warehouse import Warehouse, naive

SMALL = Options(rows_per_day=300, days=8)


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_every_fault_writes_tables_that_the_contract_describes(fault, tmp_path):
    """Each table named by the contract can be read and the log has rows on both sides."""
    planted = plant(fault, 0, tmp_path, SMALL)
    warehouse = Warehouse(planted.contract, planted.root, planted.scope.now)
    log = warehouse.fetch(warehouse.predictions().select("_time", "_model", "_prediction"))
    onset = naive(planted.truth.onset)
    assert (log["_time"] < onset).sum() > 500
    assert (log["_time"] >= onset).sum() > 50
    for name in ("infra", "snapshots", "lineage", "runs", "training"):
        assert int(warehouse.table(name).count().to_pandas()) > 0
    assert set(planted.truth.path) >= {"real"}


def test_the_same_seed_gives_the_same_log_and_another_seed_another(tmp_path):
    """A scenario can be told again from its name and seed."""
    paths = [tmp_path / n for n in "abc"]
    for path, seed in zip(paths, (3, 3, 4), strict=True):
        plant("unit_change", seed, path, SMALL)
    logs = [pd.read_parquet(p / "predictions.parquet") for p in paths]
    pd.testing.assert_frame_equal(logs[0], logs[1])
    assert len(logs[0]) != len(logs[2])


@pytest.mark.parametrize("fault", INPUT_FAULTS)
def test_input_faults_leave_other_features_and_the_past_alone(fault, tmp_path):
    """Against the clean twin of the same seed, only the planted features differ, since onset."""
    planted = plant(fault, 1, tmp_path / "a", Options(rows_per_day=300, days=8, dose=1.0))
    log = pd.read_parquet(tmp_path / "a" / "predictions.parquet")
    late = log["time"] >= naive(planted.truth.onset)
    assert planted.truth.features
    if fault in ("nulls", "join_nulls"):
        assert log.loc[late, planted.truth.features[0]].isna().all()
        assert log.loc[~late, planted.truth.features[0]].notna().mean() > 0.9
    assert log.loc[~late, "battery"].notna().all()
    assert np.isfinite(log["prediction"]).all()


def test_a_shuffled_join_leaves_the_marginal_as_it_was(tmp_path):
    """The values are a permutation: no univariate view can see it."""
    o = Options(rows_per_day=600, days=8, dose=1.0, features=("distance",))
    planted = plant("shuffled", 2, tmp_path, o)
    log = pd.read_parquet(tmp_path / "predictions.parquet")
    late = log["time"] >= naive(planted.truth.onset)
    before, after = log.loc[~late], log.loc[late]
    assert abs(before["distance"].median() / after["distance"].median() - 1) < 0.1
    tied = np.corrcoef(before["distance"], before["seats"])[0, 1]
    assert tied > 0.15 > abs(np.corrcoef(after["distance"], after["seats"])[0, 1])


def test_a_team_without_extras_has_only_the_log(tmp_path):
    """Labels, arms, snapshots, lineage, infra and training can each be absent."""
    o = Options(
        labels=False, arms=False, snapshots=False, lineage=False, infra=False, rows_per_day=300
    )
    planted = plant("nulls", 0, tmp_path, o)
    warehouse = Warehouse(planted.contract, planted.root, planted.scope.now)
    assert not warehouse.has_labels
    assert not any(warehouse.has(t) for t in ("infra", "snapshots", "lineage", "training"))
    assert planted.truth.kind == "feature"
