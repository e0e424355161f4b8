"""Confidence-based performance estimation (CBPE): a model's AUC where labels have not come yet.

Where the probability that a row is positive is known, the expected AUC follows without labels:
every row counts as positive by its probability and as negative by the rest. The probability is
learnt on rows whose labels have come: from the score alone by isotonic regression (CBPE), or
from the score and the features, which stays right when the mix of features shifts (Białek et
al. 2024, "Estimating Model Performance Under Covariate Shift Without Labels").

:data:`BLIND` holds for both: a change of P(label | features) leaves no trace in what is read.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from analysis import quality

Floats = NDArray[np.float64]

BLIND = "an estimate without labels cannot see a change in what the same inputs lead to"


def by_score(scores: Floats, labels: Floats) -> Callable[[Floats], Floats]:
    """Isotonic calibration: scores (n,) and labels (n,) of 0 and 1 to a map of scores (m,) to
    probabilities (m,). Raises ValueError when there is one class only."""
    from sklearn.isotonic import IsotonicRegression

    _check(labels)
    fitted = IsotonicRegression(out_of_bounds="clip").fit(scores, labels)
    return lambda some: np.asarray(fitted.predict(some), dtype=float)


def by_features(scores: Floats, features: Floats, labels: Floats) -> Callable[..., Floats]:
    """Probability from score (n,) and features (n, k) by boosted trees (log loss): a map of
    scores (m,) and features (m, k) to (m,). Raises ValueError when there is one class only."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    _check(labels)
    model = HistGradientBoostingClassifier(early_stopping=True, random_state=0)
    fitted = model.fit(np.column_stack([scores, features]), labels)
    return lambda some, of: np.asarray(
        fitted.predict_proba(np.column_stack([some, of]))[:, 1], dtype=float
    )


def expected_auc(scores: Floats, probabilities: Floats) -> tuple[float, float]:
    """Expected AUC of scores (n,) and its sampling error (DeLong's, with expected counts), from
    the probability (n,) that each row is positive. NaN when the rows are of one class."""
    _, place = np.unique(scores, return_inverse=True)
    return quality.auc(
        np.bincount(place, probabilities).astype(float),
        np.bincount(place, 1 - probabilities).astype(float),
    )


def _check(labels: Floats) -> None:
    if len(np.unique(labels)) < 2:
        raise ValueError("labels of both classes are needed to learn what a score means")
