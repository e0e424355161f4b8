"""chat.* through Slack's own WebClient: what is taken, what is refused and how."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from slack_sdk.errors import SlackApiError

from bot.workspace import App
from bot.workspace.message_events import MENTION


def refused(call, *args, **kwargs) -> dict:
    """The body of the refusal."""
    with pytest.raises(SlackApiError) as caught:
        call(*args, **kwargs)
    return caught.value.response.data


def test_a_posted_message_comes_back_as_slack_returns_it(place):
    """channel, ts and the message with its bot."""
    answer = place.client.chat_postMessage(channel="#general", text="hi").data
    message = answer["message"]
    assert answer["channel"] == "C0GENERAL"
    assert message["ts"] == answer["ts"]
    assert message["bot_id"] == place.app.bot_id
    assert message["bot_profile"]["app_id"] == place.app.id


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"channel": "C0NOWHERE", "text": "x"}, "channel_not_found"),
        ({"channel": "C0OTHER", "text": "x"}, "not_in_channel"),
        ({"channel": "C0SECRET", "text": "x"}, "channel_not_found"),
        ({"channel": "C0OLD", "text": "x"}, "is_archived"),
        ({"channel": "C0GENERAL"}, "no_text"),
        ({"channel": "C0GENERAL", "markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"channel": "C0GENERAL", "attachments": json.dumps([{}] * 101)}, "too_many_attachments"),
        ({"channel": "C0GENERAL", "attachments": "{"}, "invalid_attachments"),
        ({"channel": "C0GENERAL", "blocks": "["}, "invalid_blocks_format"),
        ({"channel": "C0GENERAL", "blocks": "{}"}, "invalid_blocks_format"),
        ({"channel": "C0GENERAL", "text": "x", "metadata": "x"}, "invalid_metadata_format"),
        ({"channel": "C0GENERAL", "text": "a", "markdown_text": "b"}, "markdown_text_conflict"),
        ({"text": "x"}, "invalid_arguments"),
    ],
)
def test_a_post_is_refused_with_slacks_code(place, arguments, error):
    """Each refusal that chat.postMessage documents and a local workspace can meet."""
    place.workspace.add_channel("other", ["U0ANA"], id="C0OTHER")
    place.workspace.add_channel("secret", ["U0ANA"], id="C0SECRET", private=True)
    place.workspace.add_channel("old", [place.app.user_id], id="C0OLD").is_archived = True
    assert refused(place.client.api_call, "chat.postMessage", params=arguments)["error"] == error


@pytest.mark.parametrize("asked", [{"link_names": True}, {"parse": "full"}])
def test_names_are_linked_when_asked(place, asked):
    """link_names and parse; otherwise a text stays as it is."""
    post = {"channel": "C0GENERAL", "text": "@bo see #general"}
    linked = place.client.chat_postMessage(**post, **asked)["message"]["text"]
    assert linked == "<@U0BO> see <#C0GENERAL|general>"
    assert place.client.chat_postMessage(**post)["message"]["text"] == post["text"]


def test_a_reply_to_a_message_that_is_gone_stands_in_the_channel(place):
    """Slack does not refuse it: the answer lacks thread_ts, and the thread is not found."""
    parent = place.client.chat_postMessage(channel="C0GENERAL", text="p")["ts"]
    place.client.chat_delete(channel="C0GENERAL", ts=parent)
    reply = place.client.chat_postMessage(channel="C0GENERAL", text="r", thread_ts=parent)
    assert "thread_ts" not in reply["message"]
    history = place.client.conversations_history(channel="C0GENERAL")["messages"]
    assert [message["ts"] for message in history] == [reply["ts"]]
    gone = refused(place.client.conversations_replies, channel="C0GENERAL", ts=parent)
    assert gone["error"] == "thread_not_found"


def test_a_text_above_forty_thousand_characters_is_cut_with_a_warning(place):
    """message_truncated, as Slack has warned since 2018."""
    answer = place.client.chat_postMessage(channel="C0GENERAL", text="x" * 40_001).data
    assert len(answer["message"]["text"]) == 40_000
    assert answer["response_metadata"]["warnings"] == ["message_truncated"]


def test_invalid_blocks_say_where_and_what(place):
    """errors and response_metadata.messages, as Slack fills them."""
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]
    body = refused(place.client.chat_postMessage, channel="C0GENERAL", text="x", blocks=blocks)
    problems = [
        "failed to match all allowed schemas [json-pointer:/blocks/0/text]",
        "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
    ]
    assert body["error"] == "invalid_blocks"
    assert body["errors"] == problems
    assert body["response_metadata"]["messages"] == [f"[ERROR] {text}" for text in problems]


@pytest.mark.parametrize(
    ("token", "error"),
    [("", "not_authed"), ("xoxb-wrong", "invalid_auth"), ("app", "not_allowed_token_type")],
)
def test_a_wrong_token_is_refused(place, token, error):
    """No token, an unknown one, and an app-level token where a bot's is needed."""
    place.client.token = place.app.app_token if token == "app" else token
    assert refused(place.client.chat_postMessage, channel="C0GENERAL", text="x")["error"] == error


