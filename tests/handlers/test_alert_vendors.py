"""Payloads as Grafana, PagerDuty, Datadog and Opsgenie document them."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from handlers.alerts import FORMATS, BadPayload, Known
from handlers.alerts.authentication import Keys, refusal
from handlers.desk import Subject, Subjects

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
TEMP = Subject("feature", "temp")
SUBJECTS = Subjects(
    metrics=("precision", "late arrival rate"),
    models=("delay",),
    features=("temp", "humid"),
    nodes={"weather_hourly": TEMP, "noaa_feed": TEMP},
    titles={"precision": "Right alarms"},
)
KNOWN = Known(SUBJECTS, NOW, ("real", "models"))
PAYLOADS = Path(__file__).parents[1] / "payloads"


def payload(name: str) -> Any:
    """A recorded payload; its format stands before the underscore."""
    return json.loads((PAYLOADS / f"{name}.json").read_text(encoding="utf-8"))


def taken(name: str, **changes: Any):
    """What its format makes of it."""
    return FORMATS[name.partition("_")[0]]({**payload(name), **changes}, KNOWN)


# -- Grafana --------------------------------------------------------------------------------------


def test_grafanas_notification_becomes_alerts():
    """Labels, annotations, what was measured, the owner; a rule without data by its name."""
    found = taken("grafana_firing")
    precision, humid = found.alerts
    assert found.problems == ()
    assert (precision.entry, precision.subject, precision.severity) == ("metric", "precision", 1)
    assert precision.title == "Precision 0.58, expected at least 0.69"
    assert precision.since == datetime(2026, 11, 23, 14, 5, 3, 157076, tzinfo=UTC)
    assert precision.detail.splitlines() == [
        "Late-arrival alerts catch too little.",
        "B = 0.5812, C = 1",
        "https://runbooks.example/precision",
    ]
    assert precision.key == "grafana:c6eadffa33fcdf37"
    assert precision.owner == "airline-operations"
    assert (humid.entry, humid.subject) == ("feature", "humid")


def test_grafana_resolves_by_the_same_fingerprint():
    """So that the alert finds its thread."""
    [over] = taken("grafana_resolved").alerts
    assert (over.key, over.firing) == (taken("grafana_firing").alerts[0].key, False)


def test_alerts_that_the_sender_cut_off_are_told():
    """Nobody would know otherwise."""
    [problem] = taken("grafana_firing", truncatedAlerts=7).problems
    assert "cut off 7 alerts" in problem


# -- PagerDuty ------------------------------------------------------------------------------------


def test_pagerdutys_incident_becomes_an_alert():
    """The metric is named in its title; P1 is the worst."""
    [alert] = taken("pagerduty_triggered").alerts
    assert (alert.entry, alert.subject) == ("metric", "late arrival rate")
    assert (alert.severity, alert.firing, alert.update) == (1, True, "")
    assert alert.since == datetime(2026, 11, 23, 14, 5, 27, tzinfo=UTC)
    assert alert.url == "https://acme.pagerduty.com/incidents/PGR0VU2"
    assert (alert.key, alert.owner) == ("pagerduty:PGR0VU2", "airline-operations")


@pytest.mark.parametrize(
    ("name", "update"),
    [
        ("pagerduty_acknowledged", "acknowledged by Tenex Engineer"),
        ("pagerduty_priority", "priority P3"),
        ("pagerduty_note", "note: Looks like the weather feed."),
    ],
)
def test_what_changes_in_pagerduty_is_an_update_of_the_same_alert(name, update):
    """In a few words."""
    [alert] = taken(name).alerts
    assert (alert.key, alert.firing, alert.update) == ("pagerduty:PGR0VU2", True, update)


def test_pagerdutys_resolved_incident_fires_no_more():
    """The same key."""
    [alert] = taken("pagerduty_resolved").alerts
    assert (alert.key, alert.firing) == ("pagerduty:PGR0VU2", False)


def test_pagerdutys_test_event_is_answered_and_opens_nothing():
    """Who sets the subscription up presses “Send Test Event”."""
    found = taken("pagerduty_ping")
    assert (found.alerts, found.strays, found.problems) == ((), (), ())
    assert "pagey.ping" in found.ignored[0]


# -- Datadog --------------------------------------------------------------------------------------


def test_datadogs_monitor_becomes_an_alert():
    """Milliseconds since 1970; the brackets in front of the title are left out."""
    [alert] = taken("datadog_triggered").alerts
    assert (alert.entry, alert.subject, alert.severity) == ("model", "delay", 2)
    assert alert.title == "Mean prediction is off"
    assert alert.since == datetime.fromtimestamp(1795442700, UTC)
    assert (alert.owner, alert.firing) == ("airline-operations", True)
    assert alert.url.startswith("https://app.datadoghq.com/monitors/148275309")


def test_datadogs_recovery_has_the_same_key_and_fires_no_more():
    """The monitor and the group of it."""
    [before], [after] = taken("datadog_triggered").alerts, taken("datadog_recovered").alerts
    assert (after.key, after.firing) == (before.key, False)


def test_the_payload_that_datadog_sends_when_nobody_wrote_one_is_understood():
    """What happened stands in front of the title, what it is about in its words."""
    [alert] = taken("datadog_default").alerts
    assert (alert.entry, alert.subject, alert.firing) == ("feature", "humid", True)
    recovered = {"title": "[Recovered on {feature:humid}] Too many missing values"}
    [over] = taken("datadog_default", **recovered).alerts
    assert (over.key, over.firing) == (alert.key, False)


@pytest.mark.parametrize("style", [str.upper, lambda k: k.title().replace("_", "")])
def test_datadogs_variables_are_read_whatever_the_template_calls_them(style):
    """ALERT_ID and AlertId are $ALERT_ID."""
    renamed = {style(k): v for k, v in payload("datadog_triggered").items()}
    assert FORMATS["datadog"](renamed, KNOWN) == taken("datadog_triggered")


def test_a_variable_that_datadog_did_not_know_means_nothing():
    """It stays as it was written."""
    [alert] = taken("datadog_triggered", alert_priority="$ALERT_PRIORITY").alerts
    assert alert.severity == 2


# -- Opsgenie -------------------------------------------------------------------------------------


def test_opsgenies_alert_becomes_an_alert():
    """Tags of the form name:value are labels."""
    [alert] = taken("opsgenie_create").alerts
    assert (alert.entry, alert.subject, alert.severity) == ("feature", "temp", 2)
    assert alert.title == "Temperatures look like Celsius"
    assert alert.since == datetime.fromtimestamp(1795442691.104, UTC)
    assert alert.key == "opsgenie:052652ac-5d1c-464a-812a-7dd18bbfba8c"
    assert alert.url == "https://dashboards.example/temp"


@pytest.mark.parametrize(
    ("name", "firing", "update"),
    [
        ("opsgenie_acknowledge", True, "acknowledged by ana@example.com"),
        ("opsgenie_priority", True, "priority P1"),
        ("opsgenie_close", False, ""),
    ],
)
def test_what_happens_to_opsgenies_alert_is_told_about_the_same_one(name, firing, update):
    """By its id."""
    [alert] = taken(name).alerts
    assert (alert.key, alert.firing, alert.update) == (
        "opsgenie:052652ac-5d1c-464a-812a-7dd18bbfba8c",
        firing,
        update,
    )


# -- what it is about -----------------------------------------------------------------------------


def opsgenie(message: str, **more: Any):
    """An alert of Opsgenie with these words."""
    alert = {"alertId": "1", "message": message, **more}
    return FORMATS["opsgenie"]({"action": "Create", "alert": alert}, KNOWN)


@pytest.mark.parametrize(
    ("message", "subject"),
    [
        ("PrecisionLow", "precision"),
        ("late_arrival_rate above 0.4", "late arrival rate"),
        ("Feature humid of model delay drifts", "humid"),
        ("weather_hourly did not run", "temp"),
        ("Right alarms: 0.2, usually 0.9", "precision"),
    ],
)
def test_without_labels_the_known_names_in_the_words_decide(message, subject):
    """Whole names and titles, whatever their case; a node by what is made from it."""
    [alert] = opsgenie(message).alerts
    assert alert.subject == subject


def test_a_node_of_the_lineage_is_named_beside_the_subject():
    """So that alerts about one node are one incident."""
    [alert] = opsgenie("Run failed", tags=["dataset:weather_hourly"]).alerts
    assert (alert.subject, alert.names) == ("temp", ("upstream:weather_hourly",))


def test_a_misspelt_node_is_told_with_the_nearest_one():
    """In our own format and as a label; what is made from it may be meant."""
    told = "The lineage has no node `weather_hrly`. The nearest is `weather_hourly`."
    found = FORMATS["generic"]({"upstream": "weather_hrly"}, KNOWN)
    assert found.problems == (told,)
    assert found.strays[0].guesses == (TEMP,)
    found = opsgenie("Run failed", tags=["hawkeye_upstream:weather_hrly"])
    assert found.problems == (f"{told} (label `hawkeye_upstream`)",)


def test_what_datadog_writes_around_a_message_is_left_out():
    """Its marks of Markdown, and the handles that it notifies."""
    body = "%%%\nLate by 3 h, see a@b.example\n@webhook-hawkeye @slack-ml\n%%%"
    sent = {"title": "[Triggered] precision is low", "body": body, "id": "1"}
    [alert] = FORMATS["datadog"](sent, KNOWN).alerts
    assert alert.detail == "Late by 3 h, see a@b.example"


def test_without_a_lineage_the_senders_word_for_the_node_counts():
    """With one, a node that it does not have is left out."""
    tags = ["metric:precision", "upstream:some_table"]
    [alert] = opsgenie("Run failed", tags=tags).alerts
    assert alert.names == ("metric:precision",)
    bare = Known(replace(SUBJECTS, nodes={}), NOW)
    body = {"action": "Create", "alert": {"alertId": "1", "message": "Run failed", "tags": tags}}
    [alert] = FORMATS["opsgenie"](body, bare).alerts
    assert alert.names == ("metric:precision", "upstream:some_table")


@pytest.mark.parametrize(
    ("message", "sentence", "guesses"),
    [
        ("Disk is full", "names nothing that I know", []),
        ("temp and humid look odd", "could be about", ["humid", "temp"]),
        ("temperature is odd", "names nothing that I know", []),
    ],
)
def test_words_that_name_nothing_or_several_make_a_stray(message, sentence, guesses):
    """A person decides; what it may be is kept."""
    found = opsgenie(message)
    assert found.alerts == ()
    [stray] = found.strays
    assert sentence in stray.sentence
    assert [g.name for g in stray.guesses] == guesses
    assert (stray.alert.title, stray.alert.subject) == (message, "")
    assert found.problems[0].startswith(stray.sentence)
    assert "hawkeye_metric" in found.problems[0]


@pytest.mark.parametrize("name", ["grafana", "pagerduty", "datadog", "opsgenie"])
def test_what_is_not_of_the_format_is_refused_with_sentences(name):
    """Key, what was found, what was expected."""
    with pytest.raises(BadPayload) as caught:
        FORMATS[name]({"hello": "world"}, KNOWN)
    assert all("expected" in p for p in caught.value.problems)


# -- who may send ---------------------------------------------------------------------------------

BODY = b'{"event": {"id": "1"}}'
SECRET = "a-strong-unique-secret"
SIGNED = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
KEYS = Keys("token", {"pagerduty": ("old", SECRET), "grafana": (SECRET,)})


@pytest.mark.parametrize(
    ("signature", "refused"),
    [
        (f"v1={SIGNED}", None),
        (f"v1={'0' * 64},v1={SIGNED}", None),
        (f"v1={'0' * 64}", "X-PagerDuty-Signature"),
        (f"v2={SIGNED}", "X-PagerDuty-Signature"),
        (SIGNED, "X-PagerDuty-Signature"),
    ],
)
def test_pagerdutys_signature_lets_in_or_is_refused_with_a_sentence(signature, refused):
    """One of several has to be right; a wrong one is refused even beside the token."""
    headers = {"x-pagerduty-signature": signature, "authorization": "Bearer token"}
    found = refusal("pagerduty", headers, BODY, KEYS, 0)
    assert (found is None) if refused is None else (found.status == 403)
    assert refused is None or refused in found.sentence
    assert (refusal("pagerduty", headers, BODY + b" ", KEYS, 0)).status == 403


def test_grafanas_signature_covers_the_body_or_time_and_body():
    """An old one is refused: somebody may have kept the request."""

    def asked(signed: bytes, now: float, **more: str):
        signature = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
        headers = {"x-grafana-alerting-signature": signature, **more}
        return refusal("grafana", headers, BODY, KEYS, now)

    stamp = {"x-grafana-alerting-timestamp": "1000"}
    assert asked(BODY, 0) is None
    assert asked(b"1000:" + BODY, 1100, **stamp) is None
    assert "five minutes" in asked(b"1000:" + BODY, 1301, **stamp).sentence
    assert "X-Grafana-Alerting-Signature" in asked(BODY, 1000, **stamp).sentence


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_every_format_takes_the_token_and_refuses_a_wrong_one(name):
    """For vendors that sign nothing it is all there is."""
    assert refusal(name, {"authorization": "Bearer token"}, BODY, KEYS, 0) is None
    assert refusal(name, {"authorization": "Bearer nokey"}, BODY, KEYS, 0).status == 403
    assert refusal(name, {}, BODY, KEYS, 0).status == 401


def test_a_signature_without_a_secret_to_check_it_says_what_to_set():
    """Nothing signed is believed unchecked."""
    headers = {"x-pagerduty-signature": f"v1={SIGNED}"}
    found = refusal("pagerduty", headers, BODY, Keys("token"), 0)
    assert (found.status, "HAWKEYE_PAGERDUTY_SECRET" in found.sentence) == (401, True)
    alone = Keys("", {"pagerduty": (SECRET,)})
    assert refusal("pagerduty", headers, BODY, alone, 0) is None
    assert refusal("generic", {}, BODY, alone, 0).status == 403
