"""What is drawn of a large log."""

from __future__ import annotations

from types import SimpleNamespace

import ibis
import numpy as np
import pandas as pd
import pytest

from analysis.inputs import labels, sampling
from analysis.inputs.blocks import BLOCK
from analysis.inputs.gather import Labelled
from analysis.tables import Role

ROWS = 120_000


def served(rate: float, slope: float = 1.0) -> pd.DataFrame:
    """Outcomes of which the model knows the log odds, up to the ``slope`` of its one feature; half
    of the rows are the window's (block 0)."""
    rng = np.random.default_rng(5)
    x = rng.normal(0, 1, ROWS)
    middle = 1.12 * np.log(rate / (1 - rate))
    happened = rng.random(ROWS) < 1 / (1 + np.exp(-middle - slope * x))
    columns = {
        BLOCK: np.arange(ROWS) % 2,
        Role.LABEL: happened * 1.0,
        Role.PREDICTION: 1 / (1 + np.exp(-middle - x)),
        "x": x,
    }
    return pd.DataFrame(columns)


def said(frame: pd.DataFrame) -> tuple[float, float, float]:
    """How fast the gap of the window's rows falls with the feature, the standard error; and the
    shift that their predictions need."""
    mine = frame[frame[BLOCK] == 0]
    label, prediction = (mine[r].to_numpy(float) for r in (Role.LABEL, Role.PREDICTION))
    weight = mine.get(sampling.STANDS_FOR, pd.Series(1.0, mine.index)).to_numpy()
    told = Labelled(mine[BLOCK].to_numpy(np.int64), label, prediction, {}, weight)
    days = SimpleNamespace(numbers=(0,))
    g = labels.gaps(SimpleNamespace(labelled=told, probability=True, days=days))
    return *labels._fall(mine["x"].to_numpy(), g.gap, g.steep), float(g.shift[0])


@pytest.mark.parametrize("rate", [0.02, 0.98])
def test_nearly_all_rows_with_the_rare_outcome_are_kept_within_the_bound(rate):
    """Whichever of the two is the rare one."""
    frame = served(rate)
    rare = 1.0 if rate < 0.5 else 0.0
    drawn = sampling.case_control(ibis.memtable(frame), 12_000, 3, (0,))
    assert 11_000 < len(drawn) < 13_000
    assert (drawn[Role.LABEL] == rare).sum() == (frame[Role.LABEL] == rare).sum()
    pd.testing.assert_frame_equal(
        drawn, sampling.case_control(ibis.memtable(frame), 12_000, 3, (0,))
    )


def test_more_rows_with_the_rare_outcome_than_fit_are_half_of_all():
    """Two thirds of both are of earlier days."""
    drawn = sampling.case_control(ibis.memtable(served(0.2)), 6_000, 3, (0,))
    assert drawn[Role.LABEL].mean() == pytest.approx(0.5, abs=0.03)
    assert (drawn[BLOCK] == 0).mean() == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.parametrize("rows", [6_000, 500_000])
def test_labels_that_are_no_outcomes_are_drawn_as_any_rows(rows):
    """Of minutes, none is rare; and a log within the bound comes whole."""
    frame = served(0.02)
    frame[Role.LABEL] = frame["x"].round(2)
    drawn, plain = (
        draw(ibis.memtable(frame), rows, 3, (0,))
        for draw in (sampling.case_control, sampling.uniform)
    )
    pd.testing.assert_frame_equal(drawn, plain)
    assert len(drawn) == pytest.approx(min(rows, ROWS), rel=0.1)


@pytest.mark.parametrize("slope", [1.0, 0.4])
def test_what_labels_say_of_a_feature_does_not_depend_on_how_rare_the_outcome_is_drawn(slope):
    """The slope on the logit is that of all rows, and level while the feature is the row's own."""
    frame = served(0.02, slope)
    whole, error, shift = said(frame)
    sample = sampling.case_control(ibis.memtable(frame), 12_000, 3, (0,))
    drawn, wider, corrected = said(sample)
    _, thin, _ = said(sampling.uniform(ibis.memtable(frame), 12_000, 3, (0,)))
    assert drawn == pytest.approx(whole, abs=4 * wider)
    assert (whole > 6 * error) == (drawn > 6 * wider) == (slope < 1)
    assert wider < 0.5 * thin
    assert corrected == pytest.approx(shift, abs=0.1)
