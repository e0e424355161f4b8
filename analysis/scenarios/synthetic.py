"""A small made-up airline: rows, a really trained logistic model, its snapshots.

The world is drawn first and knows no model. Labels come from true features; the model sees the
features as served. What a fault does to them is in :mod:`analysis.scenarios`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

NUMERIC = ("temp", "wind", "humid", "age", "seats", "queue", "distance", "battery")
USED = ("temp", "wind", "humid", "age", "seats", "queue", "distance")
CARRIERS = ("AA", "BB", "CC", "DD", "EE", "FF")
CHANNELS = ("web", "app", "desk", "partner")
ORIGINS = ("north", "south", "east")
_CARRIER_EFFECT = np.array([-0.9, -0.4, 0.0, 0.3, 0.7, 1.2])
_CHANNEL_EFFECT = np.array([-0.3, 0.0, 0.3, 1.3])
MODULES = ("bias", "linear", "square", "missing", "cross", "carrier", "channel")


def _walk(rng: np.random.Generator, steps: int, memory: float) -> Floats:
    """A stationary AR(1) path with unit variance, shape (steps,)."""
    shocks = rng.normal(0, np.sqrt(1 - memory**2), steps)
    shocks[0] = rng.normal()
    path = accumulate(shocks.tolist(), lambda before, shock: memory * before + shock)
    return np.fromiter(path, dtype=np.float64, count=steps)


def weather(rng: np.random.Generator, hours: int, storm: slice | None = None) -> Floats:
    """Temp °F, wind mph, humidity % and queue by hour and origin, shape (hours, 3, 4)."""
    clock = np.arange(hours) % 24
    day = np.cos((clock - 15) / 24 * 2 * np.pi)
    busy = np.exp(-(((clock - 17) / 5) ** 2))
    shared = [_walk(rng, hours, 0.985) for _ in range(3)]
    table = np.empty((hours, len(ORIGINS), 4))
    for i in range(len(ORIGINS)):
        own = [_walk(rng, hours, 0.9) for _ in range(4)]
        gust = np.zeros(hours)
        if storm is not None:
            gust[storm] = 16.0
        table[:, i, 0] = 52 + 6 * i + 8 * day + 8 * shared[0] + 2 * own[0]
        table[:, i, 1] = np.clip(10 + 2 * day + 3 * shared[1] + 1.5 * own[1] + gust, 0, None)
        table[:, i, 2] = np.clip(62 - 10 * day + 10 * shared[2] + 4 * own[2], 5, 100)
        table[:, i, 3] = np.clip(20 * busy + 6 + 3 * own[3], 0, None) * (1.0 + 0.15 * i)
    return table


def draw_rows(
    rng: np.random.Generator, table: Floats, per_day: int, planes: int = 240
) -> pd.DataFrame:
    """Requests with their true features; ``hour`` counts from the start, ``at`` in hours."""
    import pandas as pd

    hours = table.shape[0]
    clock = np.arange(hours) % 24
    weekday = np.arange(hours) // 24 % 7
    rate = (0.25 + np.exp(-(((clock - 14) / 6) ** 2))) * np.where(weekday >= 5, 0.8, 1.0)
    counts = rng.poisson(rate / rate[:24].sum() * per_day)
    hour = np.repeat(np.arange(hours), counts)
    n = len(hour)
    carrier = rng.choice(len(CARRIERS), planes, p=[0.28, 0.22, 0.18, 0.14, 0.1, 0.08])
    age = np.clip(rng.normal(4 + 3.2 * carrier, 2.5), 0.5, 30).round(1)
    seats = (60 + 30 * ((carrier * 2 + 1) % 5) + rng.normal(0, 12, planes)).round()
    plane = rng.integers(0, planes, n)
    origin = rng.choice(len(ORIGINS), n, p=[0.4, 0.35, 0.25])
    day_share = np.cos((hour % 24 - 13) / 24 * 2 * np.pi)
    first = rng.random(n) < 0.35 + 0.1 * day_share
    channel = np.where(first, 0, rng.choice([1, 2, 3], n, p=[0.5, 0.3, 0.2]))
    here = table[hour, origin]
    frame = {
        "at": hour + rng.random(n),
        "hour": hour,
        "plane": plane,
        "origin": np.array(ORIGINS)[origin],
        "carrier": np.array(CARRIERS)[carrier[plane]],
        "channel": np.array(CHANNELS)[channel],
        "temp": here[:, 0].round(1),
        "wind": here[:, 1].round(1),
        "humid": here[:, 2].round(),
        "age": age[plane],
        "seats": seats[plane],
        "queue": np.clip(here[:, 3] + rng.normal(0, 1.5, n), 0, None).round(1),
        "distance": np.exp(rng.normal(6.2 + 0.0025 * seats[plane], 0.45)).round(),
        "battery": np.clip(rng.normal(70, 14, n), 0, 100).round(),
    }
    rows = pd.DataFrame(frame).sort_values("at", kind="stable", ignore_index=True)
    rows.loc[rng.random(n) < 0.03, "age"] = np.nan
    return rows


def true_logit(rows: pd.DataFrame) -> Floats:
    """The logit of a late arrival given true features, shape (rows,)."""
    cold = np.clip((45 - rows["temp"].to_numpy()) / 12, 0, None)
    windy = (rows["wind"].to_numpy() - 10) / 5
    queue = (rows["queue"].to_numpy() - 14) / 8
    carrier = _CARRIER_EFFECT[np.searchsorted(CARRIERS, rows["carrier"].to_numpy(str))]
    order = {name: i for i, name in enumerate(CHANNELS)}
    channel = _CHANNEL_EFFECT[rows["channel"].map(order).to_numpy()]
    age = np.nan_to_num((rows["age"].to_numpy() - 10) / 7)
    logit: Floats = (
        -1.7
        + 0.7 * cold
        + 0.55 * windy
        + 0.8 * queue
        + 0.25 * windy * queue
        + 0.45 * (rows["humid"].to_numpy() - 60) / 15
        + 0.5 * age
        + 0.35 * (rows["seats"].to_numpy() - 120) / 45
        + 0.4 * (np.log(rows["distance"].to_numpy() + 1) - 6.5)
        + carrier
        + channel
    )
    return logit


@dataclass(frozen=True)
class Trained:
    """A logistic model: scaling, coefficients by module, and the curve of its training."""

    middle: Floats
    spread: Floats
    weights: Floats
    curve: tuple[tuple[int, float, float], ...]

    def logit(self, rows: pd.DataFrame) -> Floats:
        """The served logit of each row, shape (rows,)."""
        out: Floats = _design(rows, self.middle, self.spread) @ self.weights
        return np.clip(out, -12, 12)

    def modules(self) -> dict[str, Floats]:
        """Coefficients by module."""
        sizes = (1, len(USED), len(USED), 1, 2, len(CARRIERS), len(CHANNELS))
        parts = np.split(self.weights, np.cumsum(sizes)[:-1])
        return dict(zip(MODULES, parts, strict=True))


def _design(rows: pd.DataFrame, middle: Floats, spread: Floats) -> Floats:
    values = rows[list(USED)].to_numpy(float)
    missing = np.isnan(values).any(axis=1).astype(float)
    z = np.clip(np.nan_to_num((values - middle) / spread), -8, 8)
    cross = np.column_stack([z[:, 1] * z[:, 5], z[:, 0] * z[:, 1]])
    carrier = (rows["carrier"].to_numpy(object)[:, None] == np.array(CARRIERS)) * 1.0
    channel = (rows["channel"].to_numpy(object)[:, None] == np.array(CHANNELS)) * 1.0
    ones = np.ones((len(rows), 1))
    return np.hstack([ones, z, z**2 * 0.3, missing[:, None], cross * 0.5, carrier, channel])


def train(
    rows: pd.DataFrame, label: Floats, seed: int, steps: int = 120, blow_up: float = 0.0
) -> Trained:
    """Full-batch gradient descent with momentum; ``blow_up`` > 0 lets the rate run away."""
    rng = np.random.default_rng(seed)
    values = rows[list(USED)].to_numpy(float)
    middle, spread = np.nanmedian(values, axis=0), np.nanstd(values, axis=0) + 1e-9
    x = _design(rows, middle, spread)
    valid = rng.random(len(x)) < 0.2
    w, v, curve = np.zeros(x.shape[1]), np.zeros(x.shape[1]), []
    seen = x[~valid].T
    for step in range(steps):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        if step % 6 == 0 or step == steps - 1:
            loss = -label * np.log(p + 1e-9) - (1 - label) * np.log(1 - p + 1e-9)
            curve.append((step, float(loss[~valid].mean()), float(loss[valid].mean())))
        gradient = seen @ (p - label)[~valid] / (~valid).sum() + 0.002 * w
        rate = 0.35
        if blow_up and step > steps * 0.6:
            gradient = gradient + rng.normal(0, blow_up, len(w))
        v = 0.85 * v - rate * gradient
        w = w + v
    return Trained(middle, spread, w, tuple(curve))
