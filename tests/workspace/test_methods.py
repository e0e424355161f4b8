"""The methods that an ordinary Bolt app calls, each as docs.slack.dev describes it."""

from __future__ import annotations

import json
import urllib.request

import pytest

from bot.workspace import App
from bot.workspace.api import METHODS, check_method
from bot.workspace.model import SlackError
from tests.workspace.test_chat import refused


def told(place, kind):
    """The events of this type that the app was told of, oldest first."""
    records = place.workspace.recorder.find(kind, "out")
    return [record.request["event"] for record in records]


def notices(place, subtype):
    """The channel's own lines of this subtype, as the history shows them."""
    history = place.client.conversations_history(channel="C0GENERAL")["messages"]
    return [message for message in history if message.get("subtype") == subtype]


def room(place, **more):
    """A channel that the app has created, with Ana in it."""
    id = place.client.conversations_create(name="room", **more)["channel"]["id"]
    place.client.conversations_invite(channel=id, users="U0ANA")
    return id


def test_a_channel_is_renamed_by_the_one_who_made_it(place):
    """The old name is remembered; channel_rename and a line of the channel tell of it."""
    id = room(place)
    renamed = place.client.conversations_rename(channel=id, name="war-room")["channel"]
    assert (renamed["name"], renamed["previous_names"]) == ("war-room", ["room"])
    assert told(place, "channel_rename")[-1]["channel"]["name"] == "war-room"
    line = place.client.conversations_history(channel=id)["messages"][0]
    assert (line["subtype"], line["old_name"], line["name"]) == ("channel_name", "room", "war-room")


def test_topic_and_purpose_say_who_set_them(place):
    """value, creator, last_set; and the message of subtype channel_topic or channel_purpose."""
    place.client.conversations_setTopic(channel="C0GENERAL", topic="fire")
    channel = place.client.conversations_setPurpose(channel="C0GENERAL", purpose="fires")["channel"]
    assert (channel["topic"]["value"], channel["purpose"]["value"]) == ("fire", "fires")
    assert channel["purpose"]["creator"] == place.app.user_id
    assert channel["purpose"]["last_set"] > 0
    assert [line["topic"] for line in notices(place, "channel_topic")] == ["fire"]
    assert [line["purpose"] for line in notices(place, "channel_purpose")] == ["fires"]


def test_a_person_is_put_out_of_a_channel(place):
    """conversations.kick, member_left_channel."""
    id = room(place)
    place.client.conversations_kick(channel=id, user="U0ANA")
    assert place.client.conversations_members(channel=id)["members"] == [place.app.user_id]
    assert told(place, "member_left_channel")[-1]["user"] == "U0ANA"


def test_an_invitation_says_for_each_who_can_not_come(place):
    """Without force nobody is invited; with it those who can."""
    id = room(place)
    call = {"channel": id, "users": "U0BO,U0ANA,U0NO"}
    body = refused(place.client.conversations_invite, **call)
    wrong = [(one["user"], one["error"]) for one in body["errors"]]
    assert wrong == [("U0ANA", "already_in_channel"), ("U0NO", "user_not_found")]
    place.client.conversations_invite(force=True, **call)
    assert "U0BO" in place.client.conversations_members(channel=id)["members"]


def test_an_archived_channel_is_brought_back(place):
    """archive, is_archived, unarchive; both are told."""
    id = room(place)
    place.client.conversations_archive(channel=id)
    assert refused(place.client.conversations_setTopic, channel=id, topic="x")["error"] == (
        "is_archived"
    )
    place.client.conversations_unarchive(channel=id)
    assert place.client.chat_postMessage(channel=id, text="back")["ok"]
    assert told(place, "channel_archive")[-1]["channel"] == id
    assert told(place, "channel_unarchive")[-1]["user"] == place.app.user_id


