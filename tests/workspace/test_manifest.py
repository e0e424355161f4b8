"""A Slack app manifest installs the same app here."""

from __future__ import annotations

import json

import pytest

from bot.workspace import Workspace, manifest_of

MANIFEST = {
    "display_information": {"name": "Tickets", "description": "Opens tickets"},
    "features": {
        "app_home": {"home_tab_enabled": True, "messages_tab_enabled": False},
        "bot_user": {"display_name": "Ticket Bot", "always_online": True},
        "slash_commands": [
            {
                "command": "/ticket",
                "description": "Open one",
                "usage_hint": "[title]",
                "should_escape": True,
                "url": "http://127.0.0.1:9/commands",
            }
        ],
        "shortcuts": [
            {"name": "New", "type": "global", "callback_id": "new", "description": "Open one"}
        ],
    },
    "oauth_config": {"scopes": {"bot": ["chat:write", "commands"]}},
    "settings": {
        "event_subscriptions": {
            "request_url": "http://127.0.0.1:9/events",
            "bot_events": ["app_mention", "message.channels"],
        },
        "interactivity": {"is_enabled": True, "request_url": "http://127.0.0.1:9/actions"},
        "socket_mode_enabled": True,
    },
}


def test_a_manifest_says_all_that_an_installation_needs(tmp_path):
    """From a dict, a text or a file: names, commands, shortcuts, events, scopes, tabs."""
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(MANIFEST))
    app = manifest_of(path, bot_token="xoxb-mine")
    assert app == manifest_of(MANIFEST, bot_token="xoxb-mine")
    assert app == manifest_of(json.dumps(MANIFEST), bot_token="xoxb-mine")
    assert (app.name, app.display_name) == ("Tickets", "Ticket Bot")
    assert (app.commands[0].command, app.commands[0].should_escape) == ("/ticket", True)
    assert app.shortcuts[0].callback_id == "new"
    assert app.events == ["app_mention", "message.channels"]
    assert app.scopes == ["chat:write", "commands"]
    assert (app.home_enabled, app.messages_enabled) == (True, False)
    assert app.request_url is None


def test_the_urls_are_used_only_over_http():
    """Socket Mode ignores them, as Slack does."""
    app = manifest_of(MANIFEST, http=True)
    assert app.request_url == "http://127.0.0.1:9/events"
    assert app.interactivity_url == "http://127.0.0.1:9/actions"
    assert app.commands[0].url == "http://127.0.0.1:9/commands"


def test_installing_fills_in_what_a_manifest_cannot_know():
    """Ids, tokens and a bot user that people can mention."""
    workspace = Workspace()
    app = workspace.install(manifest_of(MANIFEST))
    user = workspace.users[app.user_id]
    assert app.bot_token.startswith("xoxb-")
    assert app.app_token.startswith("xapp-")
    assert (user.name, user.real_name, user.is_bot) == ("ticket_bot", "Ticket Bot", True)


@pytest.mark.parametrize("source", [[], "[]", {}, {"display_information": {}}])
def test_what_is_no_manifest_is_refused(source):
    """With what is missing."""
    with pytest.raises(ValueError, match="not a Slack app manifest"):
        manifest_of(source)


def test_an_escaped_command_carries_ids_with_labels():
    """should_escape turns names into <@U…|name> and <#C…|name>."""
    workspace = Workspace()
    app = workspace.install(manifest_of(MANIFEST))
    workspace.add_user("bo", id="U0BO")
    workspace.add_channel("ops", ["U0BO"], id="C0OPS")
    workspace.deliveries.attach(lambda envelope: workspace.deliveries.ack(envelope, None))
    sent = workspace.command("bo", "ops", "/ticket for @bo in #ops")
    assert sent.app_id == app.id
    assert sent.payload["text"] == "for <@U0BO|bo> in <#C0OPS|ops>"
