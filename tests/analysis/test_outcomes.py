"""What happens in one part of the traffic beside all others."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.metrics import BLOCK
from analysis.outcomes import held, parted


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


def predicted(factors: dict[str, float], seed: int = 0) -> pd.DataFrame:
    """Three weeks of six cities and two apps: trips of some 20 minutes, today's requests for longer
    ones by a tenth, as predicted; today's labels by a factor for a city or an app."""
    rng = np.random.default_rng(seed)
    rows = []
    for block in range(22):
        day = np.exp(rng.normal(0, 0.05)) * (1.0 if block else 1.1)
        for city in "abcdef":
            for app in ("ios", "android"):
                count = float(rng.poisson(60))
                mean = 20.0 * day * np.exp(rng.normal(0, 0.05))
                total = count * mean * np.exp(rng.normal(0, 0.02))
                for place in (city, app) if not block else ():
                    total *= factors.get(place, 1.0)
                rows.append((block, city, app, count, count * mean, total))
    names = [BLOCK, "city", "app", "volume", "prediction", "positives"]
    frame = pd.DataFrame(rows, columns=names)
    columns = dict.fromkeys(("labels", "weight", "below"), frame["volume"])
    return frame.assign(**columns, value=frame["positives"])


@pytest.mark.parametrize("seed", range(4))
def test_the_segment_that_holds_what_happened_is_told(seed):
    """Labels of one app are two thirds of what they were: of all others they are as usual."""
    found = held(predicted({"android": 0.66}, seed), ["city", "app"])
    assert found is not None
    assert (found.name, found.alone) == ("app=android", True)
    assert found.now < 0.8 * found.usual


@pytest.mark.parametrize("seed", range(4))
def test_what_happened_in_several_places_is_held_by_none(seed):
    """Everywhere alike, or in two cities of six by as much: neither holds the most of it; and of
    nothing no part."""
    everywhere = dict.fromkeys("abcdef", 0.6)
    for factors in (everywhere, {"a": 0.5, "d": 0.5}, {}):
        assert held(predicted(factors, seed), ["city", "app"]) is None


def test_a_segment_that_holds_most_is_not_said_to_be_alone():
    """All labels fell by some, and those of one app by more than half."""
    everywhere = dict.fromkeys("abcdef", 0.75)
    found = held(predicted({**everywhere, "android": 0.4}), ["city", "app"])
    assert found is not None
    assert (found.name, found.alone) == ("app=android", False)


def test_scores_below_nothing_foresee_no_amounts():
    """Log odds of a ranker: labels are searched by how many there are."""
    frame = predicted({"android": 0.5})
    negative = frame.assign(prediction=-frame["prediction"])
    found = held(negative, ["city", "app"])
    assert found is not None
    assert found.name == "app=android"
