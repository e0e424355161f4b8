"""The deepest ill node above all suspects is named; benign failures elsewhere are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pytest

from analysis.evidence import CannotExamine, Onset, Suspect
from analysis.scenarios import INPUT_FAULTS, Options, plant
from analysis.upstream import which_upstream
from analysis.warehouse import Warehouse
from tests.analysis import logs

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
    assert "no runs recorded" in evidence.headline
    assert "as usual" not in evidence.headline


def test_runs_that_nobody_records_do_not_speak_for_the_features(tmp_path):
    """A suspicion as weak as 0.6 stays one where no run could have shown a trace."""
    planted = plant("nulls", 1, tmp_path, SMALL)
    contract = planted.contract.model_copy(update={"runs": None})
    warehouse = Warehouse(contract, planted.root, planted.scope.now)
    evidence = which_upstream(warehouse, replace(planted.at("upstream"), belief=0.6))
    assert evidence.verdict == "feature_only"
    assert evidence.figures["p_nothing"] == pytest.approx(0.4)


def test_without_a_suspect_feature_the_person_is_asked(tmp_path):
    """There is no place to start from."""
    planted = plant("none", 1, tmp_path, SMALL)
    warehouse = Warehouse(planted.contract, planted.root, planted.scope.now)
    with pytest.raises(CannotExamine, match="features first"):
        which_upstream(warehouse, planted.at("upstream"))


def two_nodes(folder, second_changes, of_second=0.4):
    """Evidence on f from node a and g from node b; a has a new version since the onset."""
    frame = logs.log(0)
    frame["g"] = frame["f"]
    edges = [("a", "store", "f", "f"), ("b", "store", "g", "g")]
    names = ["upstream", "downstream", "upstream_column", "downstream_column"]
    pd.DataFrame(edges, columns=names).to_parquet(folder / "lineage.parquet", index=False)
    begin = logs.ONSET.replace(tzinfo=None)
    hours = pd.date_range(begin - timedelta(days=10), periods=248, freq="h")
    runs = pd.concat(pd.DataFrame({"node": n, "time": hours, "version": "1"}) for n in "ab")
    changed = ["a", "b"] if second_changes else ["a"]
    runs.loc[(runs["time"] >= begin) & runs["node"].isin(changed), "version"] = "2"
    runs.to_parquet(folder / "runs.parquet", index=False)
    tables = {
        "lineage": {"source": "lineage.parquet", **{n: n for n in names[2:]}},
        "runs": {"source": "runs.parquet", "time": "time", "version": "version"},
    }
    warehouse = logs.warehouse(folder, frame, **tables)
    suspects = (Suspect("feature", "f", 1 - of_second), Suspect("feature", "g", of_second))
    half = timedelta(minutes=30)
    onset = Onset(logs.ONSET, logs.ONSET - half, logs.ONSET + half)
    return which_upstream(warehouse, replace(logs.scope(), suspects=suspects, onset=onset))


def test_two_nodes_that_broke_at_once_are_both_named(tmp_path):
    """Neither feeds the other's feature, and both changed just then."""
    evidence = two_nodes(tmp_path, second_changes=True)
    assert evidence.verdict == "upstream"
    assert {s.name for s in evidence.named} == {"a", "b"}


def test_a_broken_feature_of_no_weight_needs_a_node_that_broke_as_well(tmp_path):
    """It was handed on because its values certainly broke, not for its share."""
    evidence = two_nodes(tmp_path, second_changes=True, of_second=0.001)
    assert {s.name for s in evidence.named} == {"a", "b"}


@pytest.mark.parametrize(("share", "named"), [(0.4, {"a", "b"}), (0.05, {"a"})])
def test_a_node_without_a_trace_is_named_beside_another_for_a_feature_that_counts(
    tmp_path, share, named
):
    """Something above it changed, and no job did; a small part may be the other feature's doing."""
    evidence = two_nodes(tmp_path, second_changes=False, of_second=share)
    assert {s.name for s in evidence.named if s.kind == "upstream"} == named


def released(folder, *nodes):
    """Evidence on g, which c makes from b and b from a; these nodes have a new version."""
    edges = [("a", "b"), ("b", "c"), ("c", "store")]
    lineage = pd.DataFrame(edges, columns=["upstream", "downstream"])
    lineage["downstream_column"] = [None, None, "f"]
    lineage.to_parquet(folder / "lineage.parquet", index=False)
    begin = logs.ONSET.replace(tzinfo=None)
    hours = pd.date_range(begin - timedelta(days=20), periods=488, freq="h")
    runs = pd.concat(pd.DataFrame({"node": n, "time": hours, "version": "1"}) for n in "abc")
    runs.loc[(runs["time"] >= begin) & runs["node"].isin(nodes), "version"] = "2"
    runs.to_parquet(folder / "runs.parquet", index=False)
    column = {"downstream_column": "downstream_column"}
    tables = {
        "lineage": {"source": "lineage.parquet", **column},
        "runs": {"source": "runs.parquet", "time": "time", "version": "version"},
    }
    warehouse = logs.warehouse(folder, logs.log(0), **tables)
    half = timedelta(minutes=30)
    onset = Onset(logs.ONSET, logs.ONSET - half, logs.ONSET + half)
    scope = replace(logs.scope(), suspects=(Suspect("feature", "f", 1.0),), onset=onset)
    return which_upstream(warehouse, scope)


def test_two_releases_of_which_one_feeds_the_other_are_both_named(tmp_path):
    """What a node got may explain its rows, but not its own new version."""
    evidence = released(tmp_path, "a", "c")
    assert {s.name for s in evidence.named} == {"a", "c"}
    assert "a feeds c" in evidence.headline


def test_a_release_is_the_nodes_own_and_accuses_nothing_above_it(tmp_path):
    """Rows that fail may come from upstream; a new version of the job does not."""
    evidence = released(tmp_path, "c")
    assert [s.name for s in evidence.named] == ["c"]
    assert evidence.confidence > 0.7


@pytest.mark.parametrize("nodes", ["a", "abc"])
def test_one_release_alone_or_one_that_carried_all_names_no_pair(tmp_path, nodes):
    """A release of everything at once says nothing about which of it broke."""
    evidence = released(tmp_path, *nodes)
    assert {s.name for s in evidence.named} == set(nodes)
    assert ("I can't tell which" in evidence.headline) == (len(nodes) > 1)
    assert "Two nodes" not in evidence.headline
