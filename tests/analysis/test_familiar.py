"""Which inputs count as familiar."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.inputs.familiar import in_filled_cells
from analysis.profile import bins_of

RNG = np.random.default_rng(0)
OLD = pd.DataFrame({"used": RNG.normal(size=2000), "spare": RNG.normal(1, 0.2, 2000)})
BINS = bins_of(OLD, dict.fromkeys(OLD, "number"))
USAGE = {"used": 1.0, "spare": 0.001}


def familiar(**values: float) -> bool:
    """Of one row with these values, else usual ones."""
    row = pd.DataFrame({"used": [0.0], "spare": [1.0]} | {n: [v] for n, v in values.items()})
    return bool(in_filled_cells(BINS, OLD, row, USAGE)[0])


def test_a_feature_that_hardly_counts_is_unfamiliar_only_far_outside_of_what_was_seen():
    """A little beyond is drift; a hundred times as much is something that no model has seen."""
    assert familiar()
    assert familiar(spare=2.0)
    assert not familiar(spare=100.0)
    assert not familiar(used=9.0)


def test_a_feature_that_never_changed_has_no_range_to_be_far_outside_of():
    """A constant that moved a little is no reason to know no row at all."""
    flat = OLD.assign(spare=3.0)
    bins = bins_of(flat, dict.fromkeys(flat, "number"))
    row = pd.DataFrame({"used": [0.0], "spare": [3.001]})
    assert in_filled_cells(bins, flat, row, USAGE)[0]
