"""Fixtures that several tests of what people read and click share."""

from __future__ import annotations

import pytest

from tests.handlers.fake_sending import sending


@pytest.fixture
def stage(tmp_path, monkeypatch):
    """A sender without pauses over an incident's outbox, and its Slack."""
    with sending(tmp_path, monkeypatch) as found:
        yield found
