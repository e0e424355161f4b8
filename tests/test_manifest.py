"""The manifest and the handlers agree: every command, event and scope is used, and declared."""

import inspect
import json
from pathlib import Path

from slack_bolt import App
from slack_sdk import WebClient

from handlers import answers, directory, sender, threads, uploads
from handlers.answers import Answers
from handlers.threads import Threads

MANIFEST = json.loads((Path(__file__).parents[1] / "bot" / "manifest.json").read_text())
SCOPES = set(MANIFEST["oauth_config"]["scopes"]["bot"])
METHODS = {
    # Slack's documentation of each method and event names the scope that it needs.
    "chat_postMessage": "chat:write",
    "chat_update": "chat:write",
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
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "member_joined_channel": "channels:read",
}
NO_SCOPE = {"auth_test", "chat_getPermalink", "views_open"}


def called():
    """Web API methods that the handlers call."""
    source = "".join(inspect.getsource(m) for m in (answers, directory, sender, threads, uploads))
    known = [n for n in dir(WebClient) if not n.startswith("_") and "_" in n]
    return {n for n in known if f"client.{n}(" in source}


def test_every_scope_is_needed_and_every_need_is_asked_for():
    """The least that works."""
    methods = called()
    assert methods - NO_SCOPE <= set(METHODS), methods - NO_SCOPE - set(METHODS)
    needed = {METHODS[m] for m in methods if m in METHODS} | set(EVENTS.values()) | {"commands"}
    needed |= {PRIVATE[s] for s in needed if s in PRIVATE}
    assert needed == SCOPES


def test_every_event_and_command_has_a_handler_and_the_other_way_round():
    """An upgrade that changes one and not the other is caught here."""
    app = App(client=WebClient("xoxb-test"), signing_secret="s", token_verification_enabled=False)
    threads_room = Threads(None, None)
    threads_room.register(app)
    assert set(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) == set(EVENTS)
    handled = {
        name
        for name in ("app_mention", "message", "member_joined_channel")
        if f'app.event("{name}")' in inspect.getsource(Threads.register)
    }
    assert handled == {e.split(".")[0] for e in EVENTS}
    commands = {c["command"] for c in MANIFEST["features"]["slash_commands"]}
    assert commands == {"/hawkeye"}
    assert 'app.command("/hawkeye")' in inspect.getsource(Answers.register)


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
