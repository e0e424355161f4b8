"""The deepest ill node above all suspects is named; benign failures elsewhere are not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.evidence import CannotExamine
from analysis.scenarios import INPUT_FAULTS, Options, plant
from analysis.upstream import which_upstream
from analysis.warehouse import Warehouse

SMALL = Options(rows_per_day=150, days=10)


def look(fault, seed, folder, options=SMALL, without_runs=False):
    """The evidence of the node on a planted incident, and the truth."""
    planted = plant(fault, seed, folder, options)
    contract = planted.contract
    if without_runs:
        contract = contract.model_copy(update={"runs": None})
    warehouse = Warehouse(contract, planted.root, planted.scope.now)
    return which_upstream(warehouse, planted.at("upstream")), planted.truth


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("fault", INPUT_FAULTS)
def test_the_node_that_broke_is_named(fault, seed, tmp_path):
    """Benign failures in other nodes are part of every one of these worlds."""
    evidence, truth = look(fault, seed, tmp_path)
    assert evidence.verdict == "upstream"
    assert evidence.named[0].name in truth.names
    assert evidence.charts


def test_without_a_lineage_the_trail_ends_at_the_features(tmp_path):
    """The features themselves are handed on."""
    evidence, truth = look("nulls", 1, tmp_path, replace(SMALL, lineage=False))
    assert evidence.verdict == "feature_only"
    assert {s.name for s in evidence.named} == set(truth.features)


def test_without_runs_nothing_upstream_is_accused(tmp_path):
    """A lineage alone says what could be the cause, not what is."""
    evidence, _ = look("nulls", 1, tmp_path, without_runs=True)
    assert evidence.verdict == "feature_only"
    assert any("runs" in m for m in evidence.not_examined)


def test_without_a_suspect_feature_the_person_is_asked(tmp_path):
    """There is no place to start from."""
    planted = plant("none", 1, tmp_path, SMALL)
    warehouse = Warehouse(planted.contract, planted.root, planted.scope.now)
    with pytest.raises(CannotExamine, match="features first"):
        which_upstream(warehouse, planted.at("upstream"))
