"""A step over its budget asks in the thread, and a click decides, through Bolt."""

import pytest

from analysis.budget import Excess, OverBudget
from handlers.record.material import material
from handlers.record.timeline import timeline
from tests.state.toys import TOY
from tests.walk.stage import evidence, staged

BYTES = OverBudget(Excess("bytes", 48e9, 10e9))
SECONDS = OverBudget(Excess("seconds", 60, 60))


@pytest.fixture
def stage(tmp_path):
    """A fresh stage over Socket Mode."""
    with staged(tmp_path) as found:
        yield found


def asking(stage, excess):
    """An incident whose first step asks for more, until it is given it."""
    stage.canned.by_node["real"] = excess
    incident = stage.fire()
    stage.shows(incident, "step-1", "that you allow a step" if excess is BYTES else "stopped")
    return incident


def test_a_step_that_would_read_too_much_asks_and_is_run_when_somebody_says_so(stage):
    """The question says how much; the click is taken down; the step then finds what it finds."""
    incident = asking(stage, BYTES)
    stage.shows(incident, "step-1", "about 48 GB, more than the 10 GB", "Run it anyway", "96 GB")
    stage.shows(incident, "root", "asks for more")
    stage.canned.by_node["real"] = evidence()["real"]
    stage.press(incident, "step-1", "allow")
    stage.shows(incident, "step-1", "It fell.", f"up to 96 GB allowed by <@{stage.ana}>")
    given = [[(a.of, a.upto) for a in one] for one in stage.canned.allowed]
    assert given[:2] == [[], [("bytes", 96e9)]]


def test_a_step_that_took_too_long_asks_for_more_time(stage):
    """It was stopped; a click gives it ten times as long."""
    incident = asking(stage, SECONDS)
    stage.shows(incident, "step-1", "stopped after 60 s", "Give it 10 min")
    stage.canned.by_node["real"] = evidence()["real"]
    stage.press(incident, "step-1", "allow")
    stage.shows(incident, "step-1", "It fell.", "up to 10 min allowed by")


def test_a_step_over_its_budget_can_look_at_less(stage):
    """28 days and 10 of 48 GB: two days are left, and are looked at in a new step."""
    incident = asking(stage, BYTES)
    stage.shows(incident, "step-1", "Compare with 2 days, not 28")
    stage.canned.by_node["real"] = evidence()["real"]
    stage.press(incident, "step-1", "more:shorter")
    stage.shows(incident, "step-2", "It fell.")
    assert stage.incident(incident).steps[1].scope.baseline.length.days == 2


def test_a_step_over_its_budget_can_be_left_open(stage):
    """The walk goes on as where a check could not look."""
    stage.canned.by_node["which"] = BYTES
    incident = stage.fire()
    stage.press(incident, "step-1", "answer:yes")
    stage.shows(incident, "step-2", "Run it anyway")
    stage.press(incident, "step-2", "more:skip")
    assert stage.until(lambda: stage.incident(incident).steps[1].answer)
    assert stage.incident(incident).steps[1].answer.skipped


def test_a_guess_that_would_go_over_asks_nobody(stage):
    """A step computed ahead is asked about when somebody comes to it, and not before."""
    stage.canned.by_node["which"] = BYTES
    incident = stage.fire()
    stage.shows(incident, "step-1", "It fell.")
    assert stage.until(lambda: "which" in [node for node, _ in stage.canned.ran])
    assert [s.status for s in stage.incident(incident).steps] == ["proposed"]


def test_the_record_says_what_was_asked_and_who_allowed_it(stage):
    """In the timeline of the post-mortem."""
    incident = asking(stage, BYTES)
    stage.canned.by_node["real"] = evidence()["real"]
    stage.press(incident, "step-1", "allow")
    stage.shows(incident, "step-1", "It fell.")
    told = [line.what for line in timeline(material(stage.bot.store, incident, TOY))]
    assert any("would read about 48 GB" in what for what in told)
    assert any("allowed to go over its budget" in what for what in told)
