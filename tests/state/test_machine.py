"""The conversation as a pure function."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.evidence import Suspect, Window
from state import effects as fx
from state import events as ev
from state.causes import causes_left, suspects_left
from state.incident import attended
from state.machine import advance, ahead
from state.tree import AGAIN, Branch, Exit
from tests.state.toys import (
    NOW,
    TOY,
    alert,
    at_which,
    feed,
    found,
    later,
    opened,
    suspect,
)


def test_an_opened_incident_runs_its_first_check():
    """The start node of the tree is visited with the scope of the alert."""
    incident = opened()
    assert [s.node for s in incident.steps] == ["real"]
    assert incident.current.status == "running"
    assert incident.version == 1


def test_a_confirmed_onset_narrows_the_next_scope():
    """The next check looks from the onset on, against the days before its lower bound."""
    incident = at_which(suspect("s1"))
    scope = incident.steps[1].scope
    assert scope.window.start == NOW - timedelta(hours=2)
    assert scope.baseline.end == NOW - timedelta(hours=2.5)
    assert scope.baseline.length == timedelta(days=7)


def test_the_first_answer_counts_and_the_second_is_told():
    """Two people at once: nothing changes for the second, who learns who was first."""
    incident = feed(opened(), ev.Checked(NOW, 1, found("yes")))
    incident = feed(incident, ev.Answered(NOW, 1, "yes", "UANA"))
    after, effects = advance(incident, ev.Answered(later(1), 1, "no", "UBO"), TOY)
    assert after is incident
    assert "UANA" in effects[0].why
    assert "Real" in effects[0].why


def test_accepting_the_proposal_is_no_override_and_another_branch_is():
    """Overrides are recorded as such."""
    proposed = feed(opened(), ev.Checked(NOW, 1, found("yes")))
    assert not feed(proposed, ev.Answered(NOW, 1, "yes", "U1")).steps[0].answer.override
    assert feed(proposed, ev.Answered(NOW, 1, "no", "U1")).steps[0].answer.override


def test_a_skipped_step_is_left_open_and_the_walk_goes_on():
    """As where the check could not look; its suspects are not followed, and it is no proposal."""
    incident = feed(at_which(suspect("s1")), ev.Skipped(NOW, 2, "UANA"))
    answer = incident.steps[1].answer
    assert (answer.verdict, answer.suspects, answer.skipped) == ("none", (), True)
    assert [c.kind for c in incident.causes] == ["unknown"]
    after, effects = advance(incident, ev.Skipped(NOW, 2, "UBO"), TOY)
    assert after is incident
    assert "<@UANA> was first: “Skipped”" in effects[0].why


def test_where_every_step_was_skipped_nothing_is_known():
    """Even where the way on ends in something: this tree's blind way calls it a false alarm."""
    incident = feed(opened(), ev.Skipped(NOW, 1, "U1"))
    assert [(c.kind, c.confidence) for c in incident.causes] == [("unknown", 0.0)]
    said = feed(opened(), ev.Answered(NOW, 1, "no", "U1"))
    assert [(c.kind, c.confidence) for c in said.causes] == [("false_alarm", 1.0)]


def test_a_step_that_everything_after_needs_cannot_be_skipped():
    """The watch over a recovery ends with an answer."""
    ways = (*TOY.node("which").branches, Branch("again", AGAIN, "Again"))
    which = replace(TOY.node("which"), blind="again", branches=ways)
    tree = replace(TOY, nodes=(TOY.nodes[0], which, *TOY.nodes[2:]))
    incident = at_which(suspect("s1"))
    after, effects = advance(incident, ev.Skipped(NOW, 2, "UANA"), tree)
    assert after is incident
    assert "can't be skipped" in effects[0].why


def test_other_suspects_than_the_proposed_ones_are_an_override():
    """The same branch with other suspects is a decision of the person's own."""
    incident = at_which(suspect("s1"), suspect("s2", 0.3))
    after = feed(incident, ev.Answered(NOW, 2, "these", "U1", (suspect("s2", 0.3),)))
    assert after.steps[1].answer.override
    assert after.steps[2].scope.named("snapshot") == ("s2",)


