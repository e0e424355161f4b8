"""``hawkeye check`` tries the scorer once, and shows what went wrong."""

from __future__ import annotations

import sys

import pytest

from bot.config import SettingsError, check, load
from tests.analysis.test_replay import PROGRAM, world

SETTINGS = """\
[tables.predictions]
source = "log.parquet"
time = "time"
prediction = "prediction"
model = "model"
snapshot = "snapshot"
features = ["a", "b", "c"]

[tables.snapshots]
source = "snapshots.parquet"
artifact = "artifact"

[[metrics]]
name = "mean"
kind = "mean_prediction"

[scorer]
command = ["PYTHON", "score.py", "{rows}", "{answers}"]
"""


@pytest.fixture
def settings_text(tmp_path):
    """The settings of a small world whose snapshots can be scored."""
    world(tmp_path, None)
    return SETTINGS.replace("PYTHON", sys.executable)


def told(folder, text):
    """What the check says of these settings."""
    (folder / "hawkeye.toml").write_text(text)
    return "\n".join(check(load(folder / "hawkeye.toml", {})))


def test_a_scorer_that_gives_the_logs_answers_is_fine(tmp_path, settings_text):
    """Nothing to say."""
    assert told(tmp_path, settings_text) == ""


def test_a_scorer_that_fails_is_shown_with_what_it_printed(tmp_path, settings_text):
    """The person at the shell sees the program's own error, and the line of the settings."""
    (tmp_path / "score.py").write_text(PROGRAM.replace("json.load", "pickle.load"))
    said = told(tmp_path, settings_text)
    assert "line 18: [scorer] command" in said
    assert "the scorer ended with code 1" in said
    assert "name 'pickle' is not defined" in said


def test_answers_on_another_scale_are_told(tmp_path, settings_text):
    """A logit where the log has probabilities."""
    (tmp_path / "score.py").write_text(PROGRAM.replace("1 / (1 + np.exp(-z))", "z"))
    assert "does not give the answers that the log has" in told(tmp_path, settings_text)


def test_more_seconds_than_a_step_has_are_told(tmp_path, settings_text):
    """The step would be stopped before it could go on without the scorer."""
    assert "fewer than the 60 that a step may take" in told(
        tmp_path, settings_text + "seconds = 60\n"
    )
    longer = settings_text + "seconds = 60\n[budget]\nseconds = 90\n"
    assert told(tmp_path, longer) == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('artifact = "artifact"\n', "no column to take artifacts from"),
        ('snapshot = "snapshot"\n', "no column to tell snapshots by"),
    ],
)
def test_what_a_scorer_needs_besides_is_told(tmp_path, settings_text, line, said):
    """Without artifacts, or without a word on which one served a row, it is never called."""
    assert said in told(tmp_path, settings_text.replace(line, ""))


def test_a_command_that_is_told_no_files_is_refused(tmp_path, settings_text):
    """Each place-holder is an argument of its own."""
    (tmp_path / "hawkeye.toml").write_text(settings_text.replace('"{answers}"', '"out"'))
    with pytest.raises(SettingsError, match="among its arguments"):
        load(tmp_path / "hawkeye.toml", {})
