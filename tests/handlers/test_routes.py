"""Alerts over HTTP, health and figures."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from handlers.alerts import FORMATS, Taken
from handlers.alerts.authentication import Keys
from handlers.desk import Desks
from handlers.routes import alert_routes
from state import events as ev
from state.incident import Alert
from state.store import Store
from tests.handlers.fake_desk import NOW, FakeDesk

PAYLOADS = Path(__file__).parents[1] / "payloads"
TOKEN = "s3cret-wörd"
JSON = {"Content-Type": "application/json"}
OURS = {"Authorization": f"Bearer {TOKEN}".encode(), **JSON}


@pytest.fixture
def desk(tmp_path):
    """A desk with an empty store."""
    store = Store(tmp_path / "state.db")
    yield FakeDesk(store)
    store.close()


def client(desk: FakeDesk, token: str | None = TOKEN, **changes: object) -> TestClient:
    """A client of the routes."""
    return TestClient(Starlette(routes=alert_routes(Desks.one(desk), Keys(token or ""), **changes)))


def send(desk: FakeDesk, name: str, format_: str = "alertmanager"):
    """The answer to a recorded payload."""
    body = (PAYLOADS / f"{name}.json").read_bytes()
    return client(desk).post(f"/alerts/{format_}", content=body, headers=OURS)


def test_an_alert_opens_an_incident_and_the_same_alert_joins_it(desk):
    """One thread, however often it fires."""
    first = send(desk, "alertmanager_firing")
    assert first.status_code == 202
    assert first.json() == {"incidents": [{"id": "HE-1", "joined": False}]}
    again = send(desk, "alertmanager_firing")
    assert again.json() == {"incidents": [{"id": "HE-1", "joined": True}]}
    assert desk.store.load("HE-1").joined == 2


def test_another_alert_about_the_same_subject_joins_as_well(desk):
    """Two rules about one metric are one incident to the team."""
    send(desk, "alertmanager_firing")
    body = {"metric": "precision", "key": "another"}
    answer = client(desk).post("/alerts/generic", json=body, headers=OURS)
    assert answer.json() == {"incidents": [{"id": "HE-1", "joined": True}]}


def test_a_resolved_alert_tells_its_thread_and_opens_nothing(desk):
    """Without an open incident it is ignored, and the sender is told."""
    lonely = send(desk, "alertmanager_resolved").json()
    assert lonely["incidents"] == []
    assert "no incident about `precision` is open" in lonely["ignored"][0]
    send(desk, "alertmanager_firing")
    assert send(desk, "alertmanager_resolved").json()["incidents"][0]["id"] == "HE-1"
    last = desk.store.events("HE-1")[-1].event
    assert isinstance(last, ev.AlertJoined)
    assert not last.alert.firing
    assert desk.store.load("HE-1").is_open


def test_two_alerts_of_one_payload_about_one_subject_are_one_incident(desk):
    """Which the payload opened."""
    body = [{"metric": "precision", "key": "a"}, {"metric": "precision", "key": "b"}]
    answer = client(desk).post("/alerts/generic", json=body, headers=OURS)
    assert answer.json() == {"incidents": [{"id": "HE-1", "joined": False}]}
    assert desk.store.load("HE-1").joined == 2


def test_a_group_opens_what_it_can_and_tells_the_rest(desk):
    """An unknown alert does not hold up the others."""
    answer = send(desk, "alertmanager_group")
    assert answer.status_code == 202
    assert [i["id"] for i in answer.json()["incidents"]] == [f"HE-{n}" for n in range(1, 6)]
    assert answer.json()["unplaced"] == ["HE-4", "HE-5"]
    assert len(answer.json()["problems"]) == 2


def test_an_alert_about_nothing_known_is_not_lost_and_told_with_the_nearest_names(desk):
    """A person says what it is about; the same words again join."""
    for joined in (False, True):
        answer = client(desk).post("/alerts/generic", json={"metric": "precison"}, headers=OURS)
        assert answer.status_code == 202
        assert answer.json()["incidents"] == [{"id": "HE-1", "joined": joined}]
        assert answer.json()["unplaced"] == ["HE-1"]
        assert "`precision` (metric)" in answer.json()["problems"][0]
    incident = desk.store.load("HE-1")
    assert (incident.joined, incident.alert.subject) == (2, "")
    assert incident.guesses[0] == "metric:precision"


def test_what_people_said_once_about_an_alert_is_known_from_then_on(desk):
    """By its words."""
    name = "stray:generic:precison is off"
    desk.store.set_settings("placed", {name: ["metric", "precision"]})
    answer = client(desk).post("/alerts/generic", json={"metric": "precison"}, headers=OURS)
    assert "unplaced" not in answer.json()
    assert desk.store.load("HE-1").alert.subject == "precision"


def test_puzzles_of_different_words_are_different_and_their_ends_find_them(desk):
    """Nothing is lumped together because nobody knows it."""
    for metric in ("one", "two"):
        client(desk).post("/alerts/generic", json={"metric": metric}, headers=OURS)
    over = {"metric": "two", "status": "resolved"}
    answer = client(desk).post("/alerts/generic", json=over, headers=OURS)
    assert answer.json()["incidents"] == [{"id": "HE-2", "joined": True}]
    assert not desk.store.load("HE-2").signals[0].firing


@pytest.mark.parametrize(
    ("headers", "status", "sentence"),
    [
        ({}, 401, "Authorization: Bearer"),
        ({"Authorization": "Basic nonsense"}, 401, "Authorization: Bearer"),
        ({"Authorization": "Basic YTpi"}, 403, "not the token"),
        ({"Authorization": "Bearer "}, 401, "Authorization: Bearer"),
        ({"Authorization": "Bearer wrong"}, 403, "not the token"),
        ({"Authorization": f"bearer {TOKEN}".encode()}, 202, None),
        ({"Authorization": f"GenieKey {TOKEN}".encode()}, 202, None),
        ({"Authorization": b"Basic " + b64encode(f"any:{TOKEN}".encode())}, 202, None),
        ({"X-Hawkeye-Token": TOKEN.encode()}, 202, None),
        ({"X-Hawkeye-Token": "wrong"}, 403, "not the token"),
    ],
)
def test_only_who_has_the_token_gets_in(desk, headers, status, sentence):
    """Others get a sentence, and nothing is opened."""
    body = {"metric": "precision"}
    answer = client(desk).post("/alerts/generic", json=body, headers={**JSON, **headers})
    assert answer.status_code == status
    assert sentence is None or sentence in answer.json()["error"]
    assert bool(desk.store.open_incidents()) == (status == 202)
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_a_token_in_the_address_is_not_taken(desk):
    """Addresses end up in logs."""
    answer = client(desk).post(f"/alerts/generic?token={TOKEN}", json={"metric": "precision"})
    assert answer.status_code == 401
    assert "logs" in answer.json()["error"]


@pytest.mark.parametrize("token", [None, ""])
def test_without_a_token_of_its_own_the_bot_takes_no_alerts(desk, token):
    """An empty bearer does not match an empty token."""
    found = client(desk, token)
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        answer = found.post("/alerts/generic", json={"metric": "precision"}, headers=headers)
        assert answer.status_code == 403
        assert "HAWKEYE_ALERTS_TOKEN" in answer.json()["error"]


def test_an_unknown_format_names_the_nearest_but_only_to_those_who_have_the_token(desk):
    """Strangers learn nothing."""
    answer = client(desk).post("/alerts/alertmanger", json={}, headers=OURS)
    assert answer.status_code == 404
    assert "Did you mean /alerts/alertmanager?" in answer.json()["error"]
    assert client(desk).post("/alerts/alertmanger", json={}).status_code == 401


def test_datadog_may_encode_its_payload_as_a_form(desk):
    """A tick in its settings: the payload's keys come as fields."""
    fields = {"alert_id": "7", "alert_title": "[P2] [Triggered] precision & more", "tags": ""}
    form = {**OURS, "Content-Type": "application/x-www-form-urlencoded"}
    answer = client(desk).post("/alerts/datadog", data=fields, headers=form)
    assert answer.status_code == 202, answer.text
    assert client(desk).post("/alerts/generic", data=fields, headers=form).status_code == 415
    empty = client(desk).post("/alerts/datadog", data={"a": "b"}, headers=form)
    assert (empty.status_code, "alert_id" in empty.text) == (422, True)


