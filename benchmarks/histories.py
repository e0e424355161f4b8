"""Histories of snapshots: really trained again every day or so, on the rows of the weeks before.

Three chains serve one stream: two arms of the model "main", and the model "other", which scores
the same requests. A bad snapshot is trained like the rest on what a broken pipeline would have
given it, or with settings under which the training diverges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import served
from benchmarks.served import Family, Model
from benchmarks.streams import Stream

DAYS = 40
"""So long is a history, and so many days it has for 20 to 40 publishes a chain."""
HOURS_BETWEEN = (20, 36)
ROWS = 6_000
WINDOW = {"flights": 28, "census": 8}
"""A snapshot is trained on so many days."""
LAG = pd.Timedelta(hours=2)
"""Training takes so long: labels of later than that are not in it."""
TREATMENT = 0.4
BAD = ("corrupted", "lost_labels", "dropped", "stale", "skewed", "diverged")


@dataclass(frozen=True)
class Chain:
    """One arm of a model: when its snapshots were published, oldest first."""

    model: str
    arm: str
    family: Family
    seed: int
    publishes: tuple[pd.Timestamp, ...]

    def name(self, k: int) -> str:
        """The snapshot's name."""
        return f"{self.model}-{self.arm}-{k}"


@dataclass
class History:
    """Three chains on a stream from ``start`` on; snapshots are trained when first asked for."""

    stream: Stream
    start: pd.Timestamp
    chains: tuple[Chain, ...]
    _trained: dict[Any, Model] = field(default_factory=dict)

    @classmethod
    def draw(cls, stream: Stream, families: Sequence[Family], seed: int) -> History:
        """A history whose training rows all lie in the stream."""
        rng = np.random.default_rng([seed, 7])
        times = stream.frame["time"]
        first = times.iloc[0].ceil("D") + pd.Timedelta(days=WINDOW[stream.name] + 2)
        room = (times.iloc[-1] - first).days - DAYS
        start = first + pd.Timedelta(days=int(rng.integers(room)))
        arms = (("main", "control"), ("main", "treatment"), ("other", "control"))
        chains = tuple(
            Chain(model, arm, families[model == "other"], seed * 10 + i, _publishes(start, rng))
            for i, (model, arm) in enumerate(arms)
        )
        return cls(stream, start, chains)

    def snapshot(self, chain: Chain, k: int, bad: str = "", dose: float = 0.0) -> Model:
        """The k-th snapshot of a chain, as it is or as a broken pipeline would have made it."""
        key = (chain.model, chain.arm, k, bad, dose)
        if key not in self._trained:
            self._trained[key] = self._train(chain, k, bad, dose)
        return self._trained[key]

    def _train(self, chain: Chain, k: int, bad: str, dose: float) -> Model:
        rng = np.random.default_rng([chain.seed, k])
        used = served.features(self.stream, chain.seed, np.random.default_rng(chain.seed))
        at = chain.publishes[k]
        if bad == "stale":
            # Half a year is not there in every stream: as far back as it goes.
            oldest = self.stream.frame["time"].iloc[0] + pd.Timedelta(days=WINDOW[self.stream.name])
            at = max(oldest, at - dose * pd.Timedelta(days=180))
        rows = self._rows(at, rng)
        rows = _spoilt(rows, self.stream, bad, dose, used, rng)
        model = served.untrained(chain.family, chain.seed + k)
        if bad == "diverged":
            model.set_params(**_RUN_AWAY[chain.family])
        return served.fit(self.stream, chain.family, used, rows, model)

    def _rows(self, at: pd.Timestamp, rng: np.random.Generator) -> pd.DataFrame:
        """Labelled rows of the weeks before ``at``, as of then."""
        frame = self.stream.frame
        times = frame["time"]
        since = at - LAG - pd.Timedelta(days=WINDOW[self.stream.name])
        low, high = times.searchsorted([since, at - LAG])
        part = frame.iloc[low:high]
        known = np.flatnonzero(part["label"].notna() & (part["label_time"] < at - LAG))
        picked = rng.choice(known, min(ROWS, len(known)), replace=False)
        return part.iloc[np.sort(picked)]


_RUN_AWAY: dict[str, dict[str, Any]] = {
    "trees": {"learning_rate": 2.5},
    "logistic": {"max_iter": 3, "C": 1e6, "solver": "sag"},
    "net": {"learning_rate_init": 0.5},
}
"""Settings under which a training does not settle."""


def _publishes(start: pd.Timestamp, rng: np.random.Generator) -> tuple[pd.Timestamp, ...]:
    at, out = start - pd.Timedelta(days=1), []
    while at < start + pd.Timedelta(days=DAYS):
        out.append(at)
        at += pd.Timedelta(minutes=int(60 * rng.uniform(*HOURS_BETWEEN)))
    return tuple(out)


def _spoilt(
    rows: pd.DataFrame,
    stream: Stream,
    bad: str,
    dose: float,
    used: tuple[str, ...],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Training rows as a broken pipeline hands them over; ``dose`` is the share that it hits."""
    label = rows["label"].to_numpy()
    hit = rng.random(len(rows)) < dose
    if bad == "corrupted":
        return rows.assign(label=np.where(hit, 1 - label, label))
    if bad == "lost_labels":
        return rows.assign(label=np.where(hit, 0.0, label))
    if bad == "dropped":
        name = str(rng.choice([d for d in stream.dims if d in stream.kinds] or list(used)))
        levels = rng.permutation(rows[name].unique())
        kept = levels[: max(1, round(len(levels) * (1 - dose)))]
        return rows[rows[name].isin(kept)]
    if bad == "skewed":
        groups = [[f for f in g if f in used] for g in stream.groups] + [[f] for f in used]
        broken = groups[int(rng.integers(len(groups)))] or list(used[:1])
        for f in broken:
            values = rows[f].to_numpy()
            rows = rows.assign(**{f: np.where(hit, rng.permutation(values), values)})
    return rows
