"""The manifest and the handlers agree: every command, event and scope is used, and declared."""

import json
import re
from pathlib import Path

from slack_sdk import WebClient

from bot.manifest import manifest
from handlers.access import Installed
from handlers.answers import Answers
from handlers.home import Home
from handlers.pins import Pins
from handlers.replies import Replies
from handlers.shortcuts import Shortcuts
from handlers.suggestions import Suggestions
from handlers.threads import Threads

ROOT = Path(__file__).parents[1]
MANIFEST = json.loads((ROOT / "bot" / "manifest.json").read_text())
SCOPES = set(MANIFEST["oauth_config"]["scopes"]["bot"])
METHODS = {
    # Slack's documentation of each method and event names the scope that it needs.
    "chat_postMessage": "chat:write",
    "chat_update": "chat:write",
    "chat_delete": "chat:write",
    "chat_postEphemeral": "chat:write",
    "files_getUploadURLExternal": "files:write",
    "files_completeUploadExternal": "files:write",
    "conversations_list": "channels:read",
    "conversations_info": "channels:read",
    "conversations_members": "channels:read",
    "conversations_join": "channels:join",
    "conversations_history": "channels:history",
    "conversations_replies": "channels:history",
    "users_info": "users:read",
    "users_lookupByEmail": "users:read.email",
    "usergroups_users_list": "usergroups:read",
}
PRIVATE = {"channels:read": "groups:read", "channels:history": "groups:history"}
EVENTS = {
    "app_home_opened": "",
    "app_mention": "app_mentions:read",
    "app_uninstalled": "",
    "team_access_granted": "",
    "team_access_revoked": "",
    "tokens_revoked": "",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "member_joined_channel": "channels:read",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
}
NO_SCOPE = {
    "apps_connections_open",
    "apps_uninstall",
    "auth_revoke",
    "auth_teams_list",
    "auth_test",
    "chat_getPermalink",
    "views_open",
    "views_publish",
}
SCHEMA = {
    # What we use of the manifest's reference, major version 2: its keys and their kinds.
    "_metadata": {"major_version": int, "minor_version": int},
    "display_information": {
        "name": str,
        "description": str,
        "long_description": str,
        "background_color": str,
    },
    "features": {
        "bot_user": {"display_name": str, "always_online": bool},
        "app_home": {
            "home_tab_enabled": bool,
            "messages_tab_enabled": bool,
            "messages_tab_read_only_enabled": bool,
        },
        "shortcuts": [{"name": str, "type": str, "callback_id": str, "description": str}],
        "slash_commands": [
            {
                "command": str,
                "description": str,
                "usage_hint": str,
                "url": str,
                "should_escape": bool,
            }
        ],
    },
    "oauth_config": {"redirect_urls": [str], "scopes": {"bot": [str], "user": [str]}},
    "settings": {
        "event_subscriptions": {"request_url": str, "bot_events": [str], "user_events": [str]},
        "interactivity": {"is_enabled": bool, "request_url": str, "message_menu_options_url": str},
        "allowed_ip_address_ranges": [str],
        "org_deploy_enabled": bool,
        "socket_mode_enabled": bool,
        "token_rotation_enabled": bool,
    },
}


class Recording:
    """Stands in for Bolt's app and remembers what was registered."""

    def __init__(self):
        self.names = {}

    def __getattr__(self, kind):
        def register(name):
            self.names.setdefault(kind, []).append(name)
            return lambda handler: handler

        return register


def handled(kind):
    """What all rooms together handle: names, or patterns of names."""
    app = Recording()
    for room in (
        Answers(None, None, None),
        Replies(None, None),
        Threads(None, None, None),
        Suggestions(None, None),
        Shortcuts(None, None),
        Pins(None, None),
        Home(None, None, None, None),
        Installed(None, None, None),
    ):
        room.register(app)
    return app.names[kind]


def source():
    """The text of everything that talks to Slack."""
    files = [*ROOT.glob("handlers/**/*.py"), *ROOT.glob("bot/*.py")]
    return "".join(f.read_text() for f in files)