@pytest.mark.parametrize(
    ("body", "kind", "status", "sentence"),
    [
        (b"{}", "text/plain", 415, "application/json"),
        (b"{}", "", 415, "application/json"),
        (b"{", "application/json", 422, "not JSON"),
        (b"\xff", "application/json", 422, "not JSON"),
        (b"[" * 100_000, "application/json", 422, "not JSON"),
        (b"[]", "application/json", 422, "expected a JSON object"),
        (b"{}", "application/vnd.x+json; charset=utf-8", 422, "`alerts`: found nothing"),
        (b'"' + b"x" * 5_000_001 + b'"', "application/json", 413, "5,000,000 bytes"),
    ],
)
def test_a_bad_body_is_refused_with_a_sentence(desk, body, kind, status, sentence):
    """And nothing is opened."""
    headers = {**OURS, "Content-Type": kind}
    answer = client(desk).post("/alerts/alertmanager", content=body, headers=headers)
    assert answer.status_code == status
    assert sentence in json.dumps(answer.json(), ensure_ascii=False)
    assert desk.store.open_incidents() == []


def test_a_body_that_hides_its_length_is_cut_off_as_well(desk):
    """Chunks are counted as they come."""
    chunks = (b"x" * 500_000 for _ in range(11))
    answer = client(desk).post("/alerts/generic", content=chunks, headers=OURS)
    assert answer.status_code == 413


