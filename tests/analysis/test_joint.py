"""The joint view: how well a feature agrees with the others."""

import numpy as np
import pandas as pd

from analysis.inputs import joint
from analysis.profile import bins_of


def _scores(half):
    """Two features that agree before (halves 0 and 1) and no more since (2)."""
    rng = np.random.default_rng(0)
    a = rng.normal(0, 1, len(half))
    b = np.where(half < 2, a + rng.normal(0, 0.3, len(half)), rng.normal(0, 1, len(half)))
    frame = pd.DataFrame({"a": a, "b": b})
    bins = bins_of(frame[half < 2], {"a": "number", "b": "number"})
    return joint.scores(frame, bins, np.empty((len(half), 0)), half)


def _left(half):
    s = _scores(half)
    left = joint.residuals(s, "b", joint.fit(s, "b"))
    return left[half < 2].mean(), left[half == 2].mean()


def test_days_are_judged_by_what_other_days_taught():
    """Agreement is seen, and its end."""
    before, since = _left(np.repeat([0, 1, 2], 300))
    assert before < 0.2
    assert since > 1


def test_a_history_of_less_than_a_day_is_looked_at_too():
    """All of its rows are of one half, or nearly all."""
    for some in (0, 5):
        before, since = _left(np.repeat([0, 1, 2], [some, 600, 300]))
        assert before < 0.2
        assert since > 1


def test_without_rows_before_there_is_nothing_to_agree_with():
    """No model, and no residuals."""
    s = _scores(np.full(100, 2))
    assert joint.fit(s, "b") is None
    assert not joint.residuals(s, "b", None).any()
