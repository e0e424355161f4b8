"""Whatever an app sends, it gets one of Slack's answers, never an internal error."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.workspace import App, SlackError, Workspace
from bot.workspace.api import METHODS, run

NAMES = [
    "channel",
    "channels",
    "channel_id",
    "user",
    "users",
    "user_id",
    "ts",
    "thread_ts",
    "timestamp",
    "name",
    "text",
    "blocks",
    "attachments",
    "metadata",
    "view",
    "view_id",
    "trigger_id",
    "files",
    "file",
    "filename",
    "length",
    "limit",
    "cursor",
    "types",
    "oldest",
    "post_at",
    "message_ts",
    "title",
    "type",
    "link",
]
SCALARS = st.sampled_from(
    ["", "C0GENERAL", "U0ANA", "1.000001", "1", "-1", "eyes", "[]", "{}", "[1]", '{"a": 1}', "link"]
)
VALUES = (
    SCALARS
    | st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.lists(SCALARS | st.none() | st.dictionaries(st.sampled_from(["type", "id"]), SCALARS))
    | st.dictionaries(
        st.sampled_from(["type", "blocks", "event_type"]), SCALARS | st.lists(SCALARS)
    )
)


@pytest.mark.parametrize("method", sorted(METHODS))
@settings(max_examples=12)
@given(given=st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=8, max_size=20))
def test_random_arguments_end_in_an_answer_of_slacks(method, given):
    """A result, or an error code in Slack's style."""
    workspace = Workspace()
    ana = workspace.add_user("ana", id="U0ANA")
    app = workspace.install(App("Fuzz"))
    workspace.add_channel("general", [ana, app.user_id], id="C0GENERAL")
    token = app.app_token if method == "apps.connections.open" else app.bot_token
    try:
        code = str(run(workspace, method, given, token)["ok"])
    except SlackError as error:
        code = error.code
    assert re.fullmatch(r"True|[a-z_]+", code)


def test_api_test_needs_neither_token_nor_app():
    """Even before anything is installed."""
    assert run(Workspace(), "api.test", {"foo": "bar"}, "") == {"ok": True, "args": {"foo": "bar"}}