def test_wrong_keys_are_all_named(desk):
    """Each with what was found and what was expected."""
    answer = send(desk, "generic_wrong", "generic")
    assert answer.status_code == 422
    assert len(answer.json()["problems"]) >= 3


def test_a_teams_own_format_is_served_beside_ours(desk):
    """A function, no more."""

    def pager(payload, known):
        alert = Alert("pager", payload["id"], "model", "delay", "Paged", known.now)
        return Taken((alert,))

    found = client(desk, formats={**FORMATS, "pager": pager})
    answer = found.post("/alerts/pager", json={"id": "P1"}, headers=OURS)
    assert answer.json() == {"incidents": [{"id": "HE-1", "joined": False}]}
    assert desk.store.load("HE-1").alert.source == "pager"
    broken = found.post("/alerts/pager", json={}, headers=OURS)
    assert broken.status_code == 500
    assert "KeyError: 'id'" in broken.json()["error"]


def test_health_says_that_the_process_answers_and_ready_that_everything_works(desk):
    """Without a token, for the platform's probes."""
    assert client(desk).get("/healthz").json() == {"status": "ok"}
    assert client(desk).get("/readyz").status_code == 200
    stopped = client(desk, ready=lambda: False).get("/readyz")
    assert stopped.status_code == 503
    assert "restart the bot" in stopped.json()["problems"][0]


def test_a_store_that_is_gone_is_not_ready(desk, tmp_path):
    """The sentence names the store."""
    desk.store.close()
    desk.store.path = str(tmp_path / "no" / "such" / "folder.db")
    answer = client(desk).get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problems"][0].startswith("store: ")


def test_prometheus_reads_what_came_in_and_what_is_open(desk):
    """Counters by format and outcome; refusals by status."""
    found = client(desk)
    found.post("/alerts/generic", json={"metric": "precision"}, headers=OURS)
    found.post("/alerts/generic", json={"metric": "precision"}, headers=OURS)
    found.post("/alerts/generic", json={"metric": "precision"})
    text = found.get("/metrics").text
    assert 'hawkeye_alerts_total{format="generic",outcome="opened"} 1.0' in text
    assert 'hawkeye_alerts_total{format="generic",outcome="joined"} 1.0' in text
    assert 'hawkeye_requests_refused_total{status="401"} 1.0' in text
    assert "hawkeye_incidents_open 1.0" in text
    assert desk.store.load("HE-1").opened_at == NOW


def test_an_alert_that_fires_again_soon_after_it_was_resolved_opens_its_incident_again(desk):
    """The same excursion that comes and goes; later it is a new one."""
    send(desk, "alertmanager_firing")
    desk.tell("HE-1", ev.Closed(desk.at, "U1", "resolved"))
    desk.at += timedelta(minutes=10)
    assert send(desk, "alertmanager_firing").json()["incidents"] == [{"id": "HE-1", "joined": True}]
    assert desk.store.load("HE-1").is_open
    desk.tell("HE-1", ev.Closed(desk.at, "U1", "resolved"))
    desk.at += timedelta(minutes=31)
    assert send(desk, "alertmanager_firing").json()["incidents"][0]["id"] == "HE-2"


def test_what_people_called_no_incident_stays_closed_and_is_counted(desk):
    """Unless it comes back worse."""
    body = {"metric": "precision", "severity": 3}
    client(desk).post("/alerts/generic", json=body, headers=OURS)
    desk.tell("HE-1", ev.Closed(desk.at, "U1", "not an incident"))
    desk.at += timedelta(minutes=10)
    again = client(desk).post("/alerts/generic", json=body, headers=OURS)
    assert again.json()["incidents"] == [{"id": "HE-1", "joined": True}]
    assert (desk.store.load("HE-1").is_open, desk.store.load("HE-1").joined) == (False, 2)
    worse = client(desk).post("/alerts/generic", json={**body, "severity": 1}, headers=OURS)
    assert worse.json()["incidents"][0]["id"] == "HE-2"


def test_an_update_is_told_in_place_and_counts_nothing(desk):
    """PagerDuty's acknowledgement; about an incident that nobody opened it is ignored."""
    desk.known = replace(desk.known, metrics=("late arrival rate",))
    assert (
        "is acknowledged" in send(desk, "pagerduty_acknowledged", "pagerduty").json()["ignored"][0]
    )
    send(desk, "pagerduty_triggered", "pagerduty")
    send(desk, "pagerduty_acknowledged", "pagerduty")
    incident = desk.store.load("HE-1")
    assert (incident.joined, incident.signals[0].update) == (1, "acknowledged by Tenex Engineer")
