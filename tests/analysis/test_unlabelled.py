"""What an estimate without labels sees, what it cannot, and how far off it says it is."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.performance import unlabelled
from analysis.performance.unlabelled import KINDS, Record, expected


def _log(rng, shift, turn=1.0, n=20_000):
    x = np.column_stack([rng.normal(0, 1, n), rng.random(n) < shift])
    score = 1 / (1 + np.exp(-2 * x[:, 0]))
    slope = np.where(x[:, 1] > 0, 0.2, 2.0) * turn
    return x, score, (rng.random(n) < 1 / (1 + np.exp(-slope * x[:, 0]))).astype(float)


def test_a_shift_of_inputs_that_hurts_auc_is_seen_without_labels_and_a_change_of_concept_is_not():
    """Mixed segments are weak for the score; a flatter concept leaves inputs as they were."""
    rng = np.random.default_rng(3)
    x, s, y = _log(rng, 0.2)
    chance = unlabelled.learn(s, x, y, np.arange(len(y)) % 10).chance
    usual = expected("auc", s, y)[0]
    x, s, y = _log(rng, 0.9)
    found, noise = expected("auc", s, chance(s, x))
    true = expected("auc", s, y)[0]
    assert usual - true > 0.1
    assert abs(found - true) < 5 * noise
    x, s, y = _log(rng, 0.2, turn=0.1)
    assert usual - expected("auc", s, y)[0] > 0.1
    assert abs(expected("auc", s, chance(s, x))[0] - usual) < 0.02


def test_the_score_is_trusted_only_where_it_tells_more_than_the_logged_features():
    """Features that hold all that the score knows do without it; half of them do not."""
    rng = np.random.default_rng(0)
    x, s, y = _log(rng, 0.2, n=6_000)
    blocks = np.arange(len(y)) % 8
    assert not unlabelled.learn(s, x, y, blocks).by_answer
    assert unlabelled.learn(s, x[:, 1:], y, blocks).by_answer


@pytest.mark.parametrize("kind", KINDS)
def test_label_noise_is_the_spread_of_the_figure_over_labels_that_may_come(kind):
    """Labels are drawn again and again from known chances, for the same rows and scores."""
    rng = np.random.default_rng(1)
    chances = rng.beta(2, 5, 800)
    scores = np.clip(chances + rng.normal(0, 0.1, 800), 0.01, 0.99)
    weights = rng.choice([1.0, 3.0], 800)
    value, noise = expected(kind, scores, chances, weights)
    drawn = [
        expected(kind, scores, (rng.random(800) < chances).astype(float), weights)[0]
        for _ in range(400)
    ]
    assert noise == pytest.approx(np.std(drawn), rel=0.15)
    assert abs(value - np.mean(drawn)) < 0.2 * noise


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    """Blocks differ beyond label noise, and estimates are biased: both are in the record."""
    rng = np.random.default_rng(2)
    hits = []
    for _ in range(400):
        truths = rng.normal(0.8, 0.02, 11)
        off = 0.03 + rng.normal(0, np.hypot(0.01, 0.005), 11)
        record = Record.of((truths + off)[:10], truths[:10], np.full(10, 0.005))
        error = record.error(0.005)
        hits.append(abs(truths[10] + off[10] - record.bias - truths[10]) <= record.reach * error)
    assert 0.90 <= np.mean(hits) <= 0.98


def test_labels_of_one_class_or_of_two_blocks_teach_nothing():
    """Without both classes there is nothing to learn, without blocks nothing to check it on."""
    x, s, y = _log(np.random.default_rng(0), 0.5, n=200)
    with pytest.raises(ValueError, match="both classes"):
        unlabelled.learn(s, x, np.zeros(200), np.arange(200) % 4)
    with pytest.raises(ValueError, match="3 earlier blocks"):
        unlabelled.learn(s, x, y, np.arange(200) % 2)
    assert np.isnan(expected("auc", s, np.ones(200))[0])
