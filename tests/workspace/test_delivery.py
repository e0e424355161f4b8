"""Events reach apps once acknowledged, again when not, over sockets and over HTTP."""

from __future__ import annotations

import hashlib
import hmac
import importlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.response import SocketModeResponse
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import connect

from bot.workspace import App, SlackError
from bot.workspace.webhooks import check_url
from tests.workspace import sample_app


class Listener:
    """A bare Socket Mode client that remembers requests and acknowledges as it is told."""

    def __init__(self, place, *, ack=True):
        self.requests = []
        self.ack = ack
        self.payload = None
        self.client = SocketModeClient(place.app.app_token, web_client=place.client)
        self.client.socket_mode_request_listeners.append(self.hear)
        self.client.connect()
        place.workspace.wait_for(lambda: place.workspace.connected.get(place.app.id), timeout=5)

    def hear(self, client, request):
        """Remember and perhaps acknowledge."""
        self.requests.append(request)
        if self.ack:
            client.send_socket_mode_response(
                SocketModeResponse(envelope_id=request.envelope_id, payload=self.payload)
            )


@pytest.fixture
def listen(place):
    """Makes listeners and closes them."""
    made = []

    def make(**options):
        made.append(Listener(place, **options))
        return made[-1]

    yield make
    for listener in made:
        threading.Thread(target=listener.client.close, daemon=True).start()


def test_an_unacknowledged_event_comes_again_with_its_attempt(place, listen):
    """The same event_id in new envelopes, as many times as Slack tries."""
    listener = listen(ack=False)
    place.workspace.say("ana", "general", "anyone?")
    place.workspace.wait_for(lambda: len(listener.requests) == 4, timeout=10)
    requests = listener.requests
    assert [request.retry_attempt for request in requests] == [0, 1, 2, 3]
    assert requests[1].retry_reason == "http_timeout"
    assert len({request.payload["event_id"] for request in requests}) == 1
    assert len({request.envelope_id for request in requests}) == 4


def test_an_acknowledged_event_comes_once(place, listen):
    """One delivery, recorded as acknowledged."""
    listener = listen()
    place.workspace.say("ana", "general", "hello")
    record = place.workspace.recorder.find("message")[0]
    place.workspace.wait_for(lambda: record.status == "acked", timeout=5)
    time.sleep(0.8)
    assert len(listener.requests) == 1


def test_an_interaction_without_an_answer_is_an_error_for_the_person(place, listen):
    """operation_timeout after the ack timeout, and no second delivery."""
    listener = listen(ack=False)
    with pytest.raises(SlackError, match="operation_timeout"):
        place.workspace.command("ana", "general", "/slow now")
    assert len(listener.requests) == 1


def test_without_an_app_a_command_fails(place):
    """dispatch_failed when nothing is connected."""
    with pytest.raises(SlackError, match="dispatch_failed"):
        place.workspace.command("ana", "general", "/slow")


def test_an_ack_may_carry_a_message(place, listen):
    """The payload of the ack is shown to the person."""
    listener = listen()
    listener.payload = {"text": "as you wish"}
    place.workspace.command("ana", "general", "/slow")
    assert place.said("as you wish").ephemeral_to == "U0ANA"


def test_an_asked_for_reconnect_loses_nothing(place, listen):
    """refresh_requested: the client opens a new connection, events go there."""
    listener = listen()
    place.server.refresh(place.app.id)
    place.workspace.wait_for(lambda: place.workspace.connected.get(place.app.id) == 1, timeout=5)
    place.workspace.say("ana", "general", "still there?")
    place.workspace.wait_for(lambda: listener.requests, timeout=5)
    assert listener.requests[0].payload["event"]["text"] == "still there?"


def test_events_keep_their_order_on_one_connection(place, listen):
    """Thirty messages in a row are sent in that order."""
    listen()
    sent = [place.workspace.say("ana", "general", f"m{number}").ts for number in range(30)]
    records = place.workspace.recorder.find("message", "out")
    place.workspace.wait_for(lambda: all(r.status == "acked" for r in records), timeout=10)
    assert [record.request["event"]["ts"] for record in records] == sent


def test_several_connections_share_the_envelopes(place, listen):
    """Each envelope goes to one connection only."""
    first, second = listen(), listen()
    place.workspace.wait_for(lambda: place.workspace.connected[place.app.id] == 2, timeout=30)
    for number in range(6):
        place.workspace.say("ana", "general", f"m{number}")
    place.workspace.wait_for(lambda: len(first.requests) + len(second.requests) == 6, timeout=30)
    assert first.requests
    assert second.requests


def test_a_used_ticket_opens_nothing(place):
    """The address of apps.connections.open works once."""
    place.client.token = place.app.app_token
    url = place.client.apps_connections_open(app_token=place.app.app_token)["url"]
    assert url.startswith(place.server.url.replace("http", "ws"))
    place.workspace.tickets.clear()
    with (
        connect(url, proxy=None) as socket,
        pytest.raises(ConnectionClosedError, match="invalid ticket"),
    ):
        socket.recv(timeout=5)


