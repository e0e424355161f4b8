"""A feature of the training data that goes with the label otherwise than it did."""

import numpy as np
import pandas as pd
import pytest

from analysis.profile import bins_of
from analysis.training.bonds import bonds
from analysis.training.rows import Trainings, expected

SNAPSHOTS = ("s4", "s3", "s2", "s1")


def _trainings(seed, change=None, rows=2000):
    """Four trainings with three features, of which "a" goes with a rare label; in that of the
    suspect, s4, ``change`` is done to it."""
    rng = np.random.default_rng(seed)
    parts = []
    for name in SNAPSHOTS:
        x = rng.normal(size=(rows, 3))
        label = (rng.random(rows) < 1 / (1 + np.exp(2.5 - 1.2 * x[:, 0]))).astype(float)
        frame = pd.DataFrame(x, columns=["a", "b", "c"]).assign(_label=label, snapshot=name)
        parts.append(change(frame, rng) if change and name == "s4" else frame)
    frame = pd.concat(parts, ignore_index=True).assign(_part="p")
    counts = frame.groupby(["snapshot", "_part"])["_label"].agg(["size", "mean"]).reset_index()
    counts.columns = ["snapshot", "part", "n", "label"]
    bins = bins_of(frame[frame["snapshot"] != "s4"], dict.fromkeys("abc", "number"))
    return Trainings("s4", SNAPSHOTS[1:], counts, frame, bins, {}, True)


def _leaks(frame, rng):
    return frame.assign(b=0.5 * frame["b"] + 1.5 * frame["_label"])


def _joined_wrong(frame, rng):
    return frame.assign(a=rng.permutation(frame["a"].to_numpy()))


@pytest.mark.parametrize(("change", "name"), [(_leaks, "b"), (_joined_wrong, "a")])
@pytest.mark.parametrize("seed", range(3))
def test_a_feature_that_leaks_or_was_joined_to_other_rows_is_told(seed, change, name):
    """Its distribution may be as ever; what it says of the label is not."""
    loudest = max(bonds(_trainings(seed, change)), key=lambda sign: sign.log_odds)
    assert loudest.name == name
    assert loudest.log_odds > 1


@pytest.mark.parametrize("seed", range(12))
def test_good_trainings_have_no_such_sign(seed):
    """The same law, other rows."""
    assert all(sign.log_odds < 1 for sign in bonds(_trainings(seed)))


def test_undated_partitions_of_a_window_that_moves_are_not_missed():
    """Each training drops the oldest hours and adds new ones; without dates none has an age."""
    rows = [
        (name, f"h{start + i}", 100, 0.1)
        for start, name in enumerate(reversed(SNAPSHOTS))
        for i in range(4)
    ]
    parts = pd.DataFrame(rows, columns=["snapshot", "part", "n", "label"])
    t = Trainings("s4", SNAPSHOTS[1:], parts, pd.DataFrame(), {}, {}, True)
    assert expected(t, {}) == {}
    same = parts.assign(part=parts.groupby("snapshot").cumcount().map("part {}".format))
    t = Trainings("s4", SNAPSHOTS[1:], same, pd.DataFrame(), {}, {}, True)
    assert sorted(expected(t, {})) == [f"part {i}" for i in range(4)]


def _spoilt(frame, rng):
    return frame.assign(_label=rng.permutation(frame["_label"].to_numpy()))


def test_spoilt_labels_are_no_feature_s():
    """They go less with all that they went with, and no feature is to blame."""
    t = _trainings(0, _spoilt)
    assert max(bonds(t), key=lambda sign: sign.log_odds).log_odds > 1
    assert all(sign.log_odds < 1 for sign in bonds(t, looser=False))