def test_several_suspects_are_followed_in_turn_and_both_causes_are_kept():
    """A branch with ``each`` opens one trail a suspect; the conclusion names all."""
    incident = at_which(suspect("s1"), suspect("s2", 0.3))
    incident = feed(incident, ev.Answered(NOW, 2, "these", "U1"))
    assert incident.current.scope.named("snapshot") == ("s1",)
    incident = feed(incident, ev.Checked(NOW, 3, found("data")), ev.Answered(NOW, 3, "data", "U1"))
    assert incident.status == "diagnosing"
    assert incident.current.scope.named("snapshot") == ("s2",)
    incident = feed(incident, ev.Checked(NOW, 4, found("data")), ev.Answered(NOW, 4, "data", "U1"))
    assert incident.status == "concluded"
    assert [c.suspects[0].name for c in incident.causes] == ["s1", "s2"]
    assert {c.kind for c in incident.causes} == {"training_data"}


def test_a_suspect_that_two_steps_confirm_is_named_once():
    """What the later step said of it counts."""
    incident = at_which(suspect("s1"))
    again = suspect("s1", 0.9)
    incident = feed(
        incident,
        ev.Answered(NOW, 2, "these", "U1"),
        ev.Checked(NOW, 3, found("data", again, proposed=1)),
        ev.Answered(NOW, 3, "data", "U1"),
    )
    assert incident.causes[0].suspects == (again,)


def test_a_verdict_can_take_suspects_back():
    """Nothing is wrong with the snapshot after all: what follows no longer suspects it."""
    which = TOY.node("which")
    cleared = replace(which.branches[2], to="why", clears=("snapshot",))
    nodes = tuple(
        replace(n, branches=(*n.branches[:2], cleared)) if n is which else n for n in TOY.nodes
    )
    tree = replace(TOY, nodes=nodes)
    incident = at_which(suspect("s2"))
    step = incident.steps[1]
    scope = replace(step.scope, suspects=(suspect("s1"),))
    incident = incident.with_step(replace(step, scope=scope))
    after, _ = advance(incident, ev.Answered(NOW, 2, "none", "U1"), tree)
    assert after.current.node == "why"
    assert after.current.scope.suspects == ()


def test_a_branch_without_each_takes_its_suspects_along_together():
    """Two features go upstream in one walk."""
    incident = at_which(suspect("s1"), suspect("s2"))
    pair = (suspect("s1"), suspect("s2"))
    incident = feed(incident, ev.Answered(NOW, 2, "together", "U1", pair))
    assert incident.current.scope.named("snapshot") == ("s1", "s2")


def test_not_sure_follows_further_branches_afterwards():
    """``also`` queues the other branches behind the first."""
    incident = at_which(suspect("s1"))
    incident = feed(
        incident,
        ev.Answered(NOW, 2, "these", "U1", also=("together",)),
        ev.Checked(NOW, 3, found("none")),
        ev.Answered(NOW, 3, "none", "U1"),
    )
    assert incident.current.node == "why"
    assert [c.kind for c in incident.causes] == ["unknown"]


def test_an_answer_before_the_check_skips_it():
    """A person who knows does not wait; the late check changes nothing."""
    incident = feed(opened(), ev.Answered(NOW, 1, "yes", "U1"))
    assert incident.steps[0].answer.override
    after, effects = advance(incident, ev.Checked(NOW, 1, found("no")), TOY)
    assert after is incident
    assert isinstance(effects[0], fx.Refuse)


def test_going_back_leaves_what_it_led_to_behind_and_asks_again():
    """Later steps and their causes no longer count; the step waits with its evidence."""
    incident = at_which(suspect("s1"))
    incident = feed(
        incident,
        ev.Answered(NOW, 2, "these", "U1"),
        ev.Checked(NOW, 3, found("data")),
        ev.Answered(NOW, 3, "data", "U1"),
    )
    incident = feed(incident, ev.WentBack(NOW, 2, "U1"))
    assert [s.status for s in incident.steps] == ["answered", "proposed", "superseded"]
    assert incident.causes == ()
    assert incident.status == "diagnosing"
    assert incident.current.number == 2


def test_running_again_replaces_the_step_with_another_window():
    """The old step is superseded; the new one has the window and a baseline before it."""
    incident = at_which(suspect("s1"))
    window = Window(NOW - timedelta(hours=10), NOW)
    incident = feed(incident, ev.Rerun(later(5), 2, "U1", window))
    assert incident.steps[1].status == "superseded"
    assert incident.current.scope.window == window
    assert incident.current.scope.baseline.end == window.start
    assert incident.current.scope.now == later(5)


