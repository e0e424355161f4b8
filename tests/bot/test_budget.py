"""A node's check on a worker process, within the budget of the settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from analysis.budget import OverBudget
from analysis.evidence import Scope, Window
from bot.checks import start_workers
from bot.config import load
from state.due import Urgency
from state.incident import Allowance

NOW = datetime(2026, 1, 9, tzinfo=UTC)
SETTINGS = """
[tables.predictions]
source = "log.csv"
time = "time"
prediction = "score"

[[metrics]]
name = "mean"
kind = "mean_prediction"

[walk]
workers = 1

[budget]
gigabytes = 0.000001
"""


def test_a_check_over_its_budget_fails_on_its_worker_and_runs_when_it_is_allowed(
    tmp_path: Path,
) -> None:
    """What it needs comes back with the error, so that a person can be asked."""
    hours = [(NOW - timedelta(hours=h)).replace(tzinfo=None) for h in range(192, 0, -1)]
    rows = "".join(f"{at.isoformat()},0.{5 + at.hour % 3}\n" for at in hours)
    (tmp_path / "log.csv").write_text("time,score\n" + rows)
    (tmp_path / "hawkeye.toml").write_text(SETTINGS)
    since = NOW - timedelta(hours=6)
    baseline = Window(since - timedelta(days=7), since)
    scope = Scope(NOW, Window(since, NOW), baseline, "metric", "mean")
    runner, stop = start_workers(load(tmp_path / "hawkeye.toml", {}))
    try:
        with pytest.raises(OverBudget) as caught:
            runner("real", scope, Urgency.WAITED_FOR).result(60)
        assert caught.value.excess.needs > caught.value.excess.may == 1000
        given = (Allowance("bytes", 1e9, "U1", NOW),)
        found = runner("real", scope, Urgency.WAITED_FOR, given).result(60)
        assert found.verdict
    finally:
        stop()
