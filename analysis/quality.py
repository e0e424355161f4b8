"""How good predictions are, from sums: calibration, normalised entropy, AUC and the like.

Everything is computed from sums that add over rows, so that one scan in the engine serves
every cut. A frame of sums has a row per cut (bucket, block, arm) and the columns of
:data:`SUMS`; labelled rows alone count in those that start with ``l``.

He et al. (2014), "Practical Lessons from Predicting Clicks on Ads at Facebook": calibration is
the mean prediction over the observed rate; normalised entropy (NE) is the mean log loss over
the entropy of the observed rate. Standard errors are by the delta method; AUC's is DeLong's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

SUMS = {
    "n": "rows",
    "w": "weight",
    "w2": "weight²",
    "p": "w·prediction",
    "pp": "w·prediction²",
    "pos": "w·(prediction ≥ threshold)",
    "ln": "labelled rows",
    "lw": "weight of labelled rows",
    "lw2": "weight² of labelled rows",
    "lp": "w·prediction",
    "lpp": "w·prediction²",
    "ly": "w·label",
    "lyy": "w·label²",
    "lpy": "w·prediction·label",
    "ll": "w·log loss",
    "ll2": "w·log loss²",
    "lly": "w·log loss·label",
    "ae": "w·|prediction − label|",
    "e4": "w·(prediction − label)⁴",
    "tp": "w·(decided yes, was yes)",
    "fp": "w·(decided yes, was no)",
    "fn": "w·(decided no, was yes)",
    "ok": "w·(decided what was)",
}
"""What each sum adds up; ``w`` is the row's weight."""

NEEDS_LABEL = frozenset(
    {"mean_label", "precision", "recall", "accuracy", "calibration", "log_loss"}
    | {"normalised_entropy", "auc", "mae", "rmse", "bias", "ndcg"}
)
"""Kinds of metrics that wait for labels."""

OF_LABELS = NEEDS_LABEL | {"label_coverage"}
"""Those, and the one that tells how many have come."""

GOOD_IS = {
    "label_coverage": "up",
    "precision": "up",
    "recall": "up",
    "accuracy": "up",
    "auc": "up",
    "ndcg": "up",
    "log_loss": "down",
    "normalised_entropy": "down",
    "mae": "down",
    "rmse": "down",
}
"""Which way is better; the kinds that are not here have a target or no direction."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its standard error (rows taken as independent) and the rows behind it."""

    value: Floats
    error: Floats
    rows: Floats


def needs(kind: str) -> tuple[str, ...]:
    """Names of the sums that :func:`estimate` reads for ``kind``."""
    always = ("n", "w", "w2")
    return tuple(dict.fromkeys((*always, *_NEEDS[kind])))


def estimate(kind: str, sums: pd.DataFrame) -> Estimate:
    """The metric ``kind`` for every row of ``sums``; NaN where it is not defined."""
    with np.errstate(all="ignore"):
        value, error = _FORMULAS[kind]({name: sums[name].to_numpy(float) for name in needs(kind)})
    rows = sums["ln" if kind in NEEDS_LABEL else "n"].to_numpy(float)
    missing = ~(np.isfinite(value) & (rows > 0))
    return Estimate(
        np.where(missing, np.nan, value),
        np.where(missing | ~np.isfinite(error), np.nan, error),
        rows,
    )


Sums = dict[str, Floats]
Formula = Callable[[Sums], tuple[Floats, Floats]]


def _mean(total: Floats, squares: Floats, weight: Floats, weight2: Floats) -> tuple[Floats, Floats]:
    """Weighted mean with its standard error, by the effective number of rows (Kish)."""
    mean = total / weight
    rows = weight**2 / weight2
    variance = np.maximum(squares / weight - mean**2, 0)
    return mean, np.sqrt(variance / np.maximum(rows - 1, 1))


def _share(yes: Floats, of: Floats, weight: Floats, weight2: Floats) -> tuple[Floats, Floats]:
    """A share with Agresti & Coull's (1998) error, which does not vanish at 0 and 1."""
    rows = of * weight / weight2
    softened = (yes / of * rows + 2) / (rows + 4)
    return yes / of, np.sqrt(softened * (1 - softened) / (rows + 4))


def _volume(s: Sums) -> tuple[Floats, Floats]:
    return s["n"], np.sqrt(s["n"])


def _calibration(s: Sums) -> tuple[Floats, Floats]:
    weight = s["lw"]
    ratio = s["lp"] / s["ly"]
    residual2 = s["lpp"] - 2 * ratio * s["lpy"] + ratio**2 * s["lyy"]
    rows = weight**2 / s["lw2"]
    error = np.sqrt(np.maximum(residual2, 0) / weight / np.maximum(rows - 1, 1))
    return ratio, error / (s["ly"] / weight)


def _normalised_entropy(s: Sums) -> tuple[Floats, Floats]:
    weight = s["lw"]
    loss, rate = s["ll"] / weight, s["ly"] / weight
    entropy = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    slope = np.log((1 - rate) / rate)
    per_loss, per_label = 1 / entropy, -loss * slope / entropy**2
    var_loss = s["ll2"] / weight - loss**2
    covariance = s["lly"] / weight - loss * rate
    variance = (
        per_loss**2 * var_loss
        + per_label**2 * rate * (1 - rate)
        + 2 * per_loss * per_label * covariance
    )
    rows = weight**2 / s["lw2"]
    return loss / entropy, np.sqrt(np.maximum(variance, 0) / np.maximum(rows - 1, 1))


def _squared(s: Sums) -> Floats:
    return s["lpp"] - 2 * s["lpy"] + s["lyy"]


