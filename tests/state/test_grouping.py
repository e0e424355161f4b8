"""Planted causes, and which incident each alert joins."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from analysis.evidence import Evidence, Onset, Scope, Suspect, Window
from state import events as ev
from state.grouping import Home, Kin, belongs
from state.incident import Alert, Cause, Incident, Step
from state.signals import first_heard, flapping, heard

AT = datetime(2026, 11, 23, 14, tzinfo=UTC)
ROOT, WEATHER, TAILS = "upstream:lake", "upstream:weather", "upstream:tails"


def world(models: int = 12) -> Kin:
    """A lake feeds weather (temp, dewp) and tails (age); model 0 uses all, 1 temp, others none."""
    behind = {
        ROOT: {ROOT},
        WEATHER: {WEATHER, ROOT},
        TAILS: {TAILS, ROOT},
        "feature:temp": {"feature:temp", WEATHER, ROOT},
        "feature:dewp": {"feature:dewp", WEATHER, ROOT},
        "feature:age": {"feature:age", TAILS, ROOT},
        **{f"feature:own{n}": {f"feature:own{n}", ROOT} for n in range(12)},
    }
    fed = {0: ["temp", "dewp", "age"], 1: ["temp"]}
    for n in range(models):
        causes = {f"model:m{n}", ROOT, *behind[f"feature:own{n}"]}
        for feature in fed.get(n, []):
            causes |= behind[f"feature:{feature}"]
        behind[f"model:m{n}"] = causes
        for metric in "ab":
            behind[f"metric:{metric}{n}"] = causes | {f"metric:{metric}{n}"}
    direct = {"temp": WEATHER, "dewp": WEATHER, "age": TAILS}
    return Kin(
        {name: frozenset(causes) for name, causes in behind.items()},
        {f"feature:{f}": frozenset({node}) for f, node in direct.items()},
    )


KIN = world()


def alert(name: str, minutes: float = 0, key: str = "", names: tuple[str, ...] = ()) -> Alert:
    """An alert about "metric:a0", or about a node."""
    kind, _, subject = name.partition(":")
    since = AT + timedelta(minutes=minutes)
    entry = "feature" if kind == "upstream" else kind
    return Alert("test", key or name, entry, subject, name, since, names=names or (name,))


def stream(*alerts: Alert, kin: Kin = KIN) -> list[str]:
    """The incident that each alert ends up in, as they come."""
    open_: dict[str, Incident] = {}
    placed = []
    for one in alerts:
        home = belongs(one, list(open_.values()), kin)
        if home is None:
            name = f"I{len(open_) + 1}"
            signals = (first_heard(one, one.since),)
            open_[name] = Incident(name, one, one.since, 2, signals=signals)
        else:
            name = home.incident.id
            open_[name] = heard(home.incident, ev.AlertJoined(one.since, one, home.why))
        placed.append(name)
    return placed


def test_the_same_alert_and_the_same_subject_are_one():
    """Whatever the key, and however late."""
    assert stream(alert("metric:a0"), alert("metric:a0", 300, "other")) == ["I1", "I1"]


def test_a_model_and_its_metrics_are_one_in_any_order():
    """Also two metrics before anybody has named the model."""
    assert stream(alert("metric:a3"), alert("metric:b3"), alert("model:m3")) == ["I1"] * 3
    assert stream(alert("model:m3"), alert("metric:b3"), alert("metric:a3")) == ["I1"] * 3


def test_a_feature_and_the_models_that_it_feeds_are_one():
    """The model's metric as well."""
    found = stream(alert("feature:temp"), alert("model:m0"), alert("metric:a1"))
    assert found == ["I1"] * 3


def test_two_features_of_one_node_are_one_and_of_two_nodes_two():
    """Both nodes hang on the lake, which says nothing."""
    found = stream(alert("feature:temp"), alert("feature:dewp"), alert("feature:age"))
    assert found == ["I1", "I1", "I2"]


def test_a_model_that_shows_two_causes_does_not_make_them_one():
    """Whatever comes first: an incident narrows down to what is behind all of its alerts."""
    causes = [alert("feature:temp"), alert("feature:age")]
    assert stream(alert("model:m0"), *causes) == ["I1", "I1", "I2"]
    assert stream(causes[0], alert("model:m0"), causes[1]) == ["I1", "I1", "I2"]
    assert stream(causes[0], alert("model:m0"), causes[1], alert("metric:a0"))[2] == "I2"


def test_models_meet_at_the_node_that_is_ill():
    """Named by an alert of its own."""
    found = stream(alert(WEATHER), alert("model:m0"), alert("model:m1"), alert("model:m2"))
    assert found == ["I1", "I1", "I1", "I2"]


def test_models_that_share_what_all_share_stay_apart():
    """The lake is behind all of them, and nobody said that it is ill."""
    assert stream(alert("model:m4"), alert("model:m5"), alert("metric:a6")) == ["I1", "I2", "I3"]
    named = stream(alert(ROOT), alert("model:m4"), alert("model:m5"))
    assert named == ["I1"] * 3


def test_time_alone_joins_nothing_and_too_long_apart_nothing_either():
    """An hour is the width of a metric's bucket."""
    assert stream(alert("metric:a4"), alert("metric:a5")) == ["I1", "I2"]
    assert stream(alert("model:m3"), alert("metric:a3", 59)) == ["I1", "I1"]
    assert stream(alert("model:m3"), alert("metric:a3", 61)) == ["I1", "I2"]


