"""The stand-in for the served model: what it explains."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.inputs import surrogate
from analysis.inputs.surrogate import encode, fit, is_probability, served
from analysis.profile import bins_of

KIND = {"x": "number", "z": "number", "k": "level", "idle": "number"}


@pytest.fixture(scope="module")
def world():
    """Rows, a target that uses three of four features, and its surrogate."""
    rng = np.random.default_rng(1)
    n = 4_000
    frame = pd.DataFrame(
        {
            "x": rng.normal(0, 1, n),
            "z": np.where(rng.random(n) < 0.1, np.nan, rng.uniform(0, 4, n)),
            "k": rng.choice(["a", "b", "c"], n),
            "idle": rng.normal(0, 1, n),
        }
    )
    bins = bins_of(frame, KIND)
    return frame, bins, fit(frame, truth(frame), bins)


def truth(frame):
    """The served output: additive, with an effect of its own for missing values."""
    z = np.where(frame["z"].isna(), -2.0, frame["z"].to_numpy(float))
    return 2 * frame["x"].to_numpy() + z + 3.0 * (frame["k"] == "c").to_numpy()


def test_the_surrogate_explains_rows_that_it_never_saw(world):
    """R² is on held-out rows and high for a learnable target."""
    assert world[2].r2 > 0.95


def test_usage_knows_the_idle_feature(world):
    """A feature that the target ignores moves nothing when shuffled."""
    usage = world[2].usage
    assert usage["idle"] < 0.05 * usage["x"]


def test_curves_follow_the_effect_and_know_missing_values(world):
    """A main effect is linear where the truth is, and has its own value where null."""
    frame, bins, s = world
    curve = s.curves(encode(frame, bins))
    rise = curve["x"](np.array([-1.0, 1.0]))
    assert rise[1] - rise[0] == pytest.approx(4.0, abs=0.6)
    gone = curve["z"](np.array([np.nan, 2.0]))
    assert gone[1] - gone[0] == pytest.approx(4.0, abs=0.8)


def test_a_constant_target_teaches_nothing(world):
    """R² 0, no effects, no error."""
    frame, bins, _ = world
    s = fit(frame, np.full(len(frame), 0.3), bins)
    assert s.r2 == 0
    assert s.curves(encode(frame, bins)) == {}


def test_few_rows_and_empty_columns_are_survived(world):
    """Too few rows teach nothing; a column of nulls does not stop the fit."""
    frame, bins, _ = world
    assert fit(frame[:30], truth(frame[:30]), bins).r2 == 0
    empty = frame.assign(idle=np.nan)
    assert fit(empty, truth(frame), bins_of(empty, KIND)).r2 > 0.9


def test_the_scale_is_the_logit_for_probabilities_only():
    """0..1 is a probability; anything beyond is taken as it is."""
    p = np.array([0.0, 0.5, 1.0])
    assert is_probability(p)
    np.testing.assert_allclose(served(p, True), [-9.2102, 0, 9.2102], atol=1e-3)
    raw = np.array([0.5, 3.0])
    assert not is_probability(raw)
    np.testing.assert_array_equal(served(raw, False), raw)
    assert not surrogate.is_probability(np.array([np.nan]))


def test_the_same_seed_gives_the_same_surrogate(world):
    """Figures can be reproduced."""
    frame, bins, s = world
    again = fit(frame, truth(frame), bins)
    np.testing.assert_array_equal(again(encode(frame, bins)), s(encode(frame, bins)))
