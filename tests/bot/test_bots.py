"""Which bot a request of Slack's is for, by payloads as Slack documents them."""

import json
import os
import stat
import time
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from pydantic import SecretStr
from slack_bolt import BoltRequest
from slack_bolt.error import BoltError
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Bot as Granted
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.signature import SignatureVerifier

from bot.bolt import Own, bolt_app
from bot.bots import Switchboard
from bot.config.people import Slack as SlackSection
from bot.config.people import Workspace
from bot.installations import Installations
from bot.oauth import Flow
from handlers.desk import Desks
from handlers.directory import Directory
from state.incident import Alert
from state.store import Store

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

    def __init__(self, secret="shh"):
        self.secret, self.asked, self.looked_up = secret, [], []
        bots = {key: self._bot(key) for key in ("T0ONE", "T0TWO", "E0ACME")}
        self.board = Switchboard(bots, self._app("lobby"), SignatureVerifier("shh"))

    def _app(self, name):
        return SimpleNamespace(dispatch=lambda req: self.asked.append(name))

    def _bot(self, key):
        threads = {("C9", "1.0")} if key == "T0TWO" else set()
        return SimpleNamespace(
            app=self._app(key),
            directory=SimpleNamespace(me=lambda: self._known({"user_id": f"UBOT{key}"})),
            store=SimpleNamespace(
                incident_in=lambda c, t: self._known("HE-1" if (c, t) in threads else None)
            ),
        )

    def _known(self, answer):
        self.looked_up.append(answer)
        return answer

    def of(self, body):
        """Who is asked."""
        text = body if isinstance(body, str) else json.dumps(body)
        stamp = str(int(time.time()))
        signature = SignatureVerifier(self.secret).generate_signature(timestamp=stamp, body=text)
        headers = {"x-slack-request-timestamp": stamp, "x-slack-signature": signature}
        self.board.dispatch(BoltRequest(body=text, headers=headers))
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


@pytest.mark.parametrize("body", [event(shared=True), event(), command()])
def test_for_a_request_that_slack_did_not_sign_nothing_is_looked_up(body):
    """Neither in a store nor in Slack, whatever workspace it says that it comes from."""
    board = Board(secret="guessed")
    assert board.of(body) == "lobby"
    assert board.looked_up == []
    signed = Board()
    signed.of(event(shared=True))
    assert signed.looked_up


def test_what_comes_through_a_socket_needs_no_signature():
    """It was opened with the app's token."""
    board = Board()
    board.board.dispatch(BoltRequest(body=json.dumps(event("T0TWO")), mode="socket_mode"))
    assert board.asked == ["T0TWO"]


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


def test_what_comes_while_slack_does_not_say_who_the_bot_is_is_told_again():
    """An event that is acknowledged without being seen to is lost."""
    client = WebClient("xoxb-1", base_url="http://127.0.0.1:9/api/")
    secrets = SimpleNamespace(slack_api_url=client.base_url, slack_signing_secret=None)
    app = bolt_app(SimpleNamespace(secrets=secrets), Own(client, Directory(client)))
    answer = app.dispatch(BoltRequest(body=json.dumps(event()), mode="socket_mode"))
    assert answer.status == 500


@pytest.mark.parametrize(("code", "status"), [("ratelimited", 500), ("token_revoked", 200)])
def test_only_a_token_that_slack_refuses_ends_what_comes(code, status):
    """Anything else that Slack says may be over in a moment."""
    client = WebClient("xoxb-1")
    answered = SimpleNamespace(get={"error": code}.get)

    def refuse():
        raise SlackApiError("no", answered)

    client.auth_test = refuse
    secrets = SimpleNamespace(slack_api_url=client.base_url, slack_signing_secret=None)
    app = bolt_app(SimpleNamespace(secrets=secrets), Own(client, Directory(client)))
    answer = app.dispatch(BoltRequest(body=json.dumps(event()), mode="socket_mode"))
    assert answer.status == status


def installed(token):
    """A bot whose token ends."""
    return Granted(
        bot_token=token,
        bot_id="B1",
        bot_user_id="UBOT",
        team_id="T0ONE",
        bot_refresh_token=f"refresh {token}",
        bot_token_expires_at=1,
        installed_at=1.0,
    )


def test_tokens_are_readable_by_their_owner_alone_in_all_files_of_the_store(tmp_path):
    """SQLite writes what is new beside the file first."""
    before = os.umask(0o022)
    try:
        store = Store(tmp_path / "state.db")
        Installations(store).save_bot(installed("xoxb-1"))
    finally:
        os.umask(before)
    files = sorted(tmp_path.iterdir())
    assert any(b"xoxb-1" in file.read_bytes() for file in files)
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    store.close()


@pytest.mark.parametrize("end", ["installed anew", "taken out"])
def test_a_token_that_is_renewed_too_late_replaces_none(tmp_path, end):
    """While Slack is asked, somebody may install the app anew, or take it out."""
    installations = Installations(Store(tmp_path / "state.db"))
    installations.save_bot(installed("xoxb-old"))

    def rotate(bot):
        if end == "taken out":
            installations.forget("T0ONE")
        else:
            installations.save_bot(installed("xoxb-anew"))
        return installed("xoxb-late")

    installations.renew("T0ONE", SimpleNamespace(perform_bot_token_rotation=rotate))
    kept = {"taken out": None, "installed anew": "xoxb-anew"}[end]
    assert installations.token("T0ONE") == kept


def test_an_alert_that_names_a_workspace_joins_nothing_of_another_one():
    """Two workspaces' senders may use the same key."""
    one, two = (
        SimpleNamespace(name=n, store=SimpleNamespace(find_open=lambda _, n=n: n == "one"))
        for n in ("one", "two")
    )
    desks = Desks([one, two], lambda _: two, ("one", "two"))
    alert = Alert("generic", "low", "metric", "recall", "", datetime(2026, 1, 1, tzinfo=UTC))
    assert desks.of(replace(alert, workspace="two")) is two
    assert desks.of(alert) is one


@pytest.fixture
def flow(tmp_path):
    """The pages of an org's two workspaces; Slack cannot be reached."""
    secrets = SimpleNamespace(
        slack_api_url="http://127.0.0.1:9/api/",
        slack_client_id="1.2",
        slack_client_secret=SecretStr("s"),
    )
    workspaces = tuple(Workspace(name=n, id=f"T0{n}", org="E0ACME") for n in ("ONE", "TWO"))
    slack = SlackSection(workspaces=workspaces)
    settings = SimpleNamespace(secrets=secrets, slack=slack)
    return Flow(settings, Installations(Store(tmp_path / "state.db")))


def test_who_picks_a_workspace_instead_of_its_org_reads_what_to_pick(flow):
    """The workspace stands in the settings: to add it would not help."""
    one = Installation(user_id="U1", team_id="T0ONE", team_name="One", enterprise_id="E0ACME")
    with pytest.raises(BoltError, match=r"One \(T0ONE\) belongs to an org .* pick the org itself"):
        flow.store_installation(BoltRequest(body=""), one)


def test_who_installs_while_slack_does_not_answer_reads_so(flow):
    """Not an empty page."""
    begun = flow.handle_installation(BoltRequest(body="", query={}))
    cookie = begun.headers["set-cookie"][0].partition(";")[0]
    state = cookie.partition("=")[2]
    back = BoltRequest(body="", query={"state": state, "code": "1"}, headers={"cookie": cookie})
    answer = flow.handle_callback(back)
    assert (answer.status, "Slack does not answer" in answer.body) == (502, True)
