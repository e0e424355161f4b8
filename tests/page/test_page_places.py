"""Moving about: channels, people, commands, shortcuts, a phone, the inspector, the clock."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import expect
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.workspace import Workspace, serve
from tests.page.conftest import Desk, Heard

pytestmark = pytest.mark.browser


def test_a_channel_with_news_is_marked_until_it_is_read(desk: Desk) -> None:
    """The dot appears by itself and goes when the channel is opened."""
    page = desk.open()
    row = page.locator(f'[data-testid="sidebar"] [data-channel="{desk.other.id}"]')
    desk.workspace.say(desk.bo, desk.other.id, "the feed is late")
    expect(row).to_have_accessible_name("data-platform, 1 unread")
    row.click()
    expect(page.get_by_text("the feed is late")).to_be_visible()
    expect(row).to_have_accessible_name("data-platform")


def test_a_channel_can_be_looked_at_and_joined(desk: Desk) -> None:
    """Who is not a member sees a way in where the field to write would be."""
    page = desk.open()
    page.get_by_role("link", name="quiet").click()
    page.get_by_role("button", name="Join the channel").click()
    expect(page.get_by_test_id("composer")).to_be_visible()
    assert desk.ana.id in desk.workspace.channel("quiet").members


def test_a_channel_that_was_just_made_is_opened(desk: Desk) -> None:
    """What is written next is written there."""
    page = desk.open()
    page.get_by_role("button", name="New channel").click()
    page.get_by_label("Name of the channel").fill("side room")
    page.get_by_role("button", name="Create").click()
    field = page.get_by_test_id("composer")
    expect(field).to_have_attribute("placeholder", "Message #side-room")
    field.fill("anybody here?")
    field.press("Enter")
    expect(page.get_by_test_id("message").last).to_contain_text("anybody here?")
    said = desk.workspace.channel("side-room").messages
    assert [m.text for m in said.values()][-1:] == ["anybody here?"]


def test_a_slash_command_is_completed_and_sent(desk: Desk) -> None:
    """Typing / shows what there is, Tab completes, Enter sends."""

    @desk.bolt.command("/hawkeye")
    def command(ack: Any, command: Any) -> None:
        ack(f"I heard: {command['text']}")

    page = desk.open()
    field = page.get_by_test_id("composer")
    field.press_sequentially("/ha")
    expect(page.get_by_role("option")).to_contain_text("triage <metric> [since]")
    field.press("Tab")
    expect(field).to_have_value("/hawkeye ")
    field.press_sequentially("status")
    field.press("Enter")
    expect(page.get_by_test_id("message").last).to_contain_text("I heard: status")
    expect(field).to_have_value("")


def test_a_slash_command_in_a_thread_is_refused_as_slack_refuses_it(desk: Desk) -> None:
    """The text stays in the field and the toast says what to do instead."""
    ts = desk.post(text="an alert")
    page = desk.open(path=f"#/{desk.channel.id}/{ts}")
    field = page.get_by_test_id("thread-composer")
    field.fill("/hawkeye status")
    field.press("Enter")
    expect(page.get_by_test_id("toast")).to_contain_text("threads")
    expect(field).to_have_value("/hawkeye status")


def test_a_mention_is_completed_and_reaches_the_app(desk: Desk, heard: Heard) -> None:
    """@ offers people and apps; the message carries the app's id."""
    page = desk.open()
    field = page.get_by_test_id("composer")
    field.press_sequentially("@haw")
    expect(page.get_by_role("option")).to_contain_text("HawkEye")
    field.press("Enter")
    field.press_sequentially("help")
    field.press("Enter")
    assert heard.wait("app_mention")["text"] == f"<@{desk.app.user_id}> help"


def test_older_messages_are_loaded_when_the_reader_scrolls_up(desk: Desk) -> None:
    """A hundred at a time, and what was in view stays in view."""
    for i in range(130):
        desk.workspace.say(desk.bo, desk.channel.id, f"line {i}.")
    page = desk.open()
    expect(page.get_by_text("line 129.")).to_be_in_viewport()
    expect(page.get_by_text("line 20.")).to_have_count(0)
    page.get_by_test_id("messages").evaluate("node => { node.scrollTop = 0; }")
    expect(page.get_by_text("line 20.")).to_have_count(1)
    expect(page.get_by_text("line 35.")).to_be_in_viewport()
    expect(page.get_by_text("line 0.", exact=True)).not_to_be_in_viewport()


