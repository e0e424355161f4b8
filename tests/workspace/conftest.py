"""A workspace with two people, one channel and the sample app, served on a free port."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.starlette import SlackRequestHandler
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.routing import Route

from bot.workspace import App, Command, Server, Shortcut, Workspace, serve
from tests.workspace import sample_app


def sample() -> App:
    """The sample app as it would be installed."""
    return App(
        "Sample",
        id="A0SAMPLE",
        commands=[Command(f"/{name}") for name in ("echo", "loud", "ticket", "slow", "poll")],
        shortcuts=[
            Shortcut("New ticket", "new_ticket"),
            Shortcut("Wizard", "wizard"),
            Shortcut("Quote", "quote", type="message"),
        ],
    )


@dataclass
class Place:
    """A served workspace and what is in it."""

    workspace: Workspace
    server: Server
    app: App
    client: WebClient
    channel: str = "C0GENERAL"

    def said(self, text: str, channel: str | None = None) -> dict:
        """The newest message that contains the text, once there is one."""

        def look() -> dict | None:
            place = self.workspace.channel(channel or self.channel)
            everything = [*place.messages.values(), *place.ephemerals.values()]
            found = [m for m in everything if text in m.text and not m.deleted]
            return max(found, key=lambda m: m.ts) if found else None

        return self.workspace.wait_for(look, timeout=10)


@pytest.fixture
def place() -> Iterator[Place]:
    """The workspace with no app running; for the Web API."""
    workspace = Workspace(retry_delays=(0.0, 0.1, 0.2), ack_timeout=0.5)
    ana = workspace.add_user("ana", "Ana Ruiz", id="U0ANA")
    bo = workspace.add_user("bo", "Bo Chen", id="U0BO")
    app = workspace.install(sample())
    workspace.add_channel("general", [ana, bo, app.user_id], id="C0GENERAL")
    with serve(workspace) as server:
        client = WebClient(app.bot_token, base_url=server.api_url, timeout=5)
        yield Place(workspace, server, app, client)


@pytest.fixture
def on_sockets(place: Place) -> Iterator[Place]:
    """The sample app connected by Socket Mode."""
    place.workspace.ack_timeout = 3.0
    bolt = sample_app.build(place.client, place.app.signing_secret)
    handler = SocketModeHandler(bolt, place.app.app_token, web_client=place.client)
    handler.connect()
    place.workspace.wait_for(lambda: place.workspace.connected.get(place.app.id), timeout=5)
    yield place
    # The SDK's own close waits up to three seconds for its timers.
    threading.Thread(target=handler.close, daemon=True).start()


@pytest.fixture
def on_http(place: Place) -> Iterator[Place]:
    """The sample app behind its own HTTP server."""
    place.workspace.ack_timeout = 3.0
    bolt = sample_app.build(place.client, place.app.signing_secret)
    handler = SlackRequestHandler(bolt)

    async def endpoint(request):
        return await handler.handle(request)

    asgi = Starlette(routes=[Route("/slack/events", endpoint, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(asgi, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    place.workspace.wait_for(lambda: server.started, timeout=10)
    port = server.servers[0].sockets[0].getsockname()[1]
    place.app.request_url = f"http://127.0.0.1:{port}/slack/events"
    yield place
    server.should_exit = True
    thread.join(10)


@pytest.fixture(params=["on_sockets", "on_http"])
def running(request: pytest.FixtureRequest) -> Place:
    """The sample app, once on each of the two ways."""
    return request.getfixturevalue(request.param)
