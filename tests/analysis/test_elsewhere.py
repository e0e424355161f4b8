"""Nodes that broke in another metric than the one that the symptom shows in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.graph.callgraph import rank
from analysis.graph.hidden import FAILS, is_of, is_traffic
from analysis.graph.lineage import Edge, Graph
from tests.analysis.test_callgraph import services

SEEDS = range(3)


def beside(metrics, since, node, name, level, factor=1.0, seed=9):
    """Rows of another metric of a node, by ``factor`` off its level since the moment."""
    times = metrics.loc[metrics["node"] == "web", "time"]
    value = level * np.random.default_rng(seed).lognormal(0, 0.05, len(times))
    value = value * np.where(times >= since, factor, 1.0)
    return pd.DataFrame({"time": times, "node": node, "metric": name, "value": value})


def first(graph, metrics, since):
    """The first of the ranked."""
    found = rank(graph, metrics, "web", "ms", since)
    assert found.nobody < 0.5
    return found.ranked[0]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", ["cpu", "memory", "errors"])
def test_a_busy_node_whose_latency_is_not_measured_is_to_blame(seed, name):
    """What calls the database is slow, and of the database another metric is known."""
    graph, metrics, since = services(seed, "db")
    seen = metrics[metrics["node"] != "db"]
    calm = [beside(metrics, since, n, name, 30, seed=s) for s, n in enumerate(("cart", "auth"))]
    busy = beside(metrics, since, "db", name, 30, 2.5)
    found = first(graph, pd.concat([seen, *calm, busy]), since)
    assert (found.node, found.metric) == ("db", name)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_busy_node_that_is_not_slow_is_not_to_blame(seed):
    """The cart is slow by itself; the database works harder, and answers as ever."""
    graph, metrics, since = services(seed, "cart")
    busy = beside(metrics, since, "db", "cpu", 30, 2.5)
    assert first(graph, pd.concat([metrics, busy]), since).node == "cart"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_node_that_fails_at_once_slows_those_that_try_again(seed):
    """Its own latency falls, as failing is quick."""
    graph, metrics, since = services(seed, "db")
    late = metrics["time"] >= since
    metrics.loc[late & (metrics["node"] == "db"), "value"] /= 10
    fails = beside(metrics, since, "db", "errors", 0.01, 30)
    found = first(graph, pd.concat([metrics, fails]), since)
    assert (found.node, found.metric) == ("db", "errors")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_break_that_only_one_of_two_callers_shows_is_less_likely_the_cause(seed):
    """The cart is slow; the auth, which calls the database too, is as ever."""
    graph, metrics, since = services(seed, "cart")
    late = (metrics["time"] >= since) & (metrics["node"] == "auth")
    metrics.loc[late, "value"] *= 0.95
    seen = metrics[metrics["node"] != "db"]
    cpu = beside(metrics, since, "db", "cpu", 30, 1.25)
    assert first(graph, pd.concat([seen, cpu]), since).node == "cart"


@pytest.mark.parametrize("seed", SEEDS)
def test_load_that_rises_everywhere_is_no_break_of_one_node(seed):
    """The cpu of all nodes doubles, so that of a database without latency does not tell."""
    graph, metrics, since = services(seed, "cart")
    edges = [e for part in graph.into.values() for e in part]
    graph = Graph.of([*edges, Edge("store", "cart")])
    names = ["db", "cart", "auth", "mail", "web", "store", "a", "b", "c"]
    cpus = [beside(metrics, since, n, "cpu", 30, 2.0, seed=s) for s, n in enumerate(names)]
    assert first(graph, pd.concat([metrics, *cpus]), since).node == "cart"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_node_that_hardly_anything_reaches_any_more_still_counts(seed):
    """The database is slow, and a tenth of its calls come to an end."""
    graph, metrics, since = services(seed, "db")
    counts = [
        beside(metrics, since, n, "requests", 200, 0.1 if n == "db" else 1.0, seed=s)
        for s, n in enumerate(("db", "cart", "auth", "mail", "web"))
    ]
    assert first(graph, pd.concat([metrics, *counts]), since).node == "db"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_lone_spike_is_nobodys_fault(seed):
    """One point of twelve is ten times as high as usual."""
    graph, metrics, since = services(seed)
    at = sorted(metrics.loc[metrics["time"] >= since, "time"].unique())[4]
    metrics.loc[(metrics["time"] == at) & (metrics["node"] == "web"), "value"] *= 10
    assert rank(graph, metrics, "web", "ms", since).nobody > 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_many_breaks_above_a_usual_target_are_nobodys_fault(seed):
    """What is busy up there did not reach it."""
    graph, metrics, since = services(seed)
    busy = [
        beside(metrics, since, n, m, 30, 2.5) for n in ("db", "mail") for m in ("cpu", "errors")
    ]
    assert rank(graph, pd.concat([metrics, *busy]), "web", "ms", since).nobody > 0.5


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("left", [0.7, 0.5])
def test_a_node_that_an_ill_caller_calls_less_is_not_to_blame(seed, left):
    """The cart is slow by itself, and asks the database less often; that answers as ever."""
    graph, metrics, since = services(seed, "cart")
    names = ("db", "cart", "auth", "web")
    calls = [
        beside(metrics, since, n, "requests", 200, left if n == "db" else 1.0, seed=k)
        for k, n in enumerate(names)
    ]
    assert first(graph, pd.concat([metrics, *calls]), since).node == "cart"


@pytest.mark.parametrize(
    ("name", "traffic", "fails"),
    [
        ("http_requests_total", True, False),
        ("request_latency_ms", False, False),
        ("corps", False, False),
        ("cart.errorRate", False, True),
        ("default_pool_used", False, False),
        ("page_faults", False, True),
    ],
)
def test_what_a_metric_counts_is_told_by_the_words_of_its_name(name, traffic, fails):
    """Whole words from their beginning, whatever parts them."""
    assert is_traffic(name) == traffic
    assert is_of(name, FAILS) == fails
