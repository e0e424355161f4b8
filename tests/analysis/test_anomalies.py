"""Alarms and lasting changes of whole series, on series with a known truth."""

import tracemalloc

import numpy as np
import pytest

from analysis.series.anomalies import detect
from analysis.series.slots import seconds_of
from analysis.series.spreads import by_hour
from analysis.series.stuck import stuck
from analysis.series.tails import rare


def _times(n, minutes=60):
    return np.datetime64("2024-03-01", "s") + np.arange(n) * np.timedelta64(minutes * 60, "s")


def _series(seed, days=21, memory=0.5, step=0.0, at=0):
    rng = np.random.default_rng(seed)
    n = days * 24
    noise = np.zeros(n)
    for i in range(1, n):
        noise[i] = memory * noise[i - 1] + rng.normal(0, np.sqrt(1 - memory**2))
    y = 20 + 6 * np.sin(np.arange(n) / 24 * 2 * np.pi) + noise
    y[at:] += step if at else 0.0
    return _times(n), y


@pytest.mark.parametrize("seed", range(6))
def test_every_planted_change_of_level_is_detected_and_no_other(seed):
    """Three regimes over a daily cycle, in noise that wanders."""
    times, y = _series(seed, days=22, memory=0.3)
    y[200:] += 5.0
    y[350:] -= 9.0
    found = detect(times, y).turns
    assert [c.direction for c in found] == ["up", "down"]
    assert all(abs(c.index - truth) <= 3 for c, truth in zip(found, (200, 350), strict=True))
    assert all(c.low <= truth <= c.high for c, truth in zip(found, (200, 350), strict=True))


@pytest.mark.parametrize("seed", range(3))
def test_a_rhythm_that_grows_with_the_level_is_judged_on_its_own_scale(seed):
    """Counts over a day's rhythm that double: one change, and no other where the swing doubles."""
    rng = np.random.default_rng(seed)
    hours = np.arange(28 * 24)
    level = np.where(hours < 400, 300, 600) * np.exp(0.8 * np.sin(hours / 24 * 2 * np.pi))
    y = rng.poisson(level * np.exp(rng.normal(0, 0.05, len(hours)))).astype(float)
    found = detect(_times(len(hours)), y)
    assert [abs(turn.index - 400) <= 2 for turn in found.turns] == [True]
    assert np.nanmedian(np.abs(found.band.expected / level - 1)) < 0.1


@pytest.mark.parametrize("days", [12, 16, 21])
def test_weekends_of_a_short_history_are_no_changes(days):
    """Two of them tell what they are like."""
    rng = np.random.default_rng(days)
    times = _times(days * 24)
    hours = np.arange(len(times))
    weekend = (times.astype("datetime64[D]").astype(int) + 3) % 7 >= 5
    level = 300 * np.exp(0.8 * np.sin(hours / 24 * 2 * np.pi)) * np.where(weekend, 0.6, 1.0)
    assert detect(times, rng.poisson(level)).turns == ()


def test_clean_series_seldom_have_a_change_or_an_alarm():
    """Twenty seasonal series without any change."""
    results = [detect(*_series(seed, memory=0.6)) for seed in range(20)]
    assert sum(bool(r.turns) for r in results) <= 1
    assert np.mean([r.alarms.mean() for r in results]) < 0.002


@pytest.mark.parametrize("way", [[0.0, 1.0], [0, 1, 2, 3, 2, 1]])
def test_a_series_that_only_repeats_itself_has_no_change(way):
    """Nothing is left of it without its season."""
    found = detect(np.arange(40 * len(way)), np.tile(way, 40).astype(float))
    assert found.turns == ()
    assert not found.alarms.any()


def test_a_spike_is_an_alarm_and_not_a_change_of_level():
    """One point far out."""
    times, y = _series(2, memory=0.0)
    y[300] += 12
    found = detect(times, y)
    assert found.alarms[300]
    assert found.turns == ()


def test_integer_times_and_gaps_are_fine():
    """A series numbered 0, 1, 2, … with holes."""
    rng = np.random.default_rng(0)
    y = np.concatenate((rng.normal(0, 1, 60), rng.normal(6, 1, 60)))
    y[20:25] = np.nan
    found = detect(np.arange(120), y)
    assert [abs(c.index - 60) <= 1 for c in found.turns] == [True]
    assert np.isnan(found.scores[20:25]).all()


