"""Whether a feature stands still, in samples of unlike density."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd

from analysis.inputs import agreement
from analysis.tables import Role

DAYS, SHOPS, HOURS = 15, 40, 8


def reading(thinned: float):
    """A value that each shop keeps for a day; the last day's rows are all there, of the others so
    many."""
    rng = np.random.default_rng(0)
    parts = []
    for day in range(DAYS):
        time = pd.Timestamp("2026-03-01 10:00") + pd.Timedelta(days=day)
        hour, shop = np.divmod(np.arange(HOURS * SHOPS), SHOPS)
        value = (rng.normal(0, 1, SHOPS) + rng.normal(0, 2))[shop]
        frame = pd.DataFrame({Role.TIME: time + pd.to_timedelta(hour, "h"), "f": value, "g": "all"})
        block = DAYS - 1 - day
        kept = rng.random(len(frame)) < (thinned if block else 1.0)
        parts.append(frame[kept].assign(block=block))
    frame = pd.concat(parts, ignore_index=True)
    days = SimpleNamespace(frame=frame, block=frame["block"].to_numpy(), numbers=tuple(range(DAYS)))
    start = pd.Timestamp("2026-03-15 10:00", tz="UTC").to_pydatetime()
    window = SimpleNamespace(start=start, length=pd.Timedelta(hours=HOURS).to_pytimedelta())
    comparison = SimpleNamespace(window=window, period=pd.Timedelta(days=1).to_pytimedelta())
    return SimpleNamespace(days=days, comparison=comparison, usage=lambda name: 1.0)


def test_the_mean_of_more_rows_moves_less_and_that_is_no_standing_still():
    """All shops are in each of today's hours, a few in each of an earlier day's."""
    r = reading(0.15)
    blunt, *_ = agreement.fresh(r, r.days.frame, "f", "g")
    even, *_ = agreement.fresh(r, agreement.evenly(r), "f", "g")
    assert blunt.log_odds > 10 > 2 > even.log_odds
    counts = agreement.evenly(r)["block"].value_counts()
    assert counts[0] <= counts.drop(0).median()


def test_a_sample_that_is_even_is_left_as_it_is():
    """Nothing is thinned below what earlier days have."""
    r = reading(1.0)
    assert agreement.evenly(r) is r.days.frame


def halted(since: int) -> float:
    """Log odds that an hourly value stands still which holds since so many hours before or after
    the window's start."""
    rng = np.random.default_rng(4)
    time = pd.date_range("2026-03-01", "2026-03-15 17:00", freq="h")
    start = pd.Timestamp("2026-03-15 10:00")
    value = rng.normal(0, 1, len(time))
    value[time >= start + pd.Timedelta(hours=since)] = 0.3
    frame = pd.DataFrame({Role.TIME: time, "f": value, "g": "all"})
    days = SimpleNamespace(frame=frame, numbers=tuple(range(DAYS)))
    r = SimpleNamespace(days=days, comparison=reading(1.0).comparison, usage=lambda name: 1.0)
    still, *_ = agreement.fresh(r, frame, "f", "g")
    return still.log_odds


def test_what_stood_still_before_it_began_speaks_less_for_a_fault():
    """It did not stop then: a calm day is no frozen feed, and a feed may have stopped earlier."""
    assert halted(0) > halted(-10) + 0.5
    assert halted(-10) > 5


def test_a_value_that_holds_to_the_last_digit_is_no_more_certain_than_days_can_tell():
    """However still: how far calm hours stray has heavier tails than two weeks of days show."""
    assert 4 < halted(0) < 15