def test_a_direct_message_is_closed_and_opened_again(place):
    """The second close does nothing; opening brings the same conversation back."""
    id = place.client.conversations_open(users="U0ANA")["channel"]["id"]
    assert "already_closed" not in place.client.conversations_close(channel=id).data
    assert place.client.conversations_close(channel=id)["already_closed"]
    assert place.client.conversations_open(users="U0ANA")["channel"]["id"] == id


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("conversations.rename", {"channel": "C0GENERAL", "name": "x"}, "not_authorized"),
        ("conversations.rename", {"channel": "C0OTHER", "name": "x"}, "not_in_channel"),
        ("conversations.setTopic", {"channel": "C0OTHER", "topic": "x"}, "not_in_channel"),
        ("conversations.setTopic", {"channel": "C0GENERAL", "topic": "x" * 251}, "too_long"),
        ("conversations.setPurpose", {"channel": "C0GENERAL", "purpose": "x" * 251}, "too_long"),
        ("conversations.kick", {"channel": "C0GENERAL", "user": "U0NO"}, "user_not_found"),
        ("conversations.kick", {"channel": "C0GENERAL", "user": "U0CY"}, "not_in_channel"),
        ("conversations.kick", {"channel": "C0GENERAL", "user": "U0ANA"}, "cant_kick_from_general"),
        ("conversations.leave", {"channel": "C0GENERAL"}, "cant_leave_general"),
        ("conversations.archive", {"channel": "C0GENERAL"}, "cant_archive_general"),
        ("conversations.archive", {"channel": "C0OTHER"}, "not_in_channel"),
        ("conversations.unarchive", {"channel": "C0GENERAL"}, "not_archived"),
        (
            "conversations.close",
            {"channel": "C0GENERAL"},
            "method_not_supported_for_channel_type",
        ),
        ("conversations.mark", {"channel": "C0GENERAL", "ts": "x"}, "invalid_timestamp"),
        ("conversations.mark", {"channel": "C0OTHER", "ts": "1.1"}, "not_in_channel"),
        ("conversations.open", {"users": "U0ANA", "prevent_creation": True}, "channel_not_found"),
        ("chat.meMessage", {"channel": "C0GENERAL"}, "no_text"),
        ("chat.scheduleMessage", {"channel": "C0GENERAL", "post_at": "soon"}, "invalid_time"),
        ("chat.scheduledMessages.list", {"channel": "C0NO"}, "invalid_channel"),
        ("chat.unfurl", {"channel": "C0GENERAL", "ts": "1.1"}, "missing_unfurls"),
        (
            "chat.unfurl",
            {"channel": "C0GENERAL", "ts": "1.1", "unfurls": '{"https://a.example": {}}'},
            "cannot_find_message",
        ),
        ("users.setPresence", {"presence": "busy"}, "invalid_presence"),
        ("users.lookupByEmail", {"email": "no@a.example"}, "users_not_found"),
        ("dnd.teamInfo", {}, "no_users_provided"),
        ("bots.info", {"bot": "B0NO"}, "bot_not_found"),
        ("files.list", {"types": "songs"}, "unknown_type"),
        ("reactions.list", {"user": "U0NO"}, "user_not_found"),
        ("bookmarks.edit", {"channel_id": "C0GENERAL", "bookmark_id": "Bk0"}, "not_found"),
        ("usergroups.create", {}, "missing_subteam_name"),
        ("usergroups.create", {"name": "x", "handle": "oncall"}, "handle_already_exists"),
        ("usergroups.create", {"name": "On-call"}, "name_already_exists"),
        ("usergroups.create", {"name": "x", "handle": "no way"}, "bad_handle"),
        ("usergroups.update", {"usergroup": "S0NO"}, "no_such_subteam"),
        ("apps.event.authorizations.list", {"event_context": "x"}, "not_allowed_token_type"),
        ("files.upload", {"content": "x"}, "method_deprecated"),
        ("channels.list", {}, "method_deprecated"),
        ("search.messages", {"query": "x"}, "not_allowed_token_type"),
        ("users.profile.set", {"name": "x"}, "not_allowed_token_type"),
        ("admin.users.list", {}, "not_allowed_token_type"),
        ("conversations.tidy", {}, "unknown_method"),
    ],
)
@pytest.mark.filterwarnings("ignore:channels.list is deprecated")
def test_calls_are_refused_with_the_documented_code(place, method, arguments, error):
    """One case per refusal."""
    place.workspace.add_user("cy", id="U0CY")
    place.workspace.add_channel("other", ["U0ANA"], id="C0OTHER")
    place.workspace.add_usergroup("oncall", ["U0ANA"], "On-call")
    assert refused(place.client.api_call, method, params=arguments)["error"] == error