def test_an_unknown_method_is_refused(place):
    """unknown_method names what was asked."""
    body = refused(place.client.api_call, "chat.postMassage")
    assert (body["error"], body["req_method"]) == ("unknown_method", "chat.postMassage")


def test_a_method_without_its_scope_is_refused(place):
    """missing_scope says what is needed and what was provided."""
    place.app.scopes = ["reactions:write"]
    body = refused(place.client.chat_postMessage, channel="C0GENERAL", text="x")
    assert body["error"] == "missing_scope"
    assert (body["needed"], body["provided"]) == ("chat:write", "reactions:write")


def test_public_posting_needs_no_membership_with_its_scope(place):
    """chat:write.public opens public channels, and only those."""
    place.workspace.add_channel("other", ["U0ANA"], id="C0OTHER")
    place.app.scopes = ["chat:write", "chat:write.public"]
    assert place.client.chat_postMessage(channel="C0OTHER", text="x")["ok"]


@pytest.mark.filterwarnings("ignore:The top-level `text`")
def test_an_update_keeps_what_is_not_given_and_every_version(place):
    """Text alone removes the blocks; blocks alone keep the text; the transcript has it all."""
    blocks = [{"type": "divider"}]
    ts = place.client.chat_postMessage(channel="C0GENERAL", text="one", blocks=blocks)["ts"]
    place.client.chat_update(channel="C0GENERAL", ts=ts, blocks=[{"type": "divider"}] * 2)
    message = place.workspace.message("C0GENERAL", ts)
    assert (message.text, len(message.blocks), message.edited) == ("one", 2, None)
    place.client.chat_update(channel="C0GENERAL", ts=ts, text="two")
    assert (message.text, message.blocks) == ("two", [])
    assert message.edited is not None
    told = place.workspace.transcript("C0GENERAL")["channels"][0]["messages"][0]
    assert [version["text"] for version in told["versions"]] == ["one", "one"]
    assert told["text"] == "two"


@pytest.mark.filterwarnings("ignore:The top-level `text`")
def test_updates_are_refused_with_slacks_codes(place):
    """message_not_found, cant_update_message, msg_too_long, no_text."""
    update = place.client.chat_update
    ana = place.workspace.say("ana", "general", "mine").ts
    own = place.client.chat_postMessage(channel="C0GENERAL", text="own")["ts"]
    common = {"channel": "C0GENERAL", "text": "x"}
    assert refused(update, ts="1.000001", **common)["error"] == "message_not_found"
    assert refused(update, ts=ana, **common)["error"] == "cant_update_message"
    long = refused(update, channel="C0GENERAL", ts=own, text="x" * 4001)
    assert long["error"] == "msg_too_long"
    empty = refused(update, channel="C0GENERAL", ts=own, text="", blocks=[])
    assert empty["error"] == "no_text"


def test_a_deleted_parent_leaves_a_tombstone(place):
    """A thread stays readable; a message without replies is simply gone."""
    parent = place.client.chat_postMessage(channel="C0GENERAL", text="parent")["ts"]
    reply = place.client.chat_postMessage(channel="C0GENERAL", text="r", thread_ts=parent)["ts"]
    place.client.chat_delete(channel="C0GENERAL", ts=parent)
    thread = place.client.conversations_replies(channel="C0GENERAL", ts=parent)["messages"]
    assert [message.get("subtype") for message in thread] == ["tombstone", None]
    place.client.chat_delete(channel="C0GENERAL", ts=reply)
    again = refused(place.client.chat_delete, channel="C0GENERAL", ts=reply)
    assert again["error"] == "message_not_found"


