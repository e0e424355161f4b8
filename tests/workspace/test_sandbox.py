"""``hawkeye sandbox``: an unmodified app finds the workspace in its environment."""

from __future__ import annotations

import sys

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.workspace.sandbox import app_of, run

# As Slack's own samples begin: tokens from the environment, and no word of an address.
PROGRAM = """
import os, sys
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler

app = App(token=os.environ["SLACK_BOT_TOKEN"])
handler = SocketModeHandler(app, os.environ["SLACK_APP_TOKEN"])
handler.connect()
said = app.client.chat_postMessage(channel="#general", text="hello")
sys.exit(0 if handler.client.is_connected() and said["message"]["text"] == "hello" else 1)
"""


def test_an_app_runs_with_nothing_but_its_environment(tmp_path):
    """Web API and Socket Mode of the workspace, not of slack.com; its exit code is passed on."""
    script = tmp_path / "app.py"
    script.write_text(PROGRAM)
    assert run(app_of(None), 0, [sys.executable, str(script)]) == 0
    assert run(app_of(None), 0, [sys.executable, "-c", "raise SystemExit(7)"]) == 7


def test_what_the_app_declares_is_installed():
    """Commands and shortcuts, of both kinds."""
    app = app_of(None, commands=["echo"], shortcuts=["new"], message_shortcuts=["quote"])
    assert [command.command for command in app.commands] == ["/echo"]
    assert [(one.callback_id, one.type) for one in app.shortcuts] == [
        ("new", "global"),
        ("quote", "message"),
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--request-url", "https://a.example/slack"], "is not on this machine"),
        (["--port", "0", "--", "no-such-program"], "no-such-program"),
    ],
)
def test_what_can_not_be_ends_in_a_sentence(arguments, says):
    """Not in a traceback."""
    result = CliRunner().invoke(main, ["sandbox", *arguments])
    assert result.exit_code == 1
    assert says in result.output
