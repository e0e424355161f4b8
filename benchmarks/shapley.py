"""Shapley values of features in a surrogate's output: what the mean-SHAP ranker ranks by.

An old row's features are replaced by a new row's one after the other, in sampled orders and
their reverses (Castro, Gómez & Tejada 2009; Štrumbelj & Kononenko 2014).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis.inputs.surrogate import Surrogate

Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Contributions:
    """Mean output of new minus old rows, by feature: ``mean`` adds up to ``total``.

    ``typical`` is the mean absolute contribution per row, which offsetting rows do not cancel.
    """

    mean: Mapping[str, float]
    typical: Mapping[str, float]
    total: float


def contributions(
    s: Surrogate, new: Floats, old: Floats, seed: int = 0, pairs: int = 240, rounds: int = 4
) -> Contributions:
    """Additive contributions of each feature to the surrogate's output, new minus old."""
    names = list(s.bins)
    used = [j for j, n in enumerate(names) if s.usage[n] > 0]
    if s.model is None or not used or not len(new) or not len(old):
        return Contributions(dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0), 0.0)
    rng = np.random.default_rng(seed)
    a = old[rng.integers(0, len(old), pairs)]
    b = new[rng.integers(0, len(new), pairs)]
    total = np.zeros((pairs, len(names)))
    for _ in range(rounds):
        order = rng.permutation(used)
        for path in (order, order[::-1]):
            steps = np.repeat(a[None], len(path) + 1, axis=0)
            for i, j in enumerate(path):
                steps[i + 1 :, :, j] = b[:, j]
            out = s(steps.reshape(-1, len(names))).reshape(len(path) + 1, pairs)
            total[:, path] += np.diff(out, axis=0).T
    total /= 2 * rounds
    return Contributions(
        dict(zip(names, map(float, total.mean(axis=0)), strict=True)),
        dict(zip(names, map(float, np.abs(total).mean(axis=0)), strict=True)),
        float(total.sum(axis=1).mean()),
    )
