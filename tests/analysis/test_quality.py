"""Figures and their errors, from sums alone."""

import numpy as np
import pandas as pd
import pytest

from analysis import quality


def _sums(p, y, cut=0.5):
    loss = -(y * np.log(p) + (1 - y) * np.log(1 - p))
    yes, was = p >= cut, y > 0.5
    n = float(len(p))
    row = {
        "n": n, "w": n, "w2": n, "ln": n, "lw": n, "lw2": n,
        "p": p.sum(), "pp": (p**2).sum(), "pos": yes.sum(),
        "lp": p.sum(), "lpp": (p**2).sum(), "ly": y.sum(), "lyy": (y**2).sum(),
        "lpy": (p * y).sum(), "ll": loss.sum(), "ll2": (loss**2).sum(), "lly": (loss * y).sum(),
        "ae": np.abs(p - y).sum(), "e4": ((p - y) ** 4).sum(),
        "tp": (yes & was).sum(), "fp": (yes & ~was).sum(), "fn": (~yes & was).sum(),
        "ok": (yes == was).sum(),
    }  # fmt: skip
    return pd.DataFrame([{k: float(v) for k, v in row.items()}])


def _draw(rng, n=800):
    p = 1 / (1 + np.exp(-rng.normal(-1, 1.2, n)))
    return p, (rng.random(n) < p).astype(float)


KINDS = (
    *("calibration", "normalised_entropy", "log_loss", "precision", "recall", "accuracy"),
    *("bias", "mean_label", "mean_prediction", "mae", "rmse", "positive_rate"),
)


@pytest.mark.parametrize("kind", KINDS)
def test_intervals_hold_the_truth_nineteen_times_in_twenty(kind):
    """The standard error by formula is the standard deviation over repeated draws."""
    rng = np.random.default_rng(1)
    found = [quality.estimate(kind, _sums(*_draw(rng))) for _ in range(300)]
    values = np.array([f.value[0] for f in found])
    errors = np.array([f.error[0] for f in found])
    truth = quality.estimate(kind, _sums(*_draw(rng, 400_000))).value[0]
    covered = (np.abs(values - truth) < 1.96 * errors).mean()
    assert 0.91 <= covered <= 0.985
    assert errors.mean() == pytest.approx(values.std(), rel=0.15)


def test_auc_and_its_error_match_repeated_draws():
    """DeLong's error from bins is the spread over repeated draws."""
    rng = np.random.default_rng(2)
    out = []
    for _ in range(300):
        p, y = _draw(rng)
        bins = np.floor(np.log(p / (1 - p)) * quality.AUC_STEP).astype(int) + 200
        count = [np.bincount(bins[y == k], minlength=400).astype(float) for k in (1, 0)]
        out.append(quality.auc(*count))
    values, errors = np.array(out).T
    assert errors.mean() == pytest.approx(values.std(), rel=0.12)


def test_a_model_that_knows_only_the_rate_has_a_normalised_entropy_of_one():
    """He et al. 2014: NE is the log loss relative to that of the base rate."""
    y = np.array([1.0, 0.0, 0.0, 0.0] * 50)
    found = quality.estimate("normalised_entropy", _sums(np.full(200, 0.25), y))
    assert found.value[0] == pytest.approx(1.0)


def test_one_class_only_has_no_calibration_and_no_auc():
    """Undefined figures are NaN, not infinity and not an exception."""
    sums = _sums(np.full(50, 0.2), np.zeros(50))
    for kind in ("calibration", "normalised_entropy", "recall"):
        assert np.isnan(quality.estimate(kind, sums).value[0])
    assert np.isnan(quality.auc(np.zeros(4), np.ones(4))[0])


def test_an_hour_without_a_positive_label_still_counts_on_the_working_scale():
    """Its ratio does not exist, but it is evidence of over-prediction."""
    sums = _sums(np.full(50, 0.2), np.zeros(50))
    even = quality.working("calibration", quality.estimate("calibration", sums), sums)
    assert even.value[0] == pytest.approx(np.log(10.5 / 0.5))
    assert np.isfinite(even.error[0])


def test_the_working_scale_goes_back_and_forth():
    """Counts and ratios return to themselves."""
    for kind, value in (("volume", 41.0), ("log_loss", 0.4), ("precision", 0.7)):
        sums = pd.DataFrame({"n": [value]})
        found = quality.Estimate(np.array([value]), np.array([0.1]), np.array([10.0]))
        even = quality.working(kind, found, sums)
        assert quality.back(kind, even.value)[0] == pytest.approx(value)
