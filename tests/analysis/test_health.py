"""What the runs of a node show about when it broke."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from analysis.evidence import Onset
from analysis.graph import health

END = datetime(2026, 4, 29, 16, 20, tzinfo=UTC)


def runs(hours: list[int], last: datetime, version: dict[str, str] | None = None) -> pd.DataFrame:
    """A month of runs at these hours of the day until ``last``; versions by their first moment."""
    days = pd.date_range("2026-04-01", "2026-04-29", freq="D")
    times = [day + timedelta(hours=h) for day in days for h in hours]
    times = [t for t in times if t <= pd.Timestamp(last.replace(tzinfo=None))]
    frame = pd.DataFrame({"time": times, "node": "n", "status": "ok", "rows": 100.0})
    frame["data_time"], frame["schema"], frame["version"] = pd.NaT, None, "1"
    for since, name in (version or {}).items():
        frame.loc[frame["time"] >= since, "version"] = name
    return frame


def onset(at: datetime, margin: float = 0.5) -> Onset:
    """An onset known to so many hours."""
    return Onset(at, at - timedelta(hours=margin), at + timedelta(hours=margin))


@pytest.mark.parametrize(("last", "silent"), [(7, True), (16, False)])
def test_a_job_that_rests_at_night_is_missed_by_day(last, silent):
    """Nine hours without a run are usual at dawn, and not in the afternoon."""
    began = END.replace(hour=8)
    frame = runs(list(range(6, 23)), END.replace(hour=last, minute=5))
    found = health.examine("n", frame, (onset(began),), END)
    assert ("no run for" in found.words) == silent
    dawn = END.replace(hour=5)
    assert "no run" not in health.examine("n", frame, (onset(dawn),), dawn).words


def test_a_release_of_a_daily_job_tells_most_when_its_run_was_just_before():
    """What it wrote was served then; a release ten hours before that is another matter."""
    found = {}
    for hour in (7, 21):
        frame = runs([hour], END, {"2026-04-28 20:00": "2"} if hour == 21 else {"2026-04-29": "2"})
        signs = health.examine("n", frame, (onset(END.replace(hour=7)),), END).signs
        found[hour] = next(s.log_odds for s in signs if s.kind == "version")
    assert found[7] > found[21] + 1
    assert found[7] > 2
