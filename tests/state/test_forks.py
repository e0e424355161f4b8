"""Where a walk could have gone otherwise."""

from __future__ import annotations

from dataclasses import replace

import pytest

from state import events as ev
from state.forks import forks, shared
from tests.state.toys import NOW, TOY, at_which, feed, found, opened, suspect


def told(incident):
    """Step, verdict and chance of each fork, the likeliest first."""
    return [(f.step, f.branch.verdict, round(f.chance, 4)) for f in forks(incident, TOY)]


def test_the_rest_of_a_steps_confidence_is_shared_by_the_other_branches():
    """Later forks are as likely as the way to them; a branch to the same node is no other."""
    incident = feed(at_which(suspect("s1")), ev.Answered(NOW, 2, "these", "U1"))
    assert told(incident) == [(1, "no", 0.1), (2, "none", 0.045)]


def test_what_a_check_tells_of_its_other_verdicts_counts():
    """Where it tells them apart, nothing is shared evenly."""
    sure = found("these", suspect("s1"), confidence=0.7, shares={"these": 0.7, "together": 0.3})
    incident = feed(
        opened(),
        ev.Checked(NOW, 1, found("yes", confidence=1.0)),
        ev.Answered(NOW, 1, "yes", "U1"),
        ev.Checked(NOW, 2, sure),
        ev.Answered(NOW, 2, "these", "U1"),
    )
    assert [f.chance for f in forks(incident, TOY)] == pytest.approx([0.0, 0.0])


def test_where_a_person_chose_otherwise_there_is_no_fork():
    """They know better; and a step that could not look knows nothing: all ways are alike."""
    proposed = feed(opened(), ev.Checked(NOW, 1, found("yes")), ev.Answered(NOW, 1, "no", "U1"))
    assert told(proposed) == []
    decided = feed(opened(), ev.CheckFailed(NOW, 1, "No."), ev.Answered(NOW, 1, "yes", "U1"))
    assert told(decided) == []
    blind = feed(opened(), ev.CheckFailed(NOW, 1, "No rows."), ev.Answered(NOW, 1, "yes", "auto"))
    assert told(blind) == [(1, "no", 0.5)]


def test_what_was_followed_as_well_is_no_fork():
    """Both branches were taken."""
    both = feed(
        opened(),
        ev.Checked(NOW, 1, found("yes")),
        ev.Answered(NOW, 1, "yes", "U1"),
        ev.Checked(NOW, 2, found("these", suspect("s1"), confidence=0.6)),
        ev.Answered(NOW, 2, "these", "U1", also=("none",)),
    )
    assert told(both) == [(1, "no", 0.1)]


def test_a_node_that_the_tree_no_longer_has_is_passed_by():
    """Incidents outlive plug-ins."""
    incident = feed(at_which(suspect("s1")), ev.Answered(NOW, 2, "these", "U1"))
    step = replace(incident.steps[1], node="gone")
    assert told(incident.with_step(step)) == [(1, "no", 0.1)]


def test_nothing_else_is_likelier_than_what_the_walk_has_come_to():
    """Or it would have ended there."""
    incident = feed(
        opened(),
        ev.Checked(NOW, 1, found("yes", confidence=0.999)),
        ev.Answered(NOW, 1, "yes", "U1"),
        ev.Checked(NOW, 2, found("none", confidence=0.3)),
        ev.Answered(NOW, 2, "none", "U1"),
    )
    (cause,) = incident.causes
    assert shared([0.9, 0.1], incident) == pytest.approx(
        [cause.confidence, (1 - cause.confidence) * 0.1]
    )
