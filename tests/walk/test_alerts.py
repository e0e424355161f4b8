"""Alerts from other systems through the real shell: joined in place, placed by a person."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from urllib.request import Request, urlopen

import pytest

from state.due import Due
from tests.state.toys import TOY
from tests.walk.stage import staged


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """One stage for this file; each test has a subject of its own."""
    tree = replace(TOY, starts=(("metric", "real"), ("model", "real"), ("feature", "real")))
    with staged(tmp_path_factory.mktemp("alerts"), tree=tree) as found:
        yield found


def post(stage, format_: str, payload: object) -> dict:
    """What the sender is answered."""
    headers = {"Authorization": "Bearer alerts", "Content-Type": "application/json"}
    url = f"{stage.front.url}/alerts/{format_}"
    with urlopen(Request(url, json.dumps(payload).encode(), headers), timeout=10) as answer:
        return json.load(answer)


def opsgenie(message: str, action: str = "Create", **more: object) -> dict:
    """An alert of Opsgenie."""
    return {"action": action, "alert": {"alertId": message, "message": message, **more}}


def test_alerts_of_several_senders_are_one_message_whose_count_grows(stage):
    """And one list in the thread, ticked off as they end."""
    [first] = post(stage, "generic", {"metric": "precision", "title": "Precision 0.58"})[
        "incidents"
    ]
    incident = first["id"]
    stage.shows(incident, "root", "Precision 0.58")
    root = stage.ts(incident, "root")
    assert post(stage, "opsgenie", opsgenie("precision fell"))["incidents"][0]["joined"]
    stage.shows(incident, "root", "2 alerts joined from a webhook and Opsgenie")
    assert stage.ts(incident, "root") == root
    stage.shows(incident, "alerts", "Precision 0.58", "precision fell")
    post(stage, "opsgenie", opsgenie("precision fell", "Close"))
    stage.shows(incident, "alerts", "✅ precision fell", "resolved")
    post(stage, "generic", {"metric": "precision", "status": "resolved"})
    stage.shows(incident, "alerts", "All of them are resolved", "for you to say")
    assert stage.incident(incident).is_open


def test_what_names_nothing_known_waits_for_a_person_and_is_known_from_then_on(stage):
    """Nothing is lost, and nobody is asked twice."""
    alert = opsgenie("Gusts look odd in the wnd column", description="0 for an hour")
    answer = post(stage, "opsgenie", alert)
    [incident] = answer["unplaced"]
    assert "names nothing that I know" in answer["problems"][0]
    stage.shows(incident, "root", "I don't know what this is about", "what is it about?")
    wind = '{"i":"' + incident + '","k":"feature","n":"wind"}'
    stage.press(incident, "root", "place:menu", selected_option={"value": wind})
    assert stage.until(lambda: stage.incident(incident).alert.subject == "wind")
    stage.shows(incident, "step-1", "answer:yes")
    again = post(stage, "opsgenie", {**alert, "alert": {**alert["alert"], "alertId": "other"}})
    assert again["incidents"] == [{"id": incident, "joined": True}]
    assert "unplaced" not in again


def test_a_call_that_is_owed_is_made_once_by_the_next_life_of_the_bot(stage):
    """Escalation survives a restart; a second one calls nobody."""
    [first] = post(stage, "generic", {"feature": "temp", "title": "temp drifts"})["incidents"]
    incident = first["id"]
    stage.shows(incident, "root", "temp drifts")

    def owe() -> None:
        at = stage.bot.conversation.now() - timedelta(minutes=1)
        due = Due(f"call:{incident}:1", "call", incident, {"level": 1})
        stage.bot.conversation.due.add(due, at)

    stage.bot.conversation.rota.levels_of = lambda _: (stage.ana, stage.bo)
    kept = stage.make

    def again():
        bot = kept()
        bot.conversation.rota.levels_of = lambda _: (stage.ana, stage.bo)
        return bot

    stage.make = again
    stage.restart(owe)
    stage.shows(incident, "call-0", f"<@{stage.bo}>", "nobody has taken this")
    owe()
    assert stage.until(lambda: not stage.bot.store.rows("SELECT 1 FROM due WHERE kind = 'call'"))
    assert len(stage.incident(incident).calls) == 1
