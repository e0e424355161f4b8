"""What an estimate of AUC without labels sees, and what it cannot."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.performance import unlabelled


def _log(rng, shift, turn=1.0, n=20_000):
    x = np.column_stack([rng.normal(0, 1, n), rng.random(n) < shift])
    score = 1 / (1 + np.exp(-2 * x[:, 0]))
    slope = np.where(x[:, 1] > 0, 0.2, 2.0) * turn
    return x, score, (rng.random(n) < 1 / (1 + np.exp(-slope * x[:, 0]))).astype(float)


def test_a_shift_of_inputs_that_hurts_auc_is_seen_without_labels_and_a_change_of_concept_is_not():
    """Mixed segments are weak for the score; a flatter concept leaves inputs as they were."""
    rng = np.random.default_rng(3)
    x, s, y = _log(rng, 0.2)
    chance = unlabelled.by_features(s, x, y)
    usual = unlabelled.expected_auc(s, y)[0]
    x, s, y = _log(rng, 0.9)
    found, error = unlabelled.expected_auc(s, chance(s, x))
    true = unlabelled.expected_auc(s, y)[0]
    assert usual - true > 0.1
    assert abs(found - true) < 4 * error
    x, s, y = _log(rng, 0.2, turn=0.1)
    assert usual - unlabelled.expected_auc(s, y)[0] > 0.1
    assert abs(unlabelled.expected_auc(s, chance(s, x))[0] - usual) < 0.02


def test_labels_of_one_class_teach_nothing():
    """Without both classes there is nothing to calibrate."""
    with pytest.raises(ValueError, match="both classes"):
        unlabelled.by_score(np.array([0.1, 0.9]), np.zeros(2))
