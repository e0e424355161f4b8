"""The models: a small neural net on standardised features, trained epoch by epoch.

Written out in NumPy: a snapshot is a handful of arrays that any process can load and score,
and the world is built without the seconds that importing a library for this would take.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from bot.demo.columns import FEATURES, GROUPS, TEXT_FEATURES, Columns
from bot.demo.flights import Floats

NULLABLE = (
    "dep_delay",
    "pressure",
    "plane_age",
    "plane_seats",
    "origin_delay_3h",
    "carrier_delay_24h",
    "tail_prev_delay",
    "tail_idle_hours",
)
SKEWED = {
    "dep_delay": 15.0,
    "origin_delay_3h": 10.0,
    "origin_queue": 3.0,
    "carrier_delay_24h": 10.0,
    "tail_prev_delay": 15.0,
    "precip": 0.01,
    "tail_idle_hours": 4.0,
}
"""Features with a long tail enter as ``arcsinh(value / scale)``."""

LINEAR_TOO = ("dep_delay",)
"""Skewed features that also enter as they are: an arrival is late minute for minute."""

NUMERIC = tuple(name for name in FEATURES if name not in TEXT_FEATURES)
LEVELS = {
    "origin": ("EWR", "JFK", "LGA"),
    "carrier": ("9E", "AA", "B6", "DL", "EV", "FL", "MQ", "UA", "US", "VX", "WN"),
}
FARTHEST = 8.0
"""Standardised inputs are cut at this many standard deviations."""

BATCH = 256

Layers: TypeAlias = tuple[tuple[Floats, ...], tuple[Floats, ...]]
"""The weights of each layer, and the biases."""

DELAY_UNIT = 30.0
"""The regression net's output is in units of this many minutes."""
DELAY_RANGE = (-60.0, 240.0)
"""Arrival delays are cut to this range for training only."""


@dataclass(frozen=True)
class Recipe:
    """How a series of snapshots is trained.

    ``window`` is the days of data, ``rows`` the largest sample of them, ``hidden`` the widths
    of the hidden layers, ``rate`` Adam's learning rate, ``penalty`` the L2 weight.
    """

    window: int = 60
    rows: int = 12_000
    hidden: tuple[int, ...] = (24, 12)
    rate: float = 3e-3
    epochs: int = 8
    penalty: float = 1e-3
    seed: int = 0


def input_names() -> tuple[str, ...]:
    """The net's inputs in order: numeric features, null indicators, levels of text features."""
    names = [
        *NUMERIC,
        *(f"{name}=linear" for name in LINEAR_TOO),
        *(f"{name}=null" for name in NULLABLE),
    ]
    names += [f"{name}={level}" for name, levels in LEVELS.items() for level in levels]
    return tuple(names)


def design(columns: Columns) -> Floats:
    """Features as a matrix of rows × :func:`input_names`, not yet standardised; nulls are NaN."""
    parts: list[Floats] = []
    for name in NUMERIC:
        value = np.asarray(columns[name], dtype=float)
        parts.append(np.arcsinh(value / SKEWED[name]) if name in SKEWED else value)
    parts += [np.asarray(columns[name], dtype=float) for name in LINEAR_TOO]
    parts += [np.isnan(np.asarray(columns[name], dtype=float)).astype(float) for name in NULLABLE]
    for name, levels in LEVELS.items():
        parts += [(columns[name] == level).astype(float) for level in levels]
    return np.column_stack(parts)