def test_a_reader_who_has_just_left_the_bottom_is_not_fetched_back(desk: Desk) -> None:
    """The browser tells of scrolling with its next frame; the list may be drawn before that."""
    desk.post()
    page = desk.open()
    top = page.evaluate(
        """async () => {
          const { MessageList } = await import("/page/list.js");
          const scroller = document.createElement("div");
          scroller.style.cssText = "height: 100px; overflow: auto";
          document.body.append(scroller);
          const list = new MessageList(scroller);
          const intro = document.createElement("div");
          intro.style.height = "1000px";
          list.render([], null, "here", intro);
          const before = scroller.scrollTop;
          scroller.scrollTop = 0;
          list.render([], null, "here", intro);
          return [before, scroller.scrollTop];
        }"""
    )
    assert top == [900, 0]


def test_a_permalink_opens_its_message_here_and_in_a_new_tab(desk: Desk) -> None:
    """A link to a reply opens the thread, in place as well as when it is loaded afresh."""
    ts = desk.post(text="an alert")
    reply = desk.client.chat_postMessage(channel=desk.channel.id, thread_ts=ts, text="step 1")
    link = desk.client.chat_getPermalink(channel=desk.channel.id, message_ts=reply["ts"])
    address = link["permalink"]
    desk.post(text=f"<{address}|said there>")
    page = desk.open()
    page.get_by_role("link", name="said there").click()
    pane = page.get_by_test_id("thread-pane")
    expect(pane.get_by_test_id("message").last).to_contain_text("step 1")
    page.goto(address)
    expect(pane.get_by_test_id("message").last).to_contain_text("step 1")


def test_the_switcher_goes_anywhere_by_name(desk: Desk) -> None:
    """Ctrl + K, a few letters, Enter."""
    page = desk.open()
    page.keyboard.press("Control+k")
    page.keyboard.type("platf")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="data-platform", exact=True)).to_be_visible()


def test_somebody_who_is_gone_is_replaced_by_the_first_person(desk: Desk) -> None:
    """An address kept from another run still opens the page."""
    page = desk.open()
    page.goto(f"{desk.server.url}/?user=UGONE")
    expect(page.get_by_test_id("act-as")).to_contain_text("Ana Ruiz")


def test_new_replies_are_marked_until_the_thread_was_open(desk: Desk) -> None:
    """The channel shows which thread has something new."""
    ts = desk.post(text="an alert")
    desk.client.chat_postMessage(channel=desk.channel.id, thread_ts=ts, text="step 1")
    page = desk.open()
    expect(page.get_by_title("New replies")).to_be_visible()
    page.get_by_test_id("replies").click()
    expect(page.get_by_title("New replies")).to_have_count(0)
    page.get_by_test_id("thread-close").click()
    desk.client.chat_postMessage(channel=desk.channel.id, thread_ts=ts, text="step 2")
    expect(page.get_by_title("New replies")).to_be_visible()


def test_shortcuts_are_found_in_their_menus(desk: Desk, heard: Heard) -> None:
    """Message shortcuts in the message's menu, global ones beside the field."""
    ts = desk.post(text="somebody else's alert")

    @desk.bolt.shortcut("triage_message")
    def on_message(ack: Any) -> None:
        ack()

    @desk.bolt.shortcut("open_incident")
    def anywhere(ack: Any) -> None:
        ack()

    page = desk.open()
    page.get_by_test_id("message").last.hover()
    page.get_by_test_id("message").last.get_by_test_id("message-menu").click()
    page.get_by_role("menuitem", name="Triage this alert").click()
    assert heard.wait("message_action")["message"]["ts"] == ts
    page.get_by_test_id("shortcuts").click()
    page.get_by_role("menuitem", name="Open an incident").click()
    assert heard.wait("shortcut")["callback_id"] == "open_incident"


