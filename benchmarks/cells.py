"""Cubes of leaf cells with forecasts and up to three planted causes: data and truth.

Volumes are log-normal with some cells empty, forecasts err by a factor of their own, and a cause
moves all leaves of a combination of one to three values by one factor with some scatter, the form
of Li et al. 2019 (Squeeze). Causes do not touch each other, and one that is lost in the noise of
the whole is drawn again: nobody could name it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Where = frozenset[tuple[str, str]]
LEAST = 0.003
"""A cause holds at least this part of what was expected."""


@dataclass(frozen=True)
class Cube:
    """One case: a row per leaf with ``dims``, ``actual``, ``expected`` (and ``below``,
    ``below_was`` where a ratio is explained), and the truth with the effect of each cause."""

    frame: pd.DataFrame
    dims: tuple[str, ...]
    truth: dict[Where, str]


def cube(seed: int, *, causes: int | None = None) -> Cube:
    """Ten to a hundred thousand leaves of four to six dimensions, one to three causes."""
    rng = np.random.default_rng([31, seed])
    frame, dims = _grid(rng)
    volume = rng.lognormal(3, rng.uniform(0.8, 1.6), len(frame))
    volume *= rng.random(len(frame)) > rng.uniform(0, 0.25)
    noise = rng.uniform(0.0, 0.25)
    frame["expected"] = volume
    frame["actual"] = volume * np.maximum(1 + noise * rng.standard_normal(len(frame)), 0)
    truth: dict[Where, str] = {}
    taken = np.zeros(len(frame), dtype=bool)
    for _ in range(int(rng.integers(1, 4)) if causes is None else causes):
        where, hit = _place(rng, frame, dims, volume, taken)
        taken |= hit
        factor = float(rng.choice([rng.uniform(0, 0.6), rng.uniform(1.6, 3.0)]))
        scatter = 1 + 0.1 * noise * rng.standard_normal(int(hit.sum()))
        frame.loc[hit, "actual"] = volume[hit] * factor * scatter
        truth[where] = "mix"
    return Cube(frame, dims, truth)


def ratio(seed: int) -> Cube:
    """Requests and failures: one value fails more often, another brings more requests, and fails
    at a rate that is not everybody's."""
    rng = np.random.default_rng([32, seed])
    frame, dims = _grid(rng, most=20_000)
    n = rng.lognormal(5, 0.8, len(frame))
    where, hit = _place(rng, frame, dims, n, np.zeros(len(frame), dtype=bool))
    other, more = _place(rng, frame, dims, n, hit, depth=1)
    usual = np.where(more, 0.12, 0.03)
    grown = n * np.where(more, 3.0, 1.0)
    now = usual * np.where(hit, rng.uniform(2, 4), 1.0)
    frame["below_was"], frame["below"] = rng.poisson(n), rng.poisson(grown)
    frame["expected"] = rng.binomial(frame["below_was"], usual)
    frame["actual"] = rng.binomial(frame["below"], now)
    return Cube(frame, dims, {where: "rate", other: "mix"})


def _grid(rng: np.random.Generator, most: int = 100_000) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """All combinations of four to six dimensions of 4 to 20 values."""
    while True:
        sizes = [int(s) for s in rng.integers(4, 21, int(rng.integers(4, 7)))]
        if 10_000 <= np.prod(sizes) <= most:
            break
    dims = tuple("abcdef"[: len(sizes)])
    levels = [[f"{d}{i}" for i in range(size)] for d, size in zip(dims, sizes, strict=True)]
    return pd.MultiIndex.from_product(levels, names=list(dims)).to_frame(index=False), dims


def _place(
    rng: np.random.Generator,
    frame: pd.DataFrame,
    dims: tuple[str, ...],
    volume: NDArray[np.float64],
    taken: NDArray[np.bool_],
    depth: int | None = None,
) -> tuple[Where, NDArray[np.bool_]]:
    """A combination of values that holds enough and lies apart from those that are taken."""
    for _ in range(1000):
        size = depth or int(rng.integers(1, 4))
        chosen = [str(d) for d in rng.choice(dims, size, replace=False)]
        row = frame.iloc[int(rng.integers(len(frame)))]
        where = frozenset((d, str(row[d])) for d in chosen)
        hit = np.logical_and.reduce([(frame[d] == row[d]).to_numpy() for d in chosen])
        if volume[hit].sum() >= LEAST * volume.sum() and not (hit & taken).any():
            return where, hit
    raise RuntimeError(f"no place for a cause among {len(frame)} cells")