def test_a_flat_line_has_nothing_to_detect():
    """No noise, no change."""
    found = detect(np.arange(50), np.full(50, 2.0))
    assert found.turns == ()
    assert not found.alarms.any()


def test_places_in_a_row_know_no_hours_however_many_there_are():
    """A million places are no eleven days of seconds."""
    rng = np.random.default_rng(3)
    assert detect(np.arange(300_000), rng.normal(0, 1, 300_000)).band.seasons == ()


def test_a_long_series_is_learnt_from_a_part_and_judged_as_a_whole():
    """Minutes of twelve weeks: a season, a step and a spike."""
    rng = np.random.default_rng(8)
    n = 120_000
    y = 5 * np.sin(np.arange(n) / 1440 * 2 * np.pi) + rng.normal(0, 1, n)
    y[80_000:] += 3
    y[60_000] += 15
    found = detect(_times(n, 1), y)
    assert list(np.flatnonzero(found.alarms)) == [60_000, 80_000]
    (turn,) = found.turns
    assert abs(turn.index - 80_000) <= 5


@pytest.mark.parametrize("second", [0.0, -0.12])
def test_a_step_is_not_told_again_a_week_earlier_and_later(second):
    """Four weeks, so that a season learnt with the step has a quarter of it; a true change a week
    after a stronger one is told all the same."""
    rng = np.random.default_rng(9)
    hours = np.arange(28 * 24)
    week = np.where(hours // 24 % 7 >= 5, 0.6, 1.0) * (1 + 0.5 * np.sin(hours / 24 * 2 * np.pi))
    y = week + rng.normal(0, 0.03, len(hours))
    y[300:] += 0.3
    y[300 + 168 :] += second
    found = [turn.index for turn in detect(_times(len(y)), y).turns]
    assert found == ([300, 468] if second else [300])


def _weekdays(seed, holiday=None):
    """Six weeks of hourly counts, by day and week; ``holiday`` goes like a Sunday."""
    hours = np.arange(42 * 24)
    alike = np.where(hours // 24 == holiday, hours % 24 + 6 * 24, hours) if holiday else hours
    daily = np.exp(5 + 0.8 * np.sin((alike / 24 - 0.3) * 2 * np.pi))
    weekly = np.where(alike // 24 % 7 >= 5, 0.6, 1.0)
    monday = np.datetime64("2024-01-01", "s")
    times = monday + hours * np.timedelta64(3600, "s")
    return times, np.random.default_rng(seed).poisson(daily * weekly).astype(float)


@pytest.mark.parametrize("day", [15, 17, 30])
def test_a_holiday_is_no_alarm_and_no_change(day):
    """A Tuesday, a Thursday, a Wednesday that goes like a Sunday, and is expected to."""
    times, y = _weekdays(day, holiday=day)
    found = detect(times, y)
    assert not found.alarms[day * 24 - 12 : day * 24 + 36].any()
    assert found.turns == ()


def test_an_outage_of_a_day_is_not_excused_as_a_holiday():
    """It begins in the morning, and leaves a twentieth."""
    times, y = _weekdays(1)
    y[17 * 24 + 9 : 18 * 24 + 9] *= 0.05
    assert detect(times, y).alarms[17 * 24 + 3 : 17 * 24 + 15].any()


def _ten_days(rng, weekend=0.4):
    """Every five minutes from a Monday on; ``weekend`` is how much of the day's rhythm it has."""
    times = np.datetime64("2025-09-01", "s") + np.arange(2_880) * np.timedelta64(300, "s")
    day = np.arange(2_880) / 288
    free = (day % 7) >= 5
    rhythm = 5 * np.sin(2 * np.pi * day) + 2 * np.cos(4 * np.pi * day)
    y = np.where(free, weekend * rhythm - 3 * (1 - weekend), rhythm)
    return times, y + rng.normal(0, 1, 2_880)


@pytest.mark.parametrize("seed", range(2))
def test_the_only_weekend_of_a_series_is_no_row_of_changes(seed):
    """It has a rhythm of its own, between its midnights."""
    found = detect(*_ten_days(np.random.default_rng(seed)))
    assert found.turns == ()
    assert not found.alarms.any()


def test_a_change_in_the_only_weekend_is_found():
    """Saturday at three in the afternoon is not a weekend's beginning."""
    times, y = _ten_days(np.random.default_rng(2), weekend=1.0)
    place = 5 * 288 + 180
    y[place:] += 5
    assert [abs(turn.index - place) <= 5 for turn in detect(times, y).turns] == [True]


def test_what_passes_within_hours_is_an_alarm_and_no_lasting_change():
    """Two hours five standard deviations up, in ten days."""
    times, y = _ten_days(np.random.default_rng(3), weekend=1.0)
    y[1_000:1_024] += 5
    found = detect(times, y)
    assert found.turns == ()
    (alarm,) = np.flatnonzero(found.alarms)
    assert 1_000 <= alarm < 1_024


def test_a_batch_at_the_same_time_of_day_is_usual_however_it_varies():
    """Half an hour a day, with another spread than the hour around it; a spike beside it is not."""
    rng = np.random.default_rng(4)
    n = 21 * 288
    slot = np.arange(n) % 288
    batch = (slot >= 24) & (slot < 30)
    y = 20 + rng.normal(0, 2, n) + np.where(batch, 40 + rng.normal(0, 6, n), 0)
    assert not detect(_times(n, 5), y).alarms.any()
    y[10 * 288 + 100] += 20
    assert np.flatnonzero(detect(_times(n, 5), y).alarms).tolist() == [10 * 288 + 100]


def test_hours_off_raise_an_alarm_though_no_point_is_far_out():
    """Three hours three standard deviations up, in ten days."""
    times, y = _ten_days(np.random.default_rng(6), weekend=1.0)
    assert not detect(times, y).alarms.any()
    y[1_000:1_036] += 3
    found = detect(times, y)
    assert found.turns == ()
    (alarm,) = np.flatnonzero(found.alarms)
    assert abs(alarm - 1_000) <= 10


@pytest.mark.parametrize("seed", range(3))
def test_points_that_are_a_little_off_together_raise_an_alarm(seed):
    """Eighty minutes 2.2 standard deviations up: none of them is far out, and too few to last."""
    rng = np.random.default_rng(seed)
    y = rng.normal(0, 1, 20 * 288)
    assert not detect(_times(len(y), 5), y).alarms.any()
    y[3_000:3_016] += 2.2
    (alarm,) = np.flatnonzero(detect(_times(len(y), 5), y).alarms)
    assert 3_000 <= alarm < 3_016


def test_what_becomes_far_worse_raises_another_alarm():
    """The second is two and a half hours after the first, and three times as far out."""
    y = np.random.default_rng(0).normal(0, 1, 20 * 288)
    y[3_000] += 7
    y[3_030] += 8
    assert np.flatnonzero(detect(_times(len(y), 5), y).alarms).tolist() == [3_000]
    y[3_030] += 12
    assert np.flatnonzero(detect(_times(len(y), 5), y).alarms).tolist() == [3_000, 3_030]


def test_noise_that_changes_from_one_hour_to_the_next_is_usual():
    """Every afternoon is five times as noisy as the morning, from the stroke of twelve on."""
    rng = np.random.default_rng(1)
    n = 30 * 96
    y = rng.normal(0, 1, n) * np.where(np.arange(n) % 96 < 48, 2, 10)
    assert not detect(_times(n, 15), y).alarms.any()


@pytest.mark.parametrize("every", [2, 3, 4, 8])
def test_gaps_at_a_steady_beat_are_no_reason_to_fail(every):
    """A grid of fifteen minutes that holds a value every half hour, hour, two hours …"""
    y = np.random.default_rng(3).normal(0, 1, 3_840)
    y[np.arange(3_840) % every != 0] = np.nan
    assert not detect(_times(len(y), 15), y).alarms.any()


@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_single_events_now_and_then_raise_no_alarm(rate):
    """Errors in five minutes, mostly none: two of them within an hour are no incident."""
    y = np.random.default_rng(4).poisson(rate, 28 * 288).astype(float)
    assert detect(_times(len(y), 5), y).alarms.sum() <= 1


def test_a_heavy_tail_is_allowed_more_than_an_exponential_one():
    """The excess of one peak in a thousand, from two thousand; a quarter may be anomalies."""
    draws = [np.random.default_rng(seed).random(2_000) for seed in range(8)]
    light = np.mean([rare(-np.log(u), 1_000) for u in draws])
    heavy = np.mean([rare((u**-0.3 - 1) / 0.3, 1_000) for u in draws])
    assert light == pytest.approx(np.log(1_000), rel=0.2)
    assert heavy == pytest.approx((1_000**0.3 - 1) / 0.3, rel=0.2)


def test_a_batch_that_comes_a_little_earlier_or_later_is_usual():
    """A point a day about two o'clock; the same at noon of one day is none."""
    rng = np.random.default_rng(7)
    y = 20 + rng.normal(0, 1, 14 * 288)
    y[np.arange(14) * 288 + 24 + rng.integers(-3, 4, 14)] += 40
    assert not detect(_times(len(y), 5), y).alarms.any()
    y[10 * 288 + 144] += 40
    assert np.flatnonzero(detect(_times(len(y), 5), y).alarms).tolist() == [10 * 288 + 144]


def test_what_a_series_does_again_and_again_raises_no_alarm():
    """A reading that falls to one value, more than once a day, at no fixed time."""
    rng = np.random.default_rng(8)
    y = 20 + rng.normal(0, 0.1, 14 * 288)
    y[np.arange(20) * 200 + rng.integers(10, 90, 20)] = 15.0
    assert not detect(_times(len(y), 5), y).alarms.any()
    y[2_000] = 5.0
    assert np.flatnonzero(detect(_times(len(y), 5), y).alarms).tolist() == [2_000]


@pytest.mark.parametrize(
    ("minutes", "days", "places"),
    [(1, 2, 2_000 + 20 * np.arange(8)), (5, 30, 500 + 1_000 * np.arange(8))],
)
def test_incidents_are_no_habit_of_a_series(minutes, days, places):
    """Eight spikes in one afternoon, or eight outages in a month."""
    y = np.random.default_rng(9).normal(20, 1, days * 1_440 // minutes)
    y[places] += 35.0 + np.arange(8)
    alarms = np.flatnonzero(detect(_times(len(y), minutes), y).alarms)
    assert alarms[0] == places[0]
    assert set(alarms) <= set(places)


def test_a_series_of_working_hours_is_no_less_sensitive():
    """Nine to five for two weeks; nine standard deviations are far out."""
    times = _times(14 * 288, 5)
    hour = (times - times.astype("datetime64[D]")).astype(int) / 3600
    times = times[(hour >= 9) & (hour < 17)]
    y = np.random.default_rng(1).normal(20, 1, len(times))
    y[1_000] += 9
    assert np.flatnonzero(detect(times, y).alarms).tolist() == [1_000]


def test_times_that_come_in_bursts_take_no_more_room_than_days():
    """Thirty readings a second apart, each hour, for a year."""
    first = np.datetime64("2024-03-01", "s") + np.arange(365 * 24) * np.timedelta64(3_600, "s")
    times = (first[:, None] + np.arange(3) * np.timedelta64(1, "s")).ravel()
    y = np.random.default_rng(2).normal(20, 1, len(times))
    tracemalloc.start()
    by_hour(seconds_of(times), y - 20)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6


def test_a_sensor_that_is_stuck_raises_an_alarm():
    """Thirty times the same value, which is a usual one."""
    rng = np.random.default_rng(5)
    y = rng.normal(0, 1, 2_000)
    y[1_200:1_230] = y[1_200]
    assert np.flatnonzero(detect(_times(2_000, 5), y).alarms).tolist() == [1_200]


@pytest.mark.parametrize("kind", ["seldom moves", "zero at night", "sparse"])
def test_what_repeats_itself_is_not_stuck(kind):
    """Gauges that seldom move, business hours, counts near zero."""
    rng = np.random.default_rng(6)
    n = 96 * 14
    hours, day = np.arange(n) // 4 % 24, np.arange(n) // 96 % 7
    y = {
        "seldom moves": np.repeat(rng.normal(0, 1, n // 24), 24),
        "zero at night": np.where((hours >= 7) & (hours < 19) & (day < 5), rng.poisson(40, n), 0),
        "sparse": rng.poisson(0.3, n),
    }[kind]
    assert not len(stuck(y.astype(float)))
