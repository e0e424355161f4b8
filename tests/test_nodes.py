"""One contract suite for every node, built-in or a plugin's."""

from dataclasses import replace
from functools import cache

import pytest

from analysis.evidence import CannotExamine, Evidence
from analysis.scenarios import FAULTS, Options, plant
from analysis.warehouse import Warehouse
from bot.headless import walk
from bot.plugins import tree as wanted_tree
from bot.report import Report, report
from state.events import Opened
from state.incident import Alert, Incident
from state.tree import AGAIN

TREE = wanted_tree()
EXAMPLES = [(n.name, e.fault, e.verdict) for n in TREE.nodes for e in n.examples]
SEED = 31


def _foreseen(name: str, verdict: str) -> bool:
    """Whether what follows was computed beside the node's check."""
    node = TREE.node(name)
    return node.beside and node.branch(verdict).to == node.branch(node.blind).to


FORESEEN = [(name, fault) for name, fault, verdict in EXAMPLES if _foreseen(name, verdict)]


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """Teams with planted faults that nobody could miss, each made once."""
    clear = Options(dose=1.0, rows_per_day=1500)
    return cache(lambda fault: plant(fault, SEED, tmp_path_factory.mktemp(fault), clear))


@pytest.fixture(scope="module")
def looked(planted):
    """Evidence of a node on a fault, as somebody who was right so far would come to it."""

    @cache
    def look(node, fault):
        team = planted(fault)
        scope = team.at(node.removesuffix("_model").removesuffix("_feature"))
        return TREE.node(node).check(Warehouse(team.contract, team.root, scope.now), scope)

    return look


def test_every_example_names_a_fault_that_can_be_planted():
    """The tree and the scenarios speak the same language."""
    assert {fault for _, fault, _ in EXAMPLES} <= set(FAULTS)
    assert len(EXAMPLES) >= 12


@pytest.mark.parametrize(("node", "fault", "verdict"), EXAMPLES)
def test_a_node_comes_to_the_verdict_of_its_example(looked, node, fault, verdict):
    """What was planted is what it says."""
    evidence = looked(node, fault)
    assert evidence.verdict == verdict, evidence.headline


@pytest.mark.parametrize(("node", "fault", "verdict"), EXAMPLES)
def test_every_step_says_what_it_saw(looked, node, fault, verdict):
    """A sentence, a chart with words, how it was computed; never a verdict without a branch."""
    evidence = looked(node, fault)
    assert isinstance(evidence, Evidence)
    branch = TREE.node(node).branch(evidence.verdict)
    assert branch is not None
    assert branch.to != AGAIN
    assert 10 < len(evidence.headline) <= 400, evidence.headline
    assert evidence.how.method
    assert evidence.charts
    assert all(len(chart.alt) > 20 for chart in evidence.charts)
    assert len(evidence.named) <= len(evidence.suspects)


@pytest.mark.parametrize(("node", "fault"), FORESEEN)
def test_what_is_computed_beside_a_check_needs_nothing_that_it_finds(looked, planted, node, fault):
    """Neither suspects nor another onset: the next scope is the one that was foreseen."""
    evidence = looked(node, fault)
    assert evidence.named == ()
    assert evidence.onset in (None, planted(fault).at(node).onset)


@pytest.mark.parametrize("node", [n.name for n in TREE.nodes])
def test_a_node_without_its_data_says_so_in_a_sentence(planted, node):
    """A log without labels, arms, snapshots, lineage, in a window without rows."""
    team = planted("none")
    extras = ("infra", "snapshots", "experiments", "lineage", "runs", "training")
    bare = team.contract.model_copy(update=dict.fromkeys(extras))
    scope = team.scope
    later = replace(
        scope,
        now=scope.now.replace(year=scope.now.year + 3),
        window=scope.window.shifted(scope.now.replace(year=scope.now.year + 3) - scope.now),
    )
    try:
        said = TREE.node(node).check(Warehouse(bare, team.root, later.now), later)
    except CannotExamine as error:
        said = str(error)
    if isinstance(said, str):
        assert len(said) > 20
    else:
        assert TREE.node(node).branch(said.verdict) is not None


def test_a_whole_walk_ends_at_what_was_planted_in_the_documented_form(planted):
    """What `hawkeye triage --auto --json` prints validates against its schema."""
    team = planted("corrupted_labels")
    scope = team.scope
    alert = Alert("test", "k", scope.entry, scope.subject, "test", scope.window.start)

    def check(node, scope):
        return TREE.node(node).check(Warehouse(team.contract, team.root, scope.now), scope)

    opened = Opened(scope.now, TREE.start(scope.entry), scope)
    walked = walk(Incident("HE-0", alert, scope.now, 2), opened, TREE, check)
    found = Report.model_validate(report(walked, ()))
    assert found.conclusion.kind == "training_data"
    assert found.path[0].node == "real"
