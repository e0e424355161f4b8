"""conversations.*, users.*, reactions.*, pins.*, bookmarks.* through Slack's own WebClient."""

from __future__ import annotations

import pytest

from tests.workspace.test_chat import refused


def test_history_comes_newest_first_in_pages(place):
    """The cursor leads through all of it, once each."""
    sent = [place.workspace.say("ana", "general", f"m{number}").ts for number in range(25)]
    pages = [
        (page["has_more"], [message["ts"] for message in page["messages"]])
        for page in place.client.conversations_history(channel="C0GENERAL", limit=10)
    ]
    assert [ts for _, page in pages for ts in page] == sent[::-1]
    assert [more for more, _ in pages] == [True, True, False]


def test_history_obeys_its_window(place):
    """oldest and latest are outside unless inclusive."""
    sent = [place.workspace.say("ana", "general", f"m{number}").ts for number in range(4)]
    history = place.client.conversations_history
    window = {"channel": "C0GENERAL", "oldest": sent[1], "latest": sent[3]}
    open_ends = history(**window)["messages"]
    closed = history(**window, inclusive=True)["messages"]
    assert [message["ts"] for message in open_ends] == [sent[2]]
    assert [message["ts"] for message in closed] == [sent[3], sent[2], sent[1]]


def test_replies_come_after_their_parent_in_pages(place):
    """The thread, oldest first; the history shows the parent with its counts."""
    parent = place.workspace.say("ana", "general", "parent").ts
    for number in range(5):
        place.workspace.say("bo", "general", f"r{number}", thread_ts=parent)
    pages = place.client.conversations_replies(channel="C0GENERAL", ts=parent, limit=4)
    texts = [message["text"] for page in pages for message in page["messages"]]
    assert texts == ["parent", "r0", "r1", "r2", "r3", "r4"]
    shown = place.client.conversations_history(channel="C0GENERAL")["messages"]
    assert [(m["reply_count"], m["reply_users"]) for m in shown] == [(5, ["U0BO"])]


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("conversations.history", {"channel": "C0OTHER"}, "not_in_channel"),
        ("conversations.history", {"channel": "C0GENERAL", "cursor": "??"}, "invalid_cursor"),
        ("conversations.history", {"channel": "C0GENERAL", "oldest": "x"}, "invalid_ts_oldest"),
        ("conversations.history", {"channel": "C0GENERAL", "latest": "x"}, "invalid_ts_latest"),
        ("conversations.replies", {"channel": "C0GENERAL", "ts": "1.0"}, "thread_not_found"),
        ("conversations.list", {"types": "public"}, "invalid_types"),
        ("conversations.list", {"limit": -1}, "invalid_limit"),
        ("conversations.info", {"channel": "C0NO"}, "channel_not_found"),
        ("conversations.join", {"channel": "C0OLD"}, "is_archived"),
        ("conversations.open", {}, "users_list_not_supplied"),
        ("conversations.open", {"users": "U0NO"}, "user_not_found"),
        ("conversations.invite", {"channel": "C0GENERAL", "users": "U0BO"}, "already_in_channel"),
        ("conversations.invite", {"channel": "C0OTHER", "users": "U0BO"}, "not_in_channel"),
        ("conversations.invite", {"channel": "C0GENERAL", "users": "U0NO"}, "user_not_found"),
        ("conversations.create", {"name": "general"}, "name_taken"),
        ("conversations.create", {"name": ""}, "invalid_name_required"),
        ("conversations.create", {"name": "x" * 81}, "invalid_name_maxlength"),
        ("conversations.create", {"name": "--"}, "invalid_name_punctuation"),
        ("conversations.create", {"name": "Loud"}, "invalid_name_specials"),
        ("users.info", {"user": "U0NO"}, "user_not_found"),
        ("usergroups.users.list", {"usergroup": "S0NO"}, "no_such_subteam"),
        ("reactions.add", {"name": "eyes"}, "no_item_specified"),
        (
            "reactions.add",
            {"channel": "C0GENERAL", "timestamp": "1.0", "name": "e y"},
            "invalid_name",
        ),
        (
            "reactions.add",
            {"channel": "C0GENERAL", "timestamp": "x", "name": "eyes"},
            "bad_timestamp",
        ),
        (
            "reactions.add",
            {"channel": "C0GENERAL", "timestamp": "1.0", "name": "eyes"},
            "message_not_found",
        ),
        ("pins.add", {"channel": "C0GENERAL"}, "no_item_specified"),
        ("pins.add", {"channel": "C0GENERAL", "timestamp": "1.0"}, "message_not_found"),
        (
            "bookmarks.add",
            {"channel_id": "C0GENERAL", "type": "x", "title": "t"},
            "invalid_bookmark_type",
        ),
        ("files.info", {"file": "F0NO"}, "file_not_found"),
        ("files.getUploadURLExternal", {"filename": "a"}, "missing_argument"),
        (
            "files.getUploadURLExternal",
            {"filename": "a", "length": 1, "alt_txt": "x" * 1001},
            "alt_txt_too_large",
        ),
        (
            "files.completeUploadExternal",
            {"files": '[{"id": "F0NO"}]', "channel_id": "C0GENERAL"},
            "file_not_found",
        ),
        ("files.completeUploadExternal", {"files": "[1]"}, "invalid_arguments"),
        ("files.completeUploadExternal", {"files": "[]"}, "invalid_arguments"),
        ("api.test", {"error": "my_error"}, "my_error"),
    ],
)
def test_calls_are_refused_with_slacks_codes(place, method, arguments, error):
    """One case per documented refusal."""
    place.workspace.add_channel("other", ["U0ANA"], id="C0OTHER")
    place.workspace.add_channel("old", ["U0ANA"], id="C0OLD").is_archived = True
    assert refused(place.client.api_call, method, params=arguments)["error"] == error


