"""A message to people is tried until Slack takes it, or plainly never will."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest

from handlers.work import LONGEST_REST, MOST_TRIES, Work
from state.due import Due, DueWork
from state.store import Store
from tests.handlers.fake_desk import NOW
from tests.handlers.refusal import refusal


class Post:
    """Who writes to people, and Slack, which answers with ``code`` (none: it takes the message)."""

    def __init__(self, store):
        self.code, self.sent, self.now = "", 0, NOW
        self.due = DueWork(store, lease_seconds=-1)
        conversation = SimpleNamespace(due=self.due, now=lambda: self.now)
        self.work = Work(conversation, None, None, self.export, None, self.write)
        self.due.add(Due("w", "write", "", {"user": "U1", "message": {}}), NOW)

    def export(self, *_):
        """Slack does not answer while ``code`` is set."""
        if self.code:
            raise ConnectionResetError(self.code)
        self.sent += 1

    def write(self, *_):
        """Send it."""
        if self.code:
            status = 503 if self.code == "service_unavailable" else 200
            raise refusal(self.code, status)
        self.sent += 1

    def turns(self, count):
        """So many tries, each when the longest pause has passed."""
        for _ in range(count):
            self.work._turn()
            self.now += LONGEST_REST + timedelta(seconds=1)


@pytest.fixture
def post(tmp_path):
    """A message that somebody is owed."""
    store = Store(tmp_path / "state.db")
    yield Post(store)
    store.close()


def test_an_outage_loses_no_message_to_people(post):
    """However long it takes, and though one try breaks for another reason after it."""
    post.code = "service_unavailable"
    post.turns(3 * MOST_TRIES)
    post.code = "internal_error"
    post.turns(1)
    post.code = ""
    post.turns(1)
    assert post.sent == 1


def test_an_export_is_owed_until_slack_answers(post):
    """It is no message, but it is waited for by a person as well."""
    work = Due("e", "export", "HE-1", {})
    post.due.add(work, NOW)
    post.code = "reset by peer"
    post.work._export(work)
    assert {w.id for w in post.due.claim(NOW + LONGEST_REST)} == {"w", "e"}
    post.code = ""
    post.work._export(work)
    assert {w.id for w in post.due.claim(NOW + 2 * LONGEST_REST)} == {"w"}


@pytest.mark.parametrize("code", ["internal_error", "user_not_found"])
def test_what_slack_never_takes_is_given_up(post, code):
    """After a bounded number of tries nothing is owed any more."""
    post.code = code
    post.turns(2 * MOST_TRIES)
    post.code = ""
    post.turns(2)
    assert post.sent == 0
