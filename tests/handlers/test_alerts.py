"""Payloads of other systems as alerts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.alerts import FORMATS, GENERIC_KEYS, BadPayload, Known, alertmanager, generic
from tests.handlers.fake_desk import KNOWN as SUBJECTS

NOW = datetime(2026, 11, 23, 14, 46, tzinfo=UTC)
KNOWN = Known(SUBJECTS, NOW, ("real", "models", "recovery"))
PAYLOADS = Path(__file__).parents[1] / "payloads"
DOCS = Path(__file__).parents[2] / "docs" / "alerts.md"


def payload(name: str) -> Any:
    """A recorded payload."""
    return json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))


def test_alertmanagers_webhook_becomes_an_alert():
    """Title, detail, time, severity, link and fingerprint are taken over."""
    taken = alertmanager(payload("alertmanager_firing"), KNOWN)
    assert taken.problems == ()
    [alert] = taken.alerts
    assert (alert.entry, alert.subject) == ("metric", "precision")
    assert alert.key == "alertmanager:1a30ba71cca2921f"
    assert alert.title == "Late-arrival alerts: precision 0.58, expected at least 0.69"
    assert alert.since == datetime(2026, 11, 23, 14, 5, 26, 739266, tzinfo=UTC)
    assert alert.severity == 1
    assert alert.firing
    assert alert.url.startswith("http://prometheus.example:9090/graph?")
    assert alert.detail.endswith("https://runbooks.example/precision")


def test_a_resolved_alert_has_the_same_key_and_fires_no_more():
    """So that it finds its thread."""
    [before] = alertmanager(payload("alertmanager_firing"), KNOWN).alerts
    [after] = alertmanager(payload("alertmanager_resolved"), KNOWN).alerts
    assert (after.key, after.firing) == (before.key, False)


def test_each_alert_of_a_group_is_placed_by_its_own_labels_and_the_unknown_ones_are_told():
    """A feature is told before its model; a metric label that is not ours does no harm."""
    taken = alertmanager(payload("alertmanager_group"), KNOWN)
    placed = [(a.entry, a.subject, a.severity, a.firing) for a in taken.alerts]
    assert placed == [
        ("feature", "temp", 3, True),
        ("model", "delay", 1, True),
        ("metric", "late arrival rate", 4, True),
        ("feature", "humid", 2, False),
    ]
    assert taken.alerts[0].since == datetime(2026, 11, 23, 14, 10, tzinfo=UTC)
    assert len(taken.problems) == 2
    assert "no feature `humidty`. The nearest is `humid` (feature)" in taken.problems[0]
    assert "`DiskFull`" in taken.problems[1]


def firing(labels: dict[str, str], **changes: Any) -> dict[str, Any]:
    """A small payload of Alertmanager."""
    alert = {"status": "firing", "labels": labels, "startsAt": "2026-11-23T14:00:00Z", **changes}
    return {"version": "4", "alerts": [alert]}


def test_a_label_of_ours_that_names_nothing_is_told_even_if_another_label_would_do():
    """Who writes hawkeye_metric means a metric."""
    taken = alertmanager(firing({"hawkeye_metric": "precison", "feature": "temp"}), KNOWN)
    assert taken.alerts == ()
    assert "`precision` (metric)" in taken.problems[0]
    assert "label `hawkeye_metric`" in taken.problems[0]


def test_an_alert_without_a_telling_label_is_told_which_labels_tell():
    """The sentence says what to add."""
    [problem] = alertmanager(firing({"job": "x"}), KNOWN).problems
    assert "hawkeye_metric" in problem


def test_labels_choose_where_to_begin_and_where_to_post():
    """A node that the tree does not have is left to the entry."""
    labels = {"feature": "temp", "hawkeye_start": "models", "hawkeye_channel": "C7"}
    [alert] = alertmanager(firing(labels), KNOWN).alerts
    assert (alert.start, alert.channel) == ("models", "C7")
    [alert] = alertmanager(firing({**labels, "hawkeye_start": "nowhere"}), KNOWN).alerts
    assert alert.start == ""


def test_without_a_fingerprint_the_labels_make_the_key():
    """The same labels make the same key, others another one."""
    [first] = alertmanager(firing({"metric": "precision", "a": "1"}), KNOWN).alerts
    [again] = alertmanager(firing({"a": "1", "metric": "precision"}), KNOWN).alerts
    [other] = alertmanager(firing({"metric": "precision", "a": "2"}), KNOWN).alerts
    assert first.key == again.key != other.key


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00Z", "2031-01-01T00:00:00Z"])
def test_a_time_that_was_never_set_or_lies_ahead_counts_as_now(since):
    """Clocks differ."""
    [alert] = alertmanager(firing({"metric": "precision"}, startsAt=since), KNOWN).alerts
    assert alert.since == NOW


def test_an_address_that_is_none_is_left_out():
    """No javascript: behind a button."""
    labels = {"metric": "precision"}
    [alert] = alertmanager(firing(labels, generatorURL="javascript:x"), KNOWN).alerts
    assert alert.url == ""


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({}, "`alerts`: found nothing"),
        ([], "the payload: found [], expected a JSON object"),
        ({"alerts": [{"status": "on", "labels": {}, "startsAt": NOW.isoformat()}]}, "`alerts.1"),
        ({"alerts": [{"status": "firing", "labels": {}, "startsAt": "soon"}]}, "2026-11-23T14:05"),
        ({"alerts": [{}]}, "`alerts.1.status`"),
    ],
)
def test_what_is_not_alertmanagers_names_key_found_and_expected(wrong, expected):
    """Counted from 1."""
    with pytest.raises(BadPayload) as caught:
        alertmanager(wrong, KNOWN)
    assert any(expected in p for p in caught.value.problems)


def test_the_generic_format_takes_every_documented_key():
    """And keeps what it says."""
    full = payload("generic_full")
    assert set(full) | {"model", "feature", "upstream"} == set(GENERIC_KEYS)
    [alert] = generic(full, KNOWN).alerts
    assert (alert.entry, alert.subject, alert.severity) == ("metric", "precision", 1)
    assert (alert.key, alert.start, alert.channel) == (
        "generic:precision-floor",
        "models",
        "#ml-oncall",
    )
    assert alert.since == datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
    assert alert.workspace == "ranking"
    assert (alert.url, alert.detail, alert.owner) == (full["url"], full["detail"], full["owner"])


def test_a_workspace_that_is_not_there_is_refused_or_told():
    """Our own format is refused; a label of others leaves it to the routes, and says so."""
    known = replace(KNOWN, workspaces=("ranking", "weather"))
    with pytest.raises(BadPayload) as caught:
        generic({"metric": "precision", "workspace": "wether"}, known)
    assert "there are ranking, weather" in caught.value.problems[0]
    labelled = payload("alertmanager_firing")
    labelled["alerts"][0]["labels"]["hawkeye_workspace"] = "wether"
    assert "there are ranking, weather" in alertmanager(labelled, known).problems[0]


def test_the_least_generic_alert_is_one_name():
    """Since now, severity 2, keyed by its subject."""
    [alert] = generic(payload("generic_least"), KNOWN).alerts
    assert (alert.entry, alert.subject, alert.since, alert.severity, alert.key) == (
        "feature",
        "temp",
        NOW,
        2,
        "generic:feature:temp",
    )


def test_several_generic_alerts_come_in_a_list():
    """Seconds since 1970 are a time, too."""
    taken = generic(payload("generic_several"), KNOWN)
    assert [a.subject for a in taken.alerts] == ["precision", "delay"]
    assert taken.alerts[1].since == datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
    assert generic(payload("generic_several")["alerts"], KNOWN) == taken


def test_every_wrong_key_of_a_generic_alert_is_named_with_what_was_found_and_expected():
    """All at once."""
    with pytest.raises(BadPayload) as caught:
        generic(payload("generic_wrong"), KNOWN)
    told = "\n".join(caught.value.problems)
    assert "`metirc`: found a key that I don't know; did you mean `metric`?" in told
    assert "`since`: found 'yesterday', expected a time" in told
    assert "`status`: found 'on', expected 'firing' or 'resolved'" in told


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"title": "x"}, "found none, expected exactly one"),
        ({"metric": "precision", "model": "delay"}, "found `metric` and `model`"),
        ({"metric": "precision", "start": "modles"}, "did you mean `models`?"),
        ({"metric": "precision", "url": "ftp://x"}, "`url`: found 'ftp://x'"),
        ({"metric": "precision", "severity": "bad"}, "`severity`: found 'bad'"),
        ({"metric": "precision", "severity": 7}, "`severity`: found 7"),
        ({"metric": "precision", "since": "2026-11-23T14:05:00"}, "a time with a zone"),
        ([{"metric": "precision"}, {"metrik": "x"}], "alert 2: `metrik`"),
        ("precision", "expected a JSON object"),
        ([{"metric": "precision"}] * 2001, "found 2001 alerts"),
    ],
)
def test_a_generic_alert_that_makes_no_sense_is_refused_with_a_sentence(wrong, expected):
    """Nothing of it is opened."""
    with pytest.raises(BadPayload) as caught:
        generic(wrong, KNOWN)
    assert any(expected in p for p in caught.value.problems)


def test_a_generic_alert_about_something_unknown_names_the_nearest():
    """A metric that nobody knows."""
    taken = generic({"metric": "precison"}, KNOWN)
    assert taken.alerts == ()
    [problem] = taken.problems
    assert problem == "There is no metric `precison`. The nearest is `precision` (metric)."


@pytest.mark.parametrize(
    ("format_", "payload"),
    [
        (generic, []),
        (generic, {"alerts": []}),
        (alertmanager, {"version": "4", "status": "firing", "alerts": []}),
    ],
)
def test_a_payload_without_an_alert_is_told_so(format_, payload):
    """The sender is not left to think that something opened."""
    assert format_(payload, KNOWN).ignored == ("There was no alert in it.",)


def test_a_flood_is_refused():
    """Nobody could follow that many threads."""
    flood = {"alerts": firing({"metric": "precision"})["alerts"] * 2001}
    with pytest.raises(BadPayload, match="found 2001 alerts in one payload"):
        alertmanager(flood, KNOWN)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=10,
)


@pytest.mark.parametrize("name", sorted(FORMATS))
@given(found=JSON)
def test_no_payload_breaks_a_format(name, found):
    """Taken, or refused with sentences."""
    try:
        taken = FORMATS[name](found, KNOWN)
    except BadPayload as bad:
        problems = bad.problems
    else:
        problems = taken.problems or tuple(a.title for a in taken.alerts) or ("nothing",)
    assert problems
    assert all(problems)


def test_the_documentation_lists_the_keys_of_the_generic_format():
    """As the model describes them."""
    text = DOCS.read_text(encoding="utf-8")
    for key, meaning in GENERIC_KEYS.items():
        assert f"| `{key}` | {meaning} |" in text


def test_the_documentations_examples_are_taken():
    """Each JSON block of a format goes through it."""
    blocks = [b.split("```")[0] for b in DOCS.read_text(encoding="utf-8").split("```json\n")[1:]]
    taken = [generic(json.loads(b), KNOWN) for b in blocks]
    assert len(taken) >= 2
    assert all(t.alerts and not t.problems for t in taken)