def test_onsets_whose_bounds_overlap_are_not_too_long_apart():
    """Two views of one onset may be hours apart; an alert may fire hours after its onset."""
    hour = timedelta(hours=1)
    first = replace(alert("metric:a0"), onset=Onset(AT, AT - 2 * hour, AT + 2 * hour))
    later = AT + 3 * hour
    within = replace(alert("metric:b0"), since=later, onset=Onset(later, AT + hour, later + hour))
    beyond = replace(within, onset=Onset(later, later - hour / 2, later + hour))
    assert stream(first, within) == ["I1", "I1"]
    assert stream(replace(first, onset=None), within) == ["I1", "I1"]
    assert stream(replace(first, onset=None), beyond) == ["I1", "I2"]
    assert stream(first, replace(within, names=("metric:b3",))) == ["I1", "I2"]


def test_the_onset_that_a_step_found_counts_beside_the_alerts():
    """It fired at 14:00; it began between 09:00 and 10:00, when the other metric did."""
    began = Onset(AT - timedelta(hours=5), AT - timedelta(hours=5), AT - timedelta(hours=4))
    incident = Incident(
        "HE-1", alert("metric:a0"), AT, 2, signals=(first_heard(alert("metric:a0"), AT),)
    )
    other = alert("metric:b0", -5 * 60 + 20)
    assert belongs(other, [incident], KIN) is None
    window = Window(AT - timedelta(hours=1), AT)
    scope = Scope(AT, window, window, "metric", "a0")
    found = Evidence("real", 0.9, "It fell.", onset=began)
    step = Step(1, "real", scope, AT, evidence=found)
    assert belongs(other, [replace(incident, steps=(step,))], KIN).incident.id == "HE-1"


def test_of_two_causes_that_fit_the_nearer_onset_counts():
    """A model below two ill features."""
    found = stream(alert("feature:temp", 0), alert("feature:age", 40), alert("model:m0", 35))
    assert found == ["I1", "I2", "I2"]


def test_a_feature_that_feeds_everything_tells_no_model_apart():
    """With every model below it, only the time would be left."""
    behind = {"feature:all": frozenset({"feature:all"})}
    for n in range(12):
        behind[f"model:m{n}"] = frozenset({f"model:m{n}", "feature:all"})
    kin = Kin(behind)
    assert stream(alert("feature:all"), alert("model:m0"), kin=kin) == ["I1", "I2"]
    small = Kin({k: v for k, v in behind.items() if k in ("feature:all", "model:m0", "model:m1")})
    assert stream(alert("feature:all"), alert("model:m0"), kin=small) == ["I1", "I1"]


def test_an_alert_that_names_feature_and_model_is_about_what_is_behind_both():
    """The feature."""
    one = alert("feature:temp", names=("feature:temp", "model:m0"))
    assert stream(one, alert("feature:age"), alert("metric:a1")) == ["I1", "I2", "I1"]
    home = belongs(alert("metric:a1"), [], KIN)
    assert home is None


def test_what_a_step_confirmed_counts_as_named():
    """The walk found the node before any alert did."""
    opening = alert("model:m0")
    incident = Incident("I1", opening, AT, 2, signals=(first_heard(opening, AT),))
    assert belongs(alert("model:m1"), [incident], KIN) is None
    found = Cause("upstream", (Suspect("upstream", "weather", 0.9),), 0.9, 6)
    incident = replace(incident, causes=(found,))
    assert belongs(alert("model:m1"), [incident], KIN) == Home(incident, WEATHER)


@pytest.mark.parametrize(("times", "wanted"), [(2, False), (3, True)])
def test_an_alert_that_fires_three_times_in_half_an_hour_comes_and_goes(times, wanted):
    """Twice is an outage that ended and one that returned."""
    one = alert("metric:a0")
    incident = Incident("I1", one, AT, 2, signals=(first_heard(one, AT),))
    over = Alert(**{**one.__dict__, "firing": False})
    for n in range(1, times):
        at = AT + timedelta(minutes=9 * n)
        incident = heard(incident, ev.AlertJoined(at, over))
        incident = heard(incident, ev.AlertJoined(at + timedelta(minutes=4), one))
    [signal] = incident.signals
    assert (signal.count, signal.firing, flapping(signal)) == (times, True, wanted)
    assert incident.joined == times


def test_a_worse_alert_makes_the_incident_as_severe_and_an_update_counts_nothing():
    """People may still lower it: the next one of the same severity changes nothing."""
    one = alert("metric:a0")
    incident = Incident("I1", one, AT, 3, signals=(first_heard(one, AT),))
    worse = Alert(**{**one.__dict__, "key": "k", "severity": 1})
    incident = heard(incident, ev.AlertJoined(AT, worse))
    assert (incident.severity, incident.joined) == (1, 2)
    update = Alert(**{**worse.__dict__, "update": "acknowledged"})
    incident = heard(incident, ev.AlertJoined(AT, update))
    assert (incident.joined, incident.signals[1].update) == (2, "acknowledged")


def test_one_metric_of_two_models_or_below_two_nodes_is_two_incidents():
    """What an alert names beside its metric tells its causes apart; what names less joins."""

    def of(*more: str) -> Alert:
        return alert("metric:auc", key="-".join(more), names=("metric:auc", *more))

    kin = Kin()
    assert stream(of("model:m1"), of("model:m2"), kin=kin) == ["I1", "I2"]
    assert stream(of("upstream:a"), of("upstream:b"), of(), kin=kin)[:2] == ["I1", "I2"]
    assert stream(of("model:m1"), of(), kin=kin) == ["I1", "I1"]
    known = stream(of("upstream:weather"), of("upstream:tails"), alert("feature:temp"))
    assert known == ["I1", "I2", "I1"]
