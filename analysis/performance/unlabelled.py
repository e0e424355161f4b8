"""Figures of a binary model where labels have not come: expected from its inputs and its answers.

Where the chance that a row turns out positive is known, figures follow without labels: every row
counts as positive by its chance and as negative by the rest. Chances are learnt on rows whose
labels have come. From the score alone, by isotonic regression, that is confidence-based
performance estimation (CBPE). From the features it stays right when their mix shifts (Białek et
al. 2024, "Estimating Model Performance Under Covariate Shift Without Labels"), and when a new
snapshot answers the same inputs in another way, for the chance does not hang on the answer.

How far such estimates are off is measured where it can be: on earlier blocks (days, chunks), by
what was learnt from other blocks. :data:`BLIND` says what no estimate of this kind can see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BLIND = (
    "what no estimate can see: the same inputs leading to something else than before, or inputs "
    "that are false but look normal"
)
FEWEST_BLOCKS = 3
"""On fewer earlier blocks than this, an estimate's error cannot be told."""


def by_score(scores: Floats, labels: Floats) -> Callable[[Floats], Floats]:
    """Isotonic calibration: scores (n,) and labels (n,) of 0 and 1 to a map of scores (m,) to
    chances (m,). Raises ValueError when there is one class only."""
    from sklearn.isotonic import IsotonicRegression

    _check(labels)
    fitted = IsotonicRegression(out_of_bounds="clip").fit(scores, labels)
    return lambda some: np.asarray(fitted.predict(some), dtype=float)


def by_inputs(x: Floats, labels: Floats) -> Callable[[Floats], Floats]:
    """Chances from columns (n, k), NaN allowed, by boosted trees (log loss): a map of columns
    (m, k) to (m,). Raises ValueError when there is one class only."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    _check(labels)
    known = np.array([len(np.unique(c[np.isfinite(c)])) > 1 for c in x.T])
    model = HistGradientBoostingClassifier(
        max_leaf_nodes=15, learning_rate=0.15, max_bins=64, early_stopping=True, random_state=0
    )
    model.fit(x[:, known], labels)
    return lambda some: np.asarray(model.predict_proba(some[:, known])[:, 1], dtype=float)


@dataclass(frozen=True)
class Learned:
    """Chances learnt twice, from every other block each.

    ``held`` (n,) is each row's chance by the half that never saw its block. ``chance`` maps new
    scores (m,) and features (m, k) to the mean of both halves. ``by_answer`` says that the score
    was needed: it tells more than the features that are logged.
    """

    held: Floats
    chance: Callable[[Floats, Floats], Floats]
    by_answer: bool


def learn(scores: Floats, x: Floats, labels: Floats, blocks: NDArray[np.int64]) -> Learned:
    """Learn from the features alone, or with the score where that is plainly better.

    Scores, labels and ``blocks`` have shape (n,), ``x`` (n, k). "Plainly" is a lower log loss on
    held blocks, by a one-sided paired t-test over blocks at 5 %. Raises ValueError when a half
    has labels of one class only, or there are fewer than FEWEST_BLOCKS blocks.
    """
    _, place = np.unique(blocks, return_inverse=True)
    if place.max(initial=-1) + 1 < FEWEST_BLOCKS:
        raise ValueError(f"labels of {FEWEST_BLOCKS} earlier blocks are needed")
    with_score = _learn(scores, np.column_stack([scores, x]), labels, place, True)
    if not x.shape[1]:
        return with_score
    alone = _learn(scores, x, labels, place, False)
    gain = _loss(alone.held, labels) - _loss(with_score.held, labels)
    counts = np.bincount(place)
    return with_score if _plain(np.bincount(place, gain) / counts) else alone


def _learn(
    scores: Floats, columns: Floats, labels: Floats, place: NDArray[np.int64], by_answer: bool
) -> Learned:
    odd = place % 2 == 1
    if columns.shape[1] == 1 and by_answer:
        one, two = (by_score(scores[h], labels[h]) for h in (~odd, odd))
        held = np.where(odd, one(scores), two(scores))
        return Learned(held, lambda s, _: (one(s) + two(s)) / 2, True)
    first, second = (by_inputs(columns[h], labels[h]) for h in (~odd, odd))
    held = np.where(odd, first(columns), second(columns))

    def chance(some: Floats, of: Floats) -> Floats:
        seen = np.column_stack([some, of]) if by_answer else of
        return (first(seen) + second(seen)) / 2

    return Learned(held, chance, by_answer)


def _plain(gains: Floats) -> bool:
    from scipy.stats import t

    error = float(gains.std(ddof=1)) / np.sqrt(len(gains))
    return bool(gains.mean() > t.ppf(0.95, len(gains) - 1) * error)


def _loss(chances: Floats, labels: Floats) -> Floats:
    safe = np.clip(chances, 1e-6, 1 - 1e-6)
    return np.asarray(-np.where(labels > 0.5, np.log(safe), np.log1p(-safe)))


def _check(labels: Floats) -> None:
    if len(np.unique(labels)) < 2:
        raise ValueError("labels of both classes are needed to learn what a score means")


# -- figures from chances ------------------------------------------------------------------------


def expected(
    kind: str, scores: Floats, chances: Floats, weights: Floats | None = None
) -> tuple[float, float]:
    """The expected figure on :func:`analysis.quality.working`'s scale, and its label noise.

    ``kind`` is one of auc, calibration, log_loss, normalised_entropy; all arrays have shape (n,).
    The noise is the standard deviation, over the labels that may still come, of the figure of
    these very rows, by the delta method; with labels (0 and 1) for chances it is 0 and the
    figure is the measured one. NaN when the rows are of one class.
    """
    w = np.ones(len(scores)) if weights is None else weights
    if min(float(w @ chances), float(w @ (1 - chances))) <= 0:
        return float("nan"), float("nan")
    value, slope = _FIGURES[kind](scores, chances, w / w.sum())
    return value, float(np.sqrt(np.sum(chances * (1 - chances) * slope**2)))


Slopes = tuple[float, Floats]
"""A figure, and by how much it would rise with each row's label (n,)."""