def _rmse(s: Sums) -> tuple[Floats, Floats]:
    mse, error = _mean(_squared(s), s["e4"], s["lw"], s["lw2"])
    root = np.sqrt(np.maximum(mse, 0))
    return root, error / (2 * root)


_LABELLED = ("ln", "lw", "lw2")
_NEEDS: dict[str, tuple[str, ...]] = {
    "volume": (),
    "mean_prediction": ("p", "pp"),
    "positive_rate": ("pos",),
    "mean_label": (*_LABELLED, "ly", "lyy"),
    "label_coverage": ("ln",),
    "precision": (*_LABELLED, "tp", "fp"),
    "recall": (*_LABELLED, "tp", "fn"),
    "accuracy": (*_LABELLED, "ok"),
    "calibration": (*_LABELLED, "lp", "lpp", "lpy", "ly", "lyy"),
    "log_loss": (*_LABELLED, "ll", "ll2"),
    "normalised_entropy": (*_LABELLED, "ll", "ll2", "lly", "ly"),
    "mae": (*_LABELLED, "ae", "lpp", "lpy", "lyy"),
    "rmse": (*_LABELLED, "e4", "lpp", "lpy", "lyy"),
    "bias": (*_LABELLED, "lp", "ly", "lpp", "lpy", "lyy"),
    "auc": _LABELLED,
    "ndcg": _LABELLED,
}
_FORMULAS: dict[str, Formula] = {
    "volume": _volume,
    "mean_prediction": lambda s: _mean(s["p"], s["pp"], s["w"], s["w2"]),
    "positive_rate": lambda s: _share(s["pos"], s["w"], s["w"], s["w2"]),
    "mean_label": lambda s: _mean(s["ly"], s["lyy"], s["lw"], s["lw2"]),
    "label_coverage": lambda s: _share(s["ln"], s["n"], s["n"], s["n"]),
    "precision": lambda s: _share(s["tp"], s["tp"] + s["fp"], s["lw"], s["lw2"]),
    "recall": lambda s: _share(s["tp"], s["tp"] + s["fn"], s["lw"], s["lw2"]),
    "accuracy": lambda s: _share(s["ok"], s["lw"], s["lw"], s["lw2"]),
    "calibration": _calibration,
    "log_loss": lambda s: _mean(s["ll"], s["ll2"], s["lw"], s["lw2"]),
    "normalised_entropy": _normalised_entropy,
    "mae": lambda s: _mean(s["ae"], _squared(s), s["lw"], s["lw2"]),
    "rmse": _rmse,
    "bias": lambda s: _mean(s["lp"] - s["ly"], _squared(s), s["lw"], s["lw2"]),
}

LOGGED = frozenset({"calibration", "log_loss", "normalised_entropy", "mae", "rmse"})
"""Kinds that move by factors: bands and breaks are sought on their logarithm."""


def working(kind: str, found: Estimate, sums: pd.DataFrame) -> Estimate:
    """The estimate on the scale on which its noise is even: log, square root, or as it is.

    Calibration counts half a case more above and below: an hour without a positive label is
    evidence too, and its ratio is not.
    """
    if kind == "volume":  # variance-stabilised Poisson (Anscombe 1948)
        counts = sums["n"].to_numpy(float)
        return Estimate(2 * np.sqrt(counts + 0.375), np.ones(len(sums)), found.rows)
    if kind not in LOGGED:
        return found
    with np.errstate(all="ignore"):
        if kind == "calibration":
            s = {name: sums[name].to_numpy(float) for name in needs(kind)}
            scale = np.where(s["ln"] > 0, s["ln"] / s["lw"], np.nan)
            above, below = s["lp"] * scale + 0.5, s["ly"] * scale + 0.5
            value = np.log(above / below)
            error = np.sqrt(np.maximum(_squared(s), 0) * scale + 0.25) / np.sqrt(above * below)
        else:
            value, error = np.log(found.value), found.error / found.value
    bad = ~np.isfinite(value)
    return Estimate(np.where(bad, np.nan, value), np.where(bad, np.nan, error), found.rows)


SHARES = frozenset(
    {"positive_rate", "label_coverage", "precision", "recall", "accuracy", "auc", "ndcg"}
)
"""Kinds that lie between 0 and 1."""


def back(kind: str, value: Floats) -> Floats:
    """From the working scale to the metric's own, within what it can be."""
    if kind == "volume":
        return np.asarray(np.maximum(value / 2, 0.0) ** 2 - 0.375).clip(min=0.0)
    if kind in SHARES:
        return np.clip(value, 0.0, 1.0)
    return np.exp(value) if kind in LOGGED else value


AUC_STEP = 8
"""Bins per unit of log odds in the histograms that :func:`auc` reads."""


def auc(positives: Floats, negatives: Floats) -> tuple[float, float]:
    """Area under the ROC curve and its standard error, from counts per score bin, low to high.

    A bin counts as a tie, which costs less than 0.001 with bins an eighth of a logit wide.
    The error is that of DeLong, DeLong & Clarke-Pearson (1988). NaN with one class only.
    """
    p, n = positives.sum(), negatives.sum()
    if p <= 0 or n <= 0:
        return float("nan"), float("nan")
    beaten = (np.cumsum(negatives) - 0.5 * negatives) / n
    beating = 1 - (np.cumsum(positives) - 0.5 * positives) / p
    area = float((positives * beaten).sum() / p)
    spread_p = float((positives * (beaten - area) ** 2).sum() / max(p - 1, 1))
    spread_n = float((negatives * (beating - area) ** 2).sum() / max(n - 1, 1))
    return area, float(np.sqrt(spread_p / p + spread_n / n))