def test_every_served_method_belongs_to_slack_and_to_bots(place):
    """None is served under a name that Slack has retired or keeps for people."""
    for method in METHODS:
        check_method(method)
        assert callable(getattr(place.client, method.replace(".", "_"), None)), method
    with pytest.raises(SlackError, match="unknown_method"):
        check_method("conversations.tidy")


def test_me_message_has_its_subtype(place):
    """As /me does."""
    place.client.chat_meMessage(channel="C0GENERAL", text="waves")
    assert [line["text"] for line in notices(place, "me_message")] == ["waves"]


def test_a_link_in_a_message_is_unfurled(place):
    """The preview hangs on the message; an address that is not in it is refused."""
    ts = place.workspace.say("ana", "general", "see https://a.example/1").ts
    blocks = [{"type": "section", "text": {"type": "mrkdwn", "text": "One"}}]
    call = {"channel": "C0GENERAL", "ts": ts}
    place.client.chat_unfurl(unfurls={"https://a.example/1": {"blocks": blocks}}, **call)
    shown = place.client.conversations_history(channel="C0GENERAL")["messages"][0]
    assert shown["attachments"][0]["from_url"] == "https://a.example/1"
    assert shown["attachments"][0]["is_app_unfurl"]
    wrong = refused(place.client.chat_unfurl, unfurls={"https://b.example": {}}, **call)
    assert wrong["error"] == "cannot_unfurl_url"


def test_an_app_hears_of_links_to_its_domains(place):
    """link_shared, also where it is no member; its unfurl_id stands for channel and ts."""
    place.app.unfurl_domains = ["a.example"]
    place.workspace.add_channel("other", ["U0ANA"], id="C0OTHER")
    place.workspace.say("ana", "other", "https://www.a.example/?x=1&y=2 or https://b.example")
    event = told(place, "link_shared")[-1]
    url = "https://www.a.example/?x=1&y=2"
    assert event["links"] == [{"domain": "www.a.example", "url": url}]
    assert event["is_bot_user_member"] is False
    call = {"unfurl_id": event["unfurl_id"], "unfurls": {url: {"text": "A page"}}}
    place.client.chat_unfurl(source=event["source"], channel="", ts="", **call)
    shown = place.workspace.message("C0OTHER", event["message_ts"])
    assert shown.attachments[0]["text"] == "A page"
    lacking = refused(place.client.api_call, "chat.unfurl", params=call | {"unfurls": "{}"})
    assert lacking["error"] == "missing_source"


def test_scheduled_messages_are_listed_by_channel_and_time(place):
    """And can't be taken back in their last minute."""
    now = int(place.workspace.now())
    schedule = place.client.chat_scheduleMessage
    near = schedule(channel="C0GENERAL", text="near", post_at=now + 30)
    far = schedule(channel="C0GENERAL", text="far", post_at=now + 3600)
    assert far["message"]["text"] == "far"
    listed = place.client.chat_scheduledMessages_list(channel="C0GENERAL", latest=str(now + 60))
    assert [one["text"] for one in listed["scheduled_messages"]] == ["near"]
    late = refused(
        place.client.chat_deleteScheduledMessage,
        channel="C0GENERAL",
        scheduled_message_id=near["scheduled_message_id"],
    )
    assert late["error"] == "invalid_scheduled_message_id"


def test_an_answer_is_streamed_into_a_thread(place):
    """start, append, stop; after that it is an ordinary message."""
    client, parent = place.client, place.workspace.say("ana", "general", "why?").ts
    call = {"channel": "C0GENERAL", "thread_ts": parent, "recipient_user_id": "U0ANA"}
    lacking = refused(client.chat_startStream, **call)
    assert lacking["error"] == "missing_recipient_team_id"
    ts = client.chat_startStream(recipient_team_id="T0LOCAL", markdown_text="Because ", **call)[
        "ts"
    ]
    client.chat_appendStream(channel="C0GENERAL", ts=ts, markdown_text="of *this*.")
    client.chat_stopStream(channel="C0GENERAL", ts=ts, blocks=[{"type": "divider"}])
    message = place.workspace.message("C0GENERAL", ts)
    assert message.text == "Because of *this*."
    assert [block["type"] for block in message.blocks] == ["markdown", "divider"]
    over = refused(client.chat_appendStream, channel="C0GENERAL", ts=ts, markdown_text="x")
    assert over["error"] == "message_not_in_streaming_state"


