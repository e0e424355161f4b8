"""Bad training data are found; usual ones are called fine."""

from __future__ import annotations

import pandas as pd
import pytest

from analysis.evidence import CannotExamine
from analysis.scenarios import Options, plant
from analysis.training.rows import day_of
from analysis.training_data import what_was_it_trained_on
from analysis.warehouse import Warehouse

SMALL = Options(rows_per_day=600, days=17)


def look(fault, seed, folder, options=SMALL, change=None):
    """The evidence of the node on a planted incident; ``change`` edits the training table."""
    planted = plant(fault, seed, folder, options)
    if change is not None:
        path = folder / "training.parquet"
        change(pd.read_parquet(path), planted.truth.snapshot).to_parquet(path, index=False)
    warehouse = Warehouse(planted.contract, planted.root, planted.scope.now)
    return what_was_it_trained_on(warehouse, planted.at("training_data")), planted.truth


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_corrupted_labels_are_found(seed, tmp_path):
    """Labels that were overwritten or swapped no longer go with features or with the past."""
    evidence, _ = look("corrupted_labels", seed, tmp_path)
    assert evidence.verdict == "training_data"
    assert evidence.named[0].name == "label"


@pytest.mark.parametrize("seed", [1, 2])
def test_missing_partitions_are_listed(seed, tmp_path):
    """What earlier snapshots had at the same age is missed by name."""
    evidence, _ = look("missing_partition", seed, tmp_path)
    assert evidence.verdict == "training_data"
    assert any("/partner" in s.name for s in evidence.named)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_usual_training_data_are_fine(seed, tmp_path):
    """A training that diverged did so on good data."""
    evidence, _ = look("diverged", seed, tmp_path)
    assert evidence.verdict == "fine"
    assert evidence.named == ()


def test_a_feature_that_was_null_in_training_is_named(tmp_path):
    """Nulls against earlier snapshots."""

    def without(frame, snapshot):
        frame.loc[frame["snapshot"] == snapshot, "queue"] = None
        return frame

    evidence, _ = look("diverged", 1, tmp_path, change=without)
    assert evidence.verdict == "training_data"
    assert "queue" in [s.name for s in evidence.named]


def test_a_snapshot_without_training_rows_can_not_be_examined(tmp_path):
    """The message names the snapshot and what is needed."""

    def without(frame, snapshot):
        return frame[frame["snapshot"] != snapshot]

    with pytest.raises(CannotExamine, match="earlier snapshot"):
        look("diverged", 1, tmp_path, change=without)


def test_without_a_suspect_the_person_is_asked_for_one(tmp_path):
    """There is nothing to look at before a snapshot is confirmed."""
    planted = plant("none", 0, tmp_path, SMALL)
    warehouse = Warehouse(planted.contract, planted.root, planted.scope.now)
    with pytest.raises(CannotExamine, match="choose one"):
        what_was_it_trained_on(warehouse, planted.at("training_data"))


@pytest.mark.parametrize(
    ("name", "day", "rest"),
    [
        ("2024-03-01/web", "2024-03-01", "/web"),
        ("ds=20240301", "2024-03-01", "ds="),
        ("2024/03/01", "2024-03-01", ""),
        ("part-7", None, "part-7"),
        ("2024-13-45", None, "2024-13-45"),
    ],
)
def test_the_day_is_read_from_a_partitions_name(name, day, rest):
    """Dates in several styles; what is no date is left alone."""
    found = day_of(name)
    assert (str(found[0]) if found[0] else None, found[1]) == (day, rest)
