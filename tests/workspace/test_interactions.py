"""Triggers, modals, menus, response_url: the payloads and their rules."""

from __future__ import annotations

import threading

import pytest
from slack_sdk.webhook import WebhookClient

from bot.workspace import SlackError
from bot.workspace.views import make_trigger
from tests.workspace import sample_app
from tests.workspace.test_chat import refused


def trigger(place, user="U0ANA"):
    """A fresh trigger_id, as an interaction would bring it."""
    return make_trigger(place.workspace, place.app, user)


def answering(place, *responses):
    """Acknowledge the next envelopes in process, in turn with these payloads."""
    waiting = list(responses)

    def take(envelope):
        response = waiting.pop(0) if waiting else None
        threading.Timer(0.01, place.workspace.deliveries.ack, (envelope, response)).start()

    place.workspace.deliveries.attach(take)


def test_a_trigger_opens_one_modal_within_its_time(place):
    """exchanged, expired, unknown: each refused with its own code."""
    clock = [100.0]
    place.workspace.clock = lambda: clock[0]
    view = sample_app.modal("")
    first, second = trigger(place), trigger(place)
    assert place.client.views_open(trigger_id=first, view=view)["view"]["callback_id"] == "ticket"
    again = refused(place.client.views_open, trigger_id=first, view=view)
    clock[0] += 3.1
    late = refused(place.client.views_open, trigger_id=second, view=view)
    unknown = refused(place.client.views_open, trigger_id="1.2.x", view=view)
    assert again["error"] == "exchanged_trigger_id"
    assert late["error"] == "expired_trigger_id"
    assert unknown["error"] == "invalid_trigger_id"


def test_an_invalid_view_says_where_and_keeps_the_trigger(place):
    """invalid_arguments with pointers; the trigger can still be used."""
    id = trigger(place)
    view = sample_app.modal("") | {"title": {"type": "plain_text", "text": "x" * 25}}
    body = refused(place.client.views_open, trigger_id=id, view=view)
    assert body["error"] == "invalid_arguments"
    assert body["response_metadata"]["messages"] == [
        "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"
    ]
    assert place.client.views_open(trigger_id=id, view=sample_app.modal(""))["ok"]


def test_a_stack_holds_three_views(place):
    """push_limit_reached at the fourth; closing comes back to the one below."""
    view, client = sample_app.modal(""), place.client
    nothing = refused(client.views_push, trigger_id=trigger(place), view=view)
    root = client.views_open(trigger_id=trigger(place), view=view)["view"]
    client.views_push(trigger_id=trigger(place), view=view)
    top = client.views_push(trigger_id=trigger(place), view=view)["view"]
    full = refused(client.views_push, trigger_id=trigger(place), view=view)
    assert (nothing["error"], full["error"]) == ("not_found", "push_limit_reached")
    assert top["root_view_id"] == root["id"]
    place.workspace.close("ana", top["id"])
    assert place.workspace.modal("ana").id == top["previous_view_id"]
    place.workspace.close("ana", top["previous_view_id"], everything=True)
    assert place.workspace.modal("ana") is None


def test_updating_a_view_keeps_what_was_entered_under_the_same_ids(place):
    """By view_id or external_id; hash_conflict and duplicate_external_id guard it."""
    view = sample_app.modal("") | {"external_id": "t-1"}
    opened = place.client.views_open(trigger_id=trigger(place), view=view)["view"]
    place.workspace.view(opened["id"]).values["title"]["value"]["value"] = "half a"
    updated = place.client.views_update(external_id="t-1", view=view, hash=opened["hash"])["view"]
    assert updated["state"]["values"]["title"]["value"]["value"] == "half a"
    stale = refused(place.client.views_update, view_id=opened["id"], view=view, hash=opened["hash"])
    twice = refused(place.client.views_open, trigger_id=trigger(place, "U0BO"), view=view)
    gone = refused(place.client.views_update, view_id="V0NO", view=view)
    assert stale["error"] == "hash_conflict"
    assert twice["error"] == "duplicate_external_id"
    assert gone["error"] == "not_found"