@dataclass(frozen=True)
class Net:
    """A trained net. ``center`` and ``scale`` standardise the inputs; ``task`` is that of the
    model, binary (scores are probabilities) or regression (minutes)."""

    task: str
    center: Floats
    scale: Floats
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]

    def standardise(self, matrix: Floats) -> Floats:
        """Inputs of mean 0 and deviation 1; a null becomes the mean."""
        scaled = (matrix - self.center) / self.scale
        clipped: Floats = np.clip(np.nan_to_num(scaled, nan=0.0), -FARTHEST, FARTHEST)
        return clipped

    def score(self, matrix: Floats) -> Floats:
        """The served score of each row of :func:`design`."""
        layer = self.standardise(matrix)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            layer = np.maximum(layer @ weight + bias, 0)
        out = (layer @ self.weights[-1] + self.biases[-1])[:, 0]
        if self.task == "regression":
            scores: Floats = out * DELAY_UNIT
            return scores
        return 1 / (1 + np.exp(-np.clip(out, -30, 30)))

    @cached_property
    def modules(self) -> dict[str, dict[str, float]]:
        """Statistics of the weights of each module: the input layer by feature group, the
        hidden layers, the head."""
        names = input_names()
        result = {}
        for group, features in GROUPS.items():
            rows = [i for i, n in enumerate(names) if n.split("=")[0] in features]
            result[f"input.{group}"] = _statistics(self.weights[0][rows])
        for depth, weight in enumerate(self.weights[1:-1], 1):
            result[f"hidden.{depth}"] = _statistics(weight)
        result["head"] = _statistics(self.weights[-1])
        return result

    def save(self, file: Path) -> None:
        """Write the arrays as ``.npz``; :meth:`load` reads them back."""
        arrays: dict[str, Any] = {"center": self.center, "scale": self.scale}
        for depth, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            arrays |= {f"weight{depth}": weight, f"bias{depth}": bias}
        arrays["task"] = np.array(self.task)
        arrays["inputs"] = np.array(json.dumps(input_names()))
        temporary = file.with_name(f".{file.name}.new.npz")
        np.savez(temporary, **arrays)
        temporary.replace(file)

    @classmethod
    def load(cls, file: Path) -> Net:
        """The net that :meth:`save` wrote."""
        with np.load(file, allow_pickle=False) as data:
            depth = sum(1 for name in data.files if name.startswith("weight"))
            return cls(
                task=str(data["task"]),
                center=data["center"],
                scale=data["scale"],
                weights=tuple(data[f"weight{i}"] for i in range(depth)),
                biases=tuple(data[f"bias{i}"] for i in range(depth)),
            )


@dataclass(frozen=True)
class Trained:
    """A net with its training curve: (epoch, loss on the training part, loss on the rest)."""

    net: Net
    curve: tuple[tuple[int, float, float], ...]


