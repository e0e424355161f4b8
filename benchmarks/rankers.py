"""Public ways to rank features, run beside ours on the same rows.

Each takes rows before and since the onset (the same clock hours) and gives a score a feature.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis.inputs import surrogate
from analysis.profile import bins_of
from benchmarks.shapley import contributions
from benchmarks.streams import Kind

Scores = dict[str, float]
MOST = 2_000
"""Rows of either side that a ranker sees."""


def psi(before: pd.DataFrame, now: pd.DataFrame, kinds: Mapping[str, Kind]) -> Scores:
    """Population stability index over ten quantile bins or the levels, nulls in a bin of theirs."""
    return {name: _psi(before[name], now[name], kind) for name, kind in kinds.items()}


def _psi(before: Any, now: Any, kind: Kind) -> float:
    if kind == "number":
        edges = np.unique(np.nanquantile(before.to_numpy(float), np.linspace(0.1, 0.9, 9)))
        cells = [np.searchsorted(edges, s.to_numpy(float)) for s in (before, now)]
        nulls = [s.isna().to_numpy() for s in (before, now)]
        codes = [np.where(n, len(edges) + 1, c) for c, n in zip(cells, nulls, strict=True)]
    else:
        both = pd.concat([before, now]).astype("string").fillna("(null)")
        every = pd.factorize(both)[0]
        codes = [every[: len(before)], every[len(before) :]]
    size = max(int(c.max()) for c in codes) + 1
    p, q = ((np.bincount(c, minlength=size) + 0.5) / (len(c) + 0.5 * size) for c in codes)
    return float(((q - p) * np.log(q / p)).sum())


def ks(before: pd.DataFrame, now: pd.DataFrame, kinds: Mapping[str, Kind]) -> Scores:
    """Kolmogorov–Smirnov distance of numbers, total variation of levels; nulls are dropped."""
    from scipy.stats import ks_2samp

    out = {}
    for name, kind in kinds.items():
        a, b = before[name].dropna(), now[name].dropna()
        if not len(a) or not len(b):
            out[name] = 0.0
        elif kind == "number":
            out[name] = float(ks_2samp(a, b).statistic)
        else:
            p, q = (s.value_counts(normalize=True) for s in (a, b))
            out[name] = float(p.sub(q, fill_value=0.0).abs().sum()) / 2
    return out


def mean_shap(before: pd.DataFrame, now: pd.DataFrame, kinds: Mapping[str, Kind]) -> Scores:
    """Change of the mean Shapley value on a surrogate of the served prediction."""
    named: dict[str, Any] = dict(kinds)
    bins = bins_of(before, named)
    target = surrogate.served(before["prediction"].to_numpy(), True)
    fitted = surrogate.fit(before, target, bins)
    found = contributions(fitted, surrogate.encode(now, bins), surrogate.encode(before, bins))
    return {name: abs(value) for name, value in found.mean.items()}


def domain_classifier(before: pd.DataFrame, now: pd.DataFrame, kinds: Mapping[str, Kind]) -> Scores:
    """How much a classifier of before and now, on held-out rows, loses without each feature."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    named: dict[str, Any] = dict(kinds)
    bins = bins_of(before, named)
    x = np.vstack([surrogate.encode(f, bins) for f in (before, now)])
    y = np.repeat([0, 1], [len(before), len(now)])
    rng = np.random.default_rng(0)
    held = rng.random(len(y)) < 0.4
    if len(np.unique(y[held])) < 2 or len(np.unique(y[~held])) < 2:
        return dict.fromkeys(kinds, 0.0)
    # A column without two known values splits nothing, and the binning stumbles over it.
    x[:, [j for j in range(x.shape[1]) if len(np.unique(x[~held, j])) < 2]] = 0.0
    model = HistGradientBoostingClassifier(
        max_iter=60, max_leaf_nodes=15, class_weight="balanced", early_stopping=False
    ).fit(x[~held], y[~held])
    plain = roc_auc_score(y[held], model.predict_proba(x[held])[:, 1])
    out = {}
    for j, name in enumerate(kinds):
        mixed = x[held].copy()
        mixed[:, j] = rng.permutation(mixed[:, j])
        out[name] = float(plain - roc_auc_score(y[held], model.predict_proba(mixed)[:, 1]))
    return out


RANKERS: Mapping[str, Callable[..., Scores]] = {
    "PSI": psi,
    "KS": ks,
    "mean SHAP": mean_shap,
    "domain classifier": domain_classifier,
}


def ranking(scores: Scores) -> list[str]:
    """Names, the highest score first."""
    return sorted(scores, key=lambda n: -scores[n])
