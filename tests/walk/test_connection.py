"""Socket Mode where Slack is away, or takes no token, when the bot starts."""

import threading
from socket import SHUT_RDWR

import pytest

from bot import connection
from bot.config import SettingsError
from bot.workspace import Fault
from handlers import access
from tests.walk.stage import staged


@pytest.fixture
def stage(tmp_path):
    """A bot over Socket Mode."""
    with staged(tmp_path) as found:
        yield found


@pytest.mark.parametrize(
    "fault",
    [
        Fault("apps.connections.open", times=2, error="internal_error"),
        Fault("apps.connections.open", times=4, drop=True),
    ],
    ids=["broken", "dropped"],
)
def test_an_outage_at_the_start_is_waited_for(stage, fault, monkeypatch):
    """The bot is up and ready for alerts meanwhile, and hears clicks as soon as it can."""
    monkeypatch.setattr(connection, "REST", 0.5)
    stage.restart(lambda: stage.workspace.inject(fault))
    assert not stage.front.connection.made
    assert stage.front.problem() == ""
    assert stage.until(lambda: stage.front.connection.made)
    incident = stage.fire()
    stage.press(incident, "root", "take")
    stage.shows(incident, "root", f"<@{stage.ana}>")


def test_a_start_does_not_wait_for_an_answer_that_does_not_come(stage, monkeypatch):
    """Alerts are taken in all the same."""
    monkeypatch.setattr(connection, "FIRST_SECONDS", 0.1)
    stage.restart(lambda: stage.workspace.inject(Fault("apps.connections.open", delay=2.0)))
    incident = stage.fire()
    assert stage.until(lambda: stage.ts(incident, "root"))


@pytest.mark.parametrize("code", ["invalid_auth", "account_inactive", "token_revoked"])
def test_a_token_that_slack_refuses_ends_the_start(stage, code):
    """As settings that can't be used do."""
    fault = Fault("apps.connections.open", times=50, error=code)
    with pytest.raises(SettingsError, match=rf"SLACK_APP_TOKEN\n.*refuses \({code}\)"):
        stage.restart(lambda: stage.workspace.inject(fault))
    assert f"the app's token ({code})" in stage.front.problem()


@pytest.mark.parametrize("code", ["missing_scope", "not_allowed_token_type"])
def test_what_somebody_has_to_mend_ends_the_start_too(stage, code):
    """And says what."""
    fault = Fault("apps.connections.open", times=50, error=code)
    with pytest.raises(SettingsError, match=rf"refuses \({code}\)"):
        stage.restart(lambda: stage.workspace.inject(fault))
    assert f"({code}): " in stage.front.problem()


def test_a_bot_token_that_slack_refuses_is_told_before_anybody_waits(stage):
    """Nobody has written or pressed anything."""
    fault = Fault("auth.test", times=50, error="account_inactive")
    stage.restart(lambda: stage.workspace.inject(fault))
    assert stage.until(lambda: "(account_inactive): install the app" in stage.front.problem())


def test_a_bot_token_that_slack_takes_again_is_no_problem_any_more(stage, monkeypatch):
    """Though nothing is to be posted."""
    monkeypatch.setattr(access, "PROBE_SECONDS", 0.2)
    fault = Fault("auth.test", times=3, error="invalid_auth")
    stage.restart(lambda: stage.workspace.inject(fault))
    assert stage.until(lambda: not stage.bot.access.works)
    assert stage.until(lambda: stage.front.problem() == "")
    assert stage.bot.access.works


def test_who_the_bot_is_is_known_before_the_first_command(stage):
    """A command that comes later is answered while Slack is slow to say it."""
    assert stage.until(lambda: "me" in stage.bot.directory._kept)
    stage.workspace.inject(Fault("auth.test", times=50, delay=20.0))
    assert stage.workspace.command(stage.ana, stage.channel, "/hawkeye help").response


def test_an_answer_of_a_kind_that_nobody_foresaw_is_no_end(stage, monkeypatch):
    """The next try is made all the same."""
    monkeypatch.setattr(connection, "REST", 0.2)
    answers, ask = ["x", None, {}], connection.Connection._address

    def odd(self):
        return answers.pop()["url"] if answers else ask(self)

    monkeypatch.setattr(connection.Connection, "_address", odd)
    stage.restart()
    assert stage.until(lambda: connected(stage) == 1)
    clicks(stage)


def test_a_long_outage_is_a_problem(stage, monkeypatch):
    """A short one passes."""
    stage.restart(
        lambda: stage.workspace.inject(Fault("apps.connections.open", times=50, drop=True))
    )
    assert stage.front.problem() == ""
    # Shortened now: a start on a busy machine is longer than a test should wait.
    monkeypatch.setattr(connection, "OUTAGE", 1.0)
    assert stage.until(lambda: stage.front.problem().startswith("No connection to Slack for"))


def connected(stage):
    """How many connections stand, as Slack sees it."""
    return sum(stage.workspace.connected.values())


def clicks(stage):
    """What somebody presses is seen to."""
    incident = stage.fire()
    stage.press(incident, "root", "take")
    stage.shows(incident, "root", f"<@{stage.ana}>")


def test_one_connection_is_made(stage):
    """Slack may send a click over any that it holds for open: none is left behind."""
    asked = stage.workspace.recorder.find("apps.connections.open")
    assert stage.until(lambda: connected(stage) == 1)
    clicks(stage)
    assert (len(asked), connected(stage)) == (1, 1)


def test_nothing_is_lost_while_slack_replaces_a_connection(stage):
    """The next one stands before the one before it is closed, however often."""
    assert stage.until(lambda: connected(stage) == 1)
    ended = threading.Event()
    (app,) = stage.workspace.apps

    def renew():
        for _ in range(4):
            stage.server.refresh(app)
        ended.set()

    threading.Thread(target=renew).start()
    heard = 0
    while not ended.is_set():
        stage.workspace.command(stage.ana, stage.channel, "/hawkeye help")
        heard += 1
    assert heard > 10
    assert len(stage.workspace.recorder.find("apps.connections.open")) >= 4
    assert stage.until(lambda: connected(stage) == 1)


def test_one_that_slack_has_replaced_over_and_over_is_waited_for(stage, monkeypatch):
    """More than twenty in a minute help nobody."""
    monkeypatch.setattr(connection, "A_MINUTE", 2)
    stage.restart()
    (app,) = stage.workspace.apps
    for _ in range(2):
        assert stage.until(lambda: connected(stage) == 1)
        stage.server.refresh(app)
    assert not stage.until(lambda: connected(stage) == 1, seconds=2)


def test_a_connection_that_breaks_is_made_again(stage, monkeypatch):
    """Also when Slack is away for a moment."""
    monkeypatch.setattr(connection, "REST", 0.2)
    assert stage.until(lambda: connected(stage) == 1)
    stage.workspace.inject(Fault("apps.connections.open", times=2, error="internal_error"))
    stage.front.connection._links[-1]._socket.socket.shutdown(SHUT_RDWR)
    asked = stage.workspace.recorder.find
    assert stage.until(lambda: len(asked("apps.connections.open")) == 4 and connected(stage) == 1)
    clicks(stage)