def test_ahead_is_the_very_check_that_accepting_runs():
    """What is computed while the person reads is what the click asks for, minutes later."""
    incident = at_which(suspect("s1"))
    before = ahead(incident, NOW, TOY)
    _, effects = advance(incident, ev.Answered(later(20), 2, "these", "U1"), TOY)
    assert effects == (before,)


def test_ahead_plays_on_through_what_was_computed_already():
    """With the next step's evidence kept, the one behind it is the next to be computed."""
    incident = feed(opened(), ev.Checked(NOW, 1, found("yes")))
    first = ahead(incident, NOW, TOY)
    assert first.node == "which"
    known = {"which": found("these", suspect("s1"))}
    second = ahead(incident, NOW, TOY, lambda check: known.get(check.node))
    assert second.node == "why"
    assert second.scope.named("snapshot") == ("s1",)
    known["why"] = found("data")
    assert ahead(incident, NOW, TOY, lambda check: known.get(check.node)) is None


def test_what_follows_is_computed_beside_a_check_that_finds_nothing_for_it():
    """While somebody waits for such a check, the one on its blind branch is computed: the very one
    that the walk then asks for. Beside any other check nothing is guessed."""
    assert ahead(opened(), NOW, TOY) is None
    nodes = tuple(
        replace(n, beside=True, blind="yes") if n.name == "real" else n for n in TOY.nodes
    )
    tree = replace(TOY, nodes=nodes)
    guess = ahead(opened(), NOW, tree)
    assert guess.node == "which"
    without = replace(found("yes"), onset=None)
    known = feed(opened(), ev.Checked(NOW, 1, without))
    _, effects = advance(known, ev.Answered(NOW, 1, "yes", "U1"), tree)
    assert effects == (guess,)


def test_a_stale_step_is_looked_at_with_fresh_data():
    """After half an hour the next step reads the tables as of now."""
    incident = at_which(suspect("s1"))
    after, _ = advance(incident, ev.Answered(later(45), 2, "these", "U1"), TOY)
    assert after.current.scope.now == later(45)
    assert after.current.scope.window.end == later(45)


def test_a_failed_check_can_be_answered_by_hand():
    """The walk goes on without evidence."""
    incident = feed(opened(), ev.CheckFailed(NOW, 1, "There is no table."))
    assert incident.current.status == "failed"
    incident = feed(incident, ev.Answered(NOW, 1, "yes", "U1"))
    assert incident.current.node == "which"


def test_a_verdict_that_the_node_does_not_know_fails_the_step_and_loses_nothing():
    """A plugin's check that speaks out of turn is shown, not trusted."""
    incident = feed(opened(), ev.Checked(NOW, 1, found("maybe")))
    assert incident.current.status == "failed"
    assert "maybe" in incident.current.error


def mitigated():
    """An incident whose first snapshot was rolled back."""
    incident = at_which(suspect("s1"), suspect("s2", 0.3))
    incident = feed(incident, ev.Answered(NOW, 2, "these", "U1", (suspect("s1"),)))
    return feed(
        incident,
        ev.MitigationAsked(NOW, "U1", "rollback", suspect("s1")),
        ev.MitigationPlanned(NOW, 1, "would roll back"),
        ev.MitigationConfirmed(NOW, 1, "U1"),
        ev.MitigationDone(later(1), 1, "rolled back"),
        ev.Checked(NOW, 3, found("data")),
        ev.Answered(NOW, 3, "data", "U1"),
    )


def test_a_mitigation_goes_on_beside_the_diagnosis_and_is_watched():
    """Confirmed once, carried out once, watched from then on."""
    incident = mitigated()
    assert incident.status == "watching"
    assert incident.current.node == "recovery"
    assert incident.current.status == "watching"
    after, effects = advance(incident, ev.MitigationConfirmed(later(2), 1, "U2"), TOY)
    assert after is incident
    assert "U1" in effects[0].why


def test_a_page_is_a_call_for_help_that_no_recovery_is_owed_to():
    """Nothing is watched, and the cause that it was about is still one that is left."""
    incident = at_which(suspect("s1"), suspect("s2", 0.3))
    incident = feed(
        incident,
        ev.Answered(NOW, 2, "these", "U1", (suspect("s1"),)),
        ev.Checked(NOW, 3, found("data")),
        ev.Answered(NOW, 3, "data", "U1"),
        ev.MitigationAsked(NOW, "U1", "page", suspect("s1")),
        ev.MitigationPlanned(NOW, 1, "would page", mends=False),
        ev.MitigationConfirmed(NOW, 1, "U1"),
    )
    after, effects = advance(incident, ev.MitigationDone(later(1), 1, "paged"), TOY)
    assert effects == ()
    assert after.status == "concluded"
    assert [s.name for s in causes_left(after)] == ["s1"]
    assert attended(after)


