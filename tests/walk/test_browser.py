"""The whole walk as a person lives it: a real browser, the local workspace, the real shell."""

import re
from datetime import timedelta

import pytest

from tests.page.conftest import ARGS
from tests.walk.stage import BAD, staged

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser(chromium):
    """One headless browser; it ends with this file."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=ARGS)
        yield started
        started.close()


@pytest.fixture
def stage(tmp_path):
    """A fresh stage."""
    with staged(tmp_path) as found:
        yield found


def opened(stage, browser, incident, width=1280, user="", place=None):
    """The page at the incident's thread, as Ana or as somebody else, in one of its channels."""
    context = browser.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    page.set_default_timeout(10_000)
    base = stage.bot.settings.secrets.slack_api_url.removesuffix("/api/")
    stage.shows(incident, "step-1", "answer:yes")
    channel, root = place or (stage.channel, stage.ts(incident, "root"))
    page.goto(f"{base}/?user={user or stage.ana}#/{channel}/{root}")
    page.wait_for_selector("[data-testid=thread-messages]")
    return page


def press(page, text):
    """Press the button with this text in the thread."""
    thread = page.locator("[data-testid=thread-messages]")
    thread.get_by_role("button", name=text, exact=True).last.click()


@pytest.mark.parametrize("width", [1280, 390])
def test_a_person_walks_from_the_alert_to_resolved(stage, browser, width):
    """Three answers, a mitigation confirmed in its dialog, the recovery, resolved."""
    incident = stage.fire()
    page = opened(stage, browser, incident, width)
    thread = page.locator("[data-testid=thread-messages]")
    press(page, "Real")
    press(page, "s-bad")
    press(page, "Data")
    thread.get_by_text("Cause:").last.wait_for()
    assert thread.locator("img").count() >= 3
    press(page, "Roll back: s-bad…")
    thread.get_by_text("would be replaced by its parent").wait_for()
    thread.locator("[data-action-id=confirm]").click()
    page.locator("[data-testid=confirm-yes]").click()
    press(page, "Back")
    assert stage.until(lambda: stage.incident(incident).status == "resolved")
    assert stage.rollback.done == [BAD.name]
    thread.get_by_text(re.compile("resolved by", re.IGNORECASE)).first.wait_for()
    assert [s.answer.by for s in stage.incident(incident).live_steps] == [stage.ana] * 4
    page.context.close()


def test_another_branch_is_chosen_in_the_form_and_recorded_as_an_override(stage, browser):
    """Choose… offers every branch and suspect; the reason lands in the record."""
    incident = stage.fire()
    page = opened(stage, browser, incident)
    press(page, "Real")
    page.locator("[data-testid=thread-messages]").get_by_text("One is bad.").wait_for()
    press(page, "Choose…")
    modal = page.locator("[data-testid=modal]")
    modal.locator("input[type=radio][value=none]").check()
    modal.locator("textarea").last.fill("we rolled both back yesterday")
    page.locator("[data-testid=modal-submit]").click()
    assert stage.until(lambda: stage.incident(incident).steps[1].answer is not None)
    answer = stage.incident(incident).steps[1].answer
    assert (answer.verdict, answer.override) == ("none", True)
    assert stage.until(lambda: stage.incident(incident).notes)
    assert "both back yesterday" in stage.incident(incident).notes[-1].text
    page.context.close()


def test_ana_hands_over_and_bo_finishes_it(stage, browser):
    """Offered in a form, accepted with one button by the other person."""
    incident = stage.fire()
    page = opened(stage, browser, incident)
    press(page, "Take it")
    press(page, "Hand off…")
    modal = page.locator("[data-testid=modal]")
    modal.locator("[data-action-id=to]").click()
    page.get_by_role("option", name=re.compile("Bo")).first.click()
    page.locator("[data-testid=modal-submit]").click()
    stage.shows(incident, "handoff-1", stage.bo)
    page.context.close()
    bo = opened(stage, browser, incident, user=stage.bo)
    press(bo, "Accept")
    assert stage.until(lambda: stage.incident(incident).owner == stage.bo)
    press(bo, "Real")
    assert stage.until(lambda: stage.incident(incident).steps[0].answer)
    assert stage.incident(incident).steps[0].answer.by == stage.bo
    bo.context.close()


def test_a_step_is_run_again_over_another_window_and_a_note_is_written(stage, browser):
    """Both forms open from the ⋯ menu; a window that ends before it begins is refused there."""
    incident = stage.fire()
    page = opened(stage, browser, incident)
    thread = page.locator("[data-testid=thread-messages]")
    modal = page.locator("[data-testid=modal]")
    thread.get_by_role("button", name="Real", exact=True).wait_for()
    thread.locator("[data-action-id=more]").last.click()
    page.get_by_text("Look again: window, filters…").last.click()
    modal.locator("input").nth(0).fill("2026-01-01T15:00")
    modal.locator("input").nth(1).fill("2026-01-01T14:00")
    page.locator("[data-testid=modal-submit]").click()
    modal.get_by_text("It has to end after it begins.").wait_for()
    modal.locator("input").nth(1).fill("2026-01-01T16:00")
    page.locator("[data-testid=modal-submit]").click()
    thread.get_by_text("looked at again in step 2").wait_for()
    thread.get_by_role("button", name="Real", exact=True).wait_for()
    assert stage.incident(incident).steps[1].scope.window.length == timedelta(hours=1)
    thread.locator("[data-action-id=more]").last.click()
    page.get_by_text("Add a note…").last.click()
    modal.locator("textarea").fill("a deploy at 13:50 <urgent>")
    page.locator("[data-testid=modal-submit]").click()
    thread.get_by_text("Note: a deploy at 13:50 <urgent>").wait_for()
    page.context.close()


def test_it_is_handed_into_another_teams_channel_and_finished_there(stage, browser):
    """Bo never leaves his channel; Ana's thread shows each of his answers."""
    incident = stage.fire()
    page = opened(stage, browser, incident)
    stage.workspace.invite(stage.bo, stage.other, stage.ana)
    offer = f"/hawkeye handoff {incident} @bo #data-platform"
    stage.workspace.command(stage.ana, stage.channel, offer)
    stage.shows(incident, "handoff-1", "Accept", channel=stage.other)
    root = stage.ts(incident, "root", stage.other)
    bo = opened(stage, browser, incident, user=stage.bo, place=(stage.other, root))
    press(bo, "Accept")
    assert stage.until(lambda: stage.incident(incident).owner == stage.bo)
    press(bo, "Real")
    press(bo, "s-bad")
    press(bo, "Data")
    thread = bo.locator("[data-testid=thread-messages]")
    # The step that was just answered has a button of this name too, until it folds.
    thread.get_by_text("Cause:").last.wait_for()
    press(bo, "Roll back: s-bad…")
    thread.locator("[data-action-id=confirm]").click()
    bo.locator("[data-testid=confirm-yes]").click()
    press(bo, "Back")
    assert stage.until(lambda: stage.incident(incident).status == "resolved")
    for one in (bo, page):
        there = one.locator("[data-testid=thread-messages]")
        there.get_by_text(re.compile("resolved by", re.IGNORECASE)).first.wait_for()
        there.get_by_text("was replaced").first.wait_for()
        one.context.close()
