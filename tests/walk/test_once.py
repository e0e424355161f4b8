"""No message is posted twice, whatever becomes of the answer, and whenever the bot was cut off."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from slack_sdk import WebClient

from bot.workspace import Fault
from handlers import work
from handlers.client import Client
from handlers.once import CannotLookError, find
from state import events as ev
from state.outbox import Owed
from tests.walk.stage import staged


@pytest.fixture
def stage(tmp_path):
    """A bot and its workspace."""
    with staged(tmp_path) as found:
        yield found


def posted(stage, incident: str, name: str) -> list[str]:
    """Where that message is."""
    wanted = {"incident": incident, "name": name}
    messages = stage.workspace.channel(stage.channel).messages.values()
    return [m.ts for m in messages if (m.metadata or {}).get("event_payload") == wanted]


@pytest.mark.parametrize(
    "fault",
    [
        Fault("chat.postMessage", delay=3.0, after=True),
        Fault("chat.postMessage", drop=True, after=True),
        Fault("chat.postMessage", error="internal_error", after=True),
    ],
    ids=["late", "dropped", "broken"],
)
def test_a_message_is_posted_once_whatever_becomes_of_the_answer(stage, fault):
    """The thread goes on below it."""
    stage.bot.client.timeout = 1
    stage.workspace.inject(fault)
    incident = stage.fire()
    assert stage.until(lambda: stage.ts(incident, "root"), 15)
    assert stage.until(lambda: stage.ts(incident, "step-1"), 15)
    assert posted(stage, incident, "root") == [stage.ts(incident, "root")]
    assert stage.until(lambda: stage.bot.conversation.link(incident))


def test_a_message_that_was_refused_or_never_arrived_is_posted_after_all(stage):
    """The same faults before the message is posted."""
    stage.workspace.inject(Fault("chat.postMessage", drop=True))
    stage.workspace.inject(Fault("chat.postMessage", error="internal_error"))
    incident = stage.fire()
    assert stage.until(lambda: stage.ts(incident, "root"), 15)
    assert len(posted(stage, incident, "root")) == 1


@pytest.mark.parametrize("name", ["root", "step-1"])
def test_a_message_is_found_after_a_restart_below_hundreds_of_others(stage, name):
    """In the channel, where the newest come first, and in a thread."""
    incident = stage.fire()
    assert stage.until(lambda: stage.ts(incident, "step-1"))
    thread = stage.ts(incident, "root") if name == "step-1" else None
    before = stage.ts(incident, name)

    def cut_off():
        sql = "UPDATE posts SET ts = '', sent = '', sending = ? WHERE name = ?"
        with stage.bot.store.transaction() as db:
            db.execute(sql, [time.time() - 60, name])
        for n in range(450):
            stage.workspace.say(stage.ana, stage.channel, f"line {n}", thread_ts=thread)

    stage.restart(cut_off)
    assert stage.until(lambda: stage.ts(incident, name) == before)
    assert posted(stage, incident, name) == [before]


def test_a_reminder_is_posted_once_whatever_becomes_of_the_answer(stage):
    """As every message of a thread is."""
    talk = stage.bot.conversation
    talk.habits = replace(talk.habits, remind=timedelta(seconds=0.1))
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    talk.tell(incident, ev.HandoffOffered(stage.bot.clock(), stage.ana, stage.bo))
    assert stage.until(lambda: stage.ts(incident, "handoff-1"))
    stage.workspace.inject(Fault("chat.postMessage", error="internal_error", after=True))
    assert stage.until(lambda: stage.ts(incident, "unanswered-1"), 15)
    assert len(posted(stage, incident, "reminder-1")) == 1
    assert len(posted(stage, incident, "unanswered-1")) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault("chat.postMessage", retry_after=1),
        Fault("chat.postMessage", error="internal_error"),
        Fault("chat.postMessage", drop=True),
    ],
    ids=["limited", "broken", "dropped"],
)
def test_a_direct_message_is_not_lost_when_slack_does_not_take_it_at_once(
    stage, fault, monkeypatch
):
    """It is tried again."""
    monkeypatch.setattr(work, "REST", timedelta(seconds=2))
    incident = stage.fire()
    assert stage.until(lambda: stage.ts(incident, "step-1"))
    stage.workspace.inject(fault)
    stage.bot.conversation.write(stage.bo, incident, {"text": "Yours from now on"})

    def arrived() -> bool:
        channels = stage.workspace.channels.values()
        return any(m.text == "Yours from now on" for c in channels for m in c.messages.values())

    assert stage.until(arrived)
    assert stage.until(lambda: not stage.bot.store.rows("SELECT 1 FROM due WHERE kind = 'write'"))


def test_what_can_not_be_looked_up_now_is_asked_again_and_what_is_out_of_reach_is_not_there(stage):
    """A limit of Slack is no answer; a channel that the bot has left can't hold it back."""
    owed = Owed("HE-1", stage.channel, "root", {}, "w", "", "", 0, tried_at=time.time())
    client = WebClient(stage.bot.client.token, base_url=stage.bot.client.base_url)
    stage.workspace.inject(Fault("conversations.history", retry_after=7))
    with pytest.raises(CannotLookError) as late:
        find(client, owed)
    assert late.value.seconds == 7
    stage.workspace.inject(Fault("conversations.history", error="fatal_error"))
    with pytest.raises(CannotLookError):
        find(client, owed)
    stage.workspace.inject(Fault("conversations.history", error="not_in_channel"))
    assert find(client, owed) == ""


def test_who_answers_a_click_uses_the_client_for_which_an_answer_cut_short_is_an_outage(stage):
    """Bolt makes a client for each request."""
    seen = []

    def look(client, next_):
        seen.append((type(client), client.token))
        next_()

    stage.bot.app.use(look)
    incident = stage.fire()
    stage.shows(incident, "step-1", "answer:yes")
    stage.press(incident, "step-1", "answer:yes")
    assert stage.until(lambda: seen)
    assert set(seen) == {(Client, stage.bot.client.token)}