def test_a_home_tab_needs_its_feature_and_a_home_view(place):
    """not_enabled without the Home tab; a modal is no home."""
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    publish = place.client.views_publish
    assert publish(user_id="U0ANA", view=home)["view"]["type"] == "home"
    wrong = refused(publish, user_id="U0ANA", view=sample_app.modal(""))
    nobody = refused(publish, user_id="U0NO", view=home)
    place.app.home_enabled = False
    off = refused(publish, user_id="U0ANA", view=home)
    assert wrong["error"] == "invalid_arguments"
    assert (nobody["error"], off["error"]) == ("user_not_found", "not_enabled")


def test_a_view_above_250_kb_is_too_large(place):
    """view_too_large, though every block is within its limit."""
    text = {"type": "mrkdwn", "text": "x" * 3000}
    view = {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Big"},
        "blocks": [{"type": "section", "text": text}] * 100,
    }
    body = refused(place.client.views_open, trigger_id=trigger(place), view=view)
    assert body["error"] == "view_too_large"


BLOCKS = [
    {
        "type": "actions",
        "block_id": "row",
        "elements": [
            {
                "type": "button",
                "action_id": "go",
                "value": "7",
                "text": {"type": "plain_text", "text": "Go"},
            },
            {
                "type": "static_select",
                "action_id": "pick",
                "options": [
                    {"text": {"type": "plain_text", "text": name}, "value": name.lower()}
                    for name in ("Red", "Green")
                ],
            },
            {"type": "users_select", "action_id": "who"},
            {
                "type": "overflow",
                "action_id": "more",
                "options": [{"text": {"type": "plain_text", "text": "Stop"}, "value": "stop"}],
            },
        ],
    }
]


def test_a_click_carries_the_message_its_state_and_a_response_url(place):
    """block_actions as documented; what each person chose is their own."""
    answering(place)
    ts = place.client.chat_postMessage(channel="C0GENERAL", text="x", blocks=BLOCKS)["ts"]
    workspace = place.workspace
    workspace.click("ana", "general", ts, action_id="pick", option="Green")
    workspace.click("ana", "general", ts, action_id="who", selected_user="U0BO")
    body = workspace.click("ana", "general", ts, text="Go").payload
    other = workspace.click("bo", "general", ts, action_id="go").payload
    chosen = body["state"]["values"]["row"]
    assert body["type"] == "block_actions"
    assert body["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": "C0GENERAL",
        "is_ephemeral": False,
    }
    assert body["user"]["id"] == "U0ANA"
    assert body["message"]["ts"] == ts
    assert body["actions"][0]["value"] == "7"
    assert body["actions"][0]["text"]["text"] == "Go"
    assert chosen["pick"]["selected_option"]["value"] == "green"
    assert chosen["who"]["selected_user"] == "U0BO"
    assert other["state"]["values"]["row"]["pick"]["selected_option"] is None


def test_an_option_is_found_by_its_label(place):
    """text= finds buttons and the entries of menus."""
    answering(place)
    ts = place.client.chat_postMessage(channel="C0GENERAL", text="x", blocks=BLOCKS)["ts"]
    action = place.workspace.click("ana", "general", ts, text="Stop").payload["actions"][0]
    assert (action["action_id"], action["selected_option"]["value"]) == ("more", "stop")
    with pytest.raises(LookupError, match="'Go', 'Red', 'Green', 'Stop'"):
        place.workspace.click("ana", "general", ts, text="Nope")
    with pytest.raises(LookupError, match="'red', 'green'"):
        place.workspace.click("ana", "general", ts, action_id="pick", option="blue")


def test_buttons_inside_attachments_work_too(place):
    """Blocks in an attachment, as coloured messages have them."""
    answering(place)
    attachments = [{"color": "#f00", "blocks": BLOCKS}]
    ts = place.client.chat_postMessage(channel="C0GENERAL", text="x", attachments=attachments)["ts"]
    body = place.workspace.click("ana", "general", ts, action_id="go").payload
    assert body["actions"][0]["block_id"] == "row"


