"""The record of an incident comes into its thread as a file."""

import pytest

from bot.export import UnknownIncident, write
from bot.workspace import Fault
from tests.walk.stage import staged
from tests.walk.test_walk import walk_to_the_cause


@pytest.fixture
def stage(tmp_path):
    """A fresh stage over Socket Mode."""
    with staged(tmp_path) as found:
        yield found


def shared(stage, name):
    """The message of the thread that carries a file of that name."""
    for message in stage.workspace.channel(stage.channel).messages.values():
        if any(stage.workspace.files[f].name == name for f in message.files):
            return message
    return None


def resolved(stage):
    """A walk that was ended."""
    incident = stage.fire()
    walk_to_the_cause(stage, incident)
    stage.press(incident, "root", "dismiss")
    stage.shows(incident, "root", "Export")
    return incident


def test_the_menu_of_a_closed_incident_puts_the_record_into_the_thread(stage):
    """One click; the file says who asked for it."""
    incident = resolved(stage)
    stage.press(incident, "root", "export", option="Web page")
    assert stage.until(lambda: shared(stage, f"{incident}.html"))
    message = shared(stage, f"{incident}.html")
    assert message.thread_ts == stage.ts(incident, "root")
    assert stage.ana in message.text


def test_a_mention_asks_for_another_format(stage):
    """The same registry serves both."""
    incident = resolved(stage)
    root = stage.ts(incident, "root")
    stage.workspace.say(stage.ana, stage.channel, "@hawkeye export notebook", thread_ts=root)
    assert stage.until(lambda: shared(stage, f"{incident}.ipynb"))


def test_a_file_that_slack_refuses_is_told_to_whoever_asked(stage):
    """Nothing is lost in silence."""
    incident = resolved(stage)
    stage.workspace.inject(Fault("files.completeUploadExternal", times=50, error="access_denied"))
    stage.press(incident, "root", "export", option="JSON")
    assert stage.until(lambda: any("access_denied" in w for w in stage.whispers(stage.ana)))


@pytest.mark.parametrize(
    "fault",
    [
        Fault("files.getUploadURLExternal", times=2, retry_after=1),
        Fault("files.completeUploadExternal", times=2, retry_after=1),
    ],
    ids=["ticket", "sharing"],
)
def test_an_export_waits_as_long_as_slack_asks(stage, fault):
    """The file comes once, and nobody is told that it failed."""
    incident = resolved(stage)
    stage.workspace.inject(fault)
    stage.press(incident, "root", "export", option="JSON")
    assert stage.until(lambda: shared(stage, f"{incident}.json"), 12)
    assert not any("could not be exported" in w for w in stage.whispers(stage.ana))
    assert stage.until(lambda: not stage.bot.conversation.due.claim(stage.bot.clock()))


def test_a_record_of_which_it_is_not_known_whether_it_was_shared_is_not_shared_again(stage):
    """Who asked for it looks, and asks again where it is not there."""
    incident = resolved(stage)
    stage.workspace.inject(Fault("files.completeUploadExternal", drop=True, after=True))
    stage.press(incident, "root", "export", option="JSON")
    assert stage.until(lambda: any("may be here already" in w for w in stage.whispers(stage.ana)))
    assert stage.until(lambda: not stage.bot.conversation.due.claim(stage.bot.clock()))
    told = stage.workspace.channel(stage.channel).messages.values()
    names = [stage.workspace.files[f].name for message in told for f in message.files]
    assert names.count(f"{incident}.json") == 1


def test_the_command_line_writes_the_same_files(stage, tmp_path):
    """From the store alone; an unknown name gets those that there are."""
    incident = resolved(stage)
    paths = [p.name for p in write(stage.bot.settings, incident.lower(), (), tmp_path / "out")]
    assert {f"{incident}.{e}" for e in ("html", "md", "pdf", "ipynb", "json")} <= set(paths)
    with pytest.raises(UnknownIncident, match=f"no incident HE-99; the newest are: {incident}"):
        list(write(stage.bot.settings, "HE-99", (), tmp_path))
