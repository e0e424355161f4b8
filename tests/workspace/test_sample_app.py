"""An unrelated Bolt app runs unmodified, on Socket Mode and on HTTP."""

from __future__ import annotations

import pytest

from bot.workspace import SlackError, verify_request_url


def test_a_message_is_answered_with_a_button_that_works(running):
    """The first example of Bolt's documentation, from hello to the click."""
    running.workspace.say("ana", "general", "hello")
    greeting = running.said("Hey there <@U0ANA>!")
    running.workspace.click("bo", "general", greeting.ts, text="Click Me")
    assert running.said("<@U0BO> clicked the button").bot_id == running.app.bot_id


def test_a_mention_is_answered_in_its_thread(running):
    """@Sample becomes a mention, and the app answers in the thread."""
    asked = running.workspace.say("ana", "general", "@Sample what is up?")
    answer = running.said("You said: ")
    assert asked.text == f"<@{running.app.user_id}> what is up?"
    assert answer.thread_ts == asked.ts


def test_a_command_answers_through_its_response_url(running):
    """respond() shows an ephemeral message to the one who asked."""
    running.workspace.command("ana", "general", "/echo one two")
    assert running.said("one two").ephemeral_to == "U0ANA"


def test_an_ack_with_text_is_shown_in_the_channel(running):
    """The payload of the ack itself is an answer."""
    running.workspace.command("ana", "general", "/loud one two")
    assert running.said("ONE TWO").ephemeral_to is None


def test_a_modal_opens_complains_and_is_submitted(running):
    """Command, modal, errors by block, submission, message."""
    workspace = running.workspace
    workspace.command("ana", "general", "/ticket")
    view = workspace.wait_for(lambda: workspace.modal("ana"))
    empty = workspace.submit("ana", view.id)
    short = workspace.submit("ana", view.id, {"title": {"value": {"value": "abc"}}})
    fine = workspace.submit("ana", view.id, {"title": {"value": {"value": "Printer on fire"}}})
    assert empty.errors == {"title": "Please complete this required field."}
    assert short.errors == {"title": "At least five characters, please"}
    assert fine.ok
    assert workspace.modal("ana") is None
    assert running.said("<@U0ANA> opened: Printer on fire")


def test_closing_a_modal_is_told_to_the_app(running):
    """notify_on_close sends view_closed."""
    workspace = running.workspace
    workspace.command("ana", "general", "/ticket")
    view = workspace.wait_for(lambda: workspace.modal("ana"))
    workspace.close("ana", view.id)
    assert running.said("Never mind.")


def test_an_external_select_offers_what_the_app_offers(running):
    """block_suggestion is answered by the options in the ack."""
    workspace = running.workspace
    workspace.command("ana", "general", "/ticket")
    view = workspace.wait_for(lambda: workspace.modal("ana"))
    offered = workspace.options("ana", "B", action_id="assignee", view_id=view.id)
    assert [option["value"] for option in offered["options"]] == ["bo"]


def test_the_home_tab_is_published_when_it_is_opened(running):
    """app_home_opened, then views.publish."""
    workspace = running.workspace
    workspace.open_home("ana", running.app.id)
    home = workspace.wait_for(lambda: workspace.homes.get((running.app.id, "U0ANA")))
    assert home.body["blocks"][0]["text"]["text"] == "Welcome home"


def test_both_kinds_of_shortcuts_reach_the_app(running):
    """The global one opens a modal, the message one answers through response_url."""
    workspace = running.workspace
    workspace.shortcut("bo", "new_ticket")
    assert workspace.wait_for(lambda: workspace.modal("bo")).callback_id == "ticket"
    message = workspace.say("ana", "general", "a wise word")
    workspace.shortcut("bo", "quote", "general", message.ts)
    assert running.said("> a wise word").ephemeral_to == "U0BO"


def test_an_unknown_command_is_refused(running):
    """As Slack's client says that it is not a valid command."""
    with pytest.raises(SlackError, match="unknown_command"):
        running.workspace.command("ana", "general", "/nothing")


def test_a_poll_is_updated_and_taken_away_through_its_response_urls(running):
    """in_channel, replace_original, delete_original."""
    workspace = running.workspace
    workspace.command("ana", "general", "/poll soup salad")
    poll = running.said("Vote!")
    workspace.click("bo", "general", poll.ts, text="soup")
    workspace.wait_for(lambda: poll.text == "bo voted soup")
    workspace.click("ana", "general", poll.ts, text="Close")
    workspace.wait_for(lambda: poll.ts not in workspace.channel("general").messages)


def test_a_modal_is_updated_pushed_and_cleared(running):
    """views.update by hash, then the acks' response_action."""
    workspace = running.workspace
    workspace.shortcut("ana", "wizard")
    first = workspace.wait_for(lambda: workspace.modal("ana"))
    workspace.click("ana", view_id=first.id, action_id="more")
    shown = lambda: workspace.modal("ana").body["blocks"][0]["text"]["text"]  # noqa: E731
    workspace.wait_for(lambda: shown() == "More of it")
    assert workspace.submit("ana", first.id).ok
    second = workspace.modal("ana")
    assert (second.callback_id, second.previous_id) == ("second", first.id)
    assert workspace.submit("ana", second.id).ok
    assert workspace.modal("ana") is None


def test_events_beside_messages_reach_the_app(running):
    """A reaction is answered to the one who reacted, a newcomer in a direct message."""
    workspace = running.workspace
    message = workspace.say("ana", "general", "look")
    workspace.react("bo", "general", message.ts, "eyes")
    assert running.said("eyes counts, <@U0BO>").ephemeral_to == "U0BO"
    cy = workspace.add_user("cy", id="U0CY")
    workspace.join(cy, "general")
    direct = workspace.direct_message(cy, running.app.user_id)
    assert running.said("Welcome!", direct.id).bot_id == running.app.bot_id


def test_a_file_is_uploaded_into_the_thread(running):
    """files_upload_v2, with its comment."""
    asked = running.workspace.say("ana", "general", "a report of flights, please")
    answer = running.said("Here it is")
    assert answer.thread_ts == asked.ts
    assert [running.workspace.files[id].name for id in answer.files] == ["flights.csv"]


def test_the_request_url_is_verified_by_its_challenge(on_http):
    """url_verification through Bolt's own handler."""
    assert verify_request_url(on_http.workspace, on_http.app)
    on_http.app.signing_secret = "another"
    assert not verify_request_url(on_http.workspace, on_http.app)