def train(task: str, matrix: Floats, label: Floats, recipe: Recipe) -> Trained:
    """Fit a net on the rows of :func:`design`; a tenth of them is kept for validation.

    The loss is log loss (binary) or mean squared error in units of DELAY_UNIT² (regression).
    Raises ValueError when there are fewer than 200 rows or a single class.
    """
    if len(label) < 200:
        raise ValueError(f"{len(label)} rows to train on; at least 200 are needed")
    target = label
    if task == "regression":
        target = np.clip(label, *DELAY_RANGE) / DELAY_UNIT
    order = np.random.default_rng(recipe.seed).permutation(len(label))
    held, used = order[: len(label) // 10], order[len(label) // 10 :]
    with np.errstate(invalid="ignore"):
        center = np.nan_to_num(np.nanmean(matrix[used], axis=0))
        scale = np.nan_to_num(np.nanstd(matrix[used], axis=0))
    scale = np.where(scale > 1e-6, scale, 1.0)
    shell = Net(task, center, scale, (), ())
    inputs = shell.standardise(matrix)
    curve = []
    net = shell
    for epoch, (weights, biases) in enumerate(_epochs(task, inputs[used], target[used], recipe), 1):
        net = Net(task, center, scale, weights, biases)
        losses = [_loss(net, matrix[part], target[part]) for part in (used, held)]
        curve.append((epoch, losses[0], losses[1]))
    return Trained(net, tuple(curve))


def _epochs(task: str, inputs: Floats, target: Floats, recipe: Recipe) -> Iterator[Layers]:
    """Weights and biases after every epoch of Adam (Kingma and Ba, 2015) on mini-batches."""
    rng = np.random.default_rng(recipe.seed)
    widths = (inputs.shape[1], *recipe.hidden, 1)
    layers = [_first(rng, low, high) for low, high in itertools.pairwise(widths)]
    layers += [np.zeros(high) for high in widths[1:]]
    adam = _Adam(layers, recipe.rate)
    depth = len(widths) - 1
    for _ in range(recipe.epochs):
        order = rng.permutation(len(target))
        for start in range(0, len(order), BATCH):
            batch = order[start : start + BATCH]
            slopes = _slopes(task, layers, depth, inputs[batch], target[batch])
            for place in range(depth):
                slopes[place] += recipe.penalty * layers[place] / len(batch)
            adam.step(slopes)
        yield tuple(w.copy() for w in layers[:depth]), tuple(b.copy() for b in layers[depth:])


def _first(rng: np.random.Generator, low: int, high: int) -> Floats:
    """First weights, evenly within the bound of Glorot and Bengio (2010)."""
    bound = np.sqrt(6 / (low + high))
    return rng.uniform(-bound, bound, (low, high))


def _slopes(
    task: str, layers: list[Floats], depth: int, inputs: Floats, target: Floats
) -> list[Floats]:
    """Gradients of the mean loss, by back-propagation, in the order of ``layers``."""
    values = [inputs]
    for place in range(depth):
        out = values[-1] @ layers[place] + layers[depth + place]
        values.append(np.maximum(out, 0) if place < depth - 1 else out)
    score = values[-1][:, 0]
    if task != "regression":
        score = 1 / (1 + np.exp(-np.clip(score, -30, 30)))
    error = ((score - target) / len(target))[:, None]
    slopes = [np.empty(0)] * len(layers)
    for place in range(depth - 1, -1, -1):
        slopes[place] = values[place].T @ error
        slopes[depth + place] = error.sum(axis=0)
        if place:
            error = (error @ layers[place].T) * (values[place] > 0)
    return slopes


class _Adam:
    """Moves ``layers`` in place along their slopes."""

    def __init__(self, layers: list[Floats], rate: float) -> None:
        self.layers, self.rate, self.steps = layers, rate, 0
        self.mean = [np.zeros_like(v) for v in layers]
        self.square = [np.zeros_like(v) for v in layers]

    def step(self, slopes: list[Floats], first: float = 0.9, second: float = 0.999) -> None:
        """One step of all layers."""
        self.steps += 1
        size = self.rate * np.sqrt(1 - second**self.steps) / (1 - first**self.steps)
        for place, slope in enumerate(slopes):
            mean, square = self.mean[place], self.square[place]
            mean += (1 - first) * (slope - mean)
            square += (1 - second) * (slope**2 - square)
            self.layers[place] -= size * mean / (np.sqrt(square) + 1e-8)


def _loss(net: Net, matrix: Floats, target: Floats) -> float:
    scores = net.score(matrix)
    if net.task == "regression":
        return float(np.mean((scores / DELAY_UNIT - target) ** 2))
    likely = np.clip(scores, 1e-9, 1 - 1e-9)
    return float(-np.mean(target * np.log(likely) + (1 - target) * np.log(1 - likely)))


def _statistics(weight: npt.NDArray[np.float64] | Sequence[float]) -> dict[str, float]:
    values = np.asarray(weight, dtype=float)
    bad = int(np.sum(~np.isfinite(values)))
    sound = values[np.isfinite(values)]
    return {
        "mean": float(sound.mean()) if sound.size else 0.0,
        "std": float(sound.std()) if sound.size else 0.0,
        "norm": float(np.sqrt(np.sum(sound**2))),
        "max": float(np.abs(sound).max()) if sound.size else 0.0,
        "nan": float(bad),
    }
