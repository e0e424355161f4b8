"""What the deployed artifact makes of a feature is asked of it, in values that the log holds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.inputs import effects, suspicion
from analysis.inputs.blocks import BLOCK
from analysis.odds import Shift
from analysis.profile import Bins, bins_of
from analysis.replay import RAW
from analysis.tables import Role


def sample(n=600, seed=0):
    """Rows with features of three types, as counted and as logged; the last third is the window."""
    rng = np.random.default_rng(seed)
    raw = pd.DataFrame(
        {
            "x": np.where(rng.random(n) < 0.1, np.nan, rng.normal(0, 1, n)),
            "kind": rng.choice(["a", "b", "c"], n),
            "old": rng.random(n) < 0.3,
        }
    )
    counted = raw.assign(old=raw["old"].map({True: "true", False: "false"}))
    rows = pd.concat([counted, raw.add_prefix(RAW)], axis=1)
    rows[BLOCK] = np.where(np.arange(n) < 2 * n // 3, 1 + np.arange(n) % 5, 0)
    kind = {"x": "number", "kind": "level", "old": "level"}
    return rows, bins_of(counted, kind)


def answered(asked):
    """A model that is linear in x where it is known, and likes one kind."""
    x, kind = asked[RAW + "x"], asked[RAW + "kind"]
    return (3 * x).fillna(5.0).to_numpy() + np.where(kind == "b", 2.0, 0.0)


def test_curves_and_usage_are_those_of_the_model():
    """Partial dependence, missing values and levels too; what is not used has no effect."""
    rows, bins = sample()
    question = effects.question(rows, bins, {}, 0)
    found = question.effects(answered(question.asked(rows)))
    at = np.array([-1.0, 1.0])
    x = found["x"].curve(at)
    assert x[1] - x[0] == pytest.approx(6.0, abs=0.2)
    assert found["x"].curve.missing - found["x"].curve(np.zeros(1))[0] == pytest.approx(5, abs=0.2)
    levels = found["kind"].curve(np.array([0.0, 1.0, 2.0]))
    assert levels[1] - levels[0] == pytest.approx(2.0)
    assert found["old"].usage == pytest.approx(0.0)
    share = float((rows["kind"][rows[BLOCK] > 0] == "b").mean())
    assert found["kind"].usage == pytest.approx(2 * np.sqrt(2 * share * (1 - share)), rel=0.05)


def test_what_is_asked_keeps_the_types_of_the_log():
    """A scorer gets booleans where the log has booleans."""
    rows, bins = sample()
    asked = effects.question(rows, bins, {}, 0).asked(rows)
    for name in bins:
        assert asked[RAW + name].dtype == rows[RAW + name].dtype


def test_values_that_only_the_window_holds_are_asked_about():
    """That is where a surrogate guesses."""
    rows, bins = sample()
    late = rows[BLOCK] == 0
    rows.loc[late, ["x", RAW + "x"]] += 100
    question = effects.question(rows, bins, {}, 0)
    found = question.effects(answered(question.asked(rows)))
    assert found["x"].curve(np.array([100.0]))[0] == pytest.approx(300, rel=0.05)


def test_of_too_many_features_the_most_used_are_asked_about(monkeypatch):
    """A scorer has its limits."""
    monkeypatch.setattr(effects, "MOST_ROWS", 500)
    rows, bins = sample()
    question = effects.question(rows, bins, {"x": 1.0}, 0)
    assert list(question.points) == ["x", "kind", "old"][: len(question.points)]
    assert len(question.points) < 3
    assert len(question.asked(rows)) <= 500


def test_a_feature_with_an_answer_that_is_no_number_is_left_to_the_surrogate():
    """Half a curve is none."""
    rows, bins = sample()
    question = effects.question(rows, bins, {}, 0)
    asked = question.asked(rows)
    said = np.where(asked[RAW + "kind"] == "c", np.nan, answered(asked))
    # Every background row of that kind has no answer: only the kinds asked alone could have one.
    assert "kind" not in question.effects(said)


def test_a_constant_is_not_asked_about():
    """Nothing can be put in its place."""
    rows, _ = sample()
    rows["x"] = rows[RAW + "x"] = 1.0
    question = effects.question(rows, {"x": Bins("number", edges=(0.9, 1.0))}, {}, 0)
    assert "x" not in question.points or len(set(question.points["x"].at)) == 1


KIND = {"number": "number", "level": "level", "opened": "age"}


@pytest.fixture
def rows():
    """Eight hundred rows of two models; numbers are whole in the log, and levels yes or no."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({BLOCK: rng.integers(0, 4, 800), "number": rng.integers(0, 9, 800)})
    frame["level"] = rng.choice(["true", "false"], 800)
    frame["opened"] = rng.integers(0, 90_000, 800).astype(float)
    frame[Role.TIME] = pd.Timestamp("2024-03-01") + pd.to_timedelta(np.arange(800), unit="min")
    frame[Role.MODEL] = rng.choice(["ours", "theirs"], 800)
    frame[RAW + "number"] = frame["number"]
    frame[RAW + "level"] = frame["level"] == "true"
    frame[RAW + "opened"] = frame[Role.TIME] - pd.to_timedelta(frame["opened"], unit="s")
    frame["number"] = frame["number"].astype(float)
    return frame


def _question(rows):
    bins = bins_of(rows[rows[BLOCK] > 0], KIND)
    return effects.question(rows, bins, dict.fromkeys(bins, 1.0), 0)


def _additive(asked):
    """An additive model."""
    return 2.0 * asked[RAW + "number"].to_numpy(float) + 3.0 * asked[RAW + "level"].to_numpy(float)


def test_rows_of_a_model_without_an_artifact_leave_the_others_effects(rows):
    """Two models share the log, and one artifact is gone."""
    asked = _question(rows)
    put = asked.asked(rows)
    answers = np.where(put[Role.MODEL] == "theirs", np.nan, _additive(put))
    no, yes = asked.effects(answers)["level"].curve(np.array([0.0, 1.0]))
    assert yes - no == pytest.approx(3)
    assert asked.effects(np.full(len(put), np.nan)) == {}


def test_ages_are_not_asked_about(rows):
    """The time of one row is another age in the next."""
    assert set(_question(rows).points) == {"number", "level"}


def test_an_absent_jump_takes_off_no_more_than_a_misplaced_onset_is_worth():
    """What no earlier day came near is not excused by an onset that may lie elsewhere."""
    days = Shift(1.0, 0.1, 0.02, 45.0, 8)
    none = Shift(0.0, 0.0, 0.02, 0.0, 8)
    assert suspicion.both(days, none, 0.9) == pytest.approx(days.log_odds - suspicion.MISPLACED)
    assert suspicion.both(days, none, 0.9, np.inf) < 0
