"""Which node explains what it and those below it show."""

from __future__ import annotations

import pytest

from analysis.graph.lineage import Edge, Graph
from analysis.graph.rootcause import blame

EVEN = {"feed": 0.0, "sessions": 0.0, "stats": 0.0}
CHAIN = Graph.of([Edge("feed", "sessions"), Edge("sessions", "stats")])


def test_a_node_that_hardly_shows_does_not_explain_a_loud_one_below():
    """Twelve per cent more rows do not become ninety per cent fewer."""
    ill = {"feed": 3.3, "sessions": 27.0, "stats": -1.0}
    found = blame(CHAIN, ill, ill, EVEN)
    assert max(found, key=lambda n: found[n]) == "sessions"
    assert found["sessions"] > 0.8


@pytest.mark.parametrize("loud", [8.0, 12.0])
def test_of_nodes_as_ill_the_one_above_the_others_is_to_blame(loud):
    """It explains itself and them."""
    ill = dict.fromkeys(EVEN, loud)
    found = blame(CHAIN, ill, ill, EVEN)
    assert max(found, key=lambda n: found[n]) == "feed"


def test_a_node_of_which_nothing_is_recorded_explains_several_ill_ones_below():
    """It is not known how it looks; that all below it are ill at once speaks for it."""
    graph = Graph.of(Edge("source", name) for name in "abc")
    ill = {"source": 0.0, "a": 5.0, "b": 5.0, "c": 5.0}
    covers = {"source": 0.0, "a": -3.0, "b": -3.0, "c": -3.0}
    found = blame(graph, ill, ill, covers)
    assert found["source"] > 0.9
    healthy = blame(graph, ill | {"source": -2.0}, ill, covers)
    assert healthy["source"] < 0.1