def test_a_streamed_task_is_updated_in_its_place(place):
    """Two updates of one id are one task_card."""
    parent = place.workspace.say("ana", "general", "why?").ts
    task = {"type": "task_update", "id": "1", "title": "Look", "status": "in_progress"}
    ts = place.client.chat_startStream(
        channel="C0GENERAL",
        thread_ts=parent,
        recipient_user_id="U0ANA",
        recipient_team_id="T0LOCAL",
        chunks=[task, {"type": "markdown_text", "text": "Done."}],
    )["ts"]
    place.client.chat_appendStream(
        channel="C0GENERAL", ts=ts, chunks=[{**task, "status": "complete"}], markdown_text=""
    )
    blocks = place.workspace.message("C0GENERAL", ts).blocks
    assert [(block["type"], block.get("status")) for block in blocks] == [
        ("task_card", "complete"),
        ("markdown", None),
    ]
    bad = {"channel": "C0GENERAL", "ts": ts, "chunks": [{"type": "song"}], "markdown_text": ""}
    assert refused(place.client.chat_appendStream, **bad)["error"] == "invalid_chunks"


def test_an_assistant_has_status_title_and_prompts(place):
    """Kept for the thread of the direct message."""
    dm = place.workspace.direct_message("ana", place.app.user_id)
    ts = place.workspace.say("ana", dm.id, "hello").ts
    where = {"channel_id": dm.id, "thread_ts": ts}
    place.client.assistant_threads_setStatus(status="is thinking…", **where)
    place.client.assistant_threads_setTitle(title="Greetings", **where)
    prompts = [{"title": "Why?", "message": "Why is it so?"}]
    place.client.assistant_threads_setSuggestedPrompts(prompts=prompts, **where)
    kept = place.workspace.channels[dm.id].assistants[ts]
    assert (kept["status"], kept["title"]) == ("is thinking…", "Greetings")
    assert kept["prompts"]["prompts"] == prompts
    place.client.chat_postMessage(channel=dm.id, thread_ts=ts, text="Because.")
    assert kept["status"] == ""
    wrong = refused(
        place.client.assistant_threads_setTitle, channel_id=dm.id, thread_ts="1.1", title="x"
    )
    assert wrong["error"] == "invalid_thread_ts"


def test_who_is_away_is_away(place):
    """users.setPresence is the bot's own."""
    assert place.client.users_getPresence(user="U0ANA")["presence"] == "active"
    place.client.users_setPresence(presence="away")
    own = place.client.users_getPresence(user=place.app.user_id)
    assert (own["presence"], own["manual_away"]) == ("away", True)
    assert place.client.dnd_info(user="U0ANA")["dnd_enabled"] is False
    assert set(place.client.dnd_teamInfo(users=["U0ANA", "U0BO"])["users"]) == {"U0ANA", "U0BO"}


def test_a_user_group_is_made_filled_and_disabled(place):
    """Each change is told to the apps."""
    client = place.client
    id = client.usergroups_create(name="Model owners", description="who to page")["usergroup"]["id"]
    filled = client.usergroups_users_update(usergroup=id, users=["U0ANA", "U0BO"])["usergroup"]
    assert (filled["handle"], filled["users"]) == ("model-owners", ["U0ANA", "U0BO"])
    assert told(place, "subteam_members_changed")[-1]["added_users"] == ["U0ANA", "U0BO"]
    assert (
        client.usergroups_update(usergroup=id, handle="owners")["usergroup"]["handle"] == "owners"
    )
    client.usergroups_disable(usergroup=id)
    assert client.usergroups_list()["usergroups"] == []
    assert client.usergroups_list(include_disabled=True)["usergroups"][0]["date_delete"] > 0
    client.usergroups_enable(usergroup=id)
    counted = client.usergroups_list(include_count=True, include_users=True)["usergroups"][0]
    assert (counted["user_count"], counted["users"]) == (2, ["U0ANA", "U0BO"])