def test_channels_are_listed_by_kind_and_membership(place):
    """Private channels only where the bot is in; pages by cursor."""
    workspace = place.workspace
    workspace.add_channel("secret", ["U0ANA"], private=True)
    workspace.add_channel("inner", [place.app.user_id], private=True)
    workspace.add_channel("other", ["U0ANA"])
    pages = place.client.conversations_list(types="public_channel,private_channel", limit=2)
    names = [channel["name"] for page in pages for channel in page["channels"]]
    mine = place.client.users_conversations(types="public_channel,private_channel")["channels"]
    assert names == ["general", "inner", "other"]
    assert [channel["name"] for channel in mine] == ["general", "inner"]


def test_joining_twice_is_a_warning(place):
    """already_in_channel is no error."""
    place.workspace.add_channel("other", ["U0ANA"], id="C0OTHER")
    first = place.client.conversations_join(channel="C0OTHER")
    second = place.client.conversations_join(channel="C0OTHER")
    assert "warning" not in first.data
    assert second["warning"] == "already_in_channel"
    assert place.client.conversations_members(channel="C0OTHER")["members"][-1] == place.app.user_id


def test_a_channel_is_created_and_people_invited(place):
    """create, setTopic, invite, archive."""
    client = place.client
    id = client.conversations_create(name="war-room", is_private=True)["channel"]["id"]
    client.conversations_setTopic(channel=id, topic="fire")
    client.conversations_invite(channel=id, users="U0ANA,U0BO")
    info = client.conversations_info(channel=id)["channel"]
    assert (info["is_private"], info["topic"]["value"], info["num_members"]) == (True, "fire", 3)
    client.conversations_archive(channel=id)
    assert refused(client.chat_postMessage, channel=id, text="x")["error"] == "is_archived"


def test_a_direct_message_is_opened_once(place):
    """The second time it is already open."""
    first = place.client.conversations_open(users="U0ANA")
    again = place.client.conversations_open(users="U0ANA")
    assert first["channel"]["id"] == again["channel"]["id"]
    assert again["already_open"]


def test_people_groups_and_the_team_are_told(place):
    """users.list in pages, lookups, groups, profile, team, auth."""
    client, workspace = place.client, place.workspace
    group = workspace.add_usergroup("oncall", ["U0ANA", "U0BO"])
    assert [len(page["members"]) for page in client.users_list(limit=2)] == [2, 1]
    assert client.users_lookupByEmail(email="bo@example.com")["user"]["id"] == "U0BO"
    assert client.users_profile_get(user="U0ANA")["profile"]["real_name"] == "Ana Ruiz"
    assert client.usergroups_list(include_users=True)["usergroups"][0]["users"] == group.users
    assert client.usergroups_users_list(usergroup=group.id)["users"] == ["U0ANA", "U0BO"]
    assert client.team_info()["team"]["id"] == workspace.team_id
    assert client.bots_info(bot=place.app.bot_id)["bot"]["user_id"] == place.app.user_id
    assert client.auth_test()["bot_id"] == place.app.bot_id


def test_reactions_pins_and_bookmarks_come_and_go(place):
    """Each once; the second time is refused with its own code."""
    client = place.client
    ts = place.workspace.say("ana", "general", "look").ts
    item = {"channel": "C0GENERAL", "timestamp": ts}
    client.reactions_add(name="eyes", **item)
    assert refused(client.reactions_add, name="eyes", **item)["error"] == "already_reacted"
    shown = client.reactions_get(**item)["message"]["reactions"]
    assert shown == [{"name": "eyes", "users": [place.app.user_id], "count": 1}]
    client.reactions_remove(name="eyes", **item)
    assert refused(client.reactions_remove, name="eyes", **item)["error"] == "no_reaction"
    client.pins_add(**item)
    assert refused(client.pins_add, **item)["error"] == "already_pinned"
    assert [pin["message"]["ts"] for pin in client.pins_list(channel="C0GENERAL")["items"]] == [ts]
    client.pins_remove(**item)
    assert refused(client.pins_remove, **item)["error"] == "no_pin"
    made = client.bookmarks_add(
        channel_id="C0GENERAL", title="Runbook", type="link", link="https://a.example"
    )["bookmark"]
    assert client.bookmarks_list(channel_id="C0GENERAL")["bookmarks"] == [made]
    client.bookmarks_remove(channel_id="C0GENERAL", bookmark_id=made["id"])
    assert client.bookmarks_list(channel_id="C0GENERAL")["bookmarks"] == []
