"""Checks and looks as work for a worker: what is too little to show never leaves it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.evidence import CannotExamine, Filter
from analysis.explore import Question
from bot.checks import run_check, run_look
from tests.analysis.logs import log, scope, since_onset

SETTINGS = """
[tables.predictions]
source = "log.parquet"
time = "time"
prediction = "prediction"
label = "label"
dimensions = ["region"]
features = []

[[metrics]]
name = "mean_prediction"
kind = "mean_prediction"
"""


@pytest.fixture
def settings(tmp_path):
    """A log in which three rows since the onset are of a region of their own."""
    frame = log()
    frame.loc[frame.index[since_onset(frame)][:3], "region"] = "tiny"
    frame.to_parquet(tmp_path / "log.parquet", index=False)
    path = tmp_path / "hawkeye.toml"
    path.write_text(SETTINGS)
    return str(path)


@pytest.mark.parametrize("where", [{"region": "tiny"}, {"region": "nobody"}])
def test_filtered_traffic_of_too_few_rows_is_neither_checked_nor_charted(settings, where):
    """Whoever typed the filter is told why, and what to do instead."""
    filters = tuple(Filter(name, (value,)) for name, value in where.items())
    asked = replace(scope("mean_prediction"), filters=filters)
    with pytest.raises(CannotExamine, match="of so few I show no figure"):
        run_check(settings, "real", asked)
    with pytest.raises(CannotExamine, match="of so few I show no figure"):
        run_look(settings, Question("chart", asked, name="mean_prediction"))


def test_filtered_traffic_of_enough_rows_is_both(settings):
    """And the small print says what was looked at."""
    asked = replace(scope("mean_prediction"), filters=(Filter("region", ("north",)),))
    assert "only where region = north" in run_check(settings, "real", asked).how.notes
    assert run_look(settings, Question("chart", asked, name="mean_prediction")).charts