def test_only_own_messages_can_be_deleted(place):
    """cant_delete_message for a person's message."""
    ts = place.workspace.say("ana", "general", "mine").ts
    body = refused(place.client.chat_delete, channel="C0GENERAL", ts=ts)
    assert body["error"] == "cant_delete_message"


def test_an_ephemeral_message_is_for_one_person(place):
    """It is in nobody's history, and needs its reader in the channel."""
    answer = place.client.chat_postEphemeral(channel="C0GENERAL", user="U0ANA", text="psst")
    assert place.workspace.message("C0GENERAL", answer["message_ts"]).ephemeral_to == "U0ANA"
    assert place.client.conversations_history(channel="C0GENERAL")["messages"] == []
    cy = place.workspace.add_user("cy", id="U0CY")
    outside = refused(place.client.chat_postEphemeral, channel="C0GENERAL", user=cy.id, text="psst")
    assert outside["error"] == "user_not_in_channel"


def test_metadata_is_stored_and_returned_on_request(place):
    """Flat payloads only; include_all_metadata shows them."""
    metadata = {"event_type": "incident", "event_payload": {"id": 7, "tags": ["a", "b"]}}
    posted = place.client.chat_postMessage(channel="C0GENERAL", text="x", metadata=metadata)
    assert posted["message"]["metadata"] == metadata
    history = place.client.conversations_history
    plain = history(channel="C0GENERAL")["messages"][0]
    full = history(channel="C0GENERAL", include_all_metadata=True)["messages"][0]
    assert "metadata" not in plain
    assert full["metadata"] == metadata
    nested = {"event_type": "incident", "event_payload": {"a": {"b": 1}}}
    body = refused(place.client.chat_postMessage, channel="C0GENERAL", text="x", metadata=nested)
    assert body["error"] == "invalid_metadata_schema"


def test_a_work_object_is_taken_as_metadata(place):
    """entities, as docs.slack.dev shows them, with or without an event."""
    entity = {
        "entity_type": "slack#/entities/task",
        "url": "https://a.example/1",
        "external_ref": {"id": "1"},
        "entity_payload": {"attributes": {"title": {"text": "My task"}}, "fields": {}},
    }
    post = {"channel": "C0GENERAL", "text": "x"}
    assert place.client.chat_postMessage(metadata={"entities": [entity]}, **post)["ok"]
    body = refused(place.client.chat_postMessage, metadata={"entities": [{}]}, **post)
    assert body["error"] == "invalid_metadata_schema"


def test_a_permalink_leads_to_the_message_in_its_thread(place):
    """The link carries thread_ts and cid for replies."""
    parent = place.client.chat_postMessage(channel="C0GENERAL", text="p")["ts"]
    reply = place.client.chat_postMessage(channel="C0GENERAL", text="r", thread_ts=parent)["ts"]
    link = place.client.chat_getPermalink(channel="C0GENERAL", message_ts=reply)["permalink"]
    assert link.endswith(f"/p{reply.replace('.', '')}?thread_ts={parent}&cid=C0GENERAL")
    gone = refused(place.client.chat_getPermalink, channel="C0GENERAL", message_ts="1.0")
    assert gone["error"] == "message_not_found"


def test_posting_to_a_person_opens_a_direct_message(place):
    """channel may be a user id."""
    channel = place.client.chat_postMessage(channel="U0ANA", text="hi")["channel"]
    assert place.workspace.channels[channel].is_im
    assert sorted(place.workspace.channels[channel].members) == sorted(["U0ANA", place.app.user_id])
    place.app.messages_enabled = False
    body = refused(place.client.chat_postMessage, channel="U0ANA", text="hi")
    assert body["error"] == "messages_tab_disabled"


def test_a_broadcast_reply_shows_in_the_channel_too(place):
    """reply_broadcast puts the reply into the channel's history."""
    parent = place.client.chat_postMessage(channel="C0GENERAL", text="p")["ts"]
    place.client.chat_postMessage(
        channel="C0GENERAL", text="all", thread_ts=parent, reply_broadcast=True
    )
    texts = [m["text"] for m in place.client.conversations_history(channel="C0GENERAL")["messages"]]
    assert texts == ["all", "p"]


