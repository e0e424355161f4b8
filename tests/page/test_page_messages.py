"""What messages look like: mrkdwn, blocks, images, threads, reactions, ephemerals."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.page.conftest import Desk, Heard

pytestmark = pytest.mark.browser


def section(text: str, **more: Any) -> dict[str, Any]:
    """A section with mrkdwn."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def png(width: int, height: int) -> bytes:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def last(page: Any) -> Any:
    """The last message of the channel."""
    return page.get_by_test_id("messages").get_by_test_id("message").last


def test_mrkdwn_is_drawn_as_slack_draws_it(desk: Desk) -> None:
    """Bold, italic, strike, code, quotes, links, mentions, dates in the reader's zone, escapes."""
    text = (
        "*bold _both_* ~gone~ `a*b*c` 2*3*4 snake_case_name :tada: &lt;b&gt; &amp;\n"
        "&gt; quoted\n"
        "<https://example.org/a?b=1&amp;c=2|the book> "
        f"<@{desk.ana.id}> <#{desk.other.id}> <!here>\n"
        "since <!date^1373810700^{date_short} {time}|14 July>\n"
        "```if a < b:\n  *stop*```"
    )
    desk.post([section(text)])
    row = last(desk.open())
    expect(row.locator("strong em")).to_have_text("both")
    expect(row.locator("s")).to_have_text("gone")
    expect(row.locator("code")).to_have_text("a*b*c")
    expect(row).to_contain_text("2*3*4 snake_case_name 🎉 <b> &")
    expect(row.locator("blockquote")).to_have_text("quoted")
    link = row.get_by_role("link", name="the book")
    expect(link).to_have_attribute("href", "https://example.org/a?b=1&c=2")
    expect(row.locator(".mention.me")).to_have_text("@Ana Ruiz")
    expect(row.get_by_role("link", name="#data-platform")).to_be_visible()
    expect(row.locator("time").last).to_have_text("14 Jul 2013 16:05")
    expect(row.locator("pre")).to_have_text("if a < b:\n  *stop*")


def test_text_can_never_become_html(desk: Desk) -> None:
    """Markup and script addresses in a message stay text and run nothing."""
    evil = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script>"
    desk.workspace.say(desk.bo, desk.channel.id, evil)
    message = desk.plant([section(f"{evil} <javascript:alert(1)|press>")])
    page = desk.open()
    row = page.locator(f'[data-testid="messages"] [data-ts="{message.ts}"]')
    expect(row).to_contain_text("onerror")
    assert row.locator("img, script").count() == 0
    assert row.locator('a[href^="javascript"]').count() == 0
    assert page.evaluate("window.hacked") is None


def test_blocks_of_every_kind_are_drawn_and_unknown_ones_shown_as_json(desk: Desk) -> None:
    """Nothing that an app sends is dropped in silence."""
    plain = {"type": "plain_text", "text": "Plain"}
    cell = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]}
    cell["elements"][0]["elements"] = [{"type": "text", "text": "rich", "style": {"bold": True}}]
    rows = [[{"type": "raw_text", "text": "feature"}], [cell]]
    points = [{"label": "a", "value": 1}, {"label": "b", "value": 3}]
    chart = {"type": "line", "series": [{"name": "s", "data": points}]}
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": plain},
        section("body", fields=[{"type": "mrkdwn", "text": "*Owner*\nAna"}]),
        {"type": "divider"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "98 %"}]},
        {"type": "table", "rows": rows},
        {"type": "markdown", "text": "## Title\n- one\n- **two**\n\n| x |\n|--|\n| 1 |"},
        {"type": "rich_text", "elements": [{"type": "rich_text_quote", "elements": []}]},
        {"type": "data_visualization", "title": "Errors", "chart": chart},
        {"type": "alert", "level": "warning", "text": plain},
        {
            "type": "input",
            "label": plain,
            "element": {"type": "plain_text_input", "action_id": "i"},
        },
        {"type": "hologram", "shape": "cube"},
        {"type": "actions", "elements": [{"type": "lever", "action_id": "l"}]},
        {"type": "table", "rows": None},
    ]
    message = desk.plant(blocks)
    page = desk.open()
    row = page.locator(f'[data-testid="messages"] [data-ts="{message.ts}"]')
    expect(row.get_by_role("heading", name="Plain")).to_be_visible()
    expect(row.locator(".fields strong")).to_have_text("Owner")
    expect(row.locator("td strong")).to_have_text("rich")
    expect(row.locator(".markdown li strong")).to_have_text("two")
    expect(row.locator("svg polyline")).to_have_count(1)
    expect(row.get_by_role("textbox")).to_be_visible()
    shown = row.get_by_test_id("raw-block")
    expect(shown).to_have_count(3)
    expect(shown.first).to_contain_text("hologram")
    shown.first.locator("summary").click()
    expect(shown.first).to_contain_text('"shape": "cube"')


