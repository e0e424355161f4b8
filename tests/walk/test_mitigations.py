"""Who confirms a mitigation, and hand-offs that nobody answers, through Bolt."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from analysis.evidence import Evidence
from state import events as ev
from tests.walk.stage import BAD, staged
from tests.walk.test_walk import walk_to_the_cause


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """One bot for all."""
    with staged(tmp_path_factory.mktemp("bot")) as found:
        yield found


def test_the_one_who_asked_can_not_confirm_where_a_second_person_has_to(stage):
    """The message says who may; Ana is told, Bo does it."""
    mitigations = stage.bot.mitigations
    object.__setattr__(mitigations, "second_person", frozenset({"rollback"}))
    incident = stage.fire("second")
    walk_to_the_cause(stage, incident)
    stage.press(incident, "conclusion", "mitigate:0")
    stage.shows(incident, "mitigation-1", "Anyone here may confirm it but", stage.ana)
    stage.press(incident, "mitigation-1", "confirm")
    assert stage.until(lambda: any("somebody else" in w for w in stage.whispers(stage.ana)))
    assert stage.rollback.done == []
    stage.press(incident, "mitigation-1", "confirm", by=stage.bo)
    assert stage.until(lambda: stage.rollback.done == [BAD.name])


def test_a_recovery_is_waited_for_as_long_as_the_team_says(stage):
    """Then the check is asked for what is likelier."""
    talk = stage.bot.conversation
    habits, back = talk.habits, stage.canned.by_node["recovery"]
    talk.habits = replace(habits, give_up=timedelta(seconds=2))
    stage.canned.by_node["recovery"] = Evidence("watching", 0.6, "Too early to tell.")
    object.__setattr__(stage.bot.mitigations, "second_person", frozenset())
    incident = stage.fire("patience")
    walk_to_the_cause(stage, incident)
    stage.press(incident, "conclusion", "mitigate:0")
    stage.press(incident, "mitigation-1", "confirm")
    stage.shows(incident, "step-4", "Too early to tell.")
    assert not stage.incident(incident).current.scope.last
    assert stage.until(lambda: stage.incident(incident).current.scope.last)
    stage.canned.by_node["recovery"] = back
    talk.habits = habits
    stage.shows(incident, "step-4", "It is back.")


def test_a_hand_off_that_nobody_answers_reminds_then_goes_back(stage):
    """Bo is reminded in the thread, then Ana is asked to find somebody else."""
    talk = stage.bot.conversation
    before = talk.habits
    talk.habits = type(before)(route=before.route, remind=timedelta(seconds=0.1))
    incident = stage.fire("overdue")
    stage.shows(incident, "step-1", "answer:yes")
    talk.tell(incident, ev.HandoffOffered(stage.bot.clock(), stage.ana, stage.bo))

    def said() -> list[str]:
        return [m.text for m in stage.workspace.channel(stage.channel).messages.values()]

    assert stage.until(lambda: any("waits for your answer" in text for text in said()))
    assert stage.until(lambda: any("has not answered" in text for text in said()))
    stage.press(incident, "unanswered-1", "handoff")
    talk.habits = before
    assert sum("waits for your answer" in text for text in said()) == 1


def test_a_shift_is_handed_over_in_one_direct_message_with_one_button(stage):
    """Bo gets the list, presses it, and has it all."""
    incident = stage.fire("shift")
    stage.shows(incident, "step-1", "answer:yes")
    stage.bot.conversation.tell(incident, ev.Taken(stage.bot.clock(), stage.ana, stage.ana))
    stage.workspace.command(stage.ana, stage.channel, f"/hawkeye handoff all <@{stage.bo}>")

    def asked():
        return next(
            (
                (channel.id, message)
                for channel in stage.workspace.channels.values()
                for message in channel.messages.values()
                if "asks you to take over" in message.text
            ),
            None,
        )

    assert stage.until(asked)
    channel, message = asked()
    assert incident in str(message.all_blocks())
    stage.workspace.click(stage.bo, channel, message.ts, action_id="run:0")
    assert stage.until(lambda: stage.incident(incident).owner == stage.bo)


def test_who_joins_or_leaves_a_group_is_known_without_a_restart(stage):
    """The group is asked again when somebody confirms."""
    group = {stage.ana}
    fresh = {"rollback": lambda: frozenset(group)}
    mitigations = replace(stage.bot.mitigations, fresh=fresh)
    assert mitigations.refusal("rollback", stage.ana) == ""
    assert stage.ana in mitigations.refusal("rollback", stage.bo)
    group.symmetric_difference_update({stage.ana, stage.bo})
    assert stage.bo in mitigations.refusal("rollback", stage.ana)
    assert mitigations.refusal("rollback", stage.bo) == ""
