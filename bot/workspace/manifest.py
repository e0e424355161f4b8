"""Slack app manifests: the same file that installs the app in Slack installs it here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.workspace.apps import App, Command, Shortcut
from bot.workspace.model import Json


def manifest_of(source: Path | str | Json, *, http: bool = False, **more: Any) -> App:
    """The app that a manifest (a path, JSON text, or decoded JSON) describes, not yet installed.

    With ``http`` the manifest's URLs are kept; otherwise Socket Mode is used. ``more`` sets further
    fields of ``App``, such as tokens.

    Raises:
        ValueError: it is no manifest; says what is missing.
    """
    body = _decoded(source)
    try:
        info, features = body["display_information"], body.get("features", {})
        name = str(info["name"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a Slack app manifest: {error} is missing") from None
    settings = body.get("settings", {})
    events = settings.get("event_subscriptions", {})
    interactivity = settings.get("interactivity", {})
    home = features.get("app_home", {})
    urls: Json = {}
    if http:
        urls = {
            "request_url": events.get("request_url"),
            "interactivity_url": interactivity.get("request_url"),
            "options_url": interactivity.get("message_menu_options_url"),
        }
    fields: Json = {
        "name": name,
        "description": str(info.get("description", "")),
        "display_name": str(features.get("bot_user", {}).get("display_name", name)),
        "events": list(events.get("bot_events", [])),
        "scopes": list(body.get("oauth_config", {}).get("scopes", {}).get("bot", [])),
        "commands": [_command(item, http) for item in features.get("slash_commands", [])],
        "shortcuts": [_shortcut(item) for item in features.get("shortcuts", [])],
        "functions": dict(body.get("functions", {})),
        "unfurl_domains": list(features.get("unfurl_domains", [])),
        "home_enabled": bool(home.get("home_tab_enabled", False)),
        "messages_enabled": bool(home.get("messages_tab_enabled", True)),
        **urls,
    }
    return App(**(fields | more))


def _decoded(source: Path | str | Json) -> Json:
    if isinstance(source, Path):
        source = source.read_text()
    if isinstance(source, str):
        source = json.loads(source)
    if not isinstance(source, dict):
        raise ValueError("not a Slack app manifest: it must be a JSON object")
    return source


def _command(item: Json, http: bool) -> Command:
    return Command(
        command=str(item["command"]),
        description=str(item.get("description", "")),
        usage_hint=str(item.get("usage_hint", "")),
        url=item.get("url") if http else None,
        should_escape=bool(item.get("should_escape", False)),
    )


def _shortcut(item: Json) -> Shortcut:
    return Shortcut(
        name=str(item["name"]),
        callback_id=str(item["callback_id"]),
        type=str(item.get("type", "global")),
        description=str(item.get("description", "")),
    )
