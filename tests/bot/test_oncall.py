"""Who is called, when, and once: with PagerDuty's API as it documents it, on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.config.people import OnCall
from bot.oncall import PagerDuty, Rota
from handlers.calling import Caller
from handlers.messages import calls
from state import events as ev
from state.due import DueWork
from state.incident import Alert, Incident
from state.machine import advance
from state.store import Store
from tests.state.toys import TOY

AT = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
ALERT = Alert("test", "k", "metric", "precision", "precision fell", AT, severity=2)


def user(name: str, mail: str) -> dict[str, str]:
    """A user as ``include[]=users`` gives it."""
    return {"id": f"P{name}", "type": "user", "summary": name, "name": name, "email": mail}


def entry(level: int, who: dict[str, str], policy: str = "PT20YPA") -> dict[str, object]:
    """An on-call entry."""
    return {
        "escalation_policy": {"id": policy, "type": "escalation_policy_reference"},
        "escalation_level": level,
        "schedule": {"id": "PI7DH85", "type": "schedule_reference"},
        "user": who,
        "start": "2026-11-23T08:00:00Z",
        "end": "2026-11-24T08:00:00Z",
    }


class Oncalls(BaseHTTPRequestHandler):
    """``GET /oncalls`` of PagerDuty's REST API, version 2."""

    asked: ClassVar[list[dict[str, list[str]]]] = []
    entries: ClassVar[list[dict[str, object]]] = [
        entry(1, user("Ana", "ana@x.example")),
        entry(2, user("Bo", "bo@x.example")),
    ]

    def do_GET(self) -> None:
        """Answer who is on call; without the key, 401 as documented."""
        where = urlsplit(self.path)
        self.asked.append(parse_qs(where.query))
        good = self.headers["Authorization"] == "Token token=key" and where.path == "/oncalls"
        body = {"oncalls": self.entries, "limit": 100, "offset": 0, "more": False, "total": None}
        raw = json.dumps(body if good else {"error": {"code": 2006}}).encode()
        self.send_response(200 if good else 401)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def pagerduty() -> Iterator[str]:
    """The address of a PagerDuty."""
    server = HTTPServer(("127.0.0.1", 0), Oncalls)
    Oncalls.asked = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class People:
    """Slack's directory: two groups, one address."""

    def members(self, groups):
        """The small group and the large one."""
        return {"SSMALL": {"U01", "U02"}, "SLARGE": {f"U{n}" for n in range(9)}}.get(
            groups[0], set()
        )

    def by_email(self, email):
        """Only Ana is here."""
        return {"ana@x.example": "UANA"}.get(email, "")


def rota(*levels: str, url: str = "", key: str = "key", **more: object) -> Rota:
    """A rota with these levels."""
    found = PagerDuty(url, key) if url else None
    return Rota(OnCall(**more), People(), found, lambda _: levels)


def test_a_policys_level_is_mapped_to_slack_by_address_else_named(pagerduty):
    """Bo is not in this workspace."""
    who = rota("pagerduty:PT20YPA", "pagerduty:PT20YPA/2", url=pagerduty)
    assert who.people(ALERT, 0) == ("UANA",)
    assert who.people(ALERT, 1) == ("Bo",)
    assert who.people(ALERT, 2) == ()
    assert Oncalls.asked[0]["escalation_policy_ids[]"] == ["PT20YPA"]
    assert Oncalls.asked[0]["include[]"] == ["users"]


def test_it_is_asked_once_in_a_while_and_a_schedule_by_its_id(pagerduty):
    """A storm does not become a storm of questions."""
    who = rota("pagerduty-schedule:PI7DH85", url=pagerduty)
    assert [who.people(ALERT, 0) for _ in range(5)] == [("UANA", "Bo")] * 5
    assert [a["schedule_ids[]"] for a in Oncalls.asked] == [["PI7DH85"]]


@pytest.mark.parametrize("key", ["wrong", None])
def test_when_pagerduty_does_not_say_nobody_is_named_and_nothing_breaks(pagerduty, key):
    """The incident opens all the same."""
    who = rota("pagerduty:PT20YPA", url=pagerduty if key else "", key=key or "")
    assert who.people(ALERT, 0) == ()


def test_a_small_group_is_its_people_and_a_large_one_is_mentioned_as_a_group():
    """Nine mentions help nobody."""
    who = rota("SSMALL", "SLARGE", "U07")
    assert [who.people(ALERT, n) for n in range(3)] == [("U01", "U02"), ("SLARGE",), ("U07",)]


@pytest.mark.parametrize(
    ("hour", "severity", "end"),
    [(23, 2, 24 + 6), (3, 2, 6), (3, 1, None), (12, 4, None), (6, 2, None), (21, 2, 24 + 6)],
)
def test_quiet_hours_hold_back_what_is_not_bad_enough_until_they_end(hour, severity, end):
    """22:00 to 07:00 in Berlin, an hour ahead in winter."""
    quiet = {"quiet_start": "22:00", "quiet_end": "07:00", "quiet_zone": "Europe/Berlin"}
    now = datetime(2026, 11, 23, hour, tzinfo=UTC)
    wanted = None if end is None else datetime(2026, 11, 23, tzinfo=UTC) + timedelta(hours=end)
    assert rota(**quiet).held_until(severity, now) == wanted


