"""What a profile holds: a histogram per column and bucket, and how far two of them are apart.

Every histogram has a cell for null and cells for what the baseline never held: below and above
its range for numbers, "other" for levels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Counts = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Profile:
    """Counts per bucket: ``counts[feature]`` has shape (buckets, cells); ``rows`` (buckets,)."""

    buckets: tuple[Any, ...]
    rows: Counts
    counts: Mapping[str, Counts]


def distance(left: Counts, right: Counts) -> Counts:
    """Jensen–Shannon distance (base 2, 0 to 1) between rows of counts; 0 where one is empty.

    Lin (1991), "Divergence measures based on the Shannon entropy".
    """
    p = left / np.maximum(left.sum(axis=-1, keepdims=True), 1e-12)
    q = right / np.maximum(right.sum(axis=-1, keepdims=True), 1e-12)
    m = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        one = np.where(p > 0, p * np.log2(p / m), 0).sum(axis=-1)
        two = np.where(q > 0, q * np.log2(q / m), 0).sum(axis=-1)
    empty = (left.sum(axis=-1) <= 0) | (right.sum(axis=-1) <= 0)
    out: Counts = np.where(empty, 0.0, np.sqrt(np.clip((one + two) / 2, 0, 1)))
    return out
