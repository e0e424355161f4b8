"""The demo's PagerDuty: takes pages in as its Events API v2 does, and rings in a channel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.demo.actions import MENDED

if TYPE_CHECKING:
    from bot.config import Mitigation
    from bot.workspace import Workspace

PATH = "/demo/pagerduty/v2/enqueue"
KEYS = "*=" + "0" * 32
"""An integration key for every owner, as ``HAWKEYE_PAGERDUTY_ROUTING_KEYS`` has it."""
REQUIRED = ("summary", "source", "severity")


def page_the_owner(workspace_url: str) -> Mitigation:
    """The mitigation as a team would have it in its settings."""
    from bot.config import Mitigation

    return Mitigation(
        name="Page the owner",
        kind="pagerduty",
        url=f"{workspace_url.rstrip('/')}{PATH}",
        suspects=MENDED,
    )


def pager_routes(workspace: Workspace, channel: str) -> list[BaseRoute]:
    """``POST`` of an event: 202 and a message in the channel, once per ``dedup_key``."""
    from bot.workspace.apps import App
    from bot.workspace.messages import post
    from bot.workspace.model import Message

    app = workspace.install(
        App(name="PagerDuty", events=[], home_enabled=False, messages_enabled=False)
    )
    rung = set[str]()

    async def enqueue(request: Request) -> Response:
        event = await _event(request)
        payload = event.get("payload") or {}
        missing = [f"'payload.{name}' is missing" for name in REQUIRED if not payload.get(name)]
        if len(str(event.get("routing_key", ""))) != 32:
            missing.append("Length of 'routing_key' is incorrect (should be 32 characters)")
        if missing:
            told = {"status": "invalid event", "message": "Event object is invalid"}
            return JSONResponse({**told, "errors": missing}, status_code=400)
        key = str(event.get("dedup_key") or payload["summary"])
        if key not in rung:
            rung.add(key)
            text = f"📟 *{payload['severity']}* {payload['summary']}"
            links = event.get("links") or []
            text += "".join(f"\n<{link['href']}|{link['text']}>" for link in links)
            ts = workspace.new_ts()
            post(workspace, Message(channel, ts, app.user_id, text, bot_id=app.bot_id))
        done = {"status": "success", "message": "Event processed", "dedup_key": key}
        return JSONResponse(done, status_code=202)

    return [Route(PATH, enqueue, methods=["POST"])]


async def _event(request: Request) -> dict[str, Any]:
    try:
        found = json.loads(await request.body())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
