"""What a publish changed is told from what retrainings change, and from what shook all answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.answers import explanations, links
from analysis.answers.explanations import Difference, Loss
from analysis.answers.stand import learn
from analysis.profile import bins_of
from analysis.publishes import chains
from analysis.tables import Role

DIRECTIONS = 6
CALM = explanations.shaken([])


def difference(rng, size, rows=200):
    """Rows of a snapshot whose answers moved by about ``size`` standard deviations."""
    basis = rng.normal(size=(rows, DIRECTIONS))
    moved = rng.normal(size=DIRECTIONS) * size / np.sqrt(DIRECTIONS)
    left = basis @ moved + rng.normal(size=rows) * 0.3
    old = np.eye(DIRECTIONS) * 1e-4
    return Difference(basis.T @ basis / 0.09, basis.T @ left / 0.09, old, rows)


def usual(rng, count=12):
    """What is learned from publishes that moved answers by a fifth of a standard deviation."""
    return explanations.usual([difference(rng, 0.2) for _ in range(count)], DIRECTIONS)


def test_what_is_usual_is_learned_from_earlier_publishes():
    """The typical size comes out, although each is seen through noise."""
    assert usual(np.random.default_rng(1), 20).size == pytest.approx(0.2, rel=0.25)


def test_ordinary_retrainings_are_seldom_positive_evidence():
    """A Bayes factor of 3 against a good one is exceeded in fewer than a third of cases: in few."""
    rng = np.random.default_rng(2)
    found = [
        explanations.log_bayes_factor(difference(rng, 0.2), usual(rng), CALM) for _ in range(150)
    ]
    assert np.mean(np.array(found) > np.log(3)) < 0.02
    assert np.median(found) < -2


def test_a_change_of_many_times_the_usual_speaks_against_the_snapshot():
    """Six times as far as retrainings go."""
    rng = np.random.default_rng(3)
    found = [
        explanations.log_bayes_factor(difference(rng, 1.2), usual(rng), CALM) for _ in range(20)
    ]
    assert np.mean(np.array(found) > np.log(3)) >= 0.9


def test_a_witness_that_moved_as_far_clears_the_snapshot():
    """Where a snapshot that served on answers otherwise too, something else shook both."""
    rng = np.random.default_rng(4)
    known = usual(rng)
    shaken = explanations.shaken([(difference(rng, 1.2), known)])
    still = explanations.shaken([(difference(rng, 0.2), known)])
    seen = difference(rng, 1.2)
    alone = explanations.log_bayes_factor(seen, known, still)
    assert explanations.log_bayes_factor(seen, known, shaken) < 0.5 < alone


def test_labels_say_whether_a_change_was_for_the_worse():
    """As much worse as if the old answers were right; or better, which a repair would be."""
    rng = np.random.default_rng(5)
    known, seen = usual(rng), difference(rng, 1.2)
    worse, better = Loss(0.2, 0.02, 0.25), Loss(-0.2, 0.02, 0.25)
    alone = explanations.log_bayes_factor(seen, known, CALM)
    against = explanations.log_bayes_factor(seen, known, CALM, worse.log_likelihoods())
    for_it = explanations.log_bayes_factor(seen, known, CALM, better.log_likelihoods())
    assert for_it < 0 < alone < against


def test_arms_that_share_snapshots_are_one_chain():
    """By name, and through others."""
    served = [("a", "s1"), ("b", "t1"), ("b", "t2"), ("c", "u1"), ("a", "s2"), ("d", "t2")]
    assert sorted(chains(served)) == [("a",), ("b", "d"), ("c",)]


def _served(rng, rows, snapshot, day, weight):
    """A day of a model that leans on x by ``weight``, and on y."""
    x, y = rng.normal(size=rows), rng.normal(size=rows)
    logit = weight * x + y + rng.normal(size=rows) * 0.05
    return pd.DataFrame(
        {
            "x": x,
            "y": y,
            Role.PREDICTION: 1 / (1 + np.exp(-logit)),
            Role.SNAPSHOT: snapshot,
            Role.TIME: pd.Timestamp("2026-03-01") + pd.Timedelta(days=day),
        }
    )


def test_the_feature_that_a_snapshot_no_longer_leans_on_is_told():
    """Same inputs through all; the last one was trained without x."""
    rng = np.random.default_rng(6)
    parts = [_served(rng, 400, f"s{i}", i, 1.0 + 0.05 * rng.normal()) for i in range(7)]
    frame = pd.concat([*parts, _served(rng, 300, "s7", 7, 0.0)], ignore_index=True)
    new = (frame[Role.SNAPSHOT] == "s7").to_numpy()
    bins = bins_of(frame[~new], {"x": "number", "y": "number"})
    stand = learn(frame, bins, ~new, True)
    assert stand is not None
    assert stand.r2 > 0.9
    known = explanations.usual_before(stand.basis.shape[1])
    old = (frame[Role.SNAPSHOT] == "s6").to_numpy()
    seen = stand.difference(new, old, known.covariance)
    assert seen is not None
    assert explanations.log_bayes_factor(seen, known, CALM) > 0
    assert stand.where(seen.mean(known.larger(8.0))) == "leans less on x"


def test_answers_that_all_moved_alike_are_a_wrong_base_rate():
    """In a model of many directions, of which retrainings move each a little: the mean alone."""
    rng = np.random.default_rng(9)
    many, rows = 12, 400

    def moved(ways):
        basis = np.column_stack([np.ones(rows), rng.normal(size=(rows, many - 1))])
        left = basis @ ways + rng.normal(size=rows) * 0.3
        old = np.eye(many) * 1e-4
        return Difference(basis.T @ basis / 0.09, basis.T @ left / 0.09, old, rows)

    past = [moved(rng.normal(size=many) * 0.1) for _ in range(7)]
    known = explanations.usual(past, many)
    up = np.r_[0.7, rng.normal(size=many - 1) * 0.1]
    assert explanations.log_bayes_factor(moved(up), known, explanations.STILL) > 1
    usual_again = moved(rng.normal(size=many) * 0.1)
    assert explanations.log_bayes_factor(usual_again, known, explanations.STILL) < -2


def test_of_rare_outcomes_a_small_loss_is_large():
    """What a retraining may move it by without a reason is a part of what there is to lose."""
    found = [links._beyond_usual(Loss(0.004, 0.0008, 0.004, whole), [])[1] for whole in (1.0, 0.05)]
    common, rare = (one["worse"] - one["usual"] for one in found)
    assert rare > common + 2
