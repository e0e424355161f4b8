"""The API of the page: what a person sees and does through the browser."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from urllib.parse import quote, urlencode

import pytest

from tests.workspace import sample_app
from tests.workspace.test_interactions import BLOCKS, answering, trigger


class Page:
    """Talks to the server as the page does."""

    def __init__(self, place):
        self.url = place.server.url

    def get(self, path, **query):
        """A GET under /ui."""
        with urllib.request.urlopen(f"{self.url}/ui/{path}?{urlencode(query)}") as answer:
            return json.loads(answer.read())

    def post(self, path, **body):
        """A POST under /ui; the answer whatever its status."""
        headers = {"Content-Type": "application/json", "Origin": self.url}
        data = json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/ui/{path}", data, headers)
        try:
            with urllib.request.urlopen(request) as answer:
                return json.loads(answer.read()) | {"status": answer.status}
        except urllib.error.HTTPError as error:
            return json.loads(error.read()) | {"status": error.code}


@pytest.fixture
def page(place):
    """The page of the place."""
    answering(place)
    return Page(place)


def test_the_state_tells_what_surrounds_the_messages(place, page):
    """Team, people before bots, channels with unread, apps, commands, shortcuts."""
    place.client.chat_postMessage(channel="C0GENERAL", text="<@U0ANA> look")
    place.workspace.add_channel("secret", ["U0BO"], private=True)
    state = page.get("state", user="U0ANA")
    channel = state["channels"][0]
    assert [user["is_bot"] for user in state["users"]] == [False, False, True]
    assert [channel["name"] for channel in state["channels"]] == ["general"]
    assert (channel["unread"], channel["mentions"]) == (1, 1)
    assert state["commands"][0]["command"] == "/echo"
    assert {shortcut["type"] for shortcut in state["shortcuts"]} == {"global", "message"}
    assert state["modal"] is None
    page.post("read", user="U0ANA", channel="C0GENERAL")
    assert page.get("state", user="U0ANA")["channels"][0]["unread"] == 0
    assert page.get("state")["me"]["id"] == "U0ANA"


def test_messages_come_with_authors_threads_and_what_only_i_see(place, page):
    """Oldest first, pages backwards, ephemeral ones for their reader."""
    parent = place.workspace.say("ana", "general", "first").ts
    place.workspace.say("bo", "general", "reply", thread_ts=parent)
    place.client.chat_postEphemeral(channel="C0GENERAL", user="U0ANA", text="psst", blocks=BLOCKS)
    mine = page.get("messages", channel="C0GENERAL", user="U0ANA")["messages"]
    theirs = page.get("messages", channel="C0GENERAL", user="U0BO")["messages"]
    last = page.get("messages", channel="C0GENERAL", user="U0ANA", limit=1)
    thread = page.get("thread", channel="C0GENERAL", ts=parent, user="U0ANA")["messages"]
    assert [message["text"] for message in mine] == ["first", "psst"]
    assert [message["text"] for message in theirs] == ["first"]
    assert mine[0]["reply_count"] == 1
    assert mine[0]["author"]["name"] == "Ana Ruiz"
    assert mine[1]["is_ephemeral"]
    assert (last["has_more"], last["messages"][0]["text"]) == (True, "psst")
    assert [message["text"] for message in thread] == ["first", "reply"]


def test_typed_text_is_escaped_and_commands_are_run(place, page):
    """& < > mean themselves; "/" runs a command, but not in a thread."""
    sent = page.post("send", user="U0ANA", channel="C0GENERAL", text="a < b & @bo")
    command = page.post("send", user="U0ANA", channel="C0GENERAL", text="/echo x")
    thread = page.post(
        "send", user="U0ANA", channel="C0GENERAL", text="/echo x", thread_ts=sent["ts"]
    )
    unknown = page.post("send", user="U0ANA", channel="C0GENERAL", text="/what")
    assert place.workspace.message("C0GENERAL", sent["ts"]).text == "a &lt; b &amp; <@U0BO>"
    assert command["command"]
    assert (thread["status"], thread["error"]) == (400, "slash_command_in_thread")
    assert (unknown["error"], unknown["message"]) == (
        "unknown_command",
        "No app here knows this command.",
    )


def test_own_messages_are_edited_deleted_and_reacted_to(place, page):
    """And others' are not."""
    ts = page.post("send", user="U0ANA", channel="C0GENERAL", text="one")["ts"]
    where = {"channel": "C0GENERAL", "ts": ts}
    assert page.post("edit", user="U0ANA", text="two", **where)["ok"]
    assert page.post("edit", user="U0BO", text="x", **where)["error"] == "cant_update_message"
    assert page.post("reaction", user="U0BO", name="eyes", **where)["ok"]
    shown = page.get("messages", channel="C0GENERAL", user="U0ANA")["messages"][0]
    assert (shown["text"], shown["versions"]) == ("two", 1)
    assert shown["edited"]["user"] == "U0ANA"
    assert shown["reactions"] == [{"name": "eyes", "users": ["U0BO"], "count": 1}]
    assert page.post("reaction", user="U0BO", name="eyes", remove=True, **where)["ok"]
    assert page.post("delete", user="U0BO", **where)["error"] == "cant_delete_message"
    assert page.post("delete", user="U0ANA", **where)["ok"]
    assert page.get("messages", channel="C0GENERAL", user="U0ANA")["messages"] == []


