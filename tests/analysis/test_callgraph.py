"""Which node of a call graph is to blame."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from analysis.graph.callgraph import rank
from analysis.graph.lineage import Edge, Graph


def services(seed, sick=None, minutes=600):
    """Five-minute latency of five services; the ill one hands its illness down."""
    rng = np.random.default_rng(seed)
    edges = [("db", "cart"), ("cart", "web"), ("auth", "web"), ("db", "auth"), ("mail", "web")]
    start = datetime(2024, 5, 1)
    steps = np.arange(0, minutes, 5)
    late = steps >= minutes - 60
    hit = {"cart": ("cart", "web"), "db": ("db", "cart", "auth", "web"), None: ()}[sick]
    rows = []
    for node in ("db", "cart", "auth", "mail", "web"):
        extra = 3.0 * late * (node in hit) * (2.0 if node == sick else 1.0)
        value = rng.lognormal(3, 0.1, len(steps)) * (1 + extra)
        times = [start + timedelta(minutes=int(m)) for m in steps]
        rows.append(pd.DataFrame({"time": times, "node": node, "metric": "ms", "value": value}))
    graph = Graph.of(Edge(a, b) for a, b in edges)
    return graph, pd.concat(rows), start + timedelta(minutes=minutes - 60)


@pytest.mark.parametrize("sick", ["cart", "db"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_deepest_ill_service_is_first(sick, seed):
    """Its callers are ill because of it."""
    graph, metrics, since = services(seed, sick)
    found = rank(graph, metrics, "web", "ms", since)
    assert found.ranked[0].node == sick
    assert found.nobody < 0.5


@pytest.mark.parametrize("seed", range(5))
def test_a_quiet_system_blames_nobody(seed):
    """Scatter is no cause."""
    graph, metrics, since = services(seed)
    assert rank(graph, metrics, "web", "ms", since).nobody > 0.5


def test_a_dependency_that_moved_by_little_does_not_explain_a_caller_that_moved_by_much():
    """The database is a bit off its usual, in milliseconds; the cart by hundreds."""
    graph, metrics, since = services(0, "cart")
    late = (metrics["time"] >= since) & (metrics["node"] == "db")
    metrics.loc[late, "value"] *= 1.6
    assert rank(graph, metrics, "web", "ms", since).ranked[0].node == "cart"


def test_traffic_weighs_what_a_node_does_to_its_callers():
    """Two leaves fail alike; one of them is called once, the other a hundred times."""
    graph, metrics, since = services(1, "cart")
    mail = metrics[metrics["node"] == "cart"].assign(node="mail")
    calls = {"cart": 100.0, "mail": 1.0, "web": 200.0, "db": 100.0, "auth": 100.0}
    counts = metrics.assign(metric="requests", value=metrics["node"].map(calls))
    every = pd.concat([metrics[metrics["node"] != "mail"], mail, counts])
    found = rank(graph, every, "web", "ms", since)
    assert found.ranked[0].node == "cart"


def test_integer_times_are_fine():
    """Time may be a number."""
    graph, metrics, since = services(2, "db")
    number = (metrics["time"] - metrics["time"].min()).dt.total_seconds().astype(int)
    start = int((since - metrics["time"].min()).total_seconds())
    assert rank(graph, metrics.assign(time=number), "web", "ms", start).ranked[0].node == "db"


def test_a_cause_goes_up_and_down_when_its_symptom_does():
    """The cart is slow now and then in the window, as the web is; the mail is all the time."""
    graph, metrics, since = services(3)
    late = metrics["time"] >= since
    order = (metrics["time"] - since).dt.total_seconds() // 300
    for node, hit in (("cart", order % 4 == 1), ("web", order % 4 == 1), ("mail", order >= 0)):
        metrics.loc[late & hit & (metrics["node"] == node), "value"] *= 6.0
    found = [b.node for b in rank(graph, metrics, "web", "ms", since).ranked]
    assert found.index("cart") < found.index("mail")


def test_an_upstream_that_shows_the_same_makes_a_doubtful_target_sure():
    """The web rose by little more than it does; alone that is nobody, with an ill cart it is."""
    graph, metrics, since = services(5)
    late = metrics["time"] >= since
    metrics.loc[late & (metrics["node"] == "web"), "value"] *= 1.08
    assert rank(graph, metrics, "web", "ms", since).nobody > 0.5
    metrics.loc[late & (metrics["node"] == "cart"), "value"] *= 1.8
    found = rank(graph, metrics, "web", "ms", since)
    assert found.nobody < 0.5
    assert found.ranked[0].node == "cart"


@pytest.mark.parametrize("seed", range(3))
def test_a_node_that_is_not_measured_passes_on_what_is_above_it(seed):
    """The database is ill and slows the web through a cart and an auth of which nothing is known;
    the web, which moved as well, is not to blame for it."""
    graph, metrics, since = services(seed, "db")
    late = (metrics["time"] >= since) & (metrics["node"] == "web")
    metrics.loc[late, "value"] *= 1.5
    seen = metrics[~metrics["node"].isin(["cart", "auth"])]
    assert rank(graph, seen, "web", "ms", since).ranked[0].node == "db"


def test_what_is_not_measured_may_lie_in_a_circle():
    """Two nodes that call each other, neither of them measured."""
    graph, metrics, since = services(0, "db")
    edges = [e for part in graph.into.values() for e in part]
    round_ = Graph.of([*edges, Edge("cart", "auth"), Edge("auth", "cart")])
    seen = metrics[~metrics["node"].isin(["cart", "auth"])]
    assert rank(round_, seen, "web", "ms", since).ranked[0].node == "db"


def pipeline(seed, lost=0.0, days=4, start="2024-06-01"):
    """Rows of three jobs every five minutes, by day twice as many as by night; the first may lose
    a part of its own in the last two hours, and so the others."""
    rng = np.random.default_rng(seed)
    times = pd.date_range(start, periods=288 * days + 60, freq="5min")
    day = 1 + 0.4 * np.sin(2 * np.pi * (times.hour + times.minute / 60) / 24)
    late = times >= times[-24]
    frames = [
        pd.DataFrame({"time": times, "node": node, "metric": "rows", "value": level * day})
        for node, level in (("load", 3000.0), ("join", 9000.0), ("report", 500.0))
    ]
    every = pd.concat(frames, ignore_index=True)
    every["value"] *= rng.lognormal(0, 0.05, len(every)) * (1 - lost * np.tile(late, 3))
    graph = Graph.of([Edge("load", "join"), Edge("join", "report")])
    return graph, every, times[-24].to_pydatetime()


@pytest.mark.parametrize("seed", range(3))
def test_a_window_is_held_against_the_same_hours_of_other_days(seed):
    """A quarter of the rows is missing, which is less than lies between day and night."""
    graph, metrics, since = pipeline(seed, lost=0.25)
    found = rank(graph, metrics, "report", "rows", since)
    assert found.nobody < 0.5
    assert found.ranked[0].node == "load"


@pytest.mark.parametrize("unit", [1, 1000])
def test_the_hours_are_known_of_seconds_since_1970_too(unit):
    """And of milliseconds; a count of something else has no hours."""
    graph, metrics, since = pipeline(0, lost=0.25)
    seconds = (metrics["time"] - pd.Timestamp(0)).dt.total_seconds().astype("int64") * unit
    start = int(pd.Timestamp(since).timestamp()) * unit
    assert rank(graph, metrics.assign(time=seconds), "report", "rows", start).nobody < 0.5
    first = int(seconds.min())
    places = metrics.assign(time=seconds - first)
    assert rank(graph, places, "report", "rows", start - first).nobody > 0.5


@pytest.mark.parametrize("days", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("seed", range(3))
def test_few_days_do_not_make_a_usual_window_look_odd(seed, days):
    """Whatever the hours of so few days can tell."""
    graph, metrics, since = pipeline(seed, days=days)
    assert rank(graph, metrics, "report", "rows", since).nobody > 0.5


UNITS = {"db": 1e4, "cart": 1.0, "auth": 30.0, "mail": 0.02, "web": 50.0}


@pytest.mark.parametrize("seed", range(5))
def test_nodes_that_count_in_units_of_their_own_are_held_against_what_is_usual_for_each(seed):
    """The cart's change is the least number of all, and makes all of the web's; the database and
    the auth, whose numbers are large, moved by a little of what they always do."""
    rng = np.random.default_rng(seed)
    times = pd.date_range("2024-05-01", periods=400, freq="5min")
    late = np.arange(400) >= 388
    own = {node: rng.normal(0, 1, 400) for node in UNITS}
    own["cart"] += 6.0 * late
    own["auth"] += 1.5 * late + 0.8 * own["db"]
    own["web"] += 0.9 * own["cart"] + 0.5 * own["auth"]
    frames = [
        pd.DataFrame({"time": times, "node": n, "metric": "kpi", "value": u * (20 + own[n])})
        for n, u in UNITS.items()
    ]
    edges = [("db", "cart"), ("cart", "web"), ("auth", "web"), ("db", "auth"), ("mail", "web")]
    graph = Graph.of(Edge(a, b) for a, b in edges)
    found = rank(graph, pd.concat(frames), "web", "kpi", times[388].to_pydatetime())
    assert found.ranked[0].node == "cart"
    assert found.nobody < 0.5