def test_on_a_phone_one_pane_is_shown_at_a_time(desk: Desk) -> None:
    """Channel, thread and sidebar follow each other with back buttons, and nothing is cut off."""
    ts = desk.post(text="an alert")
    desk.client.chat_postMessage(channel=desk.channel.id, thread_ts=ts, text="step 1")
    page = desk.open(width=390, height=844)
    sidebar, thread = page.get_by_test_id("sidebar"), page.get_by_test_id("thread-pane")
    expect(sidebar).to_be_hidden()
    page.get_by_test_id("replies").click()
    expect(thread).to_be_visible()
    expect(page.get_by_test_id("channel-pane")).to_be_hidden()
    page.get_by_test_id("thread-back").click()
    expect(thread).to_be_hidden()
    page.get_by_test_id("back").click()
    expect(sidebar).to_be_visible()
    page.get_by_role("link", name="data-platform").click()
    expect(sidebar).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_every_control_has_a_name_and_every_picture_a_text(desk: Desk) -> None:
    """What a screen reader meets is never a nameless button."""
    desk.post(text="an alert")
    page = desk.open()
    nameless = """() => [...document.querySelectorAll('button, a, input, textarea, select')]
        .filter(node => node.getClientRects().length && !(node.ariaLabel || node.textContent.trim()
            || node.getAttribute('aria-labelledby'))).map(node => node.outerHTML)"""
    assert page.evaluate(nameless) == []
    assert page.evaluate("[...document.images].filter(one => one.alt === '').length") == 0


def test_dark_colours_can_be_chosen_and_are_remembered(desk: Desk) -> None:
    """The toggle overrides the system's choice and survives a reload."""
    page = desk.open()
    page.get_by_test_id("theme").click()
    page.reload()
    page.wait_for_selector("#app[data-ready]")
    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert color == "rgb(20, 25, 31)"


def test_the_inspector_shows_raw_payloads_and_the_transcript_downloads(desk: Desk) -> None:
    """Requests appear with their JSON, the filter narrows them, the transcript is JSON."""
    desk.post(text="something to look for")
    page = desk.open()
    page.get_by_test_id("inspector-link").click()
    page.get_by_test_id("inspector-filter").fill("something to look")
    row = page.get_by_test_id("inspector-list").locator("details.inspect-row").first
    row.locator("summary").first.click()
    expect(row).to_contain_text('"something to look for"')
    with page.expect_download() as waiting:
        page.get_by_test_id("transcript").click()
    content = json.loads(waiting.value.path().read_text())
    assert "something to look for" in json.dumps(content)


def test_the_page_comes_back_after_the_connection_was_lost(desk: Desk) -> None:
    """While offline it says so; afterwards what happened meanwhile is there."""
    page = desk.open()
    page.context.set_offline(True)
    # An open stream is not cut by going offline, so the workspace ends it.
    desk.workspace.stopping.set()
    desk.workspace.changes.add("app")
    expect(page.get_by_text("Connection lost")).to_be_visible()
    desk.workspace.stopping.clear()
    desk.post(text="meanwhile")
    page.context.set_offline(False)
    expect(page.get_by_text("meanwhile")).to_be_visible()
    expect(page.get_by_text("Connection lost")).to_be_hidden()


def test_the_demo_clock_is_shown_and_its_buttons_post(browser: Any) -> None:
    """The bar exists only where the demo world serves a clock."""
    posted: list[str] = []

    async def clock(_: Request) -> Response:
        control = {"label": "Faster", "post": "/demo/faster"}
        now, label = "2013-07-14T12:05:00+00:00", "Flights of 2013"
        speed = 60 if posted else 1
        return JSONResponse({"now": now, "speed": speed, "label": label, "controls": [control]})

    async def faster(request: Request) -> Response:
        posted.append(request.url.path)
        return JSONResponse({"ok": True})

    workspace = Workspace()
    ana = workspace.add_user("ana", "Ana Ruiz")
    workspace.add_channel("ml-oncall", [ana])
    extra = [Route("/demo/clock", clock), Route("/demo/faster", faster, methods=["POST"])]
    with serve(workspace, extra_routes=extra) as server:
        context = browser.new_context(locale="en-GB", timezone_id="Europe/Berlin")
        page = context.new_page()
        page.goto(server.url)
        bar = page.get_by_test_id("clock")
        expect(bar).to_contain_text("14 Jul 2013 14:05")
        bar.get_by_role("button", name="Faster").click()
        expect(bar).to_contain_text("60 × real time")
        context.close()
    assert posted == ["/demo/faster"]


def test_a_change_while_a_link_is_pressed_does_not_take_it_away(desk: Desk) -> None:
    """The list is drawn anew once the button is let go of."""
    page = desk.open()
    box = page.get_by_test_id("inspector-link").bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + box["height"] / 2)
    page.mouse.down()
    desk.client.conversations_create(name="made-meanwhile")
    page.wait_for_timeout(1500)
    page.mouse.up()
    expect(page.get_by_test_id("inspector-filter")).to_be_visible()
    expect(page.get_by_label("Channels").get_by_text("made-meanwhile")).to_be_visible()
