"""Earlier incidents like this one: suspects say most, then the path, then the shape."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from analysis.evidence import Evidence, Suspect
from state import events as ev
from state.incident import Incident
from state.similar import similar
from tests.handlers import toy


def incident(number, *, temp="temp", answers=6, now=0.58, subject="precision", days_ago=0):
    """A walk of so many answers that names one feature, and a metric that went to ``now``."""
    at = toy.START - timedelta(days=days_ago)
    alert = replace(toy.ALERT, subject=subject)
    one = Incident(f"HE-{number}", alert, at, 2)
    one = toy.after(one, ev.Opened(at, "real", toy.SCOPE))
    for step, found in enumerate(toy.WALK[:answers], 1):
        told: Evidence = found
        if step == 1:
            told = replace(found, figures={"now": now, "usual": 0.71})
        if found.verdict in ("inputs", "upstream"):
            suspects = tuple(replace(s, name=f"{temp}-{i}") for i, s in enumerate(found.suspects))
            told = replace(found, suspects=suspects)
        one = toy.after(
            one, ev.Checked(at, step, told), ev.Answered(at, step, told.verdict, "U0ANA")
        )
    return one


def test_the_same_cause_comes_before_the_same_path():
    """Two walks ended at an upstream node; only one of them at the same."""
    found = similar(
        incident(9),
        [incident(1, temp="wind", days_ago=3), incident(2, days_ago=30)],
    )
    assert [m.incident.id for m in found] == ["HE-2", "HE-1"]
    assert found[0].score > 0.95
    assert "the same path" in found[0].shared
    assert "temp-0" in found[0].shared
    assert "temp-0" not in found[1].shared


def test_an_unrelated_incident_is_not_told():
    """Another metric, another suspect, another way."""
    other = replace(incident(1, days_ago=2, subject="volume", answers=1), causes=())
    other = other.with_step(replace(other.steps[0], answer=None, evidence=None))
    assert similar(incident(9), [other]) == []


def test_a_move_in_the_other_direction_is_another_shape():
    """Up is not down."""
    [down] = similar(incident(9), [incident(1, days_ago=1, now=0.57)])
    [up] = similar(incident(9), [incident(1, days_ago=1, now=0.85)])
    assert down.score > up.score
    assert "precision moved alike" in down.shared
    assert "precision moved alike" not in up.shared


def test_later_incidents_and_itself_are_left_out():
    """What came later can't have been seen before."""
    one = incident(9, days_ago=5)
    assert similar(one, [one, incident(10)]) == []


def test_how_long_it_took_is_known_once_it_is_over():
    """None while it is open."""
    closed = replace(incident(1, days_ago=1), closed_at=toy.START - timedelta(hours=23))
    [match] = similar(incident(9), [closed])
    assert match.took == timedelta(hours=1)
    [match] = similar(incident(9), [incident(1, days_ago=1)])
    assert match.took is None


def test_an_incident_that_has_just_begun_is_compared_by_what_is_proposed():
    """Nobody has answered yet."""
    begun = incident(9, answers=0)
    begun = toy.after(begun, ev.Checked(toy.at(1), 1, toy.REAL))
    assert similar(begun, [incident(1, days_ago=1)]) == []
    named = replace(toy.REAL, suspects=(Suspect("upstream", "temp-0", 0.9),), proposed=1)
    begun = toy.after(incident(9, answers=0), ev.Checked(toy.at(1), 1, named))
    assert isinstance(similar(begun, [incident(1, days_ago=1)]), list)
