"""Features of one feed are weighed together: what each shows a little is plain in all."""

import numpy as np
import pytest

from analysis.graph.lineage import Edge, Graph
from analysis.inputs.feeds import feeds, together
from analysis.inputs.suspicion import Finding, View, trace


def finding(name, now, seed, edge=None, shared=None):
    """A feature whose figure is so many standard deviations off; 25 earlier days."""
    rng = np.random.default_rng(seed)
    past = rng.normal(size=25) if shared is None else shared + 0.2 * rng.normal(size=25)
    rises = rng.normal(size=25)
    figures = np.append(now, past), np.append(now if edge is None else edge, rises)
    return Finding(name, 1.0, {"marginal": View(1.0, 0.5, trace=trace(*figures, now))})


@pytest.mark.parametrize("seed", range(5))
def test_what_each_feature_shows_a_little_is_plain_in_all(seed):
    """Five features 2.5 standard deviations off, each of which may be by chance."""
    five = [finding(f"f{i}", 2.5, 10 * seed + i) for i in range(5)]
    assert together(five).log_odds > 3
    assert together(five[:2]).log_odds < together(five).log_odds


def test_features_that_stray_together_by_themselves_are_one_witness():
    """Weather moves them all at once: five of them say what one says."""
    weather = np.random.default_rng(3).normal(size=25)
    five = [finding(f"f{i}", 2.0, i, shared=weather) for i in range(5)]
    assert together(five).log_odds < 2


def test_a_change_that_did_not_come_at_the_onset_speaks_against_a_fault():
    """The days differ, and across the onset nothing jumped."""
    five = [finding(f"f{i}", 3.0, i, edge=0.0) for i in range(5)]
    assert together(five).log_odds < 0


def test_one_loud_feature_does_not_speak_for_its_neighbours():
    """However far one is off, the mean of five moves by a fifth of a limit at most."""
    loud = [finding("f0", 40.0, 0), *(finding(f"f{i}", 0.0, i) for i in range(1, 12))]
    assert together(loud).log_odds < 2


def test_one_feature_alone_is_no_feed():
    """It has a verdict of its own."""
    assert together([finding("f", 5.0, 0)]) == View(0.0, 0.0)


def test_nodes_that_feed_the_same_features_are_one_feed():
    """Of a chain of nodes one stands for all; a node that feeds one feature is no feed."""
    edges = [
        Edge("source", "job"),
        Edge("job", "store", "a", "a"),
        Edge("job", "store", "b", "b"),
        Edge("other", "store", "c", "c"),
    ]
    found = feeds(Graph.of(edges), ["a", "b", "c"])
    assert list(found.values()) == [("a", "b")]
    assert set(found) <= {"source", "job"}
