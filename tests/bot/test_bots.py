"""Which bot a request of Slack's is for, by payloads as Slack documents them."""

import json
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from slack_bolt import BoltRequest
from slack_sdk import WebClient

from bot.bolt import Own, bolt_app
from bot.bots import Switchboard

ANA = {"id": "U1", "username": "ana", "team_id": "T0ONE"}
ACME = {"id": "E0ACME", "name": "Acme"}

REACTION = {"type": "reaction_added", "channel": None, "item": {"channel": "C9", "ts": "1.0"}}

GONE = {
    "token": "XXYYZZ",
    "team_id": "T0TWO",
    "api_app_id": "AXXXXXXXXX",
    "event": {"type": "app_uninstalled"},
    "type": "event_callback",
    "event_id": "EvXXXXXXXX",
    "event_time": 1234567890,
}


def event(team="T0ONE", enterprise=None, org=False, shared=False, **inner):
    """An event as the Events API wraps it; of the authorizations Slack tells one."""
    authorization = {
        "enterprise_id": enterprise,
        "team_id": team,
        "user_id": "UBOT",
        "is_bot": True,
        "is_enterprise_install": org,
    }
    return {
        "token": "XXYYZZ",
        "is_ext_shared_channel": shared,
        "team_id": "T0OUTSIDE" if shared else team,
        "api_app_id": "A1",
        "event": {"type": "message", "channel": "C1", "ts": "2.0", "text": "hi", **inner},
        "type": "event_callback",
        "event_id": "Ev1",
        "event_time": 1234567890,
        "authorizations": [authorization],
    }


def command(**more):
    """A slash command: a flat form."""
    known = {"command": "/hawkeye", "team_id": "T0ONE", "user_id": "U1", "channel_id": "C1"}
    return urlencode({**known, "is_enterprise_install": "false", **more})


class Board:
    """A switchboard between bots that only say their name."""

    def __init__(self):
        self.asked = []
        bots = {key: self._bot(key) for key in ("T0ONE", "T0TWO", "E0ACME")}
        self.board = Switchboard(bots, self._app("lobby"))

    def _app(self, name):
        return SimpleNamespace(dispatch=lambda req: self.asked.append(name))

    def _bot(self, key):
        threads = {("C9", "1.0")} if key == "T0TWO" else set()
        return SimpleNamespace(
            app=self._app(key),
            directory=SimpleNamespace(me=lambda: {"user_id": f"UBOT{key}"}),
            store=SimpleNamespace(incident_in=lambda c, t: "HE-1" if (c, t) in threads else None),
        )

    def of(self, body):
        """Who is asked."""
        text = body if isinstance(body, str) else json.dumps(body)
        self.board.dispatch(BoltRequest(body=text))
        return self.asked.pop()


@pytest.mark.parametrize(
    ("body", "bot"),
    [
        (event(), "T0ONE"),
        (event("T0TWO"), "T0TWO"),
        (event("T0OTHER"), "lobby"),
        (GONE, "T0TWO"),
        (GONE | {"team_id": "E0ACME"}, "E0ACME"),
        # Of an org: installed for all of it, or in one workspace alone.
        (event("T0ANY", "E0ACME", org=True), "E0ACME"),
        (event("T0ONE", "E0ACME"), "T0ONE"),
        (event("T0ONE", "E0OTHER"), "T0ONE"),
        (event("T0ONE", "E0ACME", org=True), "E0ACME"),
        # Slack Connect: told once, in the name of whichever.
        (event("T0ONE", shared=True), "T0ONE"),
        (event("T0ONE", shared=True, text="<@UBOTT0TWO> status"), "T0TWO"),
        (event("T0ONE", shared=True, channel="C9", thread_ts="1.0"), "T0TWO"),
        (event("T0ONE", shared=True, **REACTION), "T0TWO"),
        (command(), "T0ONE"),
        (command(team_id="T0ANY", enterprise_id="E0ACME", is_enterprise_install="true"), "E0ACME"),
        (
            {
                "type": "shortcut",
                "callback_id": "start_triage",
                "enterprise": ACME,
                "is_enterprise_install": True,
                "team": None,
                "trigger_id": "1",
                "user": ANA | {"team_id": "T0ANY"},
            },
            "E0ACME",
        ),
        (
            {
                "type": "view_submission",
                "team": {"id": "T0OUTSIDE", "domain": "outside"},
                "enterprise": None,
                "is_enterprise_install": False,
                "user": ANA,
                "view": {"id": "V1", "team_id": "T0OUTSIDE", "app_installed_team_id": "T0TWO"},
            },
            "T0TWO",
        ),
        (
            {
                "type": "block_actions",
                "team": {"id": "T0TWO", "domain": "two"},
                "user": ANA,
                "enterprise": None,
                "is_enterprise_install": False,
                "actions": [],
            },
            "T0TWO",
        ),
        ({"type": "url_verification", "challenge": "x", "token": "t"}, "lobby"),
    ],
)
def test_a_request_is_for_the_installation_that_it_comes_from(body, bot):
    """A workspace that nobody named reaches nobody's incidents."""
    assert Board().of(body) == bot


def test_a_client_id_in_the_environment_does_not_take_the_bot_token_away(monkeypatch):
    """Bolt would turn to OAuth by itself, and know nobody."""
    monkeypatch.setenv("SLACK_CLIENT_ID", "1.2")
    monkeypatch.setenv("SLACK_CLIENT_SECRET", "secret")
    secrets = SimpleNamespace(slack_api_url="http://127.0.0.1:9/api/", slack_signing_secret=None)
    me = {"user_id": "UBOT", "bot_id": "B1", "team_id": "T0ONE", "enterprise_id": ""}
    directory = SimpleNamespace(me=lambda: me)
    app = bolt_app(SimpleNamespace(secrets=secrets), Own(WebClient("xoxb-1"), directory))
    tokens = []
    app.command("/hawkeye")(lambda ack, client: (tokens.append(client.token), ack()))
    answer = app.dispatch(BoltRequest(body=command(), mode="socket_mode"))
    assert (answer.status, tokens) == (200, ["xoxb-1"])
