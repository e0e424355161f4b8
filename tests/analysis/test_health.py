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


@pytest.mark.parametrize(("hour", "old"), [(3, False), (14, True)])
def test_data_that_come_by_day_are_as_old_at_night_as_on_other_nights(hour, old):
    """Nothing happens from midnight on: three hours old are usual at three, and not at two p.m."""
    end = END.replace(hour=hour)
    frame = runs(list(range(24)), end)
    quiet = frame["time"].dt.hour.clip(upper=5)
    frame["data_time"] = frame["time"] - pd.to_timedelta(quiet.where(quiet < 5, 0) + 0.4, unit="h")
    if old:
        late = frame["time"] >= pd.Timestamp("2026-04-29 12:00")
        frame.loc[late, "data_time"] -= pd.Timedelta(hours=3)
    found = health.examine("n", frame, (onset(END.replace(hour=1 if hour < 12 else 12)),), end)
    assert ("h old" in found.words) == old


def test_a_source_that_did_not_write_is_not_fresh():
    """A feed of the night cannot have changed what began in the afternoon."""
    daily = health.examine("n", runs([3], END), (onset(END.replace(hour=14)),), END)
    hourly = health.examine("n", runs(list(range(24)), END), (onset(END.replace(hour=14)),), END)
    assert hourly.fresh
    assert not daily.fresh


def test_a_loss_of_rows_hours_before_it_showed_is_seen():
    """The job below runs every six hours, and passed on later what was lost then."""
    frame = runs(list(range(24)), END)
    frame["rows"] = 100.0 + (frame.index.to_numpy() * 7) % 11
    frame.loc[frame["time"] >= "2026-04-29 09:00", "rows"] /= 10
    (sign, *_) = health.examine("n", frame, (onset(END.replace(hour=13)),), END).signs
    assert sign.kind == "rows"
    assert sign.log_odds > 5
    assert sign.words.startswith("rows -89%")
    assert END.replace(hour=9, minute=0) <= sign.since <= END.replace(hour=11, minute=0)


def test_a_daily_job_that_ran_after_it_began_did_not_begin_it():
    """Its run of that morning wrote many more rows than ever, two hours too late."""
    frame = runs([5], END)
    frame["rows"] = 100.0 + (frame.index.to_numpy() * 7) % 11
    frame.loc[frame["time"] >= "2026-04-29", "rows"] = 300.0
    found = {
        hour: max(
            s.log_odds
            for s in health.examine("n", frame, (onset(END.replace(hour=hour)),), END).signs
            if s.kind == "rows"
        )
        for hour in (3, 5)
    }
    assert found[3] == pytest.approx(found[5] - health.AFTER)