def called():
    """Web API methods that are called."""
    text = source()
    known = [n for n in dir(WebClient) if not n.startswith("_") and "_" in n]
    return {n for n in known if re.search(rf"client\.{n}\b", text)}


def test_every_scope_is_needed_and_every_need_is_asked_for():
    """The least that works."""
    methods = called()
    assert methods - NO_SCOPE <= set(METHODS), methods - NO_SCOPE - set(METHODS)
    needed = {METHODS[m] for m in methods if m in METHODS} | set(EVENTS.values()) | {"commands"}
    needed |= {PRIVATE[s] for s in needed if s in PRIVATE}
    assert needed - {""} == SCOPES


def test_every_event_and_command_has_a_handler_and_the_other_way_round():
    """An upgrade that changes one and not the other is caught here."""
    assert set(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) == set(EVENTS)
    assert sorted(handled("event")) == sorted({e.split(".")[0] for e in EVENTS})
    commands = [c["command"] for c in MANIFEST["features"]["slash_commands"]]
    assert commands == handled("command")


def test_every_shortcut_has_a_handler_and_the_other_way_round():
    """Slack shows a declared one to everybody; it must do something."""
    declared = [s["callback_id"] for s in MANIFEST["features"]["shortcuts"]]
    assert sorted(declared) == sorted(handled("shortcut"))
    assert "app_home_opened" in EVENTS
    assert MANIFEST["features"]["app_home"]["home_tab_enabled"]


def test_every_menu_that_asks_while_one_types_is_answered():
    """An external select without a handler stays empty."""
    menus = set(re.findall(r'external_select",\s+"action_id": "(\w+)"', source()))
    assert menus == set(handled("options"))


def test_the_manifest_is_one_of_slacks_schema_however_it_is_run():
    """No key that the schema does not have, of the kind that it wants; addresses where needed."""
    for http in (False, True):
        for several in (False, True):
            made = manifest("https://hawkeye.example/", http=http, several=several)
            assert list(unfit(made, SCHEMA)) == []
            settings = made["settings"]
            assert settings["socket_mode_enabled"] is not http
            assert settings["token_rotation_enabled"] is several
            redirects = ["https://hawkeye.example/slack/oauth_redirect"] if several else None
            assert made["oauth_config"].get("redirect_urls") == redirects
            wanted = "https://hawkeye.example/slack/events" if http else None
            assert settings["event_subscriptions"].get("request_url") == wanted
            assert settings["interactivity"].get("message_menu_options_url") == wanted
            assert {c.get("url") for c in made["features"]["slash_commands"]} == {wanted}
    assert manifest() == MANIFEST
    assert list(unfit({"settings": {"socket": True, "org_deploy_enabled": 1}}, SCHEMA))


def unfit(value, schema, at=""):
    """Where a value is not as the schema says: keys that are unknown, values of another kind."""
    if isinstance(schema, dict):
        yield from (f"{at}.{key}: unknown" for key in value if key not in schema)
        for key, inner in schema.items():
            if key in value:
                yield from unfit(value[key], inner, f"{at}.{key}")
    elif isinstance(schema, list):
        for index, item in enumerate(value):
            yield from unfit(item, schema[0], f"{at}[{index}]")
    elif type(value) is not schema:
        yield f"{at}: {value!r}"


def test_the_manifest_keeps_slacks_limits():
    """Lengths as the manifest's schema has them."""
    shown = MANIFEST["display_information"]
    assert len(shown["name"]) <= 35
    assert len(shown["description"]) <= 140
    assert 174 <= len(shown["long_description"]) <= 4000
    assert len(MANIFEST["features"]["bot_user"]["display_name"]) <= 80
    for command in MANIFEST["features"]["slash_commands"]:
        assert len(command["description"]) <= 2000
        assert len(command["usage_hint"]) <= 1000
    for shortcut in MANIFEST["features"]["shortcuts"]:
        assert len(shortcut["name"]) <= 24
        assert len(shortcut["description"]) <= 150
        assert len(shortcut["callback_id"]) <= 255
