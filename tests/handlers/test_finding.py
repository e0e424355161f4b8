"""`similar` and `incidents search`, as people say them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.commands import ask
from handlers.registry import Request
from state import events as ev
from state.incident import Alert
from state.said import Said, Sayings
from state.store import Store
from tests.handlers.fake_desk import NOW, FakeDesk
from tests.handlers.toy import REAL


@pytest.fixture
def desk(tmp_path):
    """An old incident that was closed, and a new one about the same metric."""
    desk = FakeDesk(Store(tmp_path / "s.db"), at=NOW - timedelta(days=3))
    for title in ("Precision fell <b>", "Precision fell again"):
        alert = Alert("monitor", title, "metric", "precision", title, desk.at)
        incident = desk.open(alert)
        found = replace(REAL.without_bytes(), figures={"now": 0.6, "usual": 0.7})
        desk.tell(incident.id, ev.Checked(desk.at, 1, found))
        if desk.at < NOW:
            desk.tell(incident.id, ev.Noted(desk.at, "U1", "the weather feed stopped"))
            desk.tell(incident.id, ev.Closed(desk.at + timedelta(hours=1), "U1", "resolved"))
            desk.at = NOW
    return desk


def said(desk, text, user="U1", incident="HE-2"):
    """The reply to a mention in the second incident's thread."""
    return ask(Request(text, user, "C-routed", "1.0", incident, via="mention"), desk)


def test_an_earlier_incident_is_told_with_its_end_in_the_thread(desk):
    """With the chart that it had."""
    assert said(desk, "similar").text == ""
    [payload] = desk.told
    assert "HE-1" in payload["text"]
    assert "60\u00a0min" in payload["blocks"][0]["text"]["text"]
    assert any(block.get("type") == "image" for block in payload["blocks"])


def test_where_there_was_none_it_says_so(desk):
    """The first incident ever has none before it."""
    said(desk, "similar", incident="HE-1")
    assert "No earlier incident" in desk.told[0]["text"]


def test_what_somebody_may_not_see_is_neither_similar_nor_found(desk):
    """Private channels stay private."""
    desk.shut_out.add(("HE-1", "U9"))
    said(desk, "similar", user="U9")
    assert "No earlier incident" in desk.told[0]["text"]
    assert "HE-1" not in said(desk, "incidents search weather", user="U9").text


def test_a_thread_that_others_read_tells_of_no_incident_that_they_may_not_see(desk):
    """Although the one who asks may see it."""
    desk.shut_out.add(("HE-1", "C-routed"))
    said(desk, "similar")
    assert "No earlier incident" in desk.told[0]["text"]


def test_what_was_said_where_one_can_not_read_is_not_found(desk):
    """Nor shown beside what was found."""
    secret = Said("C-secret", "1.5", "U2", "<@U1|ana> zebra asked about the weather feed")
    Sayings(desk.store).remember("HE-1", secret)
    assert "*zebra*" in said(desk, "incidents search zebra").text
    assert "U1" not in said(desk, "incidents search zebra").text
    desk.shut_out.add(("C-secret", "U9"))
    assert "No incident" in said(desk, "incidents search zebra", user="U9").text
    seen = said(desk, "incidents search weather stopped", user="U9").text
    assert "*weather*" in seen
    assert "zebra" not in seen


def test_search_answers_with_the_place_where_it_was_found(desk):
    """For the one who asks alone; titles are escaped."""
    text = said(desk, "search weather").text
    assert "HE-1" in text
    assert "*weather*" in text
    assert "Precision fell &lt;b&gt;" in text
    assert "No incident" in said(desk, "incidents search zeppelin").text
    assert "Search for what" in said(desk, "incidents search").text