class Receiver(BaseHTTPRequestHandler):
    """A bare HTTP app: keeps requests, answers what its server says."""

    def do_POST(self):
        """Keep and answer."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((dict(self.headers), body))
        status, extra = self.server.answer
        self.send_response(status)
        for name, value in extra.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *args):
        """Be silent."""


@pytest.fixture
def receiver(place):
    """An HTTP endpoint as the app's request URL."""
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    server.seen, server.answer = [], (200, {})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place.app.request_url = f"http://127.0.0.1:{server.server_address[1]}/slack/events"
    yield server
    server.shutdown()


def test_http_requests_are_signed_as_slack_signs_them(place, receiver):
    """v0, HMAC-SHA256 over version, timestamp and body."""
    place.workspace.say("ana", "general", "hi")
    place.workspace.wait_for(lambda: receiver.seen, timeout=5)
    headers, body = receiver.seen[0]
    stamp = headers["X-Slack-Request-Timestamp"]
    base = f"v0:{stamp}:{body.decode()}".encode()
    expected = hmac.new(place.app.signing_secret.encode(), base, hashlib.sha256).hexdigest()
    assert headers["X-Slack-Signature"] == f"v0={expected}"
    assert abs(time.time() - int(stamp)) < 5
    assert json.loads(body)["event"]["text"] == "hi"


def test_a_failed_http_delivery_is_retried_with_number_and_reason(place, receiver):
    """X-Slack-Retry-Num and X-Slack-Retry-Reason from the second attempt on."""
    receiver.answer = (500, {})
    place.workspace.say("ana", "general", "hi")
    place.workspace.wait_for(lambda: len(receiver.seen) == 4, timeout=5)
    numbers = [headers.get("X-Slack-Retry-Num") for headers, _ in receiver.seen]
    reasons = {headers.get("X-Slack-Retry-Reason") for headers, _ in receiver.seen[1:]}
    assert (numbers, reasons) == ([None, "1", "2", "3"], {"http_error"})
    assert len({body for _, body in receiver.seen}) == 1


def test_an_app_can_refuse_retries(place, receiver):
    """X-Slack-No-Retry: 1."""
    receiver.answer = (503, {"X-Slack-No-Retry": "1"})
    place.workspace.say("ana", "general", "hi")
    record = place.workspace.recorder.find("message")[0]
    place.workspace.wait_for(lambda: record.status == "http_error", timeout=5)
    assert len(receiver.seen) == 1


def test_commands_over_http_are_form_fields(place, receiver):
    """Flat, with trigger_id and response_url."""
    place.workspace.command("ana", "general", "/slow a  b")
    headers, body = receiver.seen[0]
    fields = {name: values[0] for name, values in parse_qs(body.decode()).items()}
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert (fields["command"], fields["text"]) == ("/slow", "a  b")
    assert fields["response_url"].startswith(place.server.url)
    assert fields["trigger_id"] in place.workspace.triggers


def test_a_request_url_elsewhere_is_never_called():
    """The workspace calls loopback addresses only."""
    with pytest.raises(ValueError, match="not on this machine"):
        check_url("http://example.com/slack/events")


def test_an_app_hears_only_of_channels_that_it_is_in_and_of_what_it_subscribed_to(place):
    """Membership and the list of bot events decide."""
    workspace = place.workspace
    outside = workspace.install(App("Outside"))
    picky = workspace.install(App("Picky", events=["app_mention"]))
    workspace.invite("ana", "general", picky.user_id)
    workspace.deliveries.sent.clear()
    workspace.say("ana", "general", "hi")
    workspace.say("ana", "general", "@Picky hi")
    heard = {
        app.name: [e.name for e in workspace.deliveries.sent if e.app_id == app.id]
        for app in (place.app, outside, picky)
    }
    assert heard == {"Sample": ["message", "message"], "Outside": [], "Picky": ["app_mention"]}


@pytest.mark.parametrize("adapter", ["builtin", "websocket_client"])
def test_bolts_adapters_come_back_when_they_are_asked_to(place, adapter):
    """Both of Bolt's synchronous clients; one of them closes its end at once."""
    bolt = sample_app.build(place.client, place.app.signing_secret)
    module = importlib.import_module(f"slack_bolt.adapter.socket_mode.{adapter}")
    handler = module.SocketModeHandler(bolt, place.app.app_token, web_client=place.client)
    place.workspace.ack_timeout = 3.0
    handler.connect()
    connected = place.workspace.connected
    place.workspace.wait_for(lambda: connected.get(place.app.id), timeout=5)
    place.server.refresh(place.app.id)
    place.workspace.wait_for(lambda: connected.get(place.app.id), timeout=10)
    place.workspace.say("ana", "general", "hello")
    assert place.said("Hey there <@U0ANA>!")
    threading.Thread(target=handler.close, daemon=True).start()