def test_channels_are_made_joined_left_and_dms_opened(place, page):
    """Membership through the page, the app's bot included."""
    made = page.post("channel", user="U0ANA", name="incident-1")["channel"]
    assert page.post("send", user="U0BO", channel=made, text="x")["error"] == "not_in_channel"
    assert page.post("join", user="U0BO", channel=made)["ok"]
    assert page.post("invite", user="U0BO", channel=made, invite=place.app.user_id)["ok"]
    assert page.post("send", user="U0BO", channel=made, text="/invite @ana")["ok"]
    assert page.post("leave", user="U0ANA", channel=made)["ok"]
    assert place.workspace.channels[made].members == ["U0BO", place.app.user_id]
    dm = page.post("dm", user="U0ANA", **{"with": place.app.user_id})["channel"]
    seen = page.get("state", user="U0ANA")["channels"][-1]
    assert (seen["id"], seen["is_im"], seen["user"]) == (dm, True, place.app.user_id)
    assert page.post("channel", user="U0ANA", name="general")["error"] == "name_taken"


def test_buttons_menus_and_modals_work_through_the_page(place, page):
    """An action, a modal that complains, a modal that closes."""
    ts = place.client.chat_postMessage(channel="C0GENERAL", text="x", blocks=BLOCKS)["ts"]
    where = {"user": "U0ANA", "channel": "C0GENERAL", "message_ts": ts, "block_id": "row"}
    assert page.post("action", action_id="go", type="button", **where)["ok"]
    option = {"text": {"type": "plain_text", "text": "Red"}, "value": "red"}
    assert page.post(
        "action", action_id="pick", type="static_select", selected_option=option, **where
    )["ok"]
    action = place.workspace.deliveries.sent[-1].payload["actions"][0]
    assert action["selected_option"]["value"] == "red"
    gone = page.post("action", action_id="nope", type="button", **where)
    assert (gone["status"], gone["error"]) == (404, "element_not_found")
    place.client.views_open(trigger_id=trigger(place), view=sample_app.modal(""))
    view = page.get("state", user="U0ANA")["modal"]
    empty = page.post("view/submit", user="U0ANA", view_id=view["id"], state={"values": {}})
    assert empty["errors"] == {"title": "Please complete this required field."}
    entered = {"values": {"title": {"value": {"type": "plain_text_input", "value": "abc"}}}}
    assert page.post("view/submit", user="U0ANA", view_id=view["id"], state=entered)["ok"]
    assert page.get("state", user="U0ANA")["modal"] is None
    again = page.post("view/close", user="U0ANA", view_id=view["id"])
    assert (again["status"], again["error"]) == (404, "not_found")