def test_watching_looks_again_until_it_is_back():
    """The branch "again" needs no person; "recovered" does, and resolves."""
    incident = mitigated()
    number = incident.current.number
    incident = feed(incident, ev.Rechecked(later(11), number))
    after, effects = advance(incident, ev.Checked(later(11), number, found("watching")), TOY)
    assert effects == (fx.LookAgain(number),)
    after = feed(after, ev.Rechecked(later(21), number))
    after = feed(after, ev.Checked(later(21), number, found("recovered")))
    assert after.current.status == "proposed"
    after = feed(after, ev.Answered(later(22), number, "recovered", "U1"))
    assert after.status == "resolved"
    assert after.closed_by == "U1"


def test_watching_is_no_answer():
    """A stale or made-up click on "keep watching" changes nothing."""
    incident = mitigated()
    answer = ev.Answered(later(5), incident.current.number, "watching", "U1")
    after, effects = advance(incident, answer, TOY)
    assert after is incident
    assert "by myself" in effects[0].why


def test_not_recovering_leads_to_the_suspect_that_is_left():
    """s2 was found but not followed: now it is."""
    incident = mitigated()
    number = incident.current.number
    assert [s.name for _, s in suspects_left(incident)] == ["s2"]
    incident = feed(
        incident,
        ev.Rechecked(later(21), number),
        ev.Checked(later(21), number, found("not_recovering")),
        ev.Answered(later(22), number, "not_recovering", "U1"),
    )
    assert incident.current.node == "why"
    assert incident.current.scope.named("snapshot") == ("s2",)


def test_a_closed_incident_refuses_answers_and_can_be_reopened():
    """A button of a closed incident says what to do."""
    incident = feed(at_which(suspect("s1")), ev.Closed(NOW, "U1", "stopped"))
    after, effects = advance(incident, ev.Answered(NOW, 2, "these", "U2"), TOY)
    assert after is incident
    assert "reopen" in effects[0].why
    assert feed(incident, ev.Reopened(NOW, "U1")).is_open


def test_a_check_that_was_dropped_is_run_when_the_incident_is_open_again():
    """Else its step would say "Looking" for ever."""
    incident = feed(opened(), ev.Closed(NOW, "U1", "stopped"))
    after, effects = advance(incident, ev.Reopened(NOW, "U1"), TOY)
    assert effects == (fx.RunCheck(1, "real", after.current.scope),)


def test_only_the_person_asked_can_accept_a_hand_off():
    """Accepting makes them the owner; declining leaves it."""
    incident = feed(opened(), ev.HandoffOffered(NOW, "UANA", "UBO"))
    after, effects = advance(incident, ev.HandoffAnswered(NOW, 1, "UCY", True), TOY)
    assert after is incident
    assert "UBO" in effects[0].why
    accepted = feed(incident, ev.HandoffAnswered(NOW, 1, "UBO", True))
    assert accepted.owner == "UBO"
    declined = feed(incident, ev.HandoffAnswered(NOW, 1, "UBO", False, "asleep"))
    assert declined.owner == ""
    assert declined.handoffs[0].reason == "asleep"


def test_the_recorded_cause_can_differ_from_the_walks():
    """Resolving with a cause replaces what the walk concluded."""
    incident = feed(
        at_which(suspect("s1")),
        ev.Closed(NOW, "U1", "resolved", "it was the feed", "upstream", ("feed",)),
    )
    assert incident.causes[0].kind == "upstream"
    assert incident.causes[0].suspects[0].name == "feed"
    assert incident.notes[-1].text == "it was the feed"


def test_the_same_alert_again_only_counts():
    """A firing one is counted, a resolved one is not."""
    incident = feed(opened(), ev.AlertJoined(NOW, alert()))
    assert incident.joined == 2


@pytest.mark.parametrize("number", [0, 9, -1])
def test_an_answer_to_no_step_is_refused(number):
    """A made-up step number changes nothing."""
    incident = opened()
    after, effects = advance(incident, ev.Answered(NOW, number, "yes", "U1"), TOY)
    assert after is incident
    assert isinstance(effects[0], fx.Refuse)


