"""Slack breaks over one message again and again: it is not sent for ever, and people hear of it."""

from __future__ import annotations

import pytest

from analysis.charts.style import figure, render
from handlers import uploads
from handlers.sender import MOST_TRIES, WORDS_AFTER
from handlers.uploads import Uploads
from state.incident import Alert
from state.outbox import Post
from state.results import Results
from tests.handlers.fake_desk import NOW, FakeDesk
from tests.handlers.fake_sending import SECTION, until_quiet, want


class Unknowing:
    """Slack does not tell it the ids of channels."""

    def channel(self, name: str) -> str:
        """What was asked about."""
        return name


@pytest.fixture
def given_up(stage):
    """A message that Slack broke over until it was left alone."""
    posting, slack = stage
    slack.breaks = lambda *_: True
    want(posting, "It fell.")
    until_quiet(posting)
    return posting, slack


def test_a_change_that_slack_breaks_over_is_given_up_and_said_below(stage):
    """After a bounded number of tries; its words stand in the thread, and `status` tells."""
    posting, slack = stage
    want(posting, "Looking…")
    until_quiet(posting)
    slack.breaks = lambda method, _: method == "chat_update"
    want(posting, "It fell.")
    until_quiet(posting)
    assert slack.tried("chat_update") == MOST_TRIES + 1
    method, last = slack.asked[-1]
    assert (method, last["thread_ts"]) == ("chat_postMessage", "1.0")
    assert "should say: It fell." in last["text"]
    assert [r.given_up for r in posting.outbox.resting("HE-1")] == [True]
    assert posting.outbox.given_up() == 1


def test_a_message_whose_blocks_slack_breaks_over_comes_in_words(stage):
    """The thread has them, says what is missing, and what follows is not held up."""
    posting, slack = stage
    slack.breaks = lambda _, arguments: arguments.get("text") == "It fell."
    want(posting, "It fell.", "And then?")
    until_quiet(posting)
    told = [a["text"] for m, a in slack.asked if m == "chat_postMessage"]
    assert told[:WORDS_AFTER] == ["It fell."] * WORDS_AFTER
    assert "It fell.\nSlack does not take the buttons" in told[WORDS_AFTER]
    assert told[-1] == "And then?"
    assert slack.tried("chat_update") <= MOST_TRIES
    assert posting.outbox.waiting() == 0


def test_a_thread_that_can_not_be_looked_through_is_not_asked_for_ever(given_up):
    """Whether the message is there stays unknown: it rests, and is told of."""
    posting, slack = given_up
    assert len(slack.asked) <= MOST_TRIES + 1
    assert posting.outbox.given_up() == 1


def test_a_given_up_message_is_tried_again_when_it_should_say_something_else(given_up):
    """An answer to the step may be taken where its question was not."""
    posting, slack = given_up
    slack.breaks = lambda *_: False
    want(posting, "It is back.")
    until_quiet(posting)
    assert posting.outbox.message("HE-1", "C1", "step-0")
    assert posting.outbox.given_up() == 0


def test_an_outage_is_waited_for_however_long_it_takes(stage):
    """Whether the message is there can't be asked either; once Slack is back it is posted."""
    posting, slack = stage
    slack.breaks, slack.code = (lambda *_: True), "service_unavailable"
    want(posting, "It fell.")
    until_quiet(posting)
    assert posting.outbox.given_up() == 0
    slack.breaks = lambda *_: False
    until_quiet(posting)
    assert posting.outbox.message("HE-1", "C1", "step-0")


def test_what_was_waited_for_before_counts_no_try(stage):
    """An hour without a network, then Slack breaks once: it is tried again."""
    posting, slack = stage
    slack.breaks, slack.code = (lambda *_: True), "service_unavailable"
    want(posting, "It fell.")
    until_quiet(posting)
    slack.code = "internal_error"
    posting.send_owed()
    assert posting.outbox.given_up() == 0
    slack.breaks = lambda *_: False
    until_quiet(posting)
    assert posting.outbox.message("HE-1", "C1", "step-0")


def test_a_chart_that_can_not_be_uploaded_ahead_is_left_alone_in_the_end(stage, monkeypatch):
    """Not asked four times a second while nobody needs it."""
    posting, slack = stage
    slack.breaks = lambda *_: True
    drawing, (axes,) = figure()
    axes.plot([1, 2])
    Results(posting.outbox.store).keep_chart(render(drawing, "a", "a line"))
    clock = [0.0]
    monkeypatch.setattr(uploads.time, "monotonic", lambda: clock[0])
    ahead = Uploads(slack, Results(posting.outbox.store))
    for second in range(10_000):
        clock[0] = float(second)
        ahead.upload_ahead()
    assert slack.tried("files_getUploadURLExternal") == ahead.most_tries


def test_a_message_over_which_sending_fails_does_not_hold_up_the_others(stage):
    """Whatever it is that fails; the message itself is tried again later, still in doubt."""
    posting, slack = stage

    def breaks(_, arguments):
        if arguments.get("text") == "It fell.":
            raise RuntimeError("nobody thought of this")

    slack.breaks = breaks
    other = Alert("monitor", "k2", "feature", "temp", "It drifts", NOW, channel="C2", thread="2.0")
    FakeDesk(posting.outbox.store).open(other)
    want(posting, "It fell.")
    posting.outbox.want("HE-2", "C2", [Post("step-0", 0, {"text": "It drifts.", "blocks": []})])
    posting.send_owed()
    assert posting.outbox.message("HE-2", "C2", "step-0")
    [still] = posting.outbox.owed()
    assert (still.name, still.attempts, still.in_doubt) == ("step-0", 1, True)
    assert "nobody thought" in still.error


@pytest.mark.parametrize("refused", [False, True], ids=["taken", "in words"])
def test_a_channel_known_by_name_alone_is_known_by_its_id_once_slack_took_a_message(stage, refused):
    """Slack takes no name for a change; nor does it tell in which thread somebody wrote by it."""
    posting, slack = stage
    posting.directory = Unknowing()
    heard = []
    posting.on_sent = lambda *told: heard.append(told)
    FakeDesk(posting.outbox.store).open(
        Alert("monitor", "k2", "feature", "temp", "It drifts", NOW, channel="#ml")
    )
    slack.code = "invalid_arguments"
    slack.breaks = lambda method, a: refused and method == "chat_postMessage" and a["blocks"]
    posting.outbox.want("HE-2", "#ml", [Post("root", 0, {"text": "Red", "blocks": [SECTION]})])
    until_quiet(posting)
    assert heard == [("HE-2", "C-ml", "root")]
    [place] = posting.outbox.store.places("HE-2")
    assert place.channel == "C-ml"
    posting.outbox.want("HE-2", "C-ml", [Post("root", 0, {"text": "Green", "blocks": []})])
    until_quiet(posting)
    method, last = slack.asked[-1]
    assert (method, last["channel"], last["text"]) == ("chat_update", "C-ml", "Green")
    assert posting.outbox.waiting() == 0