def test_a_button_that_stays_while_its_message_is_updated_can_be_pressed(place, page):
    """The update gave its block another block_id; a button that means something else is gone."""

    def shown(value):
        text = {"type": "plain_text", "text": "Go"}
        button = {"type": "button", "action_id": "go", "text": text, "value": value}
        return [{"type": "actions", "elements": [button]}]

    ts = place.client.chat_postMessage(channel="C0GENERAL", text="x", blocks=shown("1"))["ts"]
    seen = page.get("messages", channel="C0GENERAL", user="U0ANA")["messages"][-1]["blocks"][0]
    act = {"user": "U0ANA", "channel": "C0GENERAL", "message_ts": ts, "action_id": "go"}
    act |= {"block_id": seen["block_id"], "value": "1"}
    place.client.chat_update(channel="C0GENERAL", ts=ts, text="y", blocks=shown("1"))
    assert page.post("action", **act)["ok"]
    sent = place.workspace.deliveries.sent[-1].payload["actions"][0]
    assert sent["value"] == "1"
    assert sent["block_id"] != seen["block_id"]
    place.client.chat_update(channel="C0GENERAL", ts=ts, text="z", blocks=shown("2"))
    stale = page.post("action", **act)
    assert (stale["status"], stale["error"]) == (404, "element_not_found")
    assert stale["message"] == "This has changed meanwhile. Look again."


def test_without_an_app_the_person_is_told(place):
    """A sentence, and HTTP 504."""
    answer = Page(place).post("send", user="U0ANA", channel="C0GENERAL", text="/echo x")
    assert (answer["status"], answer["error"]) == (504, "dispatch_failed")
    assert "Is it running?" in answer["message"]


def test_shortcuts_and_the_home_tab_are_opened(place, page):
    """Each becomes a payload to the app."""
    ts = place.workspace.say("ana", "general", "x").ts
    assert page.post("shortcut", user="U0ANA", callback_id="new_ticket")["ok"]
    assert page.post(
        "shortcut", user="U0ANA", callback_id="quote", channel="C0GENERAL", message_ts=ts
    )["ok"]
    assert page.post("home", user="U0ANA", app_id=place.app.id)["ok"]
    names = [envelope.name for envelope in place.workspace.deliveries.sent][-3:]
    assert names == ["shortcut", "message_action", "app_home_opened"]


def test_the_stream_tells_of_changes_that_i_may_see(place, page):
    """Server-sent events, from a number on; other people's secrets stay theirs."""
    start = place.workspace.changes.last
    found = []

    def listen():
        url = f"{page.url}/ui/stream?user=U0ANA&after={start}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            for line in answer:
                if line.startswith(b"data: "):
                    found.append(json.loads(line[6:]))
                if len(found) == 2:
                    return

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    place.client.chat_postEphemeral(channel="C0GENERAL", user="U0BO", text="not for Ana")
    first = place.workspace.say("bo", "general", "hi").ts
    place.workspace.say("bo", "general", "again", thread_ts=first)
    thread.join(10)
    assert [(change["type"], change.get("thread_ts")) for change in found] == [
        ("message", None),
        ("message", first),
    ]
    assert found[0]["seq"] < found[1]["seq"]


def test_a_stream_from_the_future_starts_over(place, page):
    """After a restart the page is told to read everything again."""
    with urllib.request.urlopen(
        f"{page.url}/ui/stream?user=U0ANA&after=99999", timeout=5
    ) as answer:
        lines = [answer.readline() for _ in range(4)]
    assert json.loads(lines[3].removeprefix(b"data: "))["type"] == "reset"


