"""A step that needs more than it may have asks a person."""

from datetime import timedelta

import pytest

from analysis.budget import Excess
from state import effects as fx
from state import events as ev
from state.as_text import from_json, to_json
from state.budgeting import HEADROOM
from state.incident import Incident
from state.machine import advance
from tests.state.toys import NOW, TOY, feed, found, later, opened

BYTES = Excess("bytes", 48e9, 10e9)
SECONDS = Excess("seconds", 60, 60)


def over(excess=BYTES):
    """The first step asks for more."""
    return feed(opened(), ev.WentOver(NOW, 1, excess))


def test_a_step_over_its_budget_waits_for_a_person():
    """Nothing runs until somebody says so."""
    incident, effects = advance(opened(), ev.WentOver(NOW, 1, BYTES), TOY)
    assert incident.current.status == "over"
    assert incident.current.excess == BYTES
    assert effects == ()


@pytest.mark.parametrize("excess", [BYTES, SECONDS])
def test_an_allowed_step_runs_again_with_more_and_remembers_who_allowed_it(excess):
    """The same step, over the same scope."""
    incident, (effect,) = advance(over(excess), ev.Allowed(later(1), 1, "UANA"), TOY)
    step = incident.current
    assert (step.status, step.excess) == ("running", None)
    assert effect == fx.RunCheck(1, "real", step.scope)
    [given] = step.allowed
    assert (given.of, given.by, given.at) == (excess.of, "UANA", later(1))
    assert given.upto == HEADROOM[excess.of] * excess.needs > excess.needs


def test_both_resources_are_allowed_one_by_one():
    """What was given once stays given while the other is asked for."""
    incident = feed(over(), ev.Allowed(NOW, 1, "UANA"))
    incident = feed(incident, ev.WentOver(NOW, 1, SECONDS))
    incident = feed(incident, ev.Allowed(NOW, 1, "UBO"))
    assert [(a.of, a.by) for a in incident.current.allowed] == [
        ("bytes", "UANA"),
        ("seconds", "UBO"),
    ]


def test_a_second_click_learns_who_allowed_it():
    """The first one counts."""
    incident = feed(over(), ev.Allowed(NOW, 1, "UANA"))
    after, (refusal,) = advance(incident, ev.Allowed(later(1), 1, "UBO"), TOY)
    assert after is incident
    assert "UANA" in refusal.why


def test_nobody_has_to_allow_it():
    """The step can be skipped, answered by hand, or run over less."""
    skipped = feed(over(), ev.Skipped(NOW, 1, "U1"))
    assert skipped.steps[0].answer.skipped
    by_hand = feed(over(), ev.Answered(NOW, 1, "yes", "U1"))
    assert by_hand.current.node == "which"
    shorter = feed(over(), ev.Rerun(NOW, 1, "U1", minutes=2 * 24 * 60))
    assert shorter.current.scope.baseline.length == timedelta(days=2)
    assert shorter.current.scope.window.start == over().current.scope.window.start
    assert shorter.current.allowed == ()


def test_going_back_to_a_step_that_asked_asks_again():
    """It was skipped; whoever goes back finds the question, not an empty step."""
    incident = feed(over(), ev.Skipped(NOW, 1, "U1"))
    incident = feed(incident, ev.WentBack(later(1), 1, "U1"))
    assert incident.steps[0].status == "over"


def test_going_back_to_one_that_had_found_something_before_it_asked_asks_again():
    """The question and its button stand and fall together."""
    looked = feed(opened(), ev.Checked(NOW, 1, found("yes")), ev.Rerun(NOW, 1, "U1"))
    number = looked.current.number
    asks = feed(looked, ev.WentOver(NOW, number, BYTES), ev.Answered(NOW, number, "no", "U1"))
    back = feed(asks, ev.WentBack(later(1), number, "U1"))
    assert (back.current.status, back.current.excess) == ("over", BYTES)


def test_a_late_result_of_a_step_that_asks_does_no_harm():
    """It no longer waits for a check."""
    _, (refusal,) = advance(over(), ev.Checked(NOW, 1, found("yes")), TOY)
    assert "no longer waits" in refusal.why


def test_the_question_and_its_answer_survive_the_store():
    """Incidents are kept as JSON; those kept before there were budgets are read too."""
    for incident in (over(), feed(over(), ev.Allowed(NOW, 1, "UANA"))):
        assert from_json(Incident, to_json(Incident, incident)) == incident
    text = to_json(Incident, opened()).replace(',"excess":null,"allowed":[]', "")
    assert "allowed" not in text
    assert from_json(Incident, text) == opened()