EVENTS = st.one_of(
    st.builds(
        ev.Answered,
        st.just(NOW),
        st.integers(1, 6),
        st.sampled_from(["yes", "no", "these", "together", "none", "data", "recovered"]),
        st.sampled_from(["U1", "U2"]),
    ),
    st.builds(
        lambda n, v: ev.Checked(NOW, n, found(v, Suspect("snapshot", "s1", 0.5))),
        st.integers(1, 6),
        st.sampled_from(["yes", "no", "these", "data", "none", "watching", "not_recovering"]),
    ),
    st.builds(ev.WentBack, st.just(NOW), st.integers(1, 6), st.just("U1")),
    st.builds(ev.Rerun, st.just(NOW), st.integers(1, 6), st.just("U1")),
    st.just(ev.MitigationAsked(NOW, "U1", "rollback", suspect("s1"))),
    st.builds(ev.MitigationPlanned, st.just(NOW), st.integers(1, 2), st.just("plan")),
    st.builds(ev.MitigationConfirmed, st.just(NOW), st.integers(1, 2), st.just("U1")),
    st.builds(ev.MitigationDone, st.just(NOW), st.integers(1, 2), st.just("done")),
    st.just(ev.Closed(NOW, "U1", "resolved")),
    st.just(ev.Reopened(NOW, "U1")),
)


@settings(max_examples=300)
@given(st.lists(EVENTS, max_size=25))
def test_no_order_of_events_breaks_an_incident(events):
    """Whatever comes in whatever order: versions only grow, at most one step asks a person."""
    incident = opened()
    for event in events:
        before = incident
        incident, effects = advance(incident, event, TOY)
        refused = any(isinstance(e, fx.Refuse) for e in effects)
        assert incident.version == before.version + (not refused)
        assert [s.number for s in incident.steps] == list(range(1, len(incident.steps) + 1))
        asking = [
            s
            for s in incident.live_steps
            if s.status in ("running", "proposed", "failed") and s.node != "recovery"
        ]
        assert len(asking) <= 1


@pytest.mark.parametrize(
    ("real", "kind", "sure"),
    [(0.4, "false_alarm", 0.86), (0.7, "false_alarm", 0.63), (0.95, "unknown", 0.83)],
)
def test_nothing_to_be_found_speaks_for_a_false_alarm(real, kind, sure):
    """It was followed for what might be found; what was sure to be real stays unknown, and is no
    surer than the alert was after that."""
    doubtful = replace(found("yes"), confidence=real)
    incident = feed(opened(), ev.Checked(NOW, 1, doubtful), ev.Answered(NOW, 1, "yes", "U1"))
    incident = feed(incident, ev.Checked(NOW, 2, found("none", confidence=1.0)))
    incident = feed(incident, ev.Answered(NOW, 2, "none", "U1"))
    (cause,) = incident.causes
    assert cause.kind == kind
    assert cause.confidence == pytest.approx(sure, abs=0.005)


@pytest.mark.parametrize(
    ("saw", "suspects", "kind"),
    [
        (0.5, [suspect("s1")], "false_alarm"),
        (0.95, [suspect("s1")], "unknown"),
        (0.95, [], "false_alarm"),
    ],
)
def test_what_a_step_saw_on_the_way_was_there(saw, suspects, kind):
    """A model that is plainly degraded makes the alert real, though nothing is found behind it; one
    that could not be judged does not."""
    incident = feed(
        opened(),
        ev.Checked(NOW, 1, found("yes", confidence=0.6)),
        ev.Answered(NOW, 1, "yes", "U1"),
        ev.Checked(NOW, 2, found("together", *suspects, confidence=saw)),
        ev.Answered(NOW, 2, "together", "U1"),
        ev.Checked(NOW, 3, found("none", confidence=0.9)),
        ev.Answered(NOW, 3, "none", "U1"),
    )
    (cause,) = incident.causes
    assert cause.kind == kind


@pytest.mark.parametrize(("real", "kind"), [(0.55, "false_alarm"), (0.9, "world")])
def test_a_world_that_is_less_likely_than_a_false_alarm_is_none(real, kind):
    """Neither has to be mended; the likelier one is told."""
    moved = Branch("moved", "moved", "The world")
    nodes = tuple(
        replace(n, branches=(*n.branches, moved)) if n.name == "which" else n for n in TOY.nodes
    )
    tree = replace(TOY, nodes=nodes, exits=(*TOY.exits, Exit("moved", "world", "World", "moved")))
    incident = opened()
    for event in (
        ev.Checked(NOW, 1, found("yes", confidence=real)),
        ev.Answered(NOW, 1, "yes", "U1"),
        ev.Checked(NOW, 2, found("moved", confidence=0.7)),
        ev.Answered(NOW, 2, "moved", "U1"),
    ):
        incident, _ = advance(incident, event, tree)
    (cause,) = incident.causes
    assert cause.kind == kind