def test_half_a_setting_of_quiet_hours_is_refused():
    """And a time or a zone that is none."""
    for wrong in (
        {"quiet_start": "22:00"},
        {"quiet_start": "25:00", "quiet_end": "7"},
        {"quiet_zone": "Mars/Olympus"},
    ):
        with pytest.raises(ValueError, match="quiet_"):
            OnCall(**wrong)


# -- the calls ------------------------------------------------------------------------------------


class Desk:
    """An incident, its caller and its due work, with a clock in hand."""

    def __init__(self, store: Store, who: Rota, severity: int = 2) -> None:
        self.due, self.at = DueWork(store), AT
        self.caller = Caller(who, self.due)
        self.incident = Incident("HE-1", ALERT, AT, severity)
        self.rota = who
        self.tell(self.caller.first(self.incident, who.people(ALERT, 0), AT))

    def tell(self, event) -> None:
        """One event in."""
        if event is not None:
            self.incident, _ = advance(self.incident, event, TOY)

    def pass_time(self, **by: float) -> None:
        """The clock moves on, and what is due is done."""
        self.at += timedelta(**by)
        for work in self.due.claim(self.at):
            self.tell(self.caller.due_now(self.incident, work.payload["level"], self.at))
            self.due.done(work)

    def called(self) -> list[tuple[int, tuple[str, ...]]]:
        """Levels and people that were mentioned."""
        return [(c.level, c.people) for c in self.incident.calls if c.held_until is None]


@pytest.fixture
def store(tmp_path):
    """An empty store."""
    found = Store(tmp_path / "state.db")
    yield found
    found.close()


def test_the_next_level_is_called_when_nobody_comes_and_once(store):
    """After fifteen minutes each; the last one ends it."""
    desk = Desk(store, rota("U01", "U02", "U03"))
    assert desk.called() == [(0, ("U01",))]
    assert "on call: <@U01>" in calls.fact(desk.incident)
    desk.pass_time(minutes=14)
    assert len(desk.called()) == 1
    desk.pass_time(minutes=2)
    desk.pass_time(minutes=2)
    assert desk.called()[1:] == [(1, ("U02",))]
    [(_, name, message)] = calls.calls(desk.incident)
    assert name == "call-1"
    assert (
        "<@U02>: nobody has taken this for 16\N{NO-BREAK SPACE}min. <@U01> was asked first."
        in message["text"]
    )
    desk.pass_time(hours=2)
    desk.pass_time(hours=2)
    assert desk.called()[2:] == [(2, ("U03",))]


def test_nobody_more_is_called_once_somebody_is_there(store):
    """Taking it is enough."""
    desk = Desk(store, rota("U01", "U02"))
    desk.tell(ev.Taken(desk.at, "U01", "U01"))
    desk.pass_time(minutes=20)
    assert desk.called() == [(0, ("U01",))]
    assert calls.fact(desk.incident) == ""


def test_a_snoozed_incident_calls_when_the_snooze_is_over(store):
    """Not before."""
    desk = Desk(store, rota("U01", "U02"))
    desk.tell(ev.Snoozed(desk.at, "U01", desk.at + timedelta(hours=1)))
    desk.pass_time(minutes=30)
    assert len(desk.called()) == 1
    desk.pass_time(minutes=31)
    assert desk.called()[1:] == [(1, ("U02",))]


def test_in_quiet_hours_nobody_is_mentioned_before_they_end(store):
    """Then the first level, and the wait for the second begins."""
    desk = Desk(store, rota("U01", "U02", quiet_start="13:00", quiet_end="15:00"))
    assert desk.called() == []
    assert "quiet hours" in calls.fact(desk.incident)
    assert "U01" not in calls.fact(desk.incident)
    desk.pass_time(minutes=50)
    assert desk.called() == []
    desk.pass_time(minutes=6)
    assert desk.called() == [(0, ("U01",))]
    [(_, _, message)] = calls.calls(desk.incident)
    assert "<@U01>: this came at" in message["text"]
    desk.pass_time(minutes=16)
    assert desk.called()[1:] == [(1, ("U02",))]


def test_what_gets_worse_in_quiet_hours_calls_at_once(store):
    """Severity 1 disturbs."""
    desk = Desk(store, rota("U01", quiet_start="13:00", quiet_end="15:00"))
    desk.tell(ev.SeveritySet(desk.at, "U09", 1))
    desk.caller.worse(desk.incident, desk.at)
    desk.pass_time(minutes=1)
    assert desk.called() == [(0, ("U01",))]
