"""The mean-SHAP ranker's contributions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.inputs.surrogate import encode, fit
from analysis.profile import bins_of
from benchmarks.shapley import contributions

KIND = {"x": "number", "k": "level", "idle": "number"}


def world():
    """Rows, and the surrogate of a target that uses two of three features."""
    rng = np.random.default_rng(1)
    x, k = rng.normal(0, 1, 4_000), rng.choice(["a", "b"], 4_000)
    frame = pd.DataFrame({"x": x, "k": k, "idle": rng.normal(0, 1, 4_000)})
    bins = bins_of(frame, KIND)
    return frame, bins, fit(frame, 2 * x + 3.0 * (k == "b"), bins)


def test_contributions_add_up_to_the_shift_and_name_its_cause():
    """New minus old, by feature: the shifted one holds nearly all, the sum is the total."""
    frame, bins, s = world()
    late = frame.assign(x=frame["x"] + 1.0)
    found = contributions(s, encode(late, bins), encode(frame, bins))
    assert sum(found.mean.values()) == pytest.approx(found.total, abs=1e-9)
    assert found.mean["x"] == pytest.approx(2.0, abs=0.5)
    assert abs(found.mean["k"]) < 0.35
    assert found.mean["idle"] == pytest.approx(0, abs=0.05)


def test_a_constant_target_has_no_contributions():
    """Nothing is learned, nothing contributes, nothing fails."""
    frame, bins, _ = world()
    s = fit(frame, np.full(len(frame), 0.3), bins)
    assert contributions(s, encode(frame, bins), encode(frame, bins)).total == 0
