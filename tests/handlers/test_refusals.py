"""Slack refuses a message, or asks to wait: its words come, and nothing is tried for ever."""

from __future__ import annotations

import pytest

from analysis.charts.style import figure, render
from handlers import sender, uploads
from handlers.once import WAIT_SECONDS
from handlers.sender import MOST_REFUSALS
from state.outbox import Post
from state.results import Results
from tests.handlers.fake_sending import SECTION, Clock, sending, until_quiet, want


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


def test_what_can_not_be_changed_any_more_is_said_below_once(stage):
    """Also where whatever rests in a channel is tried again."""
    posting, slack = stage
    want(posting, "Looking…")
    until_quiet(posting)
    slack.breaks, slack.code = (lambda method, _: method == "chat_update"), "edit_window_closed"
    want(posting, "It fell.")
    for _ in range(3):
        until_quiet(posting)
        posting.outbox.hurry("C1")
    assert slack.tried("chat_postMessage") == 2


def test_a_message_that_was_found_is_not_posted_again_whatever_comes_of_it(stage):
    """Its first answer was lost, and so is that of the change which it needs."""
    posting, slack = stage
    whole = slack._call

    def lost(method, **arguments):
        answer = whole(method, **arguments)
        if method in ("chat_postMessage", "chat_update") and slack.tried("chat_update") < 2:
            raise ConnectionError("cut off")
        if method == "conversations_replies":
            event = {"incident": "HE-1", "name": "step-0"}
            answer["messages"] = [{"ts": "5.0", "metadata": {"event_payload": event}}]
        return answer

    slack._call = lost
    want(posting, "It fell.")
    until_quiet(posting)
    assert slack.tried("chat_postMessage") == 1
    assert posting.outbox.message("HE-1", "C1", "step-0") == "5.0"
    assert posting.outbox.waiting() == 0


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


@pytest.fixture
def picture(stage):
    """The store holds a chart; the thread should have a message that shows it."""
    posting, _ = stage
    drawing, (axes,) = figure()
    axes.plot([1, 2])
    chart = render(drawing, "a", "a line")
    Results(posting.outbox.store).keep_chart(chart)
    image = {"type": "image", "chart": chart.id, "alt_text": "a line"}
    post = Post("step-0", 0, {"text": "It fell.", "blocks": [SECTION, image]})
    posting.outbox.want("HE-1", "C1", [post])
    return chart


def shown(slack) -> str:
    """The kind of the last block that Slack took or refused: the chart, or the line instead."""
    return next(a["blocks"][-1]["type"] for _, a in reversed(slack.asked) if a.get("blocks"))


def comes_back(posting, slack, clock, monkeypatch) -> bool:
    """Whether the chart is there within minutes once it can be uploaded again."""
    slack.breaks = lambda *_: False
    monkeypatch.setattr(uploads, "put", lambda *_, **__: "F1")
    for _ in range(60):
        clock.ahead += 10
        posting.send_owed()
    return shown(slack) == "image" and posting.outbox.waiting() == 0


@pytest.mark.parametrize("code", ["ratelimited", "service_unavailable"])
def test_a_limit_or_an_outage_of_uploads_loses_no_chart(stage, clock, picture, monkeypatch, code):
    """However long it lasts; Slack is left alone as long as it wants, ahead of the message too."""
    posting, slack = stage
    slack.breaks, slack.code = (lambda method, _: method.startswith("files")), code
    slack.headers = {"Retry-After": "30"}
    start = clock.ahead
    for _ in range(60):
        clock.ahead += 10
        posting.send_owed()
        posting.uploads.upload_ahead()
    seconds = 30 if code == "ratelimited" else uploads.OUTAGE_SECONDS
    asked = slack.tried("files_getUploadURLExternal")
    assert 5 < asked <= (clock.ahead - start) / seconds + 1
    assert comes_back(posting, slack, clock, monkeypatch)


@pytest.mark.parametrize("code", ["ratelimited", "service_unavailable", "not_in_channel"])
def test_what_holds_up_a_message_loses_no_chart_of_it(stage, clock, picture, monkeypatch, code):
    """Only failures of the chart itself count."""
    posting, slack = stage
    monkeypatch.setattr(uploads, "put", lambda *_, **__: "F1")
    posting.uploads.upload_ahead()
    slack.breaks, slack.code = (lambda method, _: method.startswith("chat")), code
    for _ in range(30):
        clock.ahead += WAIT_SECONDS
        posting.send_owed()
    assert comes_back(posting, slack, clock, monkeypatch)


def test_a_chart_that_fails_again_and_again_is_replaced_by_words(stage, clock, picture):
    """What it shows is said."""
    posting, slack = stage
    slack.breaks = lambda method, _: method.startswith("files")
    for _ in range(200):
        clock.ahead += 10
        posting.send_owed()
    assert slack.tried("files_getUploadURLExternal") == posting.uploads.most_tries
    assert "It shows: a line" in str(slack.asked[-1][1]["blocks"])
    assert posting.outbox.waiting() == 0


def test_blocks_with_a_chart_that_slack_never_takes_end_in_words(
    stage, clock, picture, monkeypatch
):
    """The chart is left out, then all blocks; at last it rests."""
    posting, slack = stage
    monkeypatch.setattr(uploads, "put", lambda *_, **__: "F1")
    posting.uploads.upload_ahead()
    slack.breaks, slack.code = (lambda _, a: bool(a.get("blocks"))), "invalid_blocks"
    for _ in range(200):
        clock.ahead += 10
        posting.send_owed()
    assert posting.outbox.waiting() == 0
    assert posting.outbox.given_up() == 1
    assert len(slack.asked) < 4 * (posting.uploads.most_tries + MOST_REFUSALS)
