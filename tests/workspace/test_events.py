"""The events that apps receive, in the shapes that Slack documents."""

from __future__ import annotations

import pytest


@pytest.fixture
def heard(place):
    """The events sent since the start, as (event, wrapper) pairs."""

    def events(kind=None):
        payloads = [envelope.payload for envelope in place.workspace.deliveries.sent]
        found = [payload for payload in payloads if payload["type"] == "event_callback"]
        return [p for p in found if kind in (None, p["event"]["type"])]

    return events


def test_the_wrapper_says_who_is_addressed(place, heard):
    """team, app, authorizations, a unique event id."""
    place.workspace.say("ana", "general", "one")
    place.workspace.say("ana", "general", "two")
    first, second = heard()
    assert first["api_app_id"] == place.app.id
    assert first["team_id"] == place.workspace.team_id
    assert first["authorizations"][0]["user_id"] == place.app.user_id
    assert first["authorizations"][0]["is_bot"] is True
    assert first["event_id"] != second["event_id"]


def test_a_mention_comes_as_message_and_as_app_mention(place, heard):
    """Both, with the same ts; an app that subscribes to both must not answer twice."""
    ts = place.workspace.say("ana", "general", "@Sample hi").ts
    message, mention = (payload["event"] for payload in heard())
    assert (message["type"], mention["type"]) == ("message", "app_mention")
    assert message["ts"] == mention["ts"] == ts
    assert message["channel_type"] == "channel"
    assert "channel_type" not in mention


def test_a_reply_carries_its_thread(place, heard):
    """thread_ts and the parent's author."""
    parent = place.workspace.say("ana", "general", "parent").ts
    place.workspace.say("bo", "general", "reply", thread_ts=parent)
    event = heard()[1]["event"]
    assert (event["thread_ts"], event["parent_user_id"]) == (parent, "U0ANA")


def test_edits_and_deletions_carry_both_versions(place, heard):
    """message_changed and message_deleted are hidden and name what was."""
    ts = place.workspace.say("ana", "general", "one").ts
    place.workspace.edit_own("ana", "general", ts, "two")
    place.workspace.delete_own("ana", "general", ts)
    changed, deleted = (payload["event"] for payload in heard()[1:])
    assert (changed["subtype"], changed["hidden"]) == ("message_changed", True)
    assert changed["message"]["text"] == "two"
    assert changed["previous_message"]["text"] == "one"
    assert changed["message"]["edited"]["user"] == "U0ANA"
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", ts)
    assert deleted["previous_message"]["text"] == "two"


def test_an_app_hears_its_own_messages_marked_as_its_own(place, heard):
    """bot_id and app_id; with a username of its own the subtype is bot_message."""
    place.client.chat_postMessage(channel="C0GENERAL", text="x")
    place.client.chat_postMessage(channel="C0GENERAL", text="y", username="Custom")
    own, custom = (payload["event"] for payload in heard())
    assert (own["bot_id"], own["user"]) == (place.app.bot_id, place.app.user_id)
    assert "subtype" not in own
    assert (custom["subtype"], custom["username"]) == ("bot_message", "Custom")


def test_reactions_name_the_item_and_its_author(place, heard):
    """reaction_added and reaction_removed."""
    ts = place.workspace.say("ana", "general", "x").ts
    place.workspace.react("bo", "general", ts, "eyes")
    place.workspace.react("bo", "general", ts, "eyes", remove=True)
    added, removed = (payload["event"] for payload in heard()[1:])
    assert (added["type"], removed["type"]) == ("reaction_added", "reaction_removed")
    assert added["item"] == {"type": "message", "channel": "C0GENERAL", "ts": ts}
    assert (added["user"], added["item_user"], added["reaction"]) == ("U0BO", "U0ANA", "eyes")


def test_an_invited_bot_hears_that_it_joined(place, heard):
    """member_joined_channel with the inviter; before that it heard nothing."""
    place.workspace.add_channel("other", ["U0ANA"], id="C0OTHER")
    place.workspace.say("ana", "other", "secret talk")
    place.workspace.invite("ana", "other", place.app.user_id)
    events = [payload["event"] for payload in heard()]
    joined = next(event for event in events if event["type"] == "member_joined_channel")
    assert (joined["user"], joined["inviter"]) == (place.app.user_id, "U0ANA")
    assert all(event.get("text") != "secret talk" for event in events)


def test_a_direct_message_is_of_type_im(place, heard):
    """And no app_mention is sent for it."""
    channel = place.workspace.direct_message("ana", place.app.user_id)
    place.workspace.say("ana", channel.id, "@Sample hi")
    assert [p["event"]["channel_type"] for p in heard("message")] == ["im"]
    assert heard("app_mention") == []


def test_opening_the_home_tab_brings_what_is_published(place, heard):
    """view is there from the second time on."""
    place.workspace.open_home("ana", place.app.id)
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    place.client.views_publish(user_id="U0ANA", view=home)
    place.workspace.open_home("ana", place.app.id)
    first, second = (payload["event"] for payload in heard("app_home_opened"))
    assert (first["tab"], first["user"]) == ("home", "U0ANA")
    assert "view" not in first
    assert second["view"]["type"] == "home"


def test_what_is_ephemeral_is_no_event(place, heard):
    """Neither posting nor replacing it."""
    place.client.chat_postEphemeral(channel="C0GENERAL", user="U0ANA", text="psst")
    assert heard() == []


def test_timestamps_are_unique_and_rise_even_when_the_clock_stands(place):
    """A simulated clock may stand still or jump back."""
    place.workspace.now = lambda: 1_000.0
    sent = [place.workspace.say("ana", "general", str(number)).ts for number in range(50)]
    assert sent == sorted(set(sent))
