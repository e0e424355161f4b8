"""The app's manifest, as it is for a way of running it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "manifest.json"


def manifest(url: str = "", *, http: bool = False, several: bool = False) -> dict[str, Any]:
    """The manifest of Slack's schema.

    ``url`` is the bot's public address. With ``http`` Slack sends its requests there, instead of
    through Socket Mode; ``several`` is for OAuth: installing it in several workspaces, with tokens
    that are renewed.
    """
    body: dict[str, Any] = json.loads(FILE.read_text())
    url = url.rstrip("/")
    settings, features = body["settings"], body["features"]
    if http:
        events = f"{url}/slack/events"
        settings["socket_mode_enabled"] = False
        settings["event_subscriptions"]["request_url"] = events
        settings["interactivity"]["request_url"] = events
        settings["interactivity"]["message_menu_options_url"] = events
        for command in features["slash_commands"]:
            command["url"] = events
    if several:
        body["oauth_config"]["redirect_urls"] = [f"{url}/slack/oauth_redirect"]
        settings["token_rotation_enabled"] = True
    return body


def bot_scopes() -> list[str]:
    """The scopes that the bot asks for."""
    found: list[str] = manifest()["oauth_config"]["scopes"]["bot"]
    return found
