"""Slack refuses a message, or asks to wait: its words come, and nothing is tried for ever."""

from __future__ import annotations

import pytest

from handlers import sender
from handlers.once import WAIT_SECONDS
from handlers.sender import MOST_REFUSALS
from tests.handlers.fake_sending import SECTION, Clock, sending, until_quiet, want


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """A sender without pauses over an incident's outbox."""
    with sending(tmp_path, monkeypatch) as found:
        yield found


@pytest.fixture
def clock(monkeypatch):
    """Time that passes when it is told to."""
    return Clock.set(monkeypatch)


@pytest.mark.parametrize("code", ["rate_limited", "ratelimited"])
def test_a_limit_is_waited_for_whatever_its_code_and_status(stage, clock, code):
    """It is no try: nothing is taken off the message, and `status` tells of no trouble."""
    posting, slack = stage
    slack.breaks, slack.code = (lambda *_: True), code
    want(posting, "It fell.")
    until_quiet(posting)
    assert slack.tried("chat_postMessage") == 1
    clock.ahead += WAIT_SECONDS - 1
    posting.send_owed()
    assert slack.tried("chat_postMessage") == 1
    assert posting.outbox.resting("HE-1") == []
    slack.breaks = lambda *_: False
    clock.ahead += 2
    posting.send_owed()
    assert [a["blocks"] for m, a in slack.asked if m == "chat_postMessage"] == [[SECTION]] * 2


def test_what_slack_refuses_comes_in_words_at_once_and_its_buttons_are_tried_for(stage):
    """However often it was waited for before; the rest comes if Slack takes it after all."""
    posting, slack = stage
    slack.breaks, slack.code = (lambda *_: True), "service_unavailable"
    want(posting, "It fell.")
    until_quiet(posting)
    slack.breaks, slack.code = (lambda _, a: bool(a.get("blocks"))), "invalid_arguments"
    posting.send_owed()
    assert "It fell.\nSlack does not take the buttons" in slack.asked[-1][1]["text"]
    slack.breaks = lambda *_: False
    posting.send_owed()
    method, last = slack.asked[-1]
    assert (method, last["blocks"]) == ("chat_update", [SECTION])
    assert posting.outbox.resting("HE-1") == []


def test_what_slack_refuses_for_good_is_tried_for_a_few_times(stage):
    """Its words stay, `status` tells of the rest."""
    posting, slack = stage
    slack.breaks, slack.code = (lambda _, a: bool(a.get("blocks"))), "invalid_arguments"
    want(posting, "It fell.", "And then?")
    until_quiet(posting)
    assert slack.tried("chat_postMessage") == 4
    assert slack.tried("chat_update") == 2 * MOST_REFUSALS
    assert [r.given_up for r in posting.outbox.resting("HE-1")] == [True, True]


@pytest.mark.parametrize(("code", "tries"), [("edit_window_closed", 1), ("as_user_not_ok", 8)])
def test_a_change_that_slack_refuses_is_said_below(stage, code, tries):
    """At once where the message can't be changed any more."""
    posting, slack = stage
    want(posting, "Looking…")
    until_quiet(posting)
    slack.breaks, slack.code = (lambda method, _: method == "chat_update"), code
    want(posting, "It fell.")
    until_quiet(posting)
    assert slack.tried("chat_update") <= tries
    below = [a["text"] for m, a in slack.asked if m == "chat_postMessage"][1:]
    assert below == [
        f"Slack does not let me change a message above ({code}). It should say: It fell."
    ]
    assert [r.given_up for r in posting.outbox.resting("HE-1")] == [True]


def test_a_limit_on_saying_it_below_is_waited_for(stage, clock):
    """Else it would be said nowhere."""
    posting, slack = stage
    want(posting, "Looking…")
    until_quiet(posting)
    whole = slack._call

    def limited(method, **arguments):
        slack.code = "ratelimited" if method == "chat_postMessage" else "edit_window_closed"
        return whole(method, **arguments)

    slack._call, slack.breaks = limited, lambda *_: True
    want(posting, "It fell.")
    until_quiet(posting)
    assert slack.tried("chat_postMessage") == 2
    assert posting.outbox.given_up() == 0
    slack.breaks = lambda method, _: method == "chat_update"
    clock.ahead += WAIT_SECONDS
    until_quiet(posting)
    assert "should say: It fell." in slack.asked[-1][1]["text"]
    assert posting.outbox.given_up() == 1


@pytest.mark.parametrize(
    ("code", "joins", "at_once"),
    [("restricted_action", 0, 1), ("is_archived", 0, 1), ("not_in_channel", 2, 2)],
)
def test_a_channel_that_is_closed_is_tried_ever_more_rarely(
    tmp_path, monkeypatch, clock, code, joins, at_once
):
    """Joining it is granted to a member too: it helps once at most."""
    pauses = sender._wait
    with sending(tmp_path, monkeypatch) as (posting, slack):
        monkeypatch.setattr(sender, "_wait", pauses)
        slack.breaks, slack.code = (lambda method, _: method == "chat_postMessage"), code
        want(posting, "It fell.")
        until_quiet(posting)
        assert slack.tried("chat_postMessage") == at_once
        assert slack.tried("conversations_join") == joins
        clock.ahead += 60
        until_quiet(posting)
        assert slack.tried("chat_postMessage") == at_once + 1


def test_a_join_that_slack_does_not_answer_is_waited_over(stage):
    """It is tried again with the message."""
    posting, slack = stage

    def breaks(method, _):
        if method == "conversations_join":
            raise TimeoutError
        return True

    slack.breaks, slack.code = breaks, "not_in_channel"
    want(posting, "It fell.")
    posting.send_owed()
    [still] = posting.outbox.owed()
    assert (still.attempts, still.error) == (1, "not_in_channel")
