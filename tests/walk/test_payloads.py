"""Signed requests as Slack documents them, with what an org-wide install adds, over HTTP."""

import json
import time
import urllib.error
import urllib.request
from functools import partial
from urllib.parse import urlencode

import pytest
from slack_sdk.signature import SignatureVerifier

from state.said import Sayings
from tests.walk.stage import staged

ENTERPRISE = {"id": "E0ACME", "name": "Acme"}
TEAM = {"id": "T0ML", "domain": "acme", "enterprise_id": "E0ACME", "enterprise_name": "Acme"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory):
    """A bot that listens to HTTP."""
    with staged(tmp_path_factory.mktemp("http"), "http") as found:
        yield found


def post(stage, body, kind, *, secret=""):
    """The status and the answer to a signed request."""
    app = next(iter(stage.workspace.apps.values()))
    stamp = str(int(time.time()))
    signature = SignatureVerifier(secret or app.signing_secret).generate_signature(
        timestamp=stamp, body=body
    )
    headers = {
        "Content-Type": kind,
        "X-Slack-Request-Timestamp": stamp,
        "X-Slack-Signature": str(signature),
    }
    url = f"{stage.front.url}/slack/events"
    request = urllib.request.Request(url, body.encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def interact(stage, payload):
    """An interaction by Ana, in the envelope of an org-wide install."""
    whole = {
        "user": {"id": stage.ana, "username": "ana", "name": "ana", "team_id": "E0ACME"},
        "api_app_id": "A0HAWK",
        "token": "Shh_its_a_seekrit",
        "team": TEAM,
        "enterprise": ENTERPRISE,
        "is_enterprise_install": True,
        "trigger_id": "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3",
        "action_ts": "1595926230.009600",
        **payload,
    }
    status, text = post(
        stage, urlencode({"payload": json.dumps(whole)}), "application/x-www-form-urlencoded"
    )
    assert status == 200, text
    return json.loads(text) if text else {}


def event(stage, inner):
    """An event in the Events API's envelope."""
    whole = {
        "token": "XXYYZZ",
        "team_id": "T0ML",
        "enterprise_id": "E0ACME",
        "context_team_id": "T0ML",
        "context_enterprise_id": "E0ACME",
        "api_app_id": "A0HAWK",
        "event": inner,
        "type": "event_callback",
        "event_id": f"Ev{inner['event_ts']}",
        "event_time": 1234567890,
        "event_context": "EC123",
        "authorizations": [
            {
                "enterprise_id": "E0ACME",
                "team_id": None,
                "user_id": "U0BOT",
                "is_bot": True,
                "is_enterprise_install": True,
            }
        ],
        "is_ext_shared_channel": False,
    }
    status, text = post(stage, json.dumps(whole), "application/json")
    assert status == 200, text


def view(callback, values, metadata=""):
    """A view as view_submission carries it."""
    return {
        "id": "VNHU13V36",
        "team_id": "T0ML",
        "type": "modal",
        "title": {"type": "plain_text", "text": "Form"},
        "blocks": [],
        "private_metadata": metadata,
        "callback_id": callback,
        "state": {"values": values},
        "hash": "1565904200.xyz",
        "previous_view_id": None,
        "root_view_id": "VNHU13V36",
        "app_id": "A0HAWK",
        "external_id": "",
        "app_installed_team_id": "E0ACME",
        "bot_id": "B0BOT",
    }


def test_a_block_suggestion_is_answered_with_groups(stage):
    """In a modal's view."""
    answer = interact(
        stage,
        {
            "type": "block_suggestion",
            "container": {"type": "view", "view_id": "VNHU13V36"},
            "view": view("triage", {}, "{}"),
            "block_id": "subject",
            "action_id": "subject",
            "value": "prec",
        },
    )
    assert answer["option_groups"][0]["options"][0]["value"] == "metric:precision"


def test_a_view_submission_that_is_wrong_gets_errors_by_block(stage):
    """And one that is right opens the thread."""
    values = {
        "subject": {"subject": {"type": "external_select", "selected_option": None}},
        "since": {"since": {"type": "datetimepicker", "selected_date_time": None}},
    }
    submitted = {"type": "view_submission", "view": view("triage", values), "response_urls": []}
    wrong = interact(stage, submitted)
    assert wrong["response_action"] == "errors"
    assert set(wrong["errors"]) == {"subject", "since"}
    option = {"text": {"type": "plain_text", "text": "precision"}, "value": "metric:precision"}
    values["subject"]["subject"]["selected_option"] = option
    values["since"]["since"]["selected_date_time"] = int(time.time()) - 7200
    right = interact(stage, submitted | {"view": view("triage", values)})
    assert right["response_action"] == "update"
    assert stage.bot.store.open_incidents()[-1].alert.by == stage.ana


def test_shortcuts_are_acknowledged(stage):
    """A trigger that Slack no longer takes costs the form, not the request."""
    message = {"type": "message", "user": stage.bo, "ts": "1548261231.000200", "text": "precision"}
    shortcut = {
        "type": "message_action",
        "callback_id": "triage_this",
        "message_ts": "1548261231.000200",
        "message": message,
        "channel": {"id": stage.channel, "name": "ml-oncall"},
        "response_url": "http://127.0.0.1:9/app-actions/T0ML/1/x",
    }
    assert interact(stage, shortcut) == {}
    assert interact(stage, {"type": "shortcut", "callback_id": "start_triage"}) == {}


def test_a_button_of_an_earlier_version_is_acknowledged_and_says_so(stage):
    """In a message to the person alone; a choice in a form is no question."""
    said = stage.workspace.say(stage.bo, stage.channel, "an old message")
    pressed = {
        "type": "block_actions",
        "container": {"type": "message", "message_ts": said.ts, "channel_id": stage.channel},
        "channel": {"id": stage.channel, "name": "ml-oncall"},
        "message": {"type": "message", "ts": said.ts, "text": "an old message"},
        "actions": [{"type": "button", "action_id": "explain_2", "block_id": "x", "value": "1"}],
        "response_url": "http://127.0.0.1:9/app-actions/T0ML/1/x",
    }
    chosen = {"container": {"type": "view", "view_id": "VNHU13V36"}, "view": view("triage", {})}
    assert interact(stage, {k: v for k, v in pressed.items() if k != "message"} | chosen) == {}
    assert interact(stage, pressed) == {}
    old = partial(filter, lambda text: "earlier version" in text)
    assert stage.until(lambda: any(old(stage.whispers(stage.ana))))
    assert len(list(old(stage.whispers(stage.ana)))) == 1


def test_a_form_and_a_shortcut_of_an_earlier_version_are_answered(stage):
    """The form says so in its place."""
    answer = interact(stage, {"type": "view_submission", "view": view("old_form", {})})
    assert answer["response_action"] == "update"
    assert "earlier version" in json.dumps(answer["view"])
    assert interact(stage, {"type": "shortcut", "callback_id": "old_shortcut"}) == {}


def test_home_is_published_to_whoever_opened_it(stage):
    """The messages tab publishes nothing."""
    app = next(iter(stage.workspace.apps.values()))
    opened = {"type": "app_home_opened", "user": stage.bo, "channel": "D0BO"}
    event(stage, opened | {"tab": "messages", "event_ts": "1.0"})
    event(stage, opened | {"user": stage.ana, "tab": "home", "event_ts": "2.0"})
    assert stage.until(lambda: (app.id, stage.ana) in stage.workspace.homes)
    assert (app.id, stage.bo) not in stage.workspace.homes


def test_a_pin_an_edit_and_a_deletion_arrive_as_events(stage):
    """As Slack documents reaction_added, message_changed and message_deleted."""
    incident = stage.fire(key="http")
    stage.shows(incident, "step-1", "answer:yes")
    root = stage.ts(incident, "root")
    said = stage.workspace.say(stage.bo, stage.channel, "deploy at 13:50", root)
    stage.workspace.react(stage.ana, stage.channel, said.ts, "pushpin")
    store = stage.bot.store
    assert stage.until(lambda: [s.pinned for s in Sayings(store).of(incident)] == [True])
    common = {
        "type": "message",
        "channel": stage.channel,
        "hidden": True,
        "channel_type": "channel",
    }
    edited = {
        "type": "message",
        "user": stage.bo,
        "text": "deploy at 13:55",
        "ts": said.ts,
        "thread_ts": root,
        "edited": {"user": stage.bo, "ts": "1358878755.000001"},
    }
    changed = common | {"subtype": "message_changed", "message": edited, "ts": "9.1"}
    event(stage, changed | {"event_ts": "9.1", "previous_message": {"ts": said.ts, "text": "x"}})
    assert stage.until(lambda: [s.text for s in Sayings(store).of(incident)] == ["deploy at 13:55"])
    assert Sayings(store).of(incident)[0].pinned
    gone = common | {"subtype": "message_deleted", "deleted_ts": said.ts, "ts": "9.2"}
    event(stage, gone | {"event_ts": "9.2"})
    assert stage.until(lambda: not Sayings(store).of(incident))


def test_an_unsigned_request_is_refused(stage):
    """Before anything is read."""
    assert post(stage, "{}", "application/json", secret="wrong")[0] == 401
