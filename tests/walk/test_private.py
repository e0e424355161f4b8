"""Answers for one person alone arrive wherever that person is, however slow Slack is."""

import time

import pytest

from bot.workspace import Fault
from tests.walk.stage import staged


@pytest.fixture
def stage(tmp_path):
    """A bot that listens to HTTP: whether it acknowledges in time is its own doing."""
    with staged(tmp_path, "http") as found:
        yield found


def elsewhere(stage):
    """A channel of Ana's in which the bot is not."""
    return stage.workspace.add_channel("general", [stage.ana])


def private(place, user):
    """What one person was told there alone."""
    return [m for m in place.ephemerals.values() if m.ephemeral_to == user]


def test_a_button_answers_where_the_bot_is_no_member(stage):
    """Through the response_url of the click."""
    place = elsewhere(stage)
    stage.workspace.command(stage.ana, place.id, "/hawkeye triag precision")
    [suggestion] = private(place, stage.ana)
    stage.workspace.click(stage.ana, place.id, suggestion.ts, action_id="run:0")
    assert stage.until(lambda: len(private(place, stage.ana)) == 2)
    assert "HE-1" in private(place, stage.ana)[1].text


def test_a_click_is_answered_to_whoever_reads_a_channel_without_being_in_it(stage):
    """Slack refuses a private message to them there."""
    stage.workspace.inject(Fault("chat.postEphemeral", error="user_not_in_channel"))
    incident = stage.fire()
    stage.press(incident, "root", "catchup")
    assert stage.until(lambda: stage.whispers(stage.ana))


def test_a_mention_is_answered_directly_where_nothing_else_is_left(stage):
    """An event carries no response_url."""
    stage.workspace.inject(Fault("chat.postEphemeral", error="not_in_channel"))
    stage.workspace.say(stage.ana, stage.channel, "@hawkeye status")
    app = next(iter(stage.workspace.apps.values()))
    direct = stage.workspace.direct_message(stage.ana, app.user_id)
    assert stage.until(lambda: any("incident" in m.text for m in direct.messages.values()))


def test_a_command_is_acknowledged_in_time_and_answered_later(stage):
    """Slack is slow to say who asks; the reply comes once, after the acknowledgement."""
    place = elsewhere(stage)
    stage.workspace.inject(Fault("users.info", times=9, delay=3.5))
    began = time.monotonic()
    stage.workspace.command(stage.ana, place.id, "/hawkeye triage precision since 14:05")
    assert time.monotonic() - began < 3
    assert private(place, stage.ana) == []
    assert stage.until(lambda: any("HE-1" in m.text for m in private(place, stage.ana)), 12)


def test_a_click_does_not_wait_for_what_is_written_in_the_thread(stage):
    """Slack is slow to give links to messages: they are kept one after another, beside it."""
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    stage.workspace.inject(Fault("chat.getPermalink", times=6, delay=1.0))
    root = stage.ts(incident, "root")
    for number in range(6):
        stage.workspace.say(stage.bo, stage.channel, f"saw it too, {number}", root)
    began = time.monotonic()
    stage.press(incident, "step-1", "answer:yes")
    assert time.monotonic() - began < 1
    assert stage.until(lambda: len(stage.bot.conversation.sayings.of(incident)) == 6, 12)
    texts = [said.text for said in stage.bot.conversation.sayings.of(incident)]
    assert texts == sorted(texts)