def test_reactions_of_a_user_are_listed_in_pages(place):
    """Newest first, the bot's own by default."""
    client = place.client
    sent = [place.workspace.say("ana", "general", f"m{number}").ts for number in range(3)]
    for ts in sent:
        client.reactions_add(channel="C0GENERAL", timestamp=ts, name="eyes")
    pages = client.reactions_list(limit=2)
    assert [item["message"]["ts"] for page in pages for item in page["items"]] == sent[::-1]
    assert client.reactions_list(user="U0BO")["items"] == []


def test_files_are_listed_by_kind_and_place(place):
    """Only completed ones that the bot may see; paging by count and page."""
    client = place.client
    place.workspace.upload("ana", "general", "note.txt", b"abc")
    place.workspace.upload("ana", "general", "plan.pdf", b"%PDF")
    secret = place.workspace.add_channel("secret", ["U0ANA"], private=True)
    place.workspace.upload("ana", secret.id, "secret.txt", b"abc")
    everything = client.files_list(channel="C0GENERAL")
    assert sorted(file["name"] for file in everything["files"]) == ["note.txt", "plan.pdf"]
    assert everything["paging"] == {"count": 100, "total": 2, "page": 1, "pages": 1}
    assert [file["name"] for file in client.files_list(types="pdfs")["files"]] == ["plan.pdf"]
    second = client.files_list(count=1, page=2)
    assert (len(second["files"]), second["paging"]["pages"]) == (1, 2)


def test_a_bookmark_is_edited(place):
    """Title, link and emoji; the rest stays."""
    made = place.client.bookmarks_add(
        channel_id="C0GENERAL", title="Runbook", type="link", link="https://a.example"
    )["bookmark"]
    edited = place.client.bookmarks_edit(
        channel_id="C0GENERAL", bookmark_id=made["id"], title="Run", emoji=":book:"
    )["bookmark"]
    assert (edited["title"], edited["emoji"], edited["link"]) == (
        "Run",
        ":book:",
        "https://a.example",
    )


def test_the_app_learns_about_itself_and_the_team(place):
    """auth.*, team.*, emoji.list, and the authorizations of an event."""
    client, app = place.client, place.app
    place.workspace.emoji["shipit"] = "https://a.example/shipit.png"
    assert client.emoji_list()["emoji"] == {"shipit": "https://a.example/shipit.png"}
    assert client.auth_teams_list()["teams"][0]["id"] == "T0LOCAL"
    assert client.team_profile_get()["profile"]["fields"] == []
    assert client.team_preferences_list()["allow_message_deletion"] is True
    place.workspace.say("ana", "general", "hello")
    context = place.workspace.recorder.find("message", "out")[-1].request["event_context"]
    client.token = app.app_token
    listed = client.apps_event_authorizations_list(event_context=context)["authorizations"]
    assert [one["user_id"] for one in listed] == [app.user_id]
    assert client.auth_test()["app_id"] == app.id


def test_a_revoked_token_is_refused(place):
    """auth.revoke, unless it was only a test."""
    assert place.client.auth_revoke(test=True)["revoked"] is False
    assert place.client.auth_revoke()["revoked"] is True
    assert refused(place.client.auth_test)["error"] == "token_revoked"


@pytest.mark.parametrize(
    ("scopes", "method", "arguments", "needed"),
    [
        ("channels:history", "conversations.history", {"channel": "C0SECRET"}, "groups:history"),
        ("channels:read", "conversations.list", {"types": "public_channel,im"}, "im:read"),
        ("channels:read", "users.conversations", {"types": "mpim"}, "mpim:read"),
        ("groups:write", "conversations.create", {"name": "x"}, "channels:manage"),
        ("channels:manage", "conversations.open", {"users": "U0ANA"}, "im:write"),
        (
            "chat:write",
            "chat.postMessage",
            {"channel": "C0GENERAL", "text": "x", "username": "Me"},
            "chat:write.customize",
        ),
        ("users:read", "users.lookupByEmail", {"email": "a@a.example"}, "users:read.email"),
    ],
)
def test_each_kind_of_conversation_needs_its_own_scope(place, scopes, method, arguments, needed):
    """missing_scope names just the scope for what was asked."""
    place.workspace.add_channel("secret", [place.app.user_id], id="C0SECRET", private=True)
    place.app.scopes = scopes.split(",")
    body = refused(place.client.api_call, method, params=arguments)
    assert (body["error"], body["needed"], body["provided"]) == ("missing_scope", needed, scopes)


