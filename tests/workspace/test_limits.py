"""429 with Retry-After, dropped connections, delays, and the documented pace of posting."""

from __future__ import annotations

import json
import math
import time
import urllib.request
from http.client import HTTPException

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from bot.workspace import Fault, SlackError
from bot.workspace.faults import Faults
from tests.workspace.test_chat import refused


def test_a_rate_limited_call_succeeds_after_just_the_wait_that_was_asked_for(place):
    """The SDK's own handler honours Retry-After, and nothing is posted twice."""
    place.client.retry_handlers.append(RateLimitErrorRetryHandler(max_retry_count=2))
    place.workspace.inject(Fault("chat.postMessage", times=2, retry_after=1))
    started = time.monotonic()
    place.client.chat_postMessage(channel="C0GENERAL", text="patience")
    assert 2.0 <= time.monotonic() - started < 4.0
    assert len(place.workspace.channels["C0GENERAL"].messages) == 1


def test_without_a_handler_429_is_an_error_with_its_header(place):
    """HTTP 429, Retry-After, ratelimited."""
    place.workspace.inject(Fault("*", retry_after=7))
    with pytest.raises(SlackApiError) as caught:
        place.client.auth_test()
    response = caught.value.response
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "7"
    assert response["error"] == "ratelimited"
    assert place.client.auth_test()["ok"]


def test_a_dropped_connection_is_a_connection_error_that_the_sdk_retries(place):
    """The client sees no answer at all; its default handler tries once more."""
    place.workspace.inject(Fault("auth.test", drop=True))
    assert place.client.auth_test()["ok"]
    place.client.retry_handlers = []
    place.workspace.inject(Fault("auth.test", drop=True))
    with pytest.raises((OSError, HTTPException)):
        place.client.auth_test()


def test_any_error_can_be_asked_for_over_http(place):
    """POST /control/fault, as another program would."""
    body = json.dumps({"method": "auth.test", "error": "account_inactive", "delay": 0.2}).encode()
    urllib.request.urlopen(f"{place.server.url}/control/fault", body).read()
    started = time.monotonic()
    assert refused(place.client.auth_test)["error"] == "account_inactive"
    assert time.monotonic() - started >= 0.2
    assert place.client.auth_test()["ok"]


def test_posting_is_limited_to_one_a_second_with_bursts():
    """The budget refills with time, per channel."""
    now = [0.0]
    faults = Faults(limit_posts=True, burst=3, clock=lambda: now[0])
    for _ in range(3):
        faults.spend_post("A", "C1")
    with pytest.raises(SlackError) as caught:
        faults.spend_post("A", "C1")
    assert caught.value.retry_after == 1
    faults.spend_post("A", "C2")
    now[0] = 1.0
    faults.spend_post("A", "C1")


def test_the_pace_of_posting_is_kept_by_the_server_when_asked(place):
    """Six posts at once: the burst passes, then 429."""
    place.workspace.faults.limit_posts = True
    answers = []
    for number in range(6):
        try:
            place.client.chat_postMessage(channel="C0GENERAL", text=str(number))
            answers.append(200)
        except SlackApiError as error:
            answers.append(error.response.status_code)
    assert answers == [200, 200, 200, 200, 200, 429]


def test_a_method_is_limited_by_its_tier():
    """20, 50 and 100 calls a minute; a full minute fills the budget again."""
    now = [0.0]
    faults = Faults(limit_calls=True, clock=lambda: now[0])
    for method, tier in (("pins.add", 20), ("chat.update", 50), ("views.open", 100)):
        for _ in range(tier):
            faults.spend_call("A", method)
        with pytest.raises(SlackError, match="ratelimited") as caught:
            faults.spend_call("A", method)
        assert caught.value.retry_after == math.ceil(60 / tier)
        faults.spend_call("B", method)
    now[0] = 60.0
    for _ in range(20):
        faults.spend_call("A", "pins.add")
    for _ in range(1000):
        faults.spend_call("A", "auth.test")


def test_tiers_are_kept_by_the_server_when_asked(place):
    """The twenty-first call of a minute is told to wait."""
    place.workspace.faults.limit_calls = True
    for _ in range(20):
        place.client.users_list()
    body = refused(place.client.users_list)
    assert body["error"] == "ratelimited"
