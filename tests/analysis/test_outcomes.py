"""What happens in one part of the traffic beside all others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.metrics import BLOCK
from analysis.outcomes import parted


def cells(amount: float, factor: float, seed: int = 0) -> pd.DataFrame:
    """Three weeks of four regions whose means swing together by half; today's west by ``factor``.

    ``amount`` is the usual mean label: below 1 a rate.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for block in range(22):
        day = np.exp(rng.normal(0, 0.5))
        for region in ("north", "east", "south", "west"):
            mean = amount * day * (factor if region == "west" and not block else 1.0)
            count = 800
            sure = mean if amount >= 1 else min(mean, 1.0)
            total = rng.poisson(sure * count) * 1.0
            if amount < 1:
                total = min(total, count)
            rows.append({BLOCK: block, "region": region, "labels": count * 1.0, "positives": total})
    return pd.DataFrame(rows)


@pytest.mark.parametrize("amount", [25.0, 0.1])
@pytest.mark.parametrize("factor", [0.4, 1.8])
def test_a_region_whose_labels_leave_all_others_is_told(amount, factor):
    """Though the day moves all of them by as much."""
    assert parted(cells(amount, factor), ["region"]).startswith("region=west: ")


@pytest.mark.parametrize("amount", [25.0, 0.1])
@pytest.mark.parametrize("seed", range(5))
def test_an_ordinary_day_tells_of_no_region(amount, seed):
    """However far the day as a whole moves."""
    assert parted(cells(amount, 1.0, seed), ["region"]) == ""


@pytest.mark.parametrize("amount", [-25.0, 0.0])
def test_amounts_below_nothing_are_no_ratio(amount):
    """Delays may be negative on the whole."""
    frame = cells(25.0, 0.5)
    negative = frame.assign(positives=np.sign(amount) * frame["positives"])
    assert parted(negative, ["region"]) == ""
    mixed = frame.assign(positives=frame["positives"].where(frame["region"] != "west", -40.0))
    assert parted(mixed, ["region"]) == ""


def test_a_rate_that_fell_to_nothing_is_told():
    """Not one of 800."""
    told = parted(cells(0.1, 0.0), ["region"])
    assert told.startswith("region=west: ")
    assert told.endswith(" → 0")


def test_a_few_labels_tell_nothing():
    """Ten of them are no mean."""
    few = cells(25.0, 0.5).assign(labels=10.0)
    assert parted(few, ["region"]) == ""
    assert parted(few.iloc[:0], ["region"]) == ""
