"""What is a counter, and what it counted."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.series.anomalies import detect
from analysis.series.counters import increments


def _reset(more, *resets):
    """The sum of ``more`` (n,), starting again at each of ``resets``."""
    out, total = np.empty(len(more)), 0.0
    for i, one in enumerate(more):
        total = 0.0 if i in resets else total + one
        out[i] = total
    return out


def test_increments_are_gaps_at_the_start_at_resets_and_beside_gaps():
    """Worked by hand."""
    y = np.array([5.0, 6, 8, 9, 0, 1, np.nan, 3, 4, 6, 7, 8, 9, 10, 11, 12])
    counted = increments(y)
    assert counted is not None
    wanted = [np.nan, 1, 2, 1, np.nan, 1, np.nan, np.nan, 1, 2, 1, 1, 1, 1, 1, 1]
    assert np.array_equal(counted, wanted, equal_nan=True)


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(50, 1, 200),  # a gauge
        np.arange(200) % 2,  # yes and no
        np.where(np.arange(200) % 40 == 7, 9, 0),  # spikes
        np.arange(200),  # only grows
        8 + np.arange(200) % 50,  # falls, but to where it is not near zero
        np.arange(200) % 50 - 3,  # negative
    ],
    ids=["gauge", "yes and no", "spikes", "growth", "leak", "negative"],
)
def test_what_is_no_counter_is_not_called_one(values):
    """Each lacks one mark of it."""
    assert increments(np.asarray(values, dtype=float)) is None


def test_resets_of_a_counter_are_neither_alarms_nor_changes():
    """Three restarts in ten days."""
    more = np.random.default_rng(1).poisson(200, 240).astype(float)
    y = _reset(more, 50, 90, 170)
    found = detect(np.arange(240), y)
    assert not found.alarms.any()
    assert found.turns == ()
    assert np.isfinite(found.scores).all()
    assert found.band.expected[100] == pytest.approx(y[99] + 200, abs=10)


def test_a_counter_that_counts_faster_has_an_onset_and_a_burst_is_an_alarm():
    """In its increments."""
    more = np.random.default_rng(2).poisson(200, 400).astype(float)
    more[250:] += 60
    more[100] += 300
    found = detect(np.arange(400), _reset(more, 50, 180, 330))
    assert [(turn.index, turn.direction) for turn in found.turns] == [(250, "up")]
    assert list(np.flatnonzero(found.alarms)) == [100, 250]