def test_a_response_url_works_five_times_within_half_an_hour(place):
    """used_url, expired_url, and what each kind of answer does."""
    answering(place)
    clock = [0.0]
    place.workspace.clock = lambda: clock[0]
    ts = place.client.chat_postMessage(channel="C0GENERAL", text="x", blocks=BLOCKS)["ts"]
    body = place.workspace.click("ana", "general", ts, action_id="go").payload
    hook = WebhookClient(body["response_url"])
    assert hook.send(text="only you").body == "ok"
    assert hook.send(text="all", response_type="in_channel").status_code == 200
    assert hook.send(text="changed", replace_original=True).status_code == 200
    assert hook.send(text=" ", blocks=[{"type": "nonsense"}]).status_code == 400
    assert place.said("only you").ephemeral_to == "U0ANA"
    assert place.said("all").ephemeral_to is None
    assert place.workspace.message("C0GENERAL", ts).text == "changed"
    assert hook.send(text="", delete_original=True).status_code == 200
    used = hook.send(text="sixth")
    assert (used.status_code, "used_url" in used.body) == (404, True)
    later = WebhookClient(
        place.workspace.command("ana", "general", "/slow").payload["response_url"]
    )
    clock[0] += 1801
    assert "expired_url" in later.send(text="late").body
    with pytest.raises(SlackError, match="message_not_found"):
        place.workspace.message("C0GENERAL", ts)


def test_a_submission_can_update_push_and_clear_the_stack(place):
    """The response_action in the ack, one after the other."""
    second = sample_app.modal("") | {"callback_id": "second"}
    third = sample_app.modal("") | {"callback_id": "third"}
    answering(
        place,
        {"response_action": "update", "view": second},
        {"response_action": "push", "view": third},
        {"response_action": "clear"},
    )
    workspace = place.workspace
    place.client.views_open(trigger_id=trigger(place), view=sample_app.modal(""))
    seen = []
    for _ in range(3):
        entered = {"title": {"value": {"value": "abcde"}}}
        assert workspace.submit("ana", workspace.modal("ana").id, entered).ok
        top = workspace.modal("ana")
        seen.append((top.callback_id if top else None, len(workspace.modals["U0ANA"])))
    assert seen == [("second", 1), ("third", 2), (None, 0)]


@pytest.mark.parametrize(
    "response",
    [
        {"response_action": "errors", "errors": {"nothing": "x"}},
        {"response_action": "errors", "errors": {}},
        {"response_action": "update", "view": {"type": "modal"}},
        {"response_action": "dance"},
    ],
)
def test_a_wrong_answer_to_a_submission_is_an_error_for_the_person(place, response):
    """Slack's client says that it had trouble; the modal stays."""
    answering(place, response)
    view = place.client.views_open(trigger_id=trigger(place), view=sample_app.modal(""))["view"]
    entered = {"title": {"value": {"value": "abcde"}}}
    with pytest.raises(SlackError, match="invalid_arguments"):
        place.workspace.submit("ana", view["id"], entered)
    assert place.workspace.modal("ana").id == view["id"]


def field(element, **more):
    """An input block around an element."""
    label = {"type": "plain_text", "text": "Field"}
    return {
        "type": "input",
        "block_id": "b",
        "label": label,
        "element": {"action_id": "a", **element},
        **more,
    }


@pytest.mark.parametrize(
    ("element", "value", "fine"),
    [
        ({"type": "plain_text_input", "min_length": 3}, {"value": "ab"}, False),
        ({"type": "plain_text_input", "max_length": 3}, {"value": "abcd"}, False),
        ({"type": "plain_text_input"}, {"value": "abcd"}, True),
        ({"type": "number_input", "is_decimal_allowed": False}, {"value": "1.5"}, False),
        ({"type": "number_input", "is_decimal_allowed": True}, {"value": "1.5"}, True),
        (
            {"type": "number_input", "is_decimal_allowed": True, "max_value": "1"},
            {"value": "2"},
            False,
        ),
        ({"type": "number_input", "is_decimal_allowed": True}, {"value": "two"}, False),
        ({"type": "email_text_input"}, {"value": "a at b"}, False),
        ({"type": "email_text_input"}, {"value": "a@b.example"}, True),
        ({"type": "url_text_input"}, {"value": "b.example"}, False),
        ({"type": "datepicker"}, {"selected_date": None}, False),
        ({"type": "datepicker"}, {"selected_date": "2024-02-29"}, True),
        (
            {"type": "multi_users_select", "max_selected_items": 1},
            {"selected_users": ["U0ANA", "U0BO"]},
            False,
        ),
    ],
)
def test_inputs_are_checked_before_they_are_submitted(place, element, value, fine):
    """As Slack's own client does; the app sees only what passes."""
    answering(place)
    view = sample_app.modal("") | {"blocks": [field(element)]}
    opened = place.client.views_open(trigger_id=trigger(place), view=view)["view"]
    result = place.workspace.submit("ana", opened["id"], {"b": {"a": value}})
    assert result.ok is fine
    assert set(result.errors) == (set() if fine else {"b"})


