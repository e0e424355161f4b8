"""How onsets and alarms are scored, worked by hand, and the series they are tried on."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import series
from benchmarks.scoring import Windows, anomaly_score, covering, f1

PEOPLE = ([50], [52, 100])


@pytest.mark.parametrize(
    ("found", "score"),
    [
        ([51, 100], 1),  # 51 serves each person's mark, but only one of the union's
        ([], 10 / 17),  # index 0 is all there is: precision 1, recall (1/2 + 1/3) / 2
        ([51, 70], 20 / 27),  # precision 2/3, recall (1 + 2/3) / 2
        ([0, 51, 70], 20 / 27),  # index 0 is there anyhow
    ],
)
def test_f1_counts_index_0_and_what_anybody_marked(found, score):
    """Van den Burg and Williams 2020: precision over the union, recall the mean of the people."""
    assert f1(PEOPLE, found) == pytest.approx(score)


def test_f1_allows_five_points_and_serves_one_mark_with_one_change():
    """A sixth point is too far; two changes near one mark are one too many."""
    assert f1([[50]], [55]) == 1
    assert f1([[50]], [56]) == pytest.approx(1 / 2)
    assert f1([[50]], [49, 51]) == pytest.approx(2 * (2 / 3) / (5 / 3))


@pytest.mark.parametrize(
    ("marked", "found", "score"),
    [
        ([[5]], [5], 1),
        ([[5]], [], 1 / 2),  # each half is half of the whole
        ([[5]], [4], (5 * 4 / 5 + 5 * 5 / 6) / 10),
        ([[5], []], [5], (1 + 1 / 2) / 2),  # the mean over the people
        ([[]], [], 1),
    ],
)
def test_covering_weighs_each_marked_stretch_by_its_best_jaccard_index(marked, found, score):
    """Ten points."""
    assert covering(marked, found, 10) == pytest.approx(score)


@pytest.mark.parametrize(
    ("alarms", "score"),
    [
        ([500], 100),  # the first point of the window
        ([], 0),
        ([500, 520], 100),  # a window counts once
        ([300], -5.5),  # 0.11 of a window, of twice its worth
        ([100], 0),  # nothing counts in the first 15 %
    ],
)
def test_an_alarm_early_in_its_window_is_worth_most(alarms, score):
    """Lavin and Ahmad 2015, standard profile: one window of 50 points."""
    raised = np.zeros(1000, dtype=bool)
    raised[alarms] = True
    assert anomaly_score([raised], [Windows(((500, 549),), 1000)]) == pytest.approx(score)


@pytest.mark.parametrize("kind", series.KINDS, ids=lambda kind: kind.name)
def test_a_planted_truth_is_where_it_is_said_to_be(kind):
    """Seeded: the same again, another with another seed; hurt nowhere but where it says."""
    clean, steps, hurt = (
        make(kind, 7) for make in (series.clean, series.changed, series.disturbed)
    )
    assert np.array_equal(clean.values, series.clean(kind, 7).values, equal_nan=True)
    assert not np.array_equal(clean.values, series.clean(kind, 8).values, equal_nan=True)
    plain = [one.values for one in (clean, steps, hurt)]
    if kind.counted:
        plain = [np.where(np.diff(y, prepend=0) < 0, np.nan, np.diff(y, prepend=0)) for y in plain]
    apart = plain[1] - plain[0]
    known = np.flatnonzero(np.isfinite(apart))
    moved = known[1:][np.abs(np.diff(apart[known])) > 1e-6]
    planted = [int(known[np.searchsorted(known, place)]) for place in steps.changes]
    assert list(moved) == planted
    inside = np.zeros(len(known), dtype=bool)
    for first, last in hurt.spells:
        inside |= (known >= first) & (known <= last)
    assert np.array_equal(np.abs((plain[2] - plain[0])[known]) > 1e-6, inside)