@pytest.mark.parametrize("real", [0.75, 0.995])
def test_a_step_that_could_not_look_leaves_nothing_found_in_doubt(real):
    """What was not looked at may be it, and makes no false alarm of what is likely real."""
    incident = feed(
        opened(),
        ev.Checked(NOW, 1, found("yes", confidence=real)),
        ev.Answered(NOW, 1, "yes", "U1"),
        ev.CheckFailed(NOW, 2, "no lineage"),
        ev.Skipped(NOW, 2, "U1"),
    )
    (cause,) = incident.causes
    assert cause.kind == "unknown"
    assert cause.confidence < 0.5


def test_what_a_person_says_is_real_stays_real_though_nothing_is_found():
    """They know better than the series."""
    denied = replace(found("no"), confidence=0.7)
    incident = feed(opened(), ev.Checked(NOW, 1, denied), ev.Answered(NOW, 1, "yes", "U1"))
    incident = feed(incident, ev.Checked(NOW, 2, found("none", confidence=0.9)))
    incident = feed(incident, ev.Answered(NOW, 2, "none", "U1"))
    (cause,) = incident.causes
    assert (cause.kind, cause.confidence) == ("unknown", pytest.approx(0.9))


@pytest.mark.parametrize(("rests", "sure"), [(False, 0.9), (True, 0.9 * 0.6)])
def test_a_verdict_that_rests_on_the_step_before_is_no_surer_than_it(rests, sure):
    """One that finds something new bears the step before it out."""

    def resting(node):
        ends = Branch("ends", "data", "The data", rests=rests)
        return replace(node, branches=(*node.branches, ends)) if node.name == "which" else node

    tree = replace(TOY, nodes=tuple(map(resting, TOY.nodes)))
    incident = opened()
    for event in (
        ev.Checked(NOW, 1, found("yes", confidence=0.6)),
        ev.Answered(NOW, 1, "yes", "U1"),
        ev.Checked(NOW, 2, found("ends", confidence=0.9)),
        ev.Answered(NOW, 2, "ends", "U1"),
    ):
        incident, _ = advance(incident, event, tree)
    assert incident.causes[0].confidence == pytest.approx(sure)


def test_a_second_person_has_to_confirm_where_the_plan_says_so():
    """The one who asked is refused, whoever else may."""
    asked = feed(
        at_which(suspect("s1")),
        ev.MitigationAsked(NOW, "U1", "rollback", suspect("s1")),
        ev.MitigationPlanned(NOW, 1, "would roll back", second_person=True),
    )
    after, effects = advance(asked, ev.MitigationConfirmed(NOW, 1, "U1"), TOY)
    assert after is asked
    assert "somebody else" in effects[0].why
    after, effects = advance(asked, ev.MitigationConfirmed(NOW, 1, "U2"), TOY)
    assert effects == (fx.CarryOut(1),)
    assert after.mitigations[0].confirmed_by == "U2"


def test_a_hand_off_without_an_answer_reminds_once_then_goes_back_to_its_sender():
    """After the second time it may be offered to somebody else; an answer ends the reminding."""
    incident = feed(opened(), ev.HandoffOffered(NOW, "UANA", "UBO"))
    once, effects = advance(incident, ev.HandoffOverdue(later(15), 1), TOY)
    assert effects == (fx.RemindHandoff(1),)
    again, effects = advance(once, ev.HandoffOffered(later(16), "UANA", "UCY"), TOY)
    assert again is once
    twice, effects = advance(once, ev.HandoffOverdue(later(30), 1), TOY)
    assert effects == ()
    assert len(twice.handoffs[0].reminders) == 2
    third, effects = advance(twice, ev.HandoffOverdue(later(45), 1), TOY)
    assert third is twice
    moved = feed(twice, ev.HandoffOffered(later(46), "UANA", "UCY"))
    assert [h.status for h in moved.handoffs] == ["not answered", "offered"]
    answered = feed(once, ev.HandoffAnswered(later(16), 1, "UBO", True))
    after, effects = advance(answered, ev.HandoffOverdue(later(30), 1), TOY)
    assert after is answered
