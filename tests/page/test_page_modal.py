"""Modals and the Home tab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.page.conftest import Desk, Heard
from tests.page.test_page_actions import actions, button, mrkdwn, plain

pytestmark = pytest.mark.browser


def text_input(block: str, label: str, **more: Any) -> dict[str, Any]:
    """An input block with a text field."""
    element = {"type": "plain_text_input", "action_id": f"{block}_text", **more}
    return {"type": "input", "block_id": block, "label": plain(label), "element": element}


def modal(title: str, *blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A modal view."""
    return {
        "type": "modal",
        "callback_id": "form",
        "title": plain(title),
        "submit": plain("Send"),
        "close": plain("Never mind"),
        "blocks": list(blocks),
        **more,
    }


def open_form(desk: Desk, view: dict[str, Any]) -> Any:
    """A page with a message whose button has opened the view."""

    @desk.bolt.action("open")
    def show(ack: Any, body: Any, client: Any) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=view)

    desk.post(actions(button("Open", "open")))
    page = desk.open()
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_test_id("modal")).to_be_visible()
    return page


def test_errors_stand_at_their_field_and_what_was_typed_stays(desk: Desk, heard: Heard) -> None:
    """The app refuses one field, the person corrects it, the modal goes."""

    @desk.bolt.view("form")
    def answer(ack: Any, view: Any) -> None:
        since = view["state"]["values"]["since"]["since_text"]["value"]
        if since == "soon":
            ack(response_action="errors", errors={"since": "I know no time “soon”."})
        else:
            ack()

    page = open_form(
        desk,
        modal(
            "Other window", text_input("since", "Since"), text_input("why", "Why", multiline=True)
        ),
    )
    dialog = page.get_by_role("dialog", name="Other window")
    dialog.get_by_label("Why").fill("deploys\nat noon")
    dialog.get_by_label("Since").fill("soon")
    dialog.get_by_role("button", name="Send").click()
    expect(dialog.get_by_role("alert")).to_have_text("I know no time “soon”.")
    expect(dialog.get_by_label("Since")).to_be_focused()
    expect(dialog.get_by_label("Why")).to_have_value("deploys\nat noon")
    dialog.get_by_label("Since").fill("14:00")
    expect(dialog.get_by_role("alert")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    sent = heard.wait("view_submission", 2)["view"]["state"]["values"]
    assert sent["why"]["why_text"]["value"] == "deploys\nat noon"
    assert sent["since"]["since_text"]["value"] == "14:00"


def test_an_empty_required_field_is_named_before_the_app_is_asked(desk: Desk, heard: Heard) -> None:
    """Slack's client checks it, so this page shows it too."""
    page = open_form(desk, modal("Note", text_input("note", "Note")))
    page.get_by_test_id("modal-submit").click()
    expect(page.get_by_test_id("modal").get_by_role("alert")).to_have_count(1)
    assert not [one for one in heard.payloads if one.get("type") == "view_submission"]


def test_an_update_keeps_what_was_typed_and_a_push_comes_back(desk: Desk) -> None:
    """Typed text survives views.update; views.push lies on top; closing shows the first again."""

    @desk.bolt.action("more")
    def more(ack: Any, body: Any, client: Any) -> None:
        ack()
        view = modal("First", text_input("note", "Note"), *actions(button("Push", "push")))
        client.views_update(view_id=body["view"]["id"], view=view)

    @desk.bolt.action("push")
    def push(ack: Any, body: Any, client: Any) -> None:
        ack()
        client.views_push(trigger_id=body["trigger_id"], view=modal("Second", text_input("x", "X")))

    page = open_form(
        desk, modal("First", text_input("note", "Note"), *actions(button("More", "more")))
    )
    page.get_by_label("Note").fill("half a thought")
    page.get_by_role("button", name="More", exact=True).click()
    push_button = page.get_by_role("button", name="Push")
    expect(page.get_by_label("Note")).to_have_value("half a thought")
    push_button.click()
    expect(page.get_by_role("dialog", name="Second")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="First")).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("half a thought")


def test_focus_stays_inside_the_modal_and_returns_after_it(desk: Desk) -> None:
    """Tab goes round, Escape closes, a click beside the form does not lose it."""
    page = open_form(desk, modal("Note", text_input("note", "Note")))
    expect(page.get_by_role("textbox", name="Note")).to_be_focused()
    for _ in range(8):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('[role=dialog]') !== null")
    page.mouse.click(5, 400)
    expect(page.get_by_test_id("modal")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("modal")).to_have_count(0)
    expect(page.locator('[data-action-id="open"]')).to_be_focused()


def test_the_home_tab_is_opened_drawn_and_acts(desk: Desk, heard: Heard) -> None:
    """Opening it tells the app; what it publishes appears; its buttons act with the view's id."""

    @desk.bolt.event("app_home_opened")
    def opened(event: Any, client: Any) -> None:
        section = {"type": "section", "text": mrkdwn("*No open incident*")}
        view = {"type": "home", "blocks": [section, *actions(button("Look", "look"))]}
        client.views_publish(user_id=event["user"], view=view)

    @desk.bolt.action("look")
    def look(ack: Any) -> None:
        ack()

    page = desk.open()
    page.get_by_test_id("home-link").click()
    home = page.get_by_test_id("other")
    expect(home.locator("strong")).to_have_text("No open incident")
    home.get_by_role("button", name="Look").click()
    assert heard.wait("block_actions")["container"]["type"] == "view"


def test_files_are_chosen_removed_and_submitted(desk: Desk, heard: Heard, tmp_path: Path) -> None:
    """A picker that uploads as it goes; the app gets the files as objects."""

    @desk.bolt.view("form")
    def take(ack: Any) -> None:
        ack()

    names = ["flights.csv", "weather.csv"]
    for name in names:
        (tmp_path / name).write_text("a,b\n1,2\n")
    element = {"type": "file_input", "action_id": "data", "filetypes": ["csv"], "max_files": 2}
    block = {"type": "input", "block_id": "files", "label": plain("Data"), "element": element}
    page = open_form(desk, modal("Attach", block))
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Data").click()
    chooser.value.set_files([str(tmp_path / name) for name in names])
    expect(page.locator(".chosen-files li")).to_have_count(2)
    page.get_by_role("button", name="Remove flights.csv").click()
    page.get_by_test_id("modal-submit").click()
    values = heard.wait("view_submission")["view"]["state"]["values"]
    assert [file["name"] for file in values["files"]["data"]["files"]] == ["weather.csv"]
    expect(page.get_by_test_id("modal")).to_have_count(0)