def _auc(scores: Floats, chances: Floats, w: Floats) -> Slopes:
    """Area under the curve; the slope is DeLong's, of labels at given scores."""
    _, place = np.unique(scores, return_inverse=True)
    yes, no = np.bincount(place, w * chances), np.bincount(place, w * (1 - chances))
    p, n = yes.sum(), no.sum()
    beaten = (np.cumsum(no) - 0.5 * no) / n
    beating = 1 - (np.cumsum(yes) - 0.5 * yes) / p
    area = float((yes * beaten).sum() / p)
    return area, w * ((beaten - area) / p - (beating - area) / n)[place]


def _calibration(scores: Floats, chances: Floats, w: Floats) -> Slopes:
    rate = float(w @ chances)
    return float(np.log(w @ scores) - np.log(rate)), -w / rate


def _mean_loss(scores: Floats, chances: Floats, w: Floats) -> Slopes:
    safe = np.clip(scores, 1e-6, 1 - 1e-6)
    logit = np.log(safe) - np.log1p(-safe)
    return float(w @ (-np.log1p(-safe) - chances * logit)), -w * logit


def _log_loss(scores: Floats, chances: Floats, w: Floats) -> Slopes:
    loss, slope = _mean_loss(scores, chances, w)
    return float(np.log(loss)), slope / loss


def _normalised_entropy(scores: Floats, chances: Floats, w: Floats) -> Slopes:
    loss, slope = _mean_loss(scores, chances, w)
    rate = float(w @ chances)
    entropy = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    bend = np.log((1 - rate) / rate) / entropy
    return float(np.log(loss / entropy)), slope / loss - w * bend


_FIGURES: dict[str, Callable[[Floats, Floats, Floats], Slopes]] = {
    "calibration": _calibration,
    "normalised_entropy": _normalised_entropy,
    "auc": _auc,
    "log_loss": _log_loss,
}
KINDS = tuple(_FIGURES)
"""What can be estimated."""


# -- how far estimates are off -------------------------------------------------------------------


@dataclass(frozen=True)
class Record:
    """Estimates of earlier blocks beside what their labels said.

    ``bias`` is the mean of estimate minus truth; ``between`` the standard deviation from block
    to block beyond label noise; ``blocks`` how many were compared.
    """

    bias: float
    between: float
    blocks: int

    @classmethod
    def of(cls, estimates: Floats, truths: Floats, noises: Floats) -> Record:
        """From one figure per block, each (m,); blocks with NaN do not count."""
        off = estimates - truths
        usable = np.isfinite(off) & np.isfinite(noises)
        off, noise = off[usable], noises[usable]
        if len(off) < FEWEST_BLOCKS:
            return cls(float("nan"), float("nan"), len(off))
        beyond = float(np.var(off, ddof=1) - np.mean(noise**2))
        return cls(float(off.mean()), float(np.sqrt(max(beyond, 0.0))), len(off))

    def error(self, noise: float) -> float:
        """Standard error of ``estimate - bias`` as a prediction of a new block's figure."""
        return float(np.sqrt((self.between**2 + noise**2) * (1 + 1 / self.blocks)))

    @property
    def reach(self) -> float:
        """So many standard errors lie on either side in a 95 % interval (Student's t)."""
        from scipy.stats import t

        return float(t.ppf(0.975, max(self.blocks - 1, 1)))
