"""Lasting changes of level and of trend."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.series.courses import course
from analysis.series.rhythms import without_season


def _wander(rng, n, memory):
    noise = rng.normal(0, 1, n)
    for i in range(1, n):
        noise[i] += memory * noise[i - 1]
    return noise


@pytest.mark.parametrize("seed", range(5))
def test_a_step_is_found_where_it_was_planted(seed):
    """A hundred points, a step of four standard deviations."""
    rng = np.random.default_rng(seed)
    y = rng.normal(0, 1, 100) + 4.0 * (np.arange(100) >= 37)
    (turn,) = course(y).turns
    assert abs(turn.index - 37) <= 2
    assert turn.low <= 37 <= turn.high
    assert turn.direction == "up"


def test_a_trend_without_a_break_has_no_turn():
    """A line is one course, however steep."""
    rng = np.random.default_rng(0)
    found = course(np.arange(200) * 0.5 + rng.normal(0, 2, 200))
    assert found.turns == ()
    assert abs(found.expected[100] - 50) < 3


def test_a_bend_of_a_trend_is_a_turn():
    """Growth that stops."""
    rng = np.random.default_rng(1)
    y = np.minimum(np.arange(200), 120) * 1.0 + rng.normal(0, 2, 200)
    (turn,) = course(y).turns
    assert abs(turn.index - 120) <= 8


@pytest.mark.parametrize("seed", range(6))
def test_noise_that_remembers_has_no_turn(seed):
    """A first-order autoregression wanders, and nothing broke."""
    y = _wander(np.random.default_rng(seed), 300, 0.5)
    assert course(y).turns == ()


def test_a_monthly_season_is_taken_out_without_a_calendar():
    """Twelve points a year, found from the series itself."""
    rng = np.random.default_rng(3)
    t = np.arange(240)
    y = 10 * np.sin(2 * np.pi * t / 12) + rng.normal(0, 1, 240) + 6.0 * (t >= 150)
    assert np.std(without_season(y)[:100]) < 3
    (turn,) = course(y).turns
    assert abs(turn.index - 150) <= 3


def test_outliers_are_no_turns():
    """Single points far out, in both directions."""
    rng = np.random.default_rng(4)
    y = rng.normal(0, 1, 200)
    y[[30, 90, 150]] = 25, -25, 25
    assert course(y).turns == ()


def test_a_long_series_is_averaged_and_its_turn_still_close():
    """Ten thousand points; bounds are in the series' own index."""
    rng = np.random.default_rng(5)
    y = rng.normal(0, 1, 10_000) + 2.0 * (np.arange(10_000) >= 6_000)
    (turn,) = course(y).turns
    assert abs(turn.index - 6_000) <= 40
    assert course(y).expected.shape == y.shape


@pytest.mark.parametrize("y", [np.full(50, 2.0), np.arange(5.0), np.full(20, np.nan)])
def test_a_flat_or_very_short_series_does_not_turn(y):
    """Nothing to find, no error."""
    assert course(y).turns == ()


@pytest.mark.parametrize("seed", range(6))
def test_a_trend_that_bends_is_placed_where_it_bends(seed):
    """Not where two lines that may jump fit best."""
    rng = np.random.default_rng(seed)
    t = np.arange(200.0)
    y = 0.3 * t - 0.75 * np.maximum(t - 110, 0) + rng.normal(0, 2, len(t))
    found = course(y)
    assert [abs(turn.index - 110) <= 4 for turn in found.turns] == [True]
    turn = found.turns[0]
    assert turn.low <= turn.index <= turn.high
