"""Figures at the usual mix of traffic."""

import pandas as pd
import pytest

from analysis.metrics import BLOCK
from analysis.performance.evened import evened
from analysis.tables import Role


def _sums(now):
    """Two earlier blocks, three quarters a and a quarter b, beside ``now`` (rows by value)."""
    rows = [(block, "a", 75.0) for block in (1, 2)] + [(block, "b", 25.0) for block in (1, 2)]
    rows += [(0, value, n) for value, n in now.items()]
    frame = pd.DataFrame(rows, columns=[BLOCK, "d", "n"]).assign(**{Role.MODEL: "m"})
    frame["w"], frame["w2"] = frame["n"], frame["n"]
    return frame.assign(p=frame["n"] * frame["d"].map({"a": 10.0, "b": 50.0, "c": 0.0}))


def test_a_mean_at_the_usual_mix_is_the_usual_mean():
    """Half of the rows are b now, which answer 50 as ever."""
    found = evened(_sums({"a": 50.0, "b": 50.0}), "d").set_index(BLOCK)
    mean = found["p"] / found["w"]
    assert mean[0] == pytest.approx(mean[1]) == pytest.approx(20.0)
    assert found["n"].tolist() == pytest.approx([100.0] * 3)


def test_rows_that_stand_for_many_have_the_error_of_few():
    """Squared weights grow with the square."""
    found = evened(_sums({"a": 10.0, "b": 90.0}), "d").set_index(BLOCK)
    rows = found["w"] ** 2 / found["w2"]
    assert rows[0] < 20 < rows[1]


def test_values_that_were_never_there_have_no_usual_mix():
    """A dimension that went null says nothing of what is usual."""
    assert evened(_sums({"c": 100.0}), "d") is None


def test_of_two_models_the_one_without_a_usual_mix_is_left_out():
    """The other's figures stand, however small its traffic is."""
    ours, theirs = _sums({"a": 5.0, "b": 5.0}), _sums({"c": 1000.0})
    found = evened(pd.concat([ours, theirs.assign(**{Role.MODEL: "n"})], ignore_index=True), "d")
    assert set(found[Role.MODEL]) == {"m"}
    assert set(found[BLOCK]) == {0, 1, 2}
