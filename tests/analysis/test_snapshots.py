"""Bad snapshots are caught, benign publishes are not accused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analysis.evidence import Onset, Suspect
from analysis.scenarios import Options, plant
from analysis.snapshots import which_snapshot
from analysis.warehouse import Warehouse

SMALL = Options(rows_per_day=900, days=12)


def look(fault, seed, folder, options=SMALL):
    """The evidence of the snapshot node, nothing confirmed yet but the model; and the truth."""
    planted = plant(fault, seed, folder, options)
    scope = planted.at("snapshot")
    known = tuple(s for s in scope.suspects if s.kind != "snapshot")
    warehouse = Warehouse(planted.contract, planted.root, planted.scope.now)
    return which_snapshot(warehouse, replace(scope, suspects=known)), planted.truth


@pytest.mark.parametrize("fault", ["corrupted_labels", "diverged", "missing_partition"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_bad_snapshot_is_named(fault, seed, tmp_path):
    """The publish coincides and the same inputs get other answers."""
    evidence, truth = look(fault, seed, tmp_path)
    assert evidence.verdict == "snapshot"
    assert evidence.named[0].name == truth.snapshot
    assert evidence.named[0].since is not None


@pytest.mark.parametrize("fault", ["unit_change", "stale", "serving_change", "hidden_factor"])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_benign_publish_near_the_onset_is_not_accused(fault, seed, tmp_path):
    """A snapshot that answers as the one before did nothing, however near it went live."""
    evidence, _ = look(fault, seed, tmp_path, replace(SMALL, near_publish=True))
    assert evidence.verdict in ("not_snapshot", "unsure")
    assert evidence.named == () or evidence.verdict == "unsure"


def test_of_a_publish_after_it_began_no_more_is_said(tmp_path):
    """What its answers are is beside the point."""
    planted = plant("stale", 1, tmp_path, replace(SMALL, near_publish=True))
    scope = planted.at("snapshot")
    at = scope.onset.at - timedelta(hours=18)
    onset = Onset(at, at - timedelta(minutes=20), at + timedelta(minutes=20))
    window = replace(scope.window, start=at)
    models = tuple(s for s in scope.suspects if s.kind == "model")
    warehouse = Warehouse(planted.contract, planted.root, scope.now)
    asked = replace(scope, onset=onset, window=window, suspects=models)
    evidence = which_snapshot(warehouse, asked)
    assert evidence.verdict == "not_snapshot"
    assert "went live only" in evidence.headline
    assert evidence.headline.endswith("hours after it began.")


def test_no_publish_near_the_onset_is_no_snapshot(tmp_path):
    """The headline says when the latest went live."""
    evidence, _ = look("unit_change", 3, tmp_path)
    assert evidence.verdict == "not_snapshot"
    assert evidence.confidence > 0.9
    assert "latest went live" in evidence.headline


def test_without_a_snapshot_column_the_verdict_says_what_is_missing(tmp_path):
    """Nothing can be attributed: nobody is accused, and snapshots are not ruled out."""
    evidence, _ = look("unit_change", 1, tmp_path, replace(SMALL, snapshots=False))
    assert evidence.verdict == "unsure"
    assert evidence.named == ()
    assert "neither the log nor a registry" in evidence.headline
    assert any("no such column" in m for m in evidence.not_examined)


def test_without_labels_the_answers_alone_decide(tmp_path):
    """A snapshot whose answers moved far is found before any label has come."""
    evidence, truth = look("corrupted_labels", 1, tmp_path, replace(SMALL, labels=False))
    assert evidence.verdict == "snapshot"
    assert evidence.named[0].name == truth.snapshot
    assert any("labels" in m for m in evidence.not_examined)


def test_a_bad_snapshot_that_answers_with_classes_is_named(tmp_path):
    """Its answers are held against the old ones' as one class against the rest."""
    planted = plant("corrupted_labels", 1, tmp_path, SMALL)
    source, column = planted.contract.predictions.source, planted.contract.predictions.prediction
    frame = pd.read_parquet(planted.root / source)
    frame[column] = np.digitize(frame[column], frame[column].quantile([0.4, 0.8]))
    frame.to_parquet(planted.root / source, index=False)
    models = tuple(m.model_copy(update={"task": "multiclass"}) for m in planted.contract.models)
    contract = planted.contract.model_copy(update={"models": models})
    scope = planted.at("snapshot")
    known = tuple(s for s in scope.suspects if s.kind != "snapshot")
    warehouse = Warehouse(contract, planted.root, planted.scope.now)
    evidence = which_snapshot(warehouse, replace(scope, suspects=known))
    assert evidence.verdict == "snapshot"
    assert evidence.named[0].name == planted.truth.snapshot


def test_a_model_that_published_nothing_speaks_for_a_common_cause(tmp_path):
    """A snapshot explains its own model; that another got worse as well is left over."""
    planted = plant("corrupted_labels", 1, tmp_path, SMALL)
    scope = planted.at("snapshot")
    mine = tuple(s for s in scope.suspects if s.kind != "snapshot")
    warehouse = Warehouse(planted.contract, planted.root, planted.scope.now)
    alone = which_snapshot(warehouse, replace(scope, suspects=mine))
    other = Suspect("model", "another", 0.95)
    both = which_snapshot(warehouse, replace(scope, suspects=(*mine, other)))
    assert both.suspects[0].name == alone.suspects[0].name
    assert both.suspects[0].score < alone.suspects[0].score
