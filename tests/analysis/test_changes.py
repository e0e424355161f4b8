"""What happened to a feature is said in the right words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.inputs.changes import levels, numbers, swapped

RNG = np.random.default_rng(0)
OLD = RNG.normal(60, 12, 3_000)
NEW = RNG.normal(60, 12, 800)
SOME = RNG.random(800) < 0.6


@pytest.mark.parametrize(
    ("name", "new", "kind"),
    [
        ("temp", np.where(SOME, np.nan, NEW), "nulls"),
        ("temp", np.where(SOME, 0.0, NEW), "zeros"),
        ("temp", np.full(800, 61.5), "frozen"),
        ("temp", np.where(SOME, -1.0, NEW), "default"),
        ("temp", np.where(SOME, 61.5, NEW), "default"),
        ("temp", (NEW - 32) * 5 / 9, "unit"),
        ("temp", np.where(SOME, (NEW - 32) * 5 / 9, NEW), "unit"),
        ("distance", NEW * 1.609344, "unit"),
        ("anything", NEW * 1000, "unit"),
        ("anything", -NEW, "sign_flip"),
        ("anything", np.minimum(NEW, 55.0), "clipped"),
        ("anything", np.maximum(NEW, 66.0), "clipped"),
        ("anything", NEW + 20, "shift"),
        ("anything", NEW, "none"),
    ],
)
def test_a_numbers_change_is_recognised(name, new, kind):
    """Whole or in a part of the rows."""
    assert numbers(name, OLD, new).kind == kind


def test_the_unit_is_said_with_slope_and_shift():
    """A sentence that one can check by hand."""
    words = numbers("temp", OLD, (NEW - 32) * 5 / 9).words
    assert "0.5556 × old" in words
    assert "17.78" in words
    assert "°F → °C" in words


def test_days_that_became_hours_are_no_inches():
    """A unit is named where the feature's name speaks for it."""
    assert "days → hours" in numbers("account_age_days", OLD, NEW * 24).words
    assert "→" not in numbers("anything", OLD, NEW * 25.4).words


@pytest.mark.parametrize("name", ["page_views", "averagePrice", "message_count", "dep_delay"])
def test_values_that_lie_higher_are_no_other_unit(name):
    """Not in a part of the rows either, and no "age" is heard in "page"."""
    assert numbers(name, OLD, NEW + 25).kind == "shift"
    assert "hours" not in numbers("page_views", OLD, NEW * 24).words


@pytest.mark.parametrize("factor", [0.35, 2.7])
def test_a_factor_that_no_unit_has_is_said_as_it_is(factor):
    """0.35 of what it was is not a tenth of it in half of the rows."""
    assert numbers("anything", OLD, NEW * factor).words == f"values are {factor} × old"


def test_columns_that_changed_places_are_told_from_one_that_moved():
    """Each has to hold what the other held."""
    other = RNG.gamma(2, 3, 3_000), RNG.gamma(2, 3, 800)
    assert swapped((OLD, other[1]), (other[0], NEW))
    assert not swapped((OLD, other[1]), (other[0], other[1]))
    assert not swapped((OLD, NEW), other)


@pytest.mark.parametrize("new", [np.full(800, 7.25), np.minimum(NEW, 57.25), NEW + 20])
def test_hidden_values_stay_hidden(new):
    """Neither constants nor limits nor medians are told."""
    words = numbers("temp", OLD, new, hidden=True).words
    assert words
    assert not any(v in words for v in ("7.25", "57.25", "59.", "79.", "80."))


@pytest.mark.parametrize(
    ("new", "kind"),
    [
        (pd.Series(["a"] * 50 + ["zz"] * 50), "new_levels"),
        (pd.Series(["a"] * 60 + ["b"] * 40), "lost_levels"),
        (pd.Series(["a"] * 20 + ["b"] * 50 + ["c"] * 30), "remapped"),
        (pd.Series(["a"] * 50 + [None] * 50), "nulls"),
        (pd.Series(["a"] * 50 + ["b"] * 30 + ["c"] * 20), "none"),
    ],
)
def test_a_categorys_change_is_recognised(new, kind):
    """New, lost and renamed levels, and missing ones."""
    old = pd.Series(["a"] * 500 + ["b"] * 300 + ["c"] * 200)
    assert levels(old, new).kind == kind


def test_too_few_values_say_nothing():
    """A handful of rows is no evidence."""
    assert numbers("x", OLD[:5], NEW).kind == "none"
    assert levels(pd.Series(["a"]), pd.Series(["b"])).kind == "none"


@pytest.mark.parametrize(
    ("name", "new", "said"),
    [
        ("dep_delay", NEW / 60, "values are old ÷ 60: minutes → hours or seconds → minutes?"),
        ("amount", NEW / 100, "values are old ÷ 100: percent → share or cents → whole units?"),
        ("pressure", NEW / 33.8639, "values are 0.02953 × old: hPa → inHg?"),
    ],
)
def test_a_factor_is_said_as_people_would(name, new, said):
    """Divided by a whole number, and with every unit that it could be."""
    assert numbers(name, OLD, new).words == said


def test_a_limit_in_another_unit_is_a_unit():
    """Most hours see ten miles and more; in metres they are no default of 16,093.4."""
    clear = np.minimum(np.random.default_rng(0).gamma(3, 5, 3000), 10.0)
    assert numbers("visib", clear[:2900], 1609.344 * clear[2900:]).words.endswith("miles → m?")
    gone = np.where(np.arange(100) % 5 < 2, 0.0, clear[2900:])
    assert numbers("visib", clear[:2900], gone).kind == "zeros"
