"""A page to the owner, against a fake of PagerDuty's Events API v2 on the loopback."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from analysis.evidence import Suspect
from analysis.graph.lineage import Edge, Graph
from analysis.tables import Contract, Metric, Model, Predictions
from bot.config.walk import Mitigation
from bot.paging import Owners, Page, PageError
from state.incident import Alert, Incident

KEY = "R" * 32
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
FEED = Suspect("upstream", "weather_feed", 0.9, changed="stopped at 14:00")


class Events(BaseHTTPRequestHandler):
    """Answers as documented: 202, or 400 with `errors` when the key has not 32 characters."""

    def do_POST(self) -> None:
        """Take one event in."""
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.events.append(event)
        right = len(event["routing_key"]) == 32
        good = {"status": "success", "message": "Event processed", "dedup_key": "k"}
        bad = {"status": "invalid event", "message": "no", "errors": ["Length of 'routing_key'"]}
        body = json.dumps(good if right else bad).encode()
        self.send_response(202 if right else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def pagerduty():
    """The fake; ``events`` are what it was sent."""
    server = HTTPServer(("127.0.0.1", 0), Events)
    server.events = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def incident() -> Incident:
    """A metric fell."""
    alert = Alert("person", "k", "metric", "precision", "Precision fell", NOW, severity=1)
    return Incident("HE-7", alert, NOW, 1)


def page(server, **keys: str) -> Page:
    """A page whose owners are known, by these keys."""
    settings = Mitigation(
        name="Page the owner", kind="pagerduty", url=f"http://127.0.0.1:{server.server_port}/v2"
    )
    return Page(settings, keys, owners().of, lambda _: "https://slack.example/archives/C1/p1")


def owners() -> Owners:
    """weather_feed makes `temp` and is data-platform's; the model is ranking's."""
    graph = Graph.of(
        [Edge("weather_feed", "store", None, "temp"), Edge("store", "delay", None, None)],
        {"weather_feed": "data-platform"},
    )
    contract = Contract(
        predictions=Predictions(source="log", time="time", prediction="score"),
        models=(Model(name="delay", owner="ranking"),),
        metrics=(Metric(name="precision", kind="precision", model="delay"),),
    )
    return Owners(lambda: graph, contract)


def test_the_dry_run_names_the_owner_and_sends_nothing(pagerduty):
    """Whom, how loudly, in which words."""
    told = page(pagerduty, **{"data-platform": KEY}).plan(incident(), FEED)
    assert "data-platform" in told
    assert "critical" in told
    assert pagerduty.events == []


def test_a_page_is_an_event_as_pagerduty_documents_it(pagerduty):
    """One trigger with the required fields, the same key for the same suspect, and a link."""
    pager = page(pagerduty, **{"data-platform": KEY})
    assert "data-platform is paged" in pager.carry_out(incident(), FEED)
    pager.carry_out(incident(), FEED)
    first, second = pagerduty.events[-2:]
    assert first["event_action"] == "trigger"
    assert first["routing_key"] == KEY
    assert first["dedup_key"] == second["dedup_key"]
    assert {"summary", "source", "severity"} <= set(first["payload"])
    assert first["payload"]["severity"] == "critical"
    assert "weather_feed" in first["payload"]["summary"]
    assert first["links"][0]["href"].startswith("https://slack.example/")


def test_what_pagerduty_refuses_is_told_in_its_words(pagerduty):
    """A wrong key pages nobody, and the thread says so."""
    with pytest.raises(PageError, match=r"400: Length of 'routing_key'.*not paged"):
        page(pagerduty, **{"*": "short"}).carry_out(incident(), FEED)


def test_without_a_key_for_the_owner_the_dry_run_already_says_so(pagerduty):
    """Before anybody relies on it."""
    with pytest.raises(PageError, match="add data-platform="):
        page(pagerduty, ranking=KEY).plan(incident(), FEED)


@pytest.mark.parametrize(
    ("suspect", "owner"),
    [
        (FEED, "data-platform"),
        (Suspect("feature", "temp", 0.5), "data-platform"),
        (Suspect("model", "delay", 0.5), "ranking"),
        (Suspect("snapshot", "delay-7", 0.5), "ranking"),
    ],
)
def test_the_owner_is_the_nearest_team_that_the_lineage_or_the_settings_name(suspect, owner):
    """What has no owner of its own belongs to the owner of the metric's model."""
    assert owners().of(incident(), suspect) == owner
