"""The command line: what a person reads when something is wrong, and the form of what it prints."""

import json

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.report import Report

SETTINGS = """
[tables.predictions]
source = "log.csv"
time = "time"
prediction = "score"
label = "label"
features = ["temp"]

[[metrics]]
name = "precision"
kind = "precision"
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with settings and a log of one row."""
    (tmp_path / "hawkeye.toml").write_text(SETTINGS)
    (tmp_path / "log.csv").write_text("time,score,label,temp\n2026-01-01,0.5,1,3\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(*arguments):
    """Exit code and everything printed."""
    result = CliRunner().invoke(main, list(arguments))
    return result.exit_code, result.output


def test_an_unknown_metric_is_answered_with_the_nearest(folder):
    """A typo costs one line of reading."""
    code, text = said("triage", "precison", "--auto")
    assert code == 1
    assert "'precision'" in text


def test_a_missing_settings_file_is_named(folder):
    """Where it was looked for, and what to start from."""
    code, text = said("triage", "precision", "--config", "nope.toml")
    assert code == 1
    assert "nope.toml" in text


def test_a_column_that_is_not_there_is_named_with_those_that_are(folder):
    """No traceback: the key, what was found, what there is."""
    (folder / "hawkeye.toml").write_text(SETTINGS.replace('"score"', '"scoer"'))
    code, text = said("triage", "precision", "--auto")
    assert code == 1
    assert "'scoer'" in text
    assert "'score'" in text
    assert "Traceback" not in text


def test_a_time_that_is_none_is_answered_with_an_example(folder):
    """`--since` takes ISO times."""
    code, text = said("triage", "precision", "--since", "teatime")
    assert code == 2
    assert "teatime" in text
    assert "20" in text


def test_a_log_of_one_row_ends_in_unknown_and_says_why_at_every_step(folder):
    """Nothing to learn from is no reason to break off, and none to invent a cause."""
    code, text = said("triage", "precision", "--auto", "--json")
    assert code == 0
    found = Report.model_validate(json.loads(text[text.index("{") :]))
    assert found.conclusion.kind == "unknown"
    assert found.conclusion.causes == []
    assert all(step.headline for step in found.path)
    assert all(step.confidence is None for step in found.path if step.node == "real")


def test_check_names_file_line_and_column(folder):
    """Before the first alert, not during it."""
    (folder / "hawkeye.toml").write_text(SETTINGS.replace('"score"', '"scoer"'))
    code, text = said("check")
    assert code == 1
    assert "hawkeye.toml" in text
    assert "scoer" in text


def test_the_scenarios_are_listed_a_line_each_the_name_first():
    """What `make demo ARGS="--list"` prints."""
    code, text = said("demo", "--list")
    assert code == 0
    names = [line.split()[0] for line in text.splitlines()]
    assert "unit_change" in names
    assert len(names) == len(set(names)) >= 10


def test_a_scenario_that_does_not_exist_is_answered_with_those_that_do():
    """And the exit code of an error."""
    code, text = said("demo", "--scenario", "nope", "--autoplay")
    assert code == 1
    assert "unit_change" in text


def test_a_node_that_the_tree_lacks_is_answered_with_the_nearest(folder):
    """Before anything is looked at."""
    code, text = said("triage", "precision", "--auto", "--at", "feature")
    assert code == 1
    assert "Did you mean 'features'?" in text


def test_a_start_after_the_newest_prediction_is_told(folder):
    """With both moments."""
    code, text = said("triage", "precision", "--auto", "--since", "2030-01-01")
    assert code == 1
    assert "nothing to look at since 2030-01-01 00:00 UTC" in text
    assert "as of 2026-01-01 00:00 UTC" in text


def test_a_step_over_its_budget_ends_a_triage_with_the_way_to_allow_it(folder):
    """How much it would read and may; with the option it is read."""
    rows = "".join(f"2026-01-{d:02d}T{h:02d}:00,0.5,1,3\n" for d in range(1, 9) for h in range(24))
    (folder / "log.csv").write_text("time,score,label,temp\n" + rows)
    (folder / "hawkeye.toml").write_text(SETTINGS + "[budget]\ngigabytes = 0.000001\n")
    code, text = said("triage", "precision", "--auto")
    assert code == 1
    assert "more than the 1 kB that you allow a step" in text
    assert "--over-budget" in text
    code, text = said("triage", "precision", "--auto", "--over-budget")
    assert "allow a step" not in text
