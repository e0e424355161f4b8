"""What older Bolt apps still use: dialogs and the actions of legacy attachments; and assistants."""

from __future__ import annotations

import copy

import pytest

from bot.workspace import SlackError
from tests.workspace.test_chat import refused
from tests.workspace.test_interactions import answering

DIALOG = {
    "callback_id": "ride",
    "title": "Request a ride",
    "submit_label": "Request",
    "notify_on_cancel": True,
    "state": "Limo",
    "elements": [
        {"type": "text", "label": "From", "name": "origin", "hint": "A street"},
        {"type": "textarea", "label": "Why", "name": "why", "optional": True},
        {"type": "text", "label": "Seats", "name": "seats", "subtype": "number", "value": "2"},
        {"type": "select", "label": "Who", "name": "who", "data_source": "users"},
        {
            "type": "select",
            "label": "Car",
            "name": "car",
            "value": "s",
            "options": [{"label": "Small", "value": "s"}, {"label": "Large", "value": "l"}],
        },
        {"type": "select", "label": "Bug", "name": "bug", "data_source": "external"},
    ],
}


def opened(place):
    """The dialog in front of Ana, opened by a slash command."""
    answering(place, None)
    sent = place.workspace.command("ana", "general", "/ticket")
    place.client.dialog_open(dialog=DIALOG, trigger_id=sent.payload["trigger_id"])
    return place.workspace.modal("ana")


def told(place, kind):
    """The last payload of this type."""
    return place.workspace.recorder.find(kind, "out")[-1].request


def test_a_dialog_is_filled_corrected_and_submitted(place):
    """Errors by name keep it open; the app gets the values by name."""
    view = opened(place)
    answering(place, {"options": [{"label": "A bug", "value": "B-1"}]})
    offered = place.workspace.options(
        "ana", "a", action_id="dialog", block_id="bug", view_id=view.id
    )
    assert told(place, "dialog_suggestion")["name"] == "bug"
    state = {
        "origin": {"dialog": {"value": "Here"}},
        "who": {"dialog": {"selected_user": "U0BO"}},
        "bug": {"dialog": {"selected_option": offered["options"][0]}},
    }
    answering(place, {"errors": [{"name": "origin", "error": "Too short"}]}, {})
    assert place.workspace.submit("ana", view.id, state).errors == {"origin": "Too short"}
    assert place.workspace.submit("ana", view.id, state).ok
    body = told(place, "dialog_submission")
    assert body["submission"] == {
        "origin": "Here",
        "why": None,
        "seats": "2",
        "who": "U0BO",
        "car": "s",
        "bug": "B-1",
    }
    assert (body["callback_id"], body["state"]) == ("ride", "Limo")
    assert body["channel"]["id"] == "C0GENERAL"
    assert place.workspace.modal("ana") is None


def test_a_cancelled_dialog_is_told(place):
    """notify_on_cancel."""
    view = opened(place)
    place.workspace.close("ana", view.id)
    assert told(place, "dialog_cancellation")["callback_id"] == "ride"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"title": "x" * 25}, "validation_errors"),
        ({"submit_label": "x" * 25}, "validation_errors"),
        ({"elements": []}, "validation_errors"),
        ({"elements": DIALOG["elements"][:1] * 2}, "validation_errors"),
        ({"elements": [{"type": "text", "label": "x" * 49, "name": "n"}]}, "validation_errors"),
        ({"elements": [{"type": "date", "label": "x", "name": "n"}]}, "validation_errors"),
        ({"state": "x" * 3001}, "validation_errors"),
        ({}, "invalid_trigger"),
    ],
)
def test_a_dialog_beyond_its_limits_is_refused(place, change, error):
    """Each limit of the dialogs' reference; a trigger of nobody."""
    dialog = copy.deepcopy(DIALOG) | change
    body = refused(place.client.dialog_open, dialog=dialog, trigger_id="1.2.x")
    assert body["error"] == error


def attachment(**more):
    """A message attachment with two buttons and a menu."""
    return {
        "callback_id": "game",
        "text": "Choose",
        "fallback": "Choose",
        "actions": [
            {"name": "game", "text": "Chess", "type": "button", "value": "chess"},
            {"name": "game", "text": "Go", "type": "button", "value": "go"},
            {"name": "level", "text": "Level", "type": "select", "options": []},
        ],
        **more,
    }


def test_the_answer_to_an_attachments_button_replaces_the_message(place):
    """interactive_message, with the original; the ack's payload takes its place."""
    ts = place.client.chat_postMessage(
        channel="C0GENERAL", text="Game?", attachments=[attachment()]
    )["ts"]
    answering(place, {"text": "Go it is", "attachments": []}, None)
    place.workspace.press("bo", "general", ts, "game", value="go")
    body = told(place, "interactive_message")
    assert body["actions"] == [{"name": "game", "type": "button", "value": "go"}]
    assert (body["callback_id"], body["attachment_id"]) == ("game", "1")
    assert body["original_message"]["attachments"][0]["text"] == "Choose"
    message = place.workspace.message("C0GENERAL", ts)
    assert (message.text, message.attachments) == ("Go it is", [])
    with pytest.raises(LookupError):
        place.workspace.press("bo", "general", ts, "game", value="go")


def test_an_attachments_menu_may_be_answered_aside(place):
    """replace_original false leaves the message as it is."""
    ts = place.client.chat_postMessage(channel="C0GENERAL", attachments=[attachment()])["ts"]
    answering(place, {"text": "Noted", "replace_original": False})
    place.workspace.press("bo", "general", ts, "level", value="hard")
    action = told(place, "interactive_message")["actions"][0]
    assert action["selected_options"] == [{"value": "hard"}]
    assert place.said("Noted").ephemeral_to == "U0BO"
    assert place.workspace.message("C0GENERAL", ts).attachments[0]["text"] == "Choose"


def test_an_assistant_is_asked_in_a_thread_of_its_direct_message(place):
    """assistant_thread_started, then the question in that thread."""
    asked = place.workspace.ask_assistant("ana", place.app.id, "why?")
    started = told(place, "assistant_thread_started")["event"]["assistant_thread"]
    assert (started["thread_ts"], started["user_id"]) == (asked.thread_ts, "U0ANA")
    event = told(place, "message")["event"]
    assert (event["text"], event["channel_type"], event["thread_ts"]) == (
        "why?",
        "im",
        asked.thread_ts,
    )
    with pytest.raises(SlackError, match="app_not_found"):
        place.workspace.ask_assistant("ana", "A0NO")