def test_an_emptied_optional_field_is_null(place):
    """The app gets None, not an empty string."""
    answering(place)
    blocks = [field({"type": "plain_text_input", "initial_value": "draft"}, optional=True)]
    view = sample_app.modal("") | {"blocks": blocks}
    opened = place.client.views_open(trigger_id=trigger(place), view=view)["view"]
    assert opened["state"]["values"]["b"]["a"]["value"] == "draft"
    assert place.workspace.submit("ana", opened["id"], {"b": {"a": {"value": ""}}}).ok
    sent = place.workspace.deliveries.sent[-1].payload["view"]["state"]["values"]
    assert sent["b"]["a"] == {"type": "plain_text_input", "value": None}


def test_a_conversation_select_can_bring_response_urls(place):
    """response_url_enabled in a submitted modal."""
    answering(place)
    element = {"type": "conversations_select", "response_url_enabled": True}
    view = sample_app.modal("") | {"blocks": [field(element)]}
    opened = place.client.views_open(trigger_id=trigger(place), view=view)["view"]
    entered = {"b": {"a": {"selected_conversation": "C0GENERAL"}}}
    place.workspace.submit("ana", opened["id"], entered)
    sent = place.workspace.deliveries.sent[-1].payload["response_urls"][0]
    assert (sent["block_id"], sent["channel_id"]) == ("b", "C0GENERAL")
    assert WebhookClient(sent["response_url"]).send(text="from the modal").status_code == 200


def test_another_person_cannot_use_what_is_shown_to_one(place):
    """Ephemeral messages and modals belong to their reader."""
    ts = place.client.chat_postEphemeral(
        channel="C0GENERAL", user="U0ANA", text="x", blocks=BLOCKS
    )["message_ts"]
    view = place.client.views_open(trigger_id=trigger(place), view=sample_app.modal(""))["view"]
    with pytest.raises(SlackError, match="message_not_found"):
        place.workspace.click("bo", "general", ts, action_id="go")
    with pytest.raises(SlackError, match="not_found"):
        place.workspace.submit("bo", view["id"])


def file_modal(**more):
    """A modal that asks for files."""
    element = {"type": "file_input", "action_id": "a", **more}
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": "Files"},
        "submit": {"type": "plain_text", "text": "Send"},
        "blocks": [
            {
                "type": "input",
                "block_id": "b",
                "label": {"type": "plain_text", "text": "Files"},
                "element": element,
            }
        ],
    }


def test_attached_files_are_in_the_submitted_state(place):
    """As file objects; too many, of another type, or another person's are refused."""
    workspace, answer = place.workspace, file_modal(max_files=1, filetypes=["csv"])
    place.client.views_open(trigger_id=trigger(place), view=answer)
    view = workspace.modal("ana")
    mine, text = (workspace.attach("ana", name, b"a,b") for name in ("a.csv", "a.txt"))
    other = workspace.attach("bo", "b.csv", b"a,b")
    wrong = workspace.submit("ana", view.id, {"b": {"a": {"files": [mine.id, text.id]}}})
    assert wrong.errors == {"b": "Please choose at most 1 files."}
    wrong = workspace.submit("ana", view.id, {"b": {"a": {"files": [text.id]}}})
    assert wrong.errors == {"b": "Please choose files of these types: csv."}
    with pytest.raises(SlackError, match="file_not_found"):
        workspace.submit("ana", view.id, {"b": {"a": {"files": [other.id]}}})
    answering(place, None)
    assert workspace.submit("ana", view.id, {"b": {"a": {"files": [{"id": mine.id}]}}}).ok
    sent = workspace.recorder.find("view_submission", "out")[-1].request
    files = sent["view"]["state"]["values"]["b"]["a"]["files"]
    assert [(file["id"], file["name"]) for file in files] == [(mine.id, "a.csv")]
    assert place.client.files_info(file=mine.id)["file"]["url_private"] == files[0]["url_private"]
