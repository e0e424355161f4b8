"""Custom steps: a workflow gives an app a step, the app ends it."""

from __future__ import annotations

import pytest

from tests.workspace.test_chat import refused
from tests.workspace.test_interactions import answering

STEP = {
    "title": "Approve",
    "input_parameters": {"properties": {"who": {"type": "slack#/types/user_id"}}},
    "output_parameters": {"approved": {"type": "boolean", "is_required": True}},
}


@pytest.fixture
def step(place):
    """A running step, and a client with the step's own token."""
    place.app.functions = {"approve": STEP}
    made = place.workspace.run_function("ana", place.app.id, "approve", {"who": "U0BO"})
    place.client.token = made.token
    return made


def told(place, kind):
    """The last payload of this type."""
    return place.workspace.recorder.find(kind, "out")[-1].request


def test_a_step_is_announced_with_its_inputs_and_token(place, step):
    """function_executed, with the function as the manifest declares it."""
    event = told(place, "function_executed")["event"]
    assert (event["inputs"], event["function_execution_id"]) == ({"who": "U0BO"}, step.id)
    assert event["function"]["callback_id"] == "approve"
    assert [one["name"] for one in event["function"]["output_parameters"]] == ["approved"]
    assert place.client.auth_test()["bot_id"] == place.app.bot_id


def test_a_button_of_a_steps_message_leads_back_to_the_step(place, step):
    """function_data and the token are in the interaction."""
    button = {"type": "button", "action_id": "yes", "text": {"type": "plain_text", "text": "Yes"}}
    blocks = [{"type": "actions", "elements": [button]}]
    ts = place.client.chat_postMessage(channel="C0GENERAL", text="?", blocks=blocks)["ts"]
    answering(place, None)
    place.workspace.click("bo", "general", ts, text="Yes")
    body = place.workspace.deliveries.sent[-1].payload
    assert (body["type"], body["bot_access_token"]) == ("block_actions", step.token)
    assert body["function_data"]["execution_id"] == step.id
    assert step.token not in str(told(place, "block_actions"))  # the inspector shows no token


def test_a_step_ends_once_with_what_it_declares(place, step):
    """Required outputs; afterwards it runs no more."""
    end = place.client.functions_completeSuccess
    lacking = refused(end, function_execution_id=step.id, outputs={})
    assert lacking["error"] == "parameter_validation_failed"
    end(function_execution_id=step.id, outputs={"approved": True})
    assert (step.status, step.outputs) == ("completed", {"approved": True})
    again = refused(place.client.functions_completeError, function_execution_id=step.id, error="x")
    assert again["error"] == "execution_not_in_running_state"
    unknown = refused(end, function_execution_id="Fx0NO", outputs={})
    assert unknown["error"] == "function_execution_not_found"


def test_a_step_fails_with_a_sentence(place, step):
    """functions.completeError."""
    place.client.functions_completeError(function_execution_id=step.id, error="Nobody is there")
    assert (step.status, step.error) == ("failed", "Nobody is there")