def test_a_scheduled_message_arrives_in_its_time(place):
    """And the past is refused."""
    now = place.workspace.now()
    place.client.chat_scheduleMessage(channel="C0GENERAL", text="later", post_at=int(now) + 4)
    assert place.said("later").bot_id == place.app.bot_id
    past = refused(place.client.chat_scheduleMessage, channel="C0GENERAL", text="x", post_at=1)
    far = refused(
        place.client.chat_scheduleMessage, channel="C0GENERAL", text="x", post_at=int(now) + 10**8
    )
    assert (past["error"], far["error"]) == ("time_in_past", "time_too_far")


def test_a_scheduled_message_is_listed_and_taken_back(place):
    """Until its time has come; then, or for another id, there is nothing to take back."""
    at = int(place.workspace.now()) + 3600
    id = place.client.chat_scheduleMessage(channel="C0GENERAL", text="later", post_at=at)[
        "scheduled_message_id"
    ]
    listed = place.client.chat_scheduledMessages_list()["scheduled_messages"]
    assert [(one["id"], one["post_at"], one["text"]) for one in listed] == [(id, at, "later")]
    call = {"channel": "C0GENERAL", "scheduled_message_id": id}
    place.client.chat_deleteScheduledMessage(**call)
    assert place.client.chat_scheduledMessages_list()["scheduled_messages"] == []
    body = refused(place.client.chat_deleteScheduledMessage, **call)
    assert body["error"] == "invalid_scheduled_message_id"


def test_what_an_administrator_removed_is_gone_for_the_app(place):
    """The app's next update is told message_not_found; an archived channel is is_archived."""
    ts = place.client.chat_postMessage(channel="C0GENERAL", text="x")["ts"]
    place.workspace.remove("C0GENERAL", ts)
    gone = refused(place.client.chat_update, channel="C0GENERAL", ts=ts, text="y")
    place.workspace.archive("general")
    closed = refused(place.client.chat_postMessage, channel="C0GENERAL", text="y")
    assert (gone["error"], closed["error"]) == ("message_not_found", "is_archived")


def test_many_people_at_once_lose_nothing(place):
    """Eight threads speak, react and read; every message is there once, in order."""
    parent = place.workspace.say("ana", "general", "parent").ts

    def busy(number):
        for turn in range(20):
            ts = place.workspace.say("bo", "general", f"{number}-{turn}", thread_ts=parent).ts
            place.workspace.react("ana", "general", ts, "eyes")
            place.client.conversations_replies(channel="C0GENERAL", ts=parent, limit=5)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(busy, range(8)))
    replies = place.workspace.channel("general").replies(parent)
    assert len({reply.text for reply in replies}) == len(replies) == 160
    assert all(reply.reactions == {"eyes": ["U0ANA"]} for reply in replies)


def test_two_apps_do_not_touch_each_others_messages(place):
    """Another bot's message can't be updated."""
    other = place.workspace.install(App("Other"))
    place.workspace.invite("ana", "general", other.user_id)
    ts = place.client.chat_postMessage(channel="C0GENERAL", text="mine")["ts"]
    place.client.token = other.bot_token
    body = refused(place.client.chat_update, channel="C0GENERAL", ts=ts, text="yours")
    assert body["error"] == "cant_update_message"


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("@bo look", "<@U0BO> look"),
        ("@Bo Chen, look", "<@U0BO>, look"),
        ("mail bo@bo.example", "mail bo@bo.example"),
        ("@bobby", "@bobby"),
        ("see #general.", "see <#C0GENERAL|general>."),
        ("@here!", "<!here>!"),
        ("http://a.example/x?y=1 !", "<http://a.example/x?y=1> !"),
        ("<@U0BO> stays", "<@U0BO> stays"),
    ],
)
def test_what_a_person_types_becomes_what_slack_sends(place, typed, sent):
    """Mentions, channels, broadcasts and links; addresses and longer words stay."""
    text = place.workspace.say("ana", "general", typed).text
    assert text == sent
    assert set(MENTION.findall(text)) <= set(place.workspace.users)
