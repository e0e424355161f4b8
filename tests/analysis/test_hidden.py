"""A hidden column's values are nowhere: not in words, tables, figures or alt texts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis import cause, features, models, segments, topline
from analysis.evidence import CannotExamine, Evidence, Suspect
from analysis.explore import Question
from analysis.explore.look import look
from analysis.warehouse import Warehouse
from state.as_text import to_json
from tests.analysis.logs import log, scope, since_onset, warehouse

MARK = "MARKER"


def team(folder):
    """A log whose hidden column, a feature and a dimension, takes a new level that breaks it."""
    frame = log()
    late = since_onset(frame)
    rng = np.random.default_rng(1)
    level = rng.choice([f"{MARK}A", f"{MARK}B"], len(frame))
    level = np.where(late & (rng.random(len(frame)) < 0.8), f"{MARK}NEW", level)
    push = (level == f"{MARK}A") * 1.0 + (level == f"{MARK}NEW") * -1.5
    p = 1 / (1 + np.exp(-(frame["f"] + push)))
    honest = 1 / (1 + np.exp(-(frame["f"] + (rng.random(len(frame)) < 0.5))))
    label = (rng.random(len(frame)) < honest).astype(float)
    frame = frame.assign(prediction=p, label=label, secret=level)
    found = warehouse(folder, pd.DataFrame(frame))
    table = found.contract.predictions.model_copy(
        update={
            "hidden": ("secret",),
            "features": ("f", "secret"),
            "dimensions": ("region", "secret"),
        }
    )
    contract = found.contract.model_copy(update={"predictions": table})
    return Warehouse(contract, folder, found.now, folder / "profiles")


def said(evidence: Evidence) -> str:
    """Everything that is kept or shown of it."""
    return to_json(Evidence, evidence.without_bytes())


@pytest.mark.parametrize(
    "check",
    [
        topline.is_it_real,
        cause.which_class,
        segments.which_traffic,
        models.which_models,
        features.which_features,
    ],
    ids=lambda c: c.__name__,
)
def test_no_check_says_a_hidden_value(check, tmp_path):
    """Even where the hidden column is the culprit; its name may be told."""
    evidence = check(team(tmp_path), scope())
    assert MARK not in said(evidence)


def test_the_hidden_culprit_is_named_all_the_same(tmp_path):
    """Hiding values must not hide the cause."""
    evidence = features.which_features(team(tmp_path), scope())
    assert evidence.verdict == "inputs"
    assert evidence.named[0].name == "secret"


@pytest.mark.parametrize(
    "question",
    [
        Question("segments", scope(), "metric", "calibration"),
        Question("changed", scope()),
        Question("chart", scope(), "feature", "secret", 48),
        Question("chart", scope(), "metric", "calibration", 48, "secret"),
    ],
    ids=lambda q: f"{q.kind} {q.name} {q.by}".strip() if hasattr(q, "kind") else None,
)
def test_no_question_beside_the_tree_shows_a_hidden_value(question, tmp_path):
    """It is answered without, or refused in a sentence."""
    try:
        told = said(look(team(tmp_path), question))
    except CannotExamine as refusal:
        told = str(refusal)
    assert MARK not in told


def test_a_confirmed_suspect_that_is_hidden_stays_hidden(tmp_path):
    """Also on the way, when it was confirmed by name."""
    at = replace(scope(), suspects=(Suspect("feature", "secret", 1.0),))
    assert MARK not in said(features.which_features(team(tmp_path), at))
