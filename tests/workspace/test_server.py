"""The server: on this machine only, with room for more routes, and controls."""

from __future__ import annotations

import json
import urllib.error
import urllib.request

import pytest
from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.workspace import Workspace, serve


def status(url: str, data: bytes | None = None, **headers: str) -> int:
    """The HTTP status of a request."""
    request = urllib.request.Request(
        url, data, {k.replace("_", "-"): v for k, v in headers.items()}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", ""])
def test_another_address_than_loopback_is_refused(host):
    """There is no real authentication, so nobody else may reach it."""
    with pytest.raises(ValueError, match=r"serves 127\.0\.0\.1 only"):
        serve(Workspace(), host=host)


def test_requests_under_another_name_are_refused(place):
    """Against DNS rebinding: the Host header must be a loopback name."""
    url = f"{place.server.url}/ui/state"
    assert status(url) == 200
    assert status(url, Host="evil.example") == 403


def test_other_web_pages_cannot_act(place):
    """An Origin that is not this server is refused, on every route."""
    body = json.dumps({"user": "U0ANA", "channel": "C0GENERAL", "text": "x"}).encode()
    url = f"{place.server.url}/ui/send"
    assert status(url, body, Origin="http://evil.example") == 403
    assert status(url, body, Origin="null") == 403
    assert status(url, body, Origin=place.server.url) == 200
    assert len(place.workspace.channels["C0GENERAL"].messages) == 1


def test_extra_routes_are_served_beside_the_workspace():
    """The demo's clock is such a route; without it the page gets 404."""

    async def clock(_request):
        return JSONResponse({"now": "2013-07-01T12:00:00Z", "speed": 60})

    with serve(Workspace()) as plain:
        assert status(f"{plain.url}/demo/clock") == 404
    with serve(Workspace(), extra_routes=[Route("/demo/clock", clock)]) as server:
        answer = urllib.request.urlopen(f"{server.url}/demo/clock").read()
        assert json.loads(answer)["speed"] == 60


def test_a_permalink_opens_the_page(place):
    """The page itself finds the channel and the message from the address."""
    ts = place.client.chat_postMessage(channel="C0GENERAL", text="x")["ts"]
    link = place.client.chat_getPermalink(channel="C0GENERAL", message_ts=ts)["permalink"]
    with urllib.request.urlopen(link) as answer, urllib.request.urlopen(place.server.url) as page:
        assert answer.read() == page.read()


def test_a_workspace_can_be_served_again(place):
    """What was there is still there."""
    place.workspace.say("ana", "general", "still here")
    place.server.stop()
    with serve(place.workspace) as server:
        url = f"{server.url}/ui/messages?channel=C0GENERAL&user=U0ANA"
        messages = json.loads(urllib.request.urlopen(url).read())["messages"]
    assert [message["text"] for message in messages] == ["still here"]


def test_a_taken_port_is_an_error(place):
    """Not a server that nobody reaches."""
    with pytest.raises(OSError, match="in use"):
        serve(Workspace(), place.server.port)


def test_timings_are_set_while_it_runs(place):
    """POST /control/settings; unknown names are refused with the known ones."""
    url = f"{place.server.url}/control/settings"
    good = {"trigger_seconds": 9, "file_processing_seconds": 0, "limit_posts": True}
    assert status(url, json.dumps(good).encode()) == 200
    assert status(url, b'{"speed": 1}') == 400
    assert place.workspace.trigger_seconds == 9.0
    assert place.workspace.faults.limit_posts


def test_controls_refuse_what_they_cannot_do(place):
    """Unknown apps, malformed faults."""
    url = place.server.url
    assert status(f"{url}/control/refresh/A0NO", b"") == 400
    assert status(f"{url}/control/verify/A0NO", b"") == 400
    assert status(f"{url}/control/fault", b"{}") == 400
    assert status(f"{url}/control/refresh/{place.app.id}", b"") == 200


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (b"{", "application/json", "invalid_json"),
        (b"[]", "application/json", "json_not_object"),
        (b"\xff=\xff", "application/x-www-form-urlencoded", "invalid_form_data"),
        (b"x" * (8 * 1024 * 1024 + 1), "application/json", "request_too_large"),
    ],
)
def test_malformed_bodies_are_refused_with_slacks_codes(place, body, kind, error):
    """The transport errors that Slack documents for every method."""
    request = urllib.request.Request(
        f"{place.server.url}/api/auth.test", body, {"Content-Type": kind}
    )
    assert json.loads(urllib.request.urlopen(request).read())["error"] == error


@pytest.mark.parametrize("way", ["query", "form", "json", "multipart"])
def test_arguments_and_tokens_come_in_every_encoding(place, way):
    """Query, form, JSON with a header, multipart."""
    token, url = place.app.bot_token, f"{place.server.url}/api/chat.postMessage"
    fields = {"channel": "C0GENERAL", "text": "schön"}
    if way == "query":
        query = f"channel=C0GENERAL&text=sch%C3%B6n&token={token}"
        request = urllib.request.Request(f"{url}?{query}", b"")
    elif way == "form":
        request = urllib.request.Request(
            url, f"channel=C0GENERAL&text=sch%C3%B6n&token={token}".encode()
        )
    elif way == "json":
        headers = {"Content-Type": "application/json; charset=utf-8"}
        headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(url, json.dumps(fields).encode(), headers)
    else:
        parts = [
            f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in (fields | {"token": token}).items()
        ]
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        request = urllib.request.Request(url, ("".join(parts) + "--b--\r\n").encode(), headers)
    answer = json.loads(urllib.request.urlopen(request).read())
    assert answer["message"]["text"] == "schön"
