"""A record is no broken feed: weather that no day before had lies just outside of what they had."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.inputs import suspicion, views
from tests.analysis import logs


@pytest.mark.parametrize(("widths", "least", "most"), [(0.2, -3, 1), (3.0, 6, 20)])
def test_how_far_outside_the_range_of_all_days_tells_a_record_from_another_unit(
    tmp_path, widths, least, most
):
    """Rows of a day share a value, as those of an airport do its pressure."""
    frame = logs.log(3)
    rng = np.random.default_rng(0)
    day = (frame["time"] - frame["time"].min()).dt.days.to_numpy()
    level = rng.uniform(0, 1, day.max() + 1)[day]
    frame["f"] = np.where(logs.since_onset(frame), 1 + widths, level) + rng.normal(
        0, 0.01, len(day)
    )
    w = logs.warehouse(tmp_path, frame)
    table = w.contract.predictions.model_copy(update={"features": ("f", "region")})
    w = type(w)(w.contract.model_copy(update={"predictions": table}), tmp_path, w.now)
    assert least < suspicion._outside(views.read(w, logs.scope()), "f") < most
