"""Buttons, menus and choices: what the app hears and what the person sees."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.page.conftest import Desk, Heard

pytestmark = pytest.mark.browser


def plain(text: str) -> dict[str, str]:
    """A plain_text object."""
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> dict[str, str]:
    """A mrkdwn object."""
    return {"type": "mrkdwn", "text": text}


def button(text: str, action: str, **more: Any) -> dict[str, Any]:
    """A button element."""
    return {"type": "button", "text": plain(text), "action_id": action, "value": action, **more}


def options(*texts: str) -> list[dict[str, Any]]:
    """Options with the text as their value."""
    return [{"text": plain(text), "value": text} for text in texts]


def actions(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    """One actions block."""
    return [{"type": "actions", "block_id": "act", "elements": list(elements)}]


def test_a_click_reaches_the_app_and_its_update_appears_in_place(desk: Desk, heard: Heard) -> None:
    """The button is busy until the message changes, then the new blocks stand in the same row."""

    @desk.bolt.action("take")
    def take(ack: Any, body: Any, client: Any) -> None:
        ack()
        time.sleep(0.6)
        client.chat_update(
            channel=body["channel"]["id"],
            ts=body["message"]["ts"],
            text="taken",
            blocks=[{"type": "section", "text": mrkdwn("🟠 Ana has it")}],
        )

    ts = desk.post(actions(button("Take it", "take", style="primary")))
    page = desk.open()
    row = page.locator(f'[data-testid="messages"] [data-ts="{ts}"]')
    row.get_by_role("button", name="Take it").click()
    expect(row.locator('[data-action-id="take"]')).to_have_attribute("aria-busy", "true")
    expect(row).to_contain_text("Ana has it")
    sent = heard.wait("block_actions")
    assert sent["actions"][0]["value"] == "take"
    assert sent["user"]["id"] == desk.ana.id
    assert sent["message"]["ts"] == ts


def test_an_app_that_does_not_answer_is_said_clearly(desk: Desk) -> None:
    """The toast names the failure and the button can be pressed again."""
    desk.workspace.ack_timeout = 0.3

    @desk.bolt.action("slow")
    def slow(ack: Any) -> None:
        time.sleep(1.5)
        ack()

    desk.post(actions(button("Slow", "slow")))
    page = desk.open()
    page.get_by_role("button", name="Slow").click()
    expect(page.get_by_test_id("toast")).to_contain_text("did not answer")
    expect(page.locator('[data-action-id="slow"][aria-busy]')).to_have_count(0)


def test_a_confirm_dialog_stands_between_the_click_and_the_app(desk: Desk, heard: Heard) -> None:
    """Refusing sends nothing; agreeing sends one action; Escape refuses."""

    @desk.bolt.action("close")
    def close(ack: Any) -> None:
        ack()

    confirm = {
        "title": plain("Not an incident?"),
        "text": mrkdwn("The thread is *closed*."),
        "confirm": plain("Close it"),
        "deny": plain("Keep it"),
    }
    desk.post(actions(button("Not an incident", "close", style="danger", confirm=confirm)))
    page = desk.open()
    press = page.get_by_role("button", name="Not an incident")
    press.click()
    dialog = page.get_by_role("dialog", name="Not an incident?")
    expect(dialog.locator("strong")).to_have_text("closed")
    dialog.get_by_role("button", name="Keep it").click()
    press.click()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert not [one for one in heard.payloads if one.get("type") == "block_actions"]
    press.click()
    dialog.get_by_role("button", name="Close it").click()
    assert heard.wait("block_actions")["actions"][0]["action_id"] == "close"


def test_every_kind_of_choice_sends_slacks_own_fields(desk: Desk, heard: Heard) -> None:
    """Selects, overflow, checkboxes, radio buttons and dates: each action has its value field."""

    @desk.bolt.action(re.compile(".*"))
    def any_action(ack: Any) -> None:
        ack()

    @desk.bolt.options("ext")
    def offer(ack: Any, payload: Any) -> None:
        ack(options=options(f"{payload['value']} one", f"{payload['value']} two"))

    desk.post(
        [
            *actions(
                {"type": "static_select", "action_id": "one", "options": options("a", "b")},
                {"type": "users_select", "action_id": "who"},
                {"type": "channels_select", "action_id": "room"},
                {"type": "overflow", "action_id": "more", "options": options("p", "q")},
                {"type": "external_select", "action_id": "ext", "min_query_length": 2},
                {"type": "datepicker", "action_id": "day"},
                {"type": "timepicker", "action_id": "time"},
                {"type": "radio_buttons", "action_id": "radio", "options": options("r", "s")},
                {"type": "checkboxes", "action_id": "check", "options": options("c", "d")},
            ),
        ]
    )
    page = desk.open()

    def said(count: int) -> dict[str, Any]:
        return dict(heard.wait("block_actions", count)["actions"][0])

    page.locator('[data-action-id="one"]').click()
    page.get_by_role("option", name="b").click()
    assert said(1)["selected_option"]["value"] == "b"
    page.locator('[data-action-id="who"]').click()
    page.get_by_role("option", name="Bo Lind").click()
    assert said(2)["selected_user"] == desk.bo.id
    page.locator('[data-action-id="room"]').click()
    page.get_by_role("option", name="data-platform").click()
    assert said(3)["selected_channel"] == desk.other.id
    page.locator('[data-action-id="more"]').click()
    page.get_by_role("menuitem", name="q").click()
    assert said(4)["selected_option"]["value"] == "q"
    page.locator('[data-action-id="ext"]').click()
    expect(page.get_by_test_id("popover")).to_contain_text("at least 2")
    page.get_by_role("combobox").last.press_sequentially("hum")
    page.get_by_role("option", name="hum two").click()
    assert said(5)["selected_option"]["value"] == "hum two"
    page.locator('[data-action-id="day"]').fill("2013-07-14")
    assert said(6)["selected_date"] == "2013-07-14"
    page.locator('[data-action-id="time"]').fill("14:05")
    assert said(7)["selected_time"] == "14:05"
    page.get_by_role("radio", name="s").check()
    assert said(8)["selected_option"]["value"] == "s"
    page.get_by_role("checkbox", name="c").check()
    assert [one["value"] for one in said(9)["selected_options"]] == ["c"]
    state = heard.wait("block_actions", 9)["state"]["values"]["act"]
    assert state["one"]["selected_option"]["value"] == "b"
    assert state["day"]["selected_date"] == "2013-07-14"


def test_a_select_is_used_with_the_keyboard_alone(desk: Desk, heard: Heard) -> None:
    """Enter opens, typing narrows, arrows move, Enter picks, and the focus is where it was."""

    @desk.bolt.action("one")
    def one(ack: Any) -> None:
        ack()

    names = [f"feature {i}" for i in range(12)]
    desk.post(actions({"type": "static_select", "action_id": "one", "options": options(*names)}))
    page = desk.open()
    select = page.locator('[data-action-id="one"]')
    select.focus()
    page.keyboard.press("Enter")
    page.keyboard.type("feature 1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert heard.wait("block_actions")["actions"][0]["selected_option"]["value"] == "feature 10"
    expect(select).to_be_focused()
    expect(select).to_contain_text("feature 10")


def test_a_choice_survives_an_update_of_its_message(desk: Desk) -> None:
    """What was chosen stays while block_id and action_id stay; the focus too."""

    @desk.bolt.action("one")
    def one(ack: Any) -> None:
        ack()

    blocks = actions({"type": "static_select", "action_id": "one", "options": options("a", "b")})
    ts = desk.post(blocks)
    page = desk.open()
    select = page.locator('[data-action-id="one"]')
    select.click()
    page.get_by_role("option", name="b").click()
    head = [{"type": "section", "block_id": "new", "text": mrkdwn("a new line")}]
    desk.client.chat_update(channel=desk.channel.id, ts=ts, text="t", blocks=head + blocks)
    expect(page.locator('[data-testid="message"]').last).to_contain_text("a new line")
    expect(select).to_contain_text("b")
    expect(select).to_be_focused()


def test_a_workflow_button_says_that_workflows_do_not_run(desk: Desk) -> None:
    """It is drawn like any button, and nothing is sent."""
    element = {
        "type": "workflow_button",
        "action_id": "flow",
        "text": plain("Run workflow"),
        "workflow": {"trigger": {"url": "https://slack.com/shortcuts/x"}},
    }
    desk.post(actions(element))
    page = desk.open()
    page.get_by_role("button", name="Run workflow").click()
    expect(page.get_by_text("Workflows do not run in this workspace.")).to_be_visible()
    assert desk.workspace.recorder.find("block_actions") == []
