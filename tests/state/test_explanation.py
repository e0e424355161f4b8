"""Planted causes, and what the fewest of them that explain all alerts are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

from state import events as ev
from state.explanation import explained, shifts
from state.incident import Incident
from state.signals import first_heard, merged
from tests.state.test_grouping import AT, KIN, TAILS, WEATHER, alert


def heard(name: str, minutes: float = 0, key: str = ""):
    """One alert."""
    one = alert(name, minutes, key)
    return first_heard(one, one.since)


def causes(*signals, kin=KIN) -> dict[str, set[str]]:
    """Cause by cause the keys of its alerts."""
    return {g.cause: {s.key for s in g.signals} for g in explained(signals, kin)}


def incident(name: str, *signals, opened: float = 0) -> Incident:
    """One that has these alerts, opened by the first."""
    first = signals[0]
    about = alert(first.key, (first.since - AT).total_seconds() / 60)
    at = AT + timedelta(minutes=opened)
    return Incident(name, about, at, 2, signals=signals, joined=len(signals))


def moved(touched: Incident, *others: Incident) -> list[tuple[str, str, set[str], bool]]:
    """(of, into, keys, whether all of it) of what is shifted."""
    found = shifts(touched, [touched, *others], KIN)
    return [(s.of, s.into, {x.key for x in s.signals}, s.whole) for s in found]


def test_two_broken_nodes_share_out_the_alerts_of_a_model_below_both_by_their_onsets():
    """Whatever the order in which the alerts came."""
    weather = [heard("feature:temp", -30), heard("feature:dewp", -28), heard("model:m1", -29)]
    tails = [heard(TAILS, -6), heard("feature:age", -5)]
    late, early = heard("metric:a0", -4, "late"), heard("metric:b0", -27, "early")
    for signals in permutations([*weather, *tails, late, early]):
        found = causes(*signals)
        assert found == {
            WEATHER: {"feature:temp", "feature:dewp", "model:m1", "early"},
            TAILS: {TAILS, "feature:age", "late"},
        }


def test_a_cause_whose_alerts_others_explain_is_left_out():
    """The model of both features is not broken as well, though it is off all the time between."""
    features = [heard("feature:temp", -40), heard("feature:age", -26)]
    signals = [*features, *(heard("metric:a0", -m, f"k{m}") for m in (39, 33, 27))]
    assert set(causes(*signals)) == {"feature:temp", "feature:age"}


def test_models_that_broke_by_themselves_stay_apart_and_late_views_of_one_cause_together():
    """An hour is the width of a metric's bucket."""
    first = heard("model:m4")
    assert len(explained([first, heard("model:m5")], KIN)) == 2
    assert len(explained([first, heard("model:m4", 59, "late")], KIN)) == 1
    assert len(explained([first, heard("model:m4", 75, "late")], KIN)) == 2
    assert moved(incident("HE-1", heard("model:m4"), heard("metric:a4", 59))) == []


def test_a_node_that_nobody_named_needs_two_ill_features():
    """One feature is its own cause."""
    assert set(causes(heard("feature:temp"), heard("model:m0"))) == {"feature:temp"}
    assert set(causes(heard("feature:temp"), heard("feature:dewp"))) == {WEATHER}


def test_an_alert_moves_to_the_incident_that_explains_it_better():
    """Model 0 joined what was ill first; then its other feature broke when the model did."""
    first = incident("HE-1", heard("feature:temp", -40), heard("model:m0", -5))
    second = incident("HE-2", heard("feature:age", -6), opened=1)
    assert moved(second, first) == [("HE-1", "HE-2", {"model:m0"}, False)]


def test_nothing_is_taken_from_people_and_they_get_what_is_theirs():
    """Whoever has an incident sees no alert disappear."""
    first = incident("HE-1", heard("feature:temp", -40), heard("model:m0", -5))
    second = incident("HE-2", heard("feature:age", -6), opened=1)
    assert moved(second, replace(first, owner="U1")) == []
    assert moved(replace(second, owner="U2"), first) == [("HE-1", "HE-2", {"model:m0"}, False)]


def test_incidents_that_one_node_explains_become_the_oldest():
    """Or the one that people are on."""
    one, two = incident("HE-1", heard("model:m0")), incident("HE-2", heard("model:m1"), opened=1)
    node = incident("HE-3", heard(WEATHER), opened=2)
    assert moved(node, one, two) == [
        ("HE-3", "HE-1", {WEATHER}, True),
        ("HE-2", "HE-1", {"model:m1"}, True),
    ]
    assert moved(node, one, replace(two, owner="U1")) == [
        ("HE-3", "HE-2", {WEATHER}, True),
        ("HE-1", "HE-2", {"model:m0"}, True),
    ]


def test_an_incident_whose_sender_said_where_to_begin_is_left_alone():
    """It was opened beside the other one on purpose."""
    first = incident("HE-1", heard("metric:a3"))
    second = incident("HE-2", heard("model:m3"), opened=1)
    assert moved(second, first) == [("HE-2", "HE-1", {"model:m3"}, True)]
    knowing = replace(second, alert=replace(second.alert, start="features"))
    assert moved(knowing, first) == []
    assert moved(first, knowing) == []


def test_the_first_alert_stays_as_long_as_any_other_does():
    """An incident is never about nothing: its thread is about its first alert."""
    mixed = incident("HE-1", heard("feature:age", -5), heard("metric:a3", -5), heard("metric:b3"))
    other = incident("HE-2", heard(TAILS, -5), heard("model:m0", -5), opened=1)
    assert moved(other, mixed) == []


def test_what_explains_as_much_as_a_cause_that_was_told_before_stays_on_its_own():
    """The metrics have a cause already; a feature that breaks at the same time is another one."""
    metrics = (heard("metric:a0"), heard("metric:b0"))
    home = incident("HE-1", *metrics, replace(heard("feature:temp"), first=AT))
    late = replace(heard("feature:age"), first=AT + timedelta(minutes=1))
    assert moved(incident("HE-2", late, opened=1), home) == []


def test_other_workspaces_and_other_times_are_left_alone():
    """Of an org, and more than an hour apart."""
    one, node = incident("HE-1", heard("model:m0")), incident("HE-2", heard(WEATHER), opened=1)
    elsewhere = replace(one, alert=replace(one.alert, team="T2"))
    assert moved(node, one) == [("HE-2", "HE-1", {WEATHER}, True)]
    assert moved(node, elsewhere) == []
    assert moved(node, incident("HE-1", heard("model:m0", -90))) == []


def test_moved_alerts_are_counted_once():
    """With every time that they fired."""
    loud = replace(heard("model:m0"), count=5)
    home = replace(incident("HE-1", heard("feature:temp"), loud), joined=6)
    other = incident("HE-2", heard("feature:age"))
    home = merged(home, ev.Parted(AT, ("model:m0",), "HE-2"))
    other = merged(other, ev.Absorbed(AT, "HE-1", 5, (loud,)))
    assert (home.joined, other.joined) == (1, 6)
    assert [s.key for s in home.signals] == ["feature:temp"]