def post(place, method, body, headers):
    """A raw POST: the decoded answer and its headers."""
    request = urllib.request.Request(place.server.api_url + method, body.encode())
    request.add_header("Authorization", f"Bearer {place.app.bot_token}")
    for name, value in headers.items():
        request.add_header(name, value)
    with urllib.request.urlopen(request) as response:
        return json.loads(response.read()), response.headers


JSON = {"Content-Type": "application/json; charset=utf-8"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("headers", "body", "answer"),
    [
        (JSON, '{"channel": "C0GENERAL", "text": "x"}', (True, None)),
        (FORM, "channel=C0GENERAL&text=x", (True, None)),
        (
            {"Content-Type": "application/json"},
            '{"channel": "C0GENERAL", "text": "x"}',
            (True, "missing_charset"),
        ),
        (
            {"Content-Type": FORM["Content-Type"] + "; charset=utf-8"},
            "channel=C0GENERAL&text=x",
            (True, "superfluous_charset"),
        ),
        (JSON, "{", (False, "invalid_json")),
        (JSON, "[]", (False, "json_not_object")),
        ({"Content-Type": "application/xml"}, "<a/>", (False, "invalid_post_type")),
        ({"Content-Type": "application/json; charset=koi8-r"}, "{}", (False, "invalid_charset")),
    ],
)
def test_a_request_is_read_by_its_content_type(place, headers, body, answer):
    """Forms and JSON; warnings about charsets; refusals of other types."""
    found, _ = post(place, "chat.postMessage", body, headers)
    assert (found["ok"], found.get("warning") or found.get("error")) == answer


def test_reading_methods_take_no_json(place):
    """conversations.info finds no argument in a JSON body, and says which one it lacks."""
    found, _ = post(place, "conversations.info", '{"channel": "C0GENERAL"}', JSON)
    assert found["error"] == "invalid_arguments"
    assert found["response_metadata"]["messages"] == ["[ERROR] missing required field: channel"]
    assert post(place, "conversations.info", "channel=C0GENERAL", FORM)[0]["ok"]


def test_the_headers_say_which_scopes_there_are_and_which_would_do(place):
    """X-OAuth-Scopes and X-Accepted-OAuth-Scopes, also on a refusal."""
    place.app.scopes = ["chat:write", "users:read"]
    _, headers = post(place, "users.info", "user=U0ANA", FORM)
    assert headers["X-OAuth-Scopes"] == "chat:write,users:read"
    assert headers["X-Accepted-OAuth-Scopes"] == "users:read"
    found, headers = post(place, "pins.list", "channel=C0GENERAL", FORM)
    assert (found["error"], headers["X-Accepted-OAuth-Scopes"]) == ("missing_scope", "pins:read")


def test_an_app_that_is_put_out_hears_of_it(place):
    """channel_left goes to the app itself."""
    other = place.workspace.install(App("Other"))
    id = room(place)
    place.workspace.invite("ana", id, other.user_id)
    place.client.conversations_kick(channel=id, user=other.user_id)
    left = place.workspace.recorder.find("channel_left", "out")[-1]
    assert (left.app_id, left.request["event"]["actor_id"]) == (other.id, place.app.user_id)


def test_an_address_is_told_only_to_those_who_may_read_it(place):
    """users:read without users:read.email leaves it out."""
    assert place.client.users_info(user="U0ANA")["user"]["profile"]["email"] == "ana@example.com"
    place.app.scopes = ["users:read"]
    assert "email" not in place.client.users_info(user="U0ANA")["user"]["profile"]
    assert "email" not in place.client.users_list()["members"][0]["profile"]


def test_a_file_says_in_which_messages_it_stands(place):
    """shares, by kind of channel: how an app finds the message of its upload."""
    up = place.client.files_upload_v2(content="a,b", filename="a.csv", channel="C0GENERAL")
    share = place.client.files_info(file=up["file"]["id"])["file"]["shares"]["public"]["C0GENERAL"]
    history = place.client.conversations_history(channel="C0GENERAL")["messages"]
    assert [one["ts"] for one in share] == [history[0]["ts"]]
