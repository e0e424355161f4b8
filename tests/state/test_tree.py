"""A tree that contradicts itself is refused where it is written down."""

from dataclasses import replace

import pytest

from state.hawkeye import TREE
from state.tree import AGAIN, Branch, BrokenTree, Example, Exit
from tests.state.toys import TOY, node


def test_a_branch_to_nowhere_is_refused_by_name():
    """The error names the node, the verdict and the missing target."""
    bad = node("real", Branch("yes", "nowhere", "Yes"))
    with pytest.raises(BrokenTree, match=r"'real'.*'yes'.*'nowhere'"):
        replace(TOY, nodes=(bad, *TOY.nodes[1:]))


def test_a_node_that_nothing_leads_to_is_refused():
    """An orphan would never be asked."""
    with pytest.raises(BrokenTree, match="'orphan'"):
        replace(TOY, nodes=(*TOY.nodes, node("orphan", Branch("no", "unknown", "No"))))


def test_a_verdict_declared_twice_is_refused():
    """A click must mean one thing."""
    bad = node("real", Branch("yes", "which", "A"), Branch("yes", "noise", "B"))
    with pytest.raises(BrokenTree, match="twice"):
        replace(TOY, nodes=(bad, *TOY.nodes[1:]))


def test_a_node_that_only_looks_again_is_refused():
    """The walk would go round without a person."""
    bad = node("recovery", Branch("watching", AGAIN, "Watch"))
    with pytest.raises(BrokenTree, match="go on"):
        replace(TOY, nodes=(*TOY.nodes[:3], bad))


def test_an_example_of_a_verdict_that_does_not_exist_is_refused():
    """Examples are tests; they must be able to pass."""
    bad = replace(TOY.nodes[0], examples=(Example("nulls", "perhaps"),))
    with pytest.raises(BrokenTree, match="perhaps"):
        replace(TOY, nodes=(bad, *TOY.nodes[1:]))


def test_two_things_of_one_name_are_refused():
    """A branch's target must be one thing."""
    with pytest.raises(BrokenTree, match="declared 2 times"):
        replace(TOY, exits=(*TOY.exits, Exit("why", "why", "Why", "why")))


def test_a_team_puts_a_node_of_its_own_on_a_branch():
    """The branch leads to the new node, which leads on."""
    mine = node("mine", Branch("go on", "why", "Go on"))
    tree = TOY.with_node(mine, after="which", on="these")
    assert tree.node("which").branch("these").to == "mine"
    assert tree.node("mine").branch("go on").to == "why"
    with pytest.raises(BrokenTree, match="no verdict 'never'"):
        TOY.with_node(mine, after="which", on="never")


def test_depth_counts_the_longest_way_to_an_exit():
    """real, which, why."""
    assert TOY.depth("real") == 3
    assert TOY.depth("why") == 1
    assert TOY.depth("unknown") == 0


def test_the_shipped_walk_is_about_six_questions_long():
    """What the first message says; fewer when an answer ends it early."""
    assert TREE.depth("real") == 6
    assert TREE.depth("features") == 2