def test_the_inspector_shows_payloads_without_secrets(place, page):
    """Requests in, envelopes out, tokens masked."""
    place.client.chat_postMessage(channel="C0GENERAL", text=f"my token is {place.app.bot_token}")
    place.client.api_call("auth.test", params={"token": place.app.bot_token})
    page.post("send", user="U0ANA", channel="C0GENERAL", text="hi")
    answer = page.get("inspector", after=0)
    kinds = [(r["direction"], r["kind"], r["name"]) for r in answer["records"]]
    assert kinds[0] == ("in", "api", "chat.postMessage")
    assert ("out", "event", "message") in kinds
    assert place.app.bot_token not in json.dumps(answer)
    assert page.get("inspector", after=answer["last"])["records"] == []


def test_files_are_served_and_never_run_as_a_page(place, page):
    """An image shows; HTML is downloaded."""
    ts = place.workspace.upload("ana", "general", "a b.html", b"<script>1</script>").ts
    shown = page.get("messages", channel="C0GENERAL", user="U0ANA")["messages"][0]
    url = shown["files"][0]["url"]
    with urllib.request.urlopen(page.url + url) as answer:
        assert answer.read() == b"<script>1</script>"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert url.endswith(quote("a b.html"))
    assert shown["ts"] == ts


def test_a_browser_asks_whether_a_file_it_keeps_is_still_the_same(place, page):
    """Another workspace on the same port has files of the same names."""
    place.workspace.upload("ana", "general", "a.txt", b"one")
    shown = page.get("messages", channel="C0GENERAL", user="U0ANA")["messages"][0]
    url = page.url + shown["files"][0]["url"]
    with urllib.request.urlopen(url) as answer:
        assert answer.headers["Cache-Control"] == "private, no-cache"
        tag = answer.headers["ETag"]
    with pytest.raises(urllib.error.HTTPError) as same:
        urllib.request.urlopen(urllib.request.Request(url, headers={"If-None-Match": tag}))
    assert same.value.code == 304
    [stored] = place.workspace.files.values()
    stored.data = b"two"
    with urllib.request.urlopen(
        urllib.request.Request(url, headers={"If-None-Match": tag})
    ) as answer:
        assert answer.read() == b"two"


def test_a_file_is_uploaded_through_the_page(place, page):
    """Raw bytes in the body."""
    query = urlencode({"user": "U0ANA", "channel": "C0GENERAL", "name": "log.txt"})
    headers = {"Content-Type": "application/octet-stream"}
    request = urllib.request.Request(f"{page.url}/ui/upload?{query}", b"boom", headers)
    answer = json.loads(urllib.request.urlopen(request).read())
    assert place.workspace.files[answer["file"]].data == b"boom"


def test_the_transcript_has_threads_versions_and_what_was_deleted(place, page):
    """Everything that a person could have seen."""
    ts = page.post("send", user="U0ANA", channel="C0GENERAL", text="one")["ts"]
    page.post("send", user="U0BO", channel="C0GENERAL", text="reply", thread_ts=ts)
    page.post("edit", user="U0ANA", channel="C0GENERAL", ts=ts, text="two")
    gone = page.post("send", user="U0ANA", channel="C0GENERAL", text="gone")["ts"]
    page.post("delete", user="U0ANA", channel="C0GENERAL", ts=gone)
    messages = page.get("transcript", channel="C0GENERAL")["channels"][0]["messages"]
    assert [message["text"] for message in messages] == ["two", "gone"]
    assert messages[0]["versions"][0]["text"] == "one"
    assert messages[0]["replies"][0]["text"] == "reply"
    assert messages[1]["deleted"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("send", {"user": "U0ANA"}, 400),
        ("send", {"user": "U0NO", "channel": "C0GENERAL", "text": "x"}, 404),
        ("send", {"user": "U0ANA", "channel": "C0NO", "text": "x"}, 404),
        ("action", {"user": "U0ANA", "action_id": "x"}, 404),
        ("view/submit", {"user": "U0ANA", "view_id": "V0NO"}, 404),
        ("shortcut", {"user": "U0ANA", "callback_id": "x"}, 400),
    ],
)
def test_malformed_acts_end_in_a_sentence(page, path, body, status):
    """Never an internal error."""
    answer = page.post(path, **body)
    assert answer["status"] == status
    assert answer["message"].endswith((".", "?"))