def test_a_chart_keeps_its_place_and_can_be_enlarged(desk: Desk) -> None:
    """The picture has its alt text, its shape is kept, and Escape closes the large view."""
    answer = desk.client.files_upload_v2(
        file=png(720, 300), filename="c.png", title="Precision", alt_txt="Precision fell at 14:05."
    )
    file = answer["file"]["id"]
    desk.workspace.wait_for(lambda: desk.workspace.files[file].completed)
    desk.workspace.files[file].ready_at = 0.0
    alt = "Precision fell at 14:05."
    desk.post([{"type": "image", "slack_file": {"id": file}, "alt_text": alt}])
    page = desk.open()
    frame = page.get_by_role("button", name=f"Enlarge image: {alt}")
    expect(frame.get_by_role("img", name=alt)).to_be_visible()
    assert frame.evaluate("node => node.style.getPropertyValue('--ratio')") == "720 / 300"
    page.wait_for_function("document.querySelector('.figure img').naturalWidth === 720")
    box = frame.bounding_box()
    assert box is not None
    assert abs(box["width"] / box["height"] - 720 / 300) < 0.05
    frame.click()
    large = page.get_by_test_id("lightbox")
    expect(large.get_by_role("img", name=alt)).to_be_visible()
    page.keyboard.press("Escape")
    expect(large).to_have_count(0)
    expect(frame).to_be_focused()


def test_an_ephemeral_message_is_seen_by_one_person_and_can_be_dismissed(desk: Desk) -> None:
    """Acting as somebody else does not show it."""
    desk.client.chat_postEphemeral(
        channel=desk.channel.id, user=desk.ana.id, text="So far: it is real."
    )
    page = desk.open()
    expect(last(page)).to_contain_text("Only visible to you")
    page.get_by_test_id("act-as").click()
    page.get_by_role("option", name="Bo Lind").click()
    expect(page.get_by_test_id("act-as")).to_contain_text("Bo Lind")
    expect(page.get_by_text("So far: it is real.")).to_have_count(0)
    page.get_by_test_id("act-as").click()
    page.get_by_role("option", name="Ana Ruiz").click()
    last(page).hover()
    last(page).get_by_test_id("message-menu").click()
    page.get_by_role("menuitem", name="Dismiss").click()
    expect(page.get_by_text("So far: it is real.")).to_have_count(0)


def test_a_thread_opens_beside_the_channel_and_takes_replies(desk: Desk) -> None:
    """The reply appears in the pane, and the channel counts it."""
    ts = desk.post(text="an alert")
    desk.client.chat_postMessage(channel=desk.channel.id, thread_ts=ts, text="step 1")
    page = desk.open()
    page.get_by_test_id("replies").click()
    pane = page.get_by_test_id("thread-pane")
    expect(pane.get_by_test_id("message")).to_have_count(2)
    field = page.get_by_test_id("thread-composer")
    expect(field).to_be_focused()
    field.fill("we saw the same on 3 March")
    field.press("Enter")
    expect(pane.get_by_test_id("message")).to_have_count(3)
    expect(page.get_by_test_id("replies")).to_contain_text("2 replies")
    assert desk.channel.replies(ts)[-1].user == desk.ana.id
    page.keyboard.press("Escape")
    expect(pane).to_be_hidden()


