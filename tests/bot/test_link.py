"""One connection of Socket Mode, against a server that sends what Slack's may, and worse."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from queue import Queue

import pytest
from slack_bolt import BoltResponse
from websockets.sync.server import serve

from bot import link
from bot.link import Link


class Taker:
    """Answers as it is told to, and keeps what it was asked."""

    def __init__(self):
        self.asked = Queue()
        self.answer = BoltResponse(status=200)

    def dispatch(self, req):
        """As a Bolt app does."""
        self.asked.put(req)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@contextmanager
def slack(says):
    """A server whose connections are handled by ``says``; its address."""
    with serve(says, "127.0.0.1", 0) as server:
        running = threading.Thread(target=server.serve_forever)
        running.start()
        try:
            yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/link/?ticket=t"
        finally:
            server.shutdown()
            running.join()


@contextmanager
def linked(says, taker=None):
    """A link to it, which is closed at the end."""
    with slack(says) as address, ThreadPoolExecutor(2) as pool:
        one = Link(address, taker or Taker(), pool)
        assert one.open()
        try:
            yield one
        finally:
            one.close()


def envelope(kind="slash_commands", **more):
    """As Slack's reference shows it."""
    return json.dumps({"envelope_id": "e1", "type": kind, "payload": {"a": 1}, **more})


def asking(frame, heard):
    """A server that sends ``frame`` and keeps what comes back."""

    def says(socket):
        socket.send(json.dumps({"type": "hello", "num_connections": 1}))
        socket.send(frame)
        for text in socket:
            heard.put(json.loads(text))

    return says


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        (BoltResponse(status=200), {"envelope_id": "e1"}),
        (
            BoltResponse(status=200, body="hello"),
            {"envelope_id": "e1", "payload": {"text": "hello"}},
        ),
        (
            BoltResponse(status=200, body={"response_action": "clear"}),
            {"envelope_id": "e1", "payload": {"response_action": "clear"}},
        ),
    ],
    ids=["bare", "text", "json"],
)
def test_an_envelope_is_seen_to_and_acknowledged(answer, sent):
    """With what the app answered, if anything."""
    taker, heard = Taker(), Queue()
    taker.answer = answer
    with linked(asking(envelope(), heard), taker):
        assert heard.get(timeout=5) == sent
    request = taker.asked.get(timeout=5)
    assert (request.mode, request.body) == ("socket_mode", {"a": 1})


def test_an_event_that_comes_again_says_so():
    """In the headers in which it does over HTTP."""
    taker, heard = Taker(), Queue()
    frame = envelope("events_api", retry_attempt=1, retry_reason="timeout")
    with linked(asking(frame, heard), taker):
        request = taker.asked.get(timeout=5)
    assert request.headers["x-slack-retry-num"] == ["1"]
    assert request.headers["x-slack-retry-reason"] == ["timeout"]


def test_an_event_is_acknowledged_with_nothing_else():
    """Slack takes an answer with commands and clicks alone."""
    taker, heard = Taker(), Queue()
    taker.answer = BoltResponse(status=200, body="hello")
    with linked(asking(envelope("events_api"), heard), taker):
        assert heard.get(timeout=5) == {"envelope_id": "e1"}


@pytest.mark.parametrize("answer", [BoltResponse(status=404), RuntimeError("no")])
def test_what_was_not_seen_to_is_not_acknowledged(answer):
    """And the next envelope is taken all the same."""
    taker, heard = Taker(), Queue()
    taker.answer = answer

    def says(socket):
        socket.send(envelope())
        taker.asked.get(timeout=5)
        taker.answer = BoltResponse(status=200)
        socket.send(envelope(envelope_id="e2"))
        for text in socket:
            heard.put(json.loads(text))

    with linked(says, taker):
        assert heard.get(timeout=5) == {"envelope_id": "e2"}


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        "7",
        "[" * 100_000,
        '{"type": "unheard"}',
        '{"type": null}',
        '{"type": "events_api", "envelope_id": "e0", "payload": null}',
        '{"type": "events_api", "envelope_id": "e0", "payload": [1]}',
    ],
)
def test_what_is_no_envelope_is_passed_over(frame):
    """What comes after it is not."""
    heard = Queue()

    def says(socket):
        socket.send(frame)
        socket.send(envelope(more="x" * 3_000_000))
        for text in socket:
            heard.put(json.loads(text))

    with linked(says):
        assert heard.get(timeout=5) == {"envelope_id": "e1"}


@pytest.mark.parametrize(
    "reason", ["warning", "refresh_requested", "link_disabled", "too_many_websockets"]
)
def test_slack_asks_for_another_one(reason):
    """Until it closes this one, what comes over it is seen to."""
    heard, closing = Queue(), threading.Event()

    def says(socket):
        socket.send(json.dumps({"type": "disconnect", "reason": reason}))
        socket.send(envelope())
        heard.put(json.loads(socket.recv()))
        closing.wait(5)

    with linked(says) as one:
        assert one.over.wait(5)
        assert one.asked is (reason in ("warning", "refresh_requested"))
        assert heard.get(timeout=5) == {"envelope_id": "e1"}
        closing.set()
        one._thread.join(5)
        assert not one._thread.is_alive()


def test_one_that_slack_does_not_close_is_left(monkeypatch):
    """After it had its time."""
    monkeypatch.setattr(link, "STAYS", 0.2)
    left = threading.Event()

    def says(socket):
        socket.send(json.dumps({"type": "disconnect", "reason": "warning"}))
        for _ in socket:
            pass
        left.set()

    with linked(says):
        assert left.wait(5)


def test_one_that_answers_no_ping_is_over(monkeypatch):
    """A connection can be gone without a word."""
    monkeypatch.setattr(link, "PING", 0.2)
    told = threading.Event()

    def says(socket):
        socket.protocol.receive_data = lambda data: None
        told.wait(5)

    with linked(says) as one:
        assert one.over.wait(5)
        assert not one.asked
        told.set()


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/?ticket=secret", "wss://[::1"])
def test_an_address_that_is_none_is_told_without_its_ticket(address, capsys):
    """It opens a connection for whoever has it."""
    with ThreadPoolExecutor(1) as pool:
        assert not Link(address, Taker(), pool).open()
    assert "secret" not in "".join(capsys.readouterr())


def test_one_that_can_not_be_opened_says_so():
    """Nobody listens there."""
    with slack(lambda socket: None) as address:
        pass
    with ThreadPoolExecutor(1) as pool:
        one = Link(address, Taker(), pool)
        assert not one.open()
        assert one.over.is_set()
        one.close()
