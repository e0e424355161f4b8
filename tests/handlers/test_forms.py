"""A form that does not open is told to whoever waits for it."""

from types import SimpleNamespace

import pytest
from slack_sdk.errors import SlackApiError

from handlers.forms import open_form
from handlers.whispers import Asker


class Client:
    """Slack, which opens no form, for this reason, and takes every message."""

    def __init__(self, why):
        self.why, self.told = why, []

    def views_open(self, **_):
        """Not this one."""
        raise self.why

    def chat_postEphemeral(self, *, text, **_):  # noqa: N802
        """What was said."""
        self.told.append(text)


def refused(code):
    """Slack's refusal."""
    response = SimpleNamespace(get={"error": code}.get, status_code=502)
    return SlackApiError("refused", response)


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (ConnectionResetError(104, "reset by peer"), "broke off"),
        (TimeoutError("timed out"), "broke off"),
        (refused("expired_trigger_id"), "took too long"),
        (refused("internal_error"), "(internal_error)"),
        (refused(None), "(502)"),
    ],
)
def test_whatever_kept_it_from_opening_is_told(why, said):
    """Once, where they are."""
    client = Client(why)
    open_form(client, "t", {"callback_id": "note"}, Asker("U1", "C1"))
    [text] = client.told
    assert said in text


def test_a_page_of_html_is_no_markup():
    """A server of Slack's that breaks answers with one."""
    client = Client(refused("<html>bad & long" + "x" * 4000))
    open_form(client, "t", {}, Asker("U1", "C1"))
    [text] = client.told
    assert "&lt;html&gt;bad &amp; long" in text
    assert len(text) < 300
