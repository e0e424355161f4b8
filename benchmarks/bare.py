"""The floor: a Bolt app that does nothing but acknowledge and update, on the same workspace."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from functools import partial
from typing import Any

from slack_bolt import App
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_sdk import WebClient

from bot.workspace import App as Installed
from bot.workspace import Channel, Workspace, serve

CLICKS = 20


@dataclass(frozen=True)
class Floor:
    """Seconds from a click to its acknowledgement, and to the update that it causes."""

    ack: float
    update: float


def measure() -> Floor:
    """The medians of twenty clicks."""
    workspace = Workspace()
    ana = workspace.add_user("ana", "Ana")
    installed = workspace.install(Installed("bare"))
    channel = workspace.add_channel("general", [ana, installed.user_id])
    with serve(workspace) as server:
        client = WebClient(installed.bot_token, base_url=server.api_url)
        app = App(client=client, signing_secret="unused", token_verification_enabled=False)

        @app.action("press")
        def press(ack: Any, body: Any) -> None:
            ack()
            count = int(body["actions"][0]["value"]) + 1
            client.chat_update(
                channel=body["channel"]["id"],
                ts=body["message"]["ts"],
                text=f"{count}",
                blocks=_button(count),
            )

        socket = SocketModeHandler(app, installed.app_token, web_client=client)
        socket.connect()  # type: ignore[no-untyped-call]
        ts = str(client.chat_postMessage(channel=channel.id, text="0", blocks=_button(0))["ts"])
        acks, updates = [], []
        for count in range(1, CLICKS + 1):
            began = time.perf_counter()
            workspace.click(ana, channel.id, ts, action_id="press")
            acks.append(time.perf_counter() - began)
            workspace.wait_for(partial(_says, channel, ts, str(count)), 10)
            updates.append(time.perf_counter() - began)
        socket.close()  # type: ignore[no-untyped-call]
    return Floor(statistics.median(acks), statistics.median(updates))


def _says(channel: Channel, ts: str, text: str) -> bool:
    return channel.messages[ts].text == text


def _button(count: int) -> list[dict[str, Any]]:
    label = {"type": "plain_text", "text": "Press"}
    button = {"type": "button", "action_id": "press", "value": str(count), "text": label}
    return [{"type": "actions", "elements": [button]}]
