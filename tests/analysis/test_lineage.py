"""The lineage as a graph: columns are followed where edges name them."""

from __future__ import annotations

from analysis.graph.lineage import Edge, Graph

GRAPH = Graph.of(
    [
        Edge("feed", "hourly"),
        Edge("feed", "report"),
        Edge("raw", "clean", "t", "temp"),
        Edge("other", "clean", "w", "wind"),
        Edge("clean", "inputs", "temp", "temp"),
        Edge("clean", "inputs", "wind", "wind"),
        Edge("hourly", "inputs", None, "rain"),
    ],
    {"feed": "weather"},
)


def test_a_features_column_is_followed_to_its_own_sources():
    """`temp` comes from `raw`, not from what makes `wind`."""
    assert set(GRAPH.of_feature("temp")) == {"clean", "raw"}
    assert set(GRAPH.of_feature("wind")) == {"clean", "other"}


def test_whole_nodes_are_followed_where_no_column_is_named():
    """Steps count from the feature."""
    assert GRAPH.of_feature("rain") == {"hourly": 1, "feed": 2}


def test_a_node_named_like_the_feature_will_do():
    """Lineages without columns often have a node per feature."""
    graph = Graph.of([Edge("a", "b"), Edge("b", "age")])
    assert graph.of_feature("age") == {"b": 1, "a": 2}


def test_an_unknown_feature_has_nothing_above_it():
    """No edge, no ancestors, no error."""
    assert GRAPH.of_feature("nobody") == {}


def test_a_circle_does_not_hang():
    """Lineages are supposed to be acyclic; this one is not."""
    graph = Graph.of([Edge("a", "b"), Edge("b", "a"), Edge("b", "x")])
    assert graph.above("x") == {"b": 1, "a": 2}
