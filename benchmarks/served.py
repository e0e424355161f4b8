"""Really trained models of three families, as a team would serve them.

Each leaves two features unused that the log holds nevertheless; every other model also does
without the one feature that dominates a stream. Boosted trees take missing values
as they are; logistic regression and the neural net see standardised numbers, a flag where one is
missing, and a column a level.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from benchmarks.streams import Stream

Family = Literal["trees", "logistic", "net"]
FAMILIES: tuple[Family, ...] = ("trees", "logistic", "net")
ROWS = 20_000
UNUSED = 2


@dataclass(frozen=True)
class Model:
    """A trained model; ``levels`` and ``scale`` say how its inputs are encoded."""

    family: Family
    used: tuple[str, ...]
    levels: dict[str, tuple[str, ...]]
    scale: dict[str, tuple[float, float]]
    fitted: Any
    sample: pd.DataFrame

    def __call__(self, frame: pd.DataFrame) -> np.ndarray:
        """The probability for each row."""
        x = self._trees(frame) if self.family == "trees" else self._columns(frame)
        out: np.ndarray = self.fitted.predict_proba(x)[:, 1]
        return out

    def _trees(self, frame: pd.DataFrame) -> np.ndarray:
        return np.column_stack(
            [
                pd.Categorical(frame[n], categories=self.levels[n]).codes.astype(float)
                if n in self.levels
                else frame[n].to_numpy(float)
                for n in self.used
            ]
        )

    def _columns(self, frame: pd.DataFrame) -> np.ndarray:
        parts = []
        for n in self.used:
            if n in self.levels:
                values = frame[n].to_numpy(object)
                parts += [(values == level) * 1.0 for level in self.levels[n]]
            else:
                middle, spread = self.scale[n]
                z = (frame[n].to_numpy(float) - middle) / spread
                parts += [np.clip(np.nan_to_num(z), -8, 8), np.isnan(z) * 1.0]
        return np.column_stack(parts)

    @cached_property
    def weight(self) -> dict[str, float]:
        """Mean absolute change of the logit when a feature is shuffled among training rows."""
        rng = np.random.default_rng(0)
        plain = logit(self(self.sample))
        out = {}
        for n in self.used:
            mixed = self.sample.assign(**{n: rng.permutation(self.sample[n].to_numpy())})
            out[n] = float(np.abs(logit(self(mixed)) - plain).mean())
        return out


def logit(p: np.ndarray) -> np.ndarray:
    """The scale on which predictions are compared."""
    q = np.clip(p, 1e-4, 1 - 1e-4)
    out: np.ndarray = np.log(q / (1 - q))
    return out


def train(stream: Stream, family: Family, period: int, seed: int) -> Model:
    """A model of one family on rows of one training period; the seed draws rows and features."""
    rng = np.random.default_rng([seed, period])
    used = features(stream, seed, rng)
    known = stream.training[period] & stream.frame["label"].notna().to_numpy()
    rows = stream.frame.iloc[np.sort(rng.choice(np.flatnonzero(known), ROWS, replace=False))]
    return fit(stream, family, used, rows, untrained(family, seed))


def features(stream: Stream, seed: int, rng: np.random.Generator) -> tuple[str, ...]:
    """What a model uses: two features are left out, and the dominant one by every other seed."""
    unused = set(rng.choice(stream.features, UNUSED, replace=False))
    unused |= set(stream.dominant[: seed % 2])
    return tuple(f for f in stream.features if f not in unused)


def fit(
    stream: Stream, family: Family, used: tuple[str, ...], rows: pd.DataFrame, untrained: Any
) -> Model:
    """Trains ``untrained``, a classifier of the family, on labelled rows."""
    levels = {n: tuple(sorted(rows[n].unique())) for n in used if stream.kinds[n] == "level"}
    numbers = [n for n in used if n not in levels]
    scale = {n: (float(rows[n].mean()), float(rows[n].std()) + 1e-9) for n in numbers}
    shell = Model(family, used, levels, scale, None, rows.iloc[:2_000])
    x = shell._trees(rows) if family == "trees" else shell._columns(rows)
    with warnings.catch_warnings():
        # The net stops after so many rounds on purpose.
        warnings.simplefilter("ignore", category=ConvergenceWarning)
        fitted = untrained.fit(x, rows["label"].to_numpy())
    return Model(family, used, levels, scale, fitted, shell.sample)


def untrained(family: Family, seed: int) -> Any:
    """A classifier of the family as a team would set it."""
    if family == "trees":
        from sklearn.ensemble import HistGradientBoostingClassifier

        return HistGradientBoostingClassifier(
            max_iter=120, learning_rate=0.08, early_stopping=False, random_state=seed
        )
    if family == "logistic":
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=0.3, max_iter=300)
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier((24, 12), alpha=1e-3, max_iter=12, random_state=seed)
