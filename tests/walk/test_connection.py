"""Socket Mode where Slack is away, or takes no token, when the bot starts."""

import pytest

from bot import connection
from bot.config import SettingsError
from bot.workspace import Fault
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
