"""Inside the model: diverged trainings, changed serving, and neither."""

from __future__ import annotations

import json
from dataclasses import replace

import pandas as pd
import pytest

from analysis.evidence import CannotExamine, Suspect
from analysis.inside import look_inside
from analysis.scenarios import Options, plant
from analysis.warehouse import Warehouse
from state.hawkeye import TREE

SMALL = Options(rows_per_day=900, days=17)


def look(fault, seed, folder, change=None, snapshot=None):
    """The evidence of the node; ``change`` edits the registry's row of the suspect."""
    planted = plant(fault, seed, folder, SMALL)
    name = snapshot or planted.truth.snapshot
    if change is not None:
        path = folder / "snapshots.parquet"
        frame = pd.read_parquet(path)
        row = frame.index[frame["snapshot"] == name][0]
        for column, value in change(frame.loc[row]).items():
            frame.loc[row, column] = value
        frame.to_parquet(path, index=False)
    scope = planted.at("inside")
    if snapshot:
        scope = replace(scope, suspects=(*scope.suspects, Suspect("snapshot", snapshot, 1.0)))
    return look_inside(Warehouse(planted.contract, planted.root, planted.scope.now), scope)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_diverged_training_shows_in_curve_or_weights(seed, tmp_path):
    """The snapshot's training is to blame."""
    evidence = look("diverged", seed, tmp_path)
    assert evidence.verdict == "snapshot"
    assert evidence.charts


def test_a_loss_that_is_no_number_is_said_with_its_step(tmp_path):
    """NaN in the curve is decisive."""

    def broken(row):
        curve = json.loads(row["curve"])
        for point in curve[10:]:
            point["valid_loss"] = None
            point["train_loss"] = None
        return {"curve": json.dumps(curve)}

    evidence = look("diverged", 1, tmp_path, broken)
    assert evidence.verdict == "snapshot"
    assert "not a number" in evidence.headline


def test_a_module_with_wild_weights_is_named(tmp_path):
    """The module whose weights grew is among the suspects."""

    def broken(row):
        weights = json.loads(row["weights"])
        for name in ("norm", "std", "max"):
            weights["cross"][name] *= 40
        return {"weights": json.dumps(weights)}

    evidence = look("unit_change", 1, tmp_path, broken, snapshot="delay-3")
    assert evidence.verdict == "snapshot"
    assert "cross" in [s.name for s in evidence.suspects if s.kind == "module"]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_usual_snapshot_is_fine_inside(seed, tmp_path):
    """A good curve and usual weights accuse nobody."""
    evidence = look("unit_change", seed, tmp_path, snapshot="delay-3")
    assert evidence.verdict == "fine"


def test_a_snapshot_of_which_nothing_is_recorded_is_not_fine_for_that(tmp_path):
    """Without curve, weights and artifact its inside is unknown, and says so."""

    def bare(_):
        return {"curve": None, "weights": None}

    with pytest.raises(CannotExamine, match="the registry has none"):
        look("unit_change", 1, tmp_path, bare, snapshot="delay-3")


def test_a_snapshot_that_nobody_can_look_into_stays_the_suspect():
    """Its answers accuse it: the walk ends there, and does not clear it and go on."""
    assert TREE.node("inside").blind == "snapshot"
    assert TREE.node("inside_model").blind == "fine"


def test_changed_serving_is_described_as_a_line_on_the_old_answers(tmp_path):
    """Post-processing that changed without a publish: which arm, and how."""
    evidence = look("serving_change", 2, tmp_path)
    assert evidence.verdict == "model"
    assert {s.kind for s in evidence.named} == {"arm", "model"}
    assert "× old" in evidence.headline


def test_unchanged_serving_is_fine(tmp_path):
    """Broken inputs do not make the model guilty."""
    assert look("nulls", 3, tmp_path).verdict == "fine"


def test_an_unknown_snapshot_can_not_be_examined(tmp_path):
    """The message names it."""
    with pytest.raises(CannotExamine, match="ghost"):
        look("none", 1, tmp_path, snapshot="ghost")
