"""The local workspace's page in a real browser, against the real server and a real Bolt app."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.workspace import App, Channel, Command, Message, Server, Shortcut, User, Workspace, serve

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
CLOSING: list[threading.Thread] = []  # closing a socket takes seconds: not waited for in each test


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Any]:
    """One headless browser for the tests of this folder (two synchronous Playwrights in one
    process do not get along, so it does not outlive them)."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        yield started
        started.close()
    for thread in CLOSING:
        thread.join(10)


@dataclass
class Desk:
    """A workspace with two people, one app and three channels, served and ready to be opened."""

    workspace: Workspace
    server: Server
    app: App
    ana: User
    bo: User
    channel: Channel
    other: Channel
    bolt: Any
    browser: Any
    pages: list[Any] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def client(self) -> Any:
        """The app's Web API client."""
        return self.bolt.client

    def open(
        self, user: User | None = None, *, width: int = 1280, height: int = 800, path: str = ""
    ) -> Any:
        """The page as one person sees it, in a browser context of its own."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, locale="en-GB", timezone_id="Europe/Berlin"
        )
        page = context.new_page()
        page.set_default_timeout(8000)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        place = path or f"#/{self.channel.id}"
        page.goto(f"{self.server.url}/?user={(user or self.ana).id}{place}")
        page.wait_for_selector("#app[data-ready]")
        self.pages.append(page)
        return page

    def post(
        self, blocks: list[dict[str, Any]] | None = None, text: str = "text", **more: Any
    ) -> str:
        """A message of the app in the channel; returns its ts."""
        answer = self.client.chat_postMessage(
            channel=self.channel.id, text=text, blocks=blocks, **more
        )
        return str(answer["ts"])

    def plant(self, blocks: list[dict[str, Any]]) -> Message:
        """A message with blocks that the Web API would refuse (newer or unknown ones)."""
        ts = self.post()
        message = self.workspace.message(self.channel.id, ts)
        message.blocks = [{"block_id": f"planted-{i}", **block} for i, block in enumerate(blocks)]
        self.workspace.changes.add("message_changed", channel=self.channel.id, ts=ts)
        return message


class Heard:
    """What the app was sent; ``wait`` gives the next payload of that kind."""

    def __init__(self) -> None:
        self.payloads: list[dict[str, Any]] = []
        self.condition = threading.Condition()

    def add(self, payload: dict[str, Any]) -> None:
        """Note a payload."""
        with self.condition:
            self.payloads.append(payload)
            self.condition.notify_all()

    def wait(self, kind: str, count: int = 1, timeout: float = 8.0) -> dict[str, Any]:
        """The ``count``-th payload of this type."""
        deadline = time.monotonic() + timeout
        with self.condition:
            while True:
                found = [one for one in self.payloads if one.get("type") == kind]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.monotonic()
                assert left > 0, f"no {kind} number {count}; heard {self.payloads}"
                self.condition.wait(left)


@pytest.fixture
def heard() -> Heard:
    """What the app hears during the test."""
    return Heard()


@pytest.fixture
def desk(browser: Any, heard: Heard) -> Iterator[Desk]:
    """The served workspace with a connected Bolt app that writes down what it hears."""
    from slack_bolt import App as Bolt
    from slack_bolt.adapter.socket_mode import SocketModeHandler
    from slack_sdk import WebClient

    workspace = Workspace(team_name="Air Operations")
    ana = workspace.add_user("ana", "Ana Ruiz", title="ML on-call")
    bo = workspace.add_user("bo", "Bo Lind", title="Data platform")
    app = workspace.install(
        App(
            "HawkEye",
            commands=[Command("/hawkeye", "Lead an incident", "triage <metric> [since]")],
            shortcuts=[
                Shortcut("Triage this alert", "triage_message", "message"),
                Shortcut("Open an incident", "open_incident", "global"),
            ],
        )
    )
    channel = workspace.add_channel("ml-oncall", [ana, bo, app.user_id], topic="Alerts")
    other = workspace.add_channel("data-platform", [ana, bo, app.user_id])
    workspace.add_channel("quiet", [bo])
    with serve(workspace) as server:
        bolt = Bolt(client=WebClient(app.bot_token, base_url=server.api_url))

        @bolt.middleware
        def note(body: dict[str, Any], next: Any) -> None:
            heard.add(body.get("event") or body)
            next()

        handler = SocketModeHandler(
            bolt, app.app_token, web_client=WebClient(base_url=server.api_url)
        )
        handler.connect()
        workspace.wait_for(lambda: workspace.connected.get(app.id))
        desk = Desk(workspace, server, app, ana, bo, channel, other, bolt, browser)
        yield desk
        for page in desk.pages:
            page.context.close()
        handler.client.auto_reconnect_enabled = False
        CLOSING.append(threading.Thread(target=handler.close))
        CLOSING[-1].start()
    assert desk.errors == []
    assert [
        url for url in desk.requests if not url.startswith((server.url, "data:", "blob:"))
    ] == []