def test_own_messages_are_edited_and_deleted_and_marked(desk: Desk) -> None:
    """The text comes back for editing with names, and keeps its mention."""
    desk.workspace.say(desk.ana, desk.channel.id, "hi @Bo Lind & all")
    page = desk.open()
    last(page).hover()
    last(page).get_by_test_id("message-menu").click()
    page.get_by_role("menuitem", name="Edit message").click()
    field = page.get_by_test_id("composer")
    expect(field).to_have_value("hi @bo & all")
    field.fill("hello @bo & all")
    field.press("Enter")
    expect(last(page)).to_contain_text("hello @Bo Lind & all (edited)")
    expect(last(page).locator(".mention")).to_have_text("@Bo Lind")
    ts = last(page).get_attribute("data-ts")
    last(page).hover()
    last(page).get_by_test_id("message-menu").click()
    page.get_by_role("menuitem", name="Delete message").click()
    page.get_by_test_id("confirm-yes").click()
    expect(page.locator(f'[data-ts="{ts}"]')).to_have_count(0)


def test_reactions_are_added_and_taken_back(desk: Desk) -> None:
    """The picker adds one, a click on the chip takes it back."""
    ts = desk.post(text="an alert")
    page = desk.open()
    last(page).hover()
    last(page).get_by_role("button", name="Add reaction").click()
    page.get_by_role("textbox", name="Find an emoji").fill("eyes")
    page.keyboard.press("Enter")
    chip = last(page).locator('[data-reaction="eyes"]')
    expect(chip).to_have_attribute("aria-pressed", "true")
    assert desk.workspace.message(desk.channel.id, ts).reactions == {"eyes": [desk.ana.id]}
    chip.click()
    expect(chip).to_have_count(0)


def test_the_view_sticks_to_the_bottom_only_for_readers_who_are_there(desk: Desk) -> None:
    """Somebody who reads further up is not moved, and is told that something is new."""
    for i in range(40):
        desk.workspace.say(desk.bo, desk.channel.id, f"line {i}\nand more of it")
    page = desk.open()
    messages = page.get_by_test_id("messages")
    expect(page.get_by_text("line 39")).to_be_in_viewport()
    desk.post(text="at the bottom")
    expect(page.get_by_text("at the bottom")).to_be_in_viewport()
    messages.evaluate("node => { node.scrollTop = 300; }")
    page.wait_for_timeout(100)
    desk.post(text="while reading")
    jump = page.get_by_role("button", name="New messages")
    expect(jump).to_be_visible()
    assert messages.evaluate("node => node.scrollTop") == 300
    first = desk.workspace.channel(desk.channel.id).messages
    desk.workspace.edit_own(desk.bo, desk.channel.id, min(first), "line 0\n\n\n\nmuch longer now")
    expect(page.get_by_text("much longer now")).to_be_attached()
    top = (
        "node => Math.round([...node.querySelectorAll('.message')][8].getBoundingClientRect().top)"
    )
    before = messages.evaluate(top)
    page.wait_for_timeout(150)
    assert messages.evaluate(top) == before
    jump.click()
    expect(page.get_by_text("while reading")).to_be_in_viewport()


def test_buttons_of_a_legacy_attachment_are_pressed(desk: Desk, heard: Heard) -> None:
    """A link leads on; the others tell the app, after their question if they have one."""

    @desk.bolt.attachment_action("a")
    def take(ack: Any) -> None:
        ack()

    levels = [{"text": "High", "value": "h"}, {"text": "Low", "value": "l"}]
    actions = [
        {"type": "button", "name": "ack", "text": "Acknowledge", "value": "1"},
        {"type": "select", "name": "level", "text": "Level", "options": levels},
        {"type": "button", "text": "Runbook", "url": "https://runbooks.example/1"},
    ]
    actions[0]["confirm"] = {"text": "Sure?", "ok_text": "Yes"}
    desk.client.chat_postMessage(
        channel=desk.channel.id,
        text="alert",
        attachments=[{"text": "High latency", "callback_id": "a", "actions": actions}],
    )
    page = desk.open()
    page.get_by_role("button", name="Acknowledge").click()
    page.get_by_role("button", name="Yes").click()
    assert heard.wait("interactive_message")["actions"][0]["value"] == "1"
    page.get_by_role("button", name="Level").click()
    page.get_by_text("Low", exact=True).click()
    chosen = heard.wait("interactive_message", 2)["actions"][0]
    assert chosen["selected_options"] == [{"value": "l"}]
    expect(page.get_by_role("link", name="Runbook")).to_have_attribute(
        "href", "https://runbooks.example/1"
    )
