"""What a practice teaches: the shortest way, where it was left, how long it took."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from handlers import blockkit
from handlers.messages.debrief import debrief_message
from state import events as ev
from state.hawkeye import TREE
from state.practice import debrief, shortest
from tests.handlers import toy
from tests.handlers.looks import uploaded


@pytest.mark.parametrize(
    ("start", "kind", "way"),
    [
        ("real", "false_alarm", [("real", "false_alarm")]),
        (
            "real",
            "training_data",
            [
                ("real", "real"),
                ("cause", "model"),
                ("models", "degraded"),
                ("snapshot", "snapshot"),
                ("training_data", "training_data"),
            ],
        ),
        (
            "real_feature",
            "upstream",
            [
                ("real_feature", "real"),
                ("features", "inputs"),
                ("upstream", "upstream"),
            ],
        ),
        ("real", "nothing of the kind", []),
    ],
)
def test_the_shortest_way_leads_to_an_exit_of_the_planted_kind(start, kind, way):
    """Whatever node the walk starts at."""
    assert list(shortest(TREE, start, kind)) == way


def walked(*answers):
    """An incident walked with these verdicts, a minute each, and closed after ten."""
    one = toy.opened()
    for number, verdict in enumerate(answers, 1):
        found = toy.WALK[number - 1].without_bytes()
        suspects = (toy.MODEL,) if verdict != found.verdict else None
        one = toy.after(
            one,
            ev.Checked(toy.at(number), number, found),
            ev.Answered(toy.at(number + 0.5), number, verdict, "U0ANA", suspects),
        )
    return toy.after(one, ev.Closed(toy.at(10), "U0ANA", "resolved"))


ALL = ("real", "model", "degraded", "not_snapshot", "inputs", "upstream")


def test_who_stays_on_the_way_is_told_so_with_the_times():
    """To the first answer, to the last one, to the end."""
    found = debrief(walked(*ALL), "real", toy.TREE, "upstream", ("weather_hourly",))
    assert found.found
    assert found.left is None
    assert (found.answers, len(found.way)) == (6, 6)
    assert found.first_answer == timedelta(minutes=1.5)
    assert found.cause == timedelta(minutes=6.5)
    assert found.end == timedelta(minutes=10)
    payload = debrief_message(found, toy.TREE, "Other units <b>.", "upstream: weather_hourly")
    text = payload["blocks"][0]["text"]["text"]
    assert "You never left it." in text
    assert "Other units &lt;b&gt;" in text
    assert blockkit.problems(uploaded(payload)) == []


def test_where_the_way_was_left_is_told_with_what_would_have_been():
    """A snapshot was blamed where the inputs had changed."""
    found = debrief(walked(*ALL[:3], "snapshot"), "real", toy.TREE, "upstream", ("weather_hourly",))
    assert not found.found
    assert found.left is not None
    assert (found.left.node, found.instead) == ("snapshot", "not_snapshot")
    text = str(debrief_message(found, toy.TREE, "x", "y"))
    assert "left at step 4" in text
    assert "you chose" in text
    assert "that was not it" in text


def test_the_way_that_was_not_taken_is_named():
    """ "These" would say nothing: I had named the model."""
    found = debrief(walked("real", "model", "none"), "real", toy.TREE, "upstream", ())
    assert (found.left.node, found.instead) == ("models", "degraded")
    text = str(debrief_message(found, toy.TREE, "x", "y"))
    assert f"The way was `{toy.MODEL.name}`" in text


def test_another_cause_of_the_same_kind_is_not_the_planted_one():
    """The name has to fit as well; a place spelled out does."""
    one = walked(*ALL)
    assert not debrief(one, "real", toy.TREE, "upstream", ("billing",)).found
    assert debrief(one, "real", toy.TREE, "upstream", ("weather_hourly/run",)).found
    assert debrief(one, "real", toy.TREE, "upstream", ()).found


def test_nobody_answering_has_no_times():
    """An incident that was closed at once."""
    one = toy.after(toy.opened(), ev.Closed(toy.at(3), "U0ANA", "not an incident"))
    found = debrief(replace(one, causes=()), "real", toy.TREE, "upstream", ())
    assert (found.first_answer, found.cause, found.answers) == (None, None, 0)
    assert "You stopped before its end." in str(debrief_message(found, toy.TREE, "x", "y"))
