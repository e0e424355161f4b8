"""Bands, breaks and their bounds, on series with a known truth."""

import numpy as np
import pytest

from analysis.series import seasonal


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


def test_the_daily_cycle_is_learnt():
    """The expectation follows the hours, and the spread is the noise's."""
    times, y = _series(0, memory=0.0)
    band = seasonal.fit(times, y)
    truth = 20 + 6 * np.sin(np.arange(len(y)) / 24 * 2 * np.pi)
    assert "day" in band.seasons
    assert np.abs(band.expected - truth).max() < 1.5
    assert band.spread.mean() == pytest.approx(1.0, rel=0.15)


@pytest.mark.parametrize(("free", "days"), [(0.6, 12), (1.0, 12), (0.6, 6)])
def test_two_weekends_tell_what_weekends_are_like(free, days):
    """Before there are three weeks; where they are no different, or one alone was seen, nothing
    is learnt."""
    rng = np.random.default_rng(5)
    times = _times(days * 24)  # from a Friday on
    weekend = (times.astype("datetime64[D]").astype(int) + 3) % 7 >= 5
    y = 100 * np.where(weekend, free, 1.0) + rng.normal(0, 3, len(times))
    y += np.repeat(rng.normal(0, 2, days), 24)
    band = seasonal.fit(times, y)
    learnt = free < 1 and days > 7
    assert ("weekend" in band.seasons) == learnt
    gap = band.expected[~weekend].mean() - band.expected[weekend].mean()
    assert (gap > 30) == learnt


def test_noise_does_not_become_a_profile():
    """Without a cycle the profile is shrunk to almost nothing."""
    rng = np.random.default_rng(1)
    band = seasonal.fit(_times(96), rng.normal(0, 1, 96))
    assert np.ptp(band.expected) < 1.0


@pytest.mark.parametrize("seed", range(8))
def test_the_onset_is_found_and_lies_within_its_bounds(seed):
    """A step of four deviations in wandering noise is dated to within two hours."""
    times, y = _series(seed, step=4.0, at=490)
    band = seasonal.fit(times, y, train=np.arange(len(y)) < 470)
    found = seasonal.locate(y, band, 472)
    assert found is not None
    assert abs(found.index - 490) <= 2
    assert found.low <= found.index <= found.high
    assert found.direction == "up"
    assert found.evidence > 3
    assert found.step == pytest.approx(4.0, abs=1.5)


def test_bounds_hold_the_truth_about_nineteen_times_in_twenty():
    """Small steps are dated roughly, and the bounds say so."""
    held, width = [], []
    for seed in range(60):
        times, y = _series(100 + seed, memory=0.3, step=2.0, at=490)
        band = seasonal.fit(times, y, train=np.arange(len(y)) < 470)
        found = seasonal.locate(y, band, 472)
        assert found is not None
        held.append(found.low <= 490 <= found.high)
        width.append(found.high - found.low)
    assert np.mean(held) >= 0.85
    assert np.median(width) < 16


def test_wandering_is_no_break():
    """On clean series the evidence seldom favours a break."""
    favoured = []
    for seed in range(40):
        times, y = _series(seed, memory=0.8)
        band = seasonal.fit(times, y, train=np.arange(len(y)) < 470)
        found = seasonal.locate(y, band, 472)
        favoured.append(found is not None and found.evidence > 2)
    assert np.mean(favoured) <= 0.1


def test_gaps_are_passed_over():
    """Missing hours neither break the fit nor become the onset."""
    times, y = _series(3, step=5.0, at=490)
    y[480:488] = np.nan
    y[100:160] = np.nan
    band = seasonal.fit(times, y, train=np.arange(len(y)) < 470)
    found = seasonal.locate(y, band, 472)
    assert found is not None
    assert 488 <= found.index <= 492


def test_outliers_do_not_move_the_band():
    """A tenth of the points far off leave the expectation where it was."""
    times, y = _series(4, memory=0.0)
    rng = np.random.default_rng(0)
    y[rng.choice(len(y), len(y) // 10, replace=False)] += 60
    band = seasonal.fit(times, y)
    truth = 20 + 6 * np.sin(np.arange(len(y)) / 24 * 2 * np.pi)
    assert np.abs(band.expected - truth).mean() < 1.0


def test_two_days_of_history_make_a_band_without_seasons():
    """A profile needs three rounds."""
    times, y = _series(5, days=2)
    assert seasonal.fit(times, y).seasons == ()


def test_too_few_points_say_how_many_are_needed():
    """Seven points are not enough to know what is usual."""
    with pytest.raises(ValueError, match="7 points to learn from; 8 are needed"):
        seasonal.fit(_times(7), np.arange(7.0))


def test_constant_series_have_no_break():
    """A flat line stays flat, without a division by zero."""
    y = np.full(200, 3.0)
    band = seasonal.fit(_times(200), y)
    found = seasonal.locate(y, band, 150)
    assert found is not None
    assert found.evidence < 0


def test_nothing_known_after_the_start_finds_nothing():
    """All-missing ends are None, not an index."""
    times, y = _series(6)
    y[480:] = np.nan
    band = seasonal.fit(times, y, train=np.arange(len(y)) < 470)
    assert seasonal.locate(y, band, 480) is None


def _two_weeks(seed, weekday):
    """16 days by the hour with a daily rhythm; each day of the week at a level of its own."""
    rng, hours = np.random.default_rng(seed), np.arange(16 * 24)
    times = np.datetime64("2026-03-02T00", "h") + hours
    day = hours // 24
    level = np.array(weekday)[day % 7] + rng.normal(0, 0.3, 17)[day]
    return times, 20 + level + 4 * np.sin(hours / 24 * 2 * np.pi) + rng.normal(0, 0.5, len(hours))


@pytest.mark.parametrize("seed", range(3))
def test_days_of_the_week_that_plainly_differ_are_learnt_from_two_weeks(seed):
    """Saturdays are busier and Sundays quieter: together they are no weekend of its own kind."""
    times, y = _two_weeks(seed, [0, 0, 0, 0, 0, 3, -3])
    band = seasonal.fit(times, y)
    assert band.seasons == ("day", "week")
    saturday = np.flatnonzero((np.arange(len(y)) // 24) % 7 == 5)
    assert np.abs((y - band.expected)[saturday]).mean() < 1.0


@pytest.mark.parametrize("seed", range(5))
def test_days_that_only_scatter_make_no_week_of_two(seed):
    """Whole days differ by chance, and no day of the week by more."""
    times, y = _two_weeks(seed, [0] * 7)
    assert seasonal.fit(times, y).seasons == ("day",)
