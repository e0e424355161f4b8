"""The material of the input checks: bounded samples, counts per block, a surrogate.

Two comparisons run side by side. *Days*: the window against the same hours of earlier days.
*Edge*: the hours after the onset against those right before, and the same two stretches of
earlier days. Natural drift moves the first and not the second; a fault moves both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.classes import one_against_rest
from analysis.evidence import CannotExamine, Scope
from analysis.inputs import gather, surrogate
from analysis.inputs.blocks import BLOCK, Comparison, compare
from analysis.inputs.effects import Effect
from analysis.inputs.gather import FEWEST_ROWS, SERVERS, Labelled
from analysis.profile import Bins, Profile, kinds, plain
from analysis.profile.kept import Kept
from analysis.profile.saved import history
from analysis.tables import Role
from analysis.warehouse import Warehouse, naive
from analysis.words import listed

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Sample:
    """Sampled rows and the block of each; ``numbers`` lists the window's first, then earlier
    ones. In an edge sample a block has two halves, ``2 b`` before and ``2 b + 1`` after."""

    frame: pd.DataFrame
    block: Ints
    numbers: tuple[int, ...]
    x: Floats

    def means(self, values: Floats, minus_before: bool = False) -> Floats:
        """The mean of ``values`` (rows,) per number; of an edge sample, after minus before."""
        if minus_before:
            after = self._means(values, [2 * b + 1 for b in self.numbers])
            return after - self._means(values, [2 * b for b in self.numbers])
        return self._means(values, list(self.numbers))

    def _means(self, values: Floats, numbers: list[int]) -> Floats:
        shift = -min(int(self.block.min()), 0)
        known = np.isfinite(values)
        size = max(int(self.block.max()), *numbers) + shift + 1
        count = np.bincount(self.block[known] + shift, minlength=size)
        total = np.bincount(self.block[known] + shift, weights=values[known], minlength=size)
        where = np.array(numbers) + shift
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(count[where] > 0, total[where] / count[where], np.nan)


@dataclass(frozen=True)
class Reading:
    """What the input checks look at.

    ``days`` also holds rows of other baseline hours (block -1), which the surrogate learns
    from. ``of_class`` is the class that the prediction is for, against the rest; "" where it has
    a size. ``measured`` effects are those of the deployed artifact. ``counts`` and
    ``edge_counts`` cover all rows, not the sample. ``others`` are rows of the arms beside a
    suspect one, in the same blocks.
    """

    comparison: Comparison
    bins: Mapping[str, Bins]
    counts: Profile
    edge_counts: Profile
    days: Sample
    edge: Sample
    halves: tuple[surrogate.Surrogate, surrogate.Surrogate]
    probability: bool
    skipped: tuple[str, ...]
    labelled: Labelled
    of_class: str = ""
    others: Sample | None = None
    measured: Mapping[str, Effect] = field(default_factory=dict)
    _effects: dict[tuple[str, int], Floats] = field(default_factory=dict, repr=False)

    @property
    def features(self) -> tuple[str, ...]:
        """The features' names (without the model and arm that the surrogate also gets)."""
        return tuple(n for n in self.bins if n not in SERVERS)

    @property
    def empty(self) -> tuple[str, ...]:
        """Features without a single value, on either side: nothing can be said of them."""
        return _empty(self.days.frame, self.features)

    def usage(self, name: str) -> float:
        """How far predictions move when the feature is shuffled, in the output's units."""
        if name in self.measured:
            return self.measured[name].usage
        return (self.halves[0].usage[name] + self.halves[1].usage[name]) / 2

    def with_measured(self, effects: Mapping[str, Effect]) -> Reading:
        """The same with what the deployed artifact makes of the features."""
        return replace(self, measured=effects, _effects={})

    @cached_property
    def _curves(self) -> tuple[dict[str, surrogate.Curve], dict[str, surrogate.Curve]]:
        news = self.days.x[self.days.block == 0]
        return self.halves[0].curves(news), self.halves[1].curves(news)

    def effect(self, name: str, sample: Sample) -> Floats:
        """The main effect of a feature per row of a sample: the artifact's where it was asked, else
        the surrogate's."""
        key = (name, id(sample))
        if key not in self._effects:
            values = sample.x[:, list(self.bins).index(name)]
            if name in self.measured:
                self._effects[key] = self.measured[name].curve(values)
            else:
                parts = [c[name](values) for c in self._curves if name in c]
                self._effects[key] = sum(parts, np.zeros(len(values))) / 2
        return self._effects[key]

    def target(self, sample: Sample) -> Floats:
        """The served prediction per row, on the scale of the surrogate."""
        prediction = sample.frame[Role.PREDICTION].to_numpy(float, na_value=np.nan)
        return surrogate.served(prediction, self.probability)

    def output(self, sample: Sample) -> Floats:
        """The surrogate's output per row, from the half that never saw the row's day."""
        mine = self.half(sample.frame)
        out = np.zeros(len(sample.x))
        for number, half in enumerate(self.halves):
            rows = mine != number
            out[rows] += half(sample.x[rows])
        return np.where(mine < 2, out, out / 2)

    def half(self, frame: pd.DataFrame) -> Ints:
        """Which half of the days each row is of, 0 or 1; 2 since the window's start."""
        earlier = (frame[Role.TIME] < naive(self.comparison.window.start)).to_numpy()
        return np.where(earlier, _day(frame, self.comparison) % 2, 2)

    def quality(self, output: Floats) -> float:
        """R² of the surrogate on baseline rows that it did not see."""
        target = self.target(self.days)
        rows = (self.days.block != 0) & np.isfinite(target)
        spread = float(np.var(target[rows])) if rows.any() else 0.0
        if spread < 1e-12:
            return 0.0
        return max(0.0, 1 - float(np.mean((target[rows] - output[rows]) ** 2)) / spread)


def arms_of(scope: Scope) -> tuple[str, ...]:
    """Arms of the scope's suspects, without the experiment that may stand before a slash."""
    return tuple(name.rsplit("/", 1)[-1] for name in scope.named("arm"))


def read(warehouse: Warehouse, scope: Scope) -> Reading:
    """Counts, samples and a surrogate for the models and arms of ``scope``.

    Raises CannotExamine when there are no features, none has a value, or either side has too few
    rows.
    """
    log = warehouse.predictions(models=scope.named("model"), arms=arms_of(scope))
    if not warehouse.features:
        raise CannotExamine(
            "The predictions table has no features: list them under `features` in the settings."
        )
    log, of_class = one_against_rest(warehouse, log, scope)
    comparison = compare(scope)
    kind = kinds(log, warehouse.features)
    skipped = tuple(f for f in warehouse.features if f not in kind)
    dims = [d for d in warehouse.dimensions if d not in kind]
    also = (*_ROLES, *dims)

    def past() -> tuple[Kept, Ints] | None:
        kept = history(warehouse, scope, kind, also)
        return (kept, kept.of(scope.named("model"), arms_of(scope))) if kept else None

    found = gather.gather(plain(log, kind, also), comparison, scope, kind, past)
    days, bins = found.days, found.bins
    _some_values(days, [f for f in kind if f not in warehouse.dimensions])
    prediction = days[Role.PREDICTION].to_numpy(float, na_value=np.nan)
    probability = surrogate.is_probability(prediction)
    target = surrogate.served(prediction, probability)
    others = _other_arms(warehouse, scope, lambda rows: plain(rows, kind, also), comparison)
    return Reading(
        comparison,
        bins,
        found.counts,
        found.edge_counts,
        _as_sample(days, bins, _numbers(found.counts)),
        _as_sample(found.edge, bins, _pairs(found.edge_counts)),
        _halves(days, target, bins, comparison, scope.seed),
        probability,
        skipped,
        found.labelled,
        of_class,
        None if others is None or of_class else _as_sample(others, bins, _numbers(found.counts)),
    )


def _other_arms(
    warehouse: Warehouse, scope: Scope, kept: Callable[[Any], Any], c: Comparison
) -> pd.DataFrame | None:
    """Rows of the same models in other arms than the suspect ones; None where there are none."""
    arms = arms_of(scope)
    if not arms:
        return None
    log = warehouse.predictions(models=scope.named("model"))
    frame = gather.beside(kept(log.filter(~log[Role.ARM].isin(arms))), c, scope.seed)
    return frame if len(frame) else None


def _empty(frame: pd.DataFrame, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(n for n in names if frame[n].isna().all())


def _some_values(frame: pd.DataFrame, features: Sequence[str]) -> None:
    """Familiar inputs are told apart by features; the dimensions alone would not do."""
    if features and len(_empty(frame, features)) == len(features):
        raise CannotExamine(
            f"No feature has a value in these rows ({listed(features)}): choose another window, or "
            "check what the log keeps."
        )


_ROLES = (
    Role.TIME,
    Role.PREDICTION,
    Role.MODEL,
    Role.ARM,
    Role.SNAPSHOT,
    Role.LABEL,
    Role.LABEL_TIME,
)


def _as_sample(frame: pd.DataFrame, bins: Mapping[str, Bins], numbers: tuple[int, ...]) -> Sample:
    block = frame[BLOCK].to_numpy(np.int64)
    return Sample(frame, block, numbers, surrogate.encode(frame, bins))


def _numbers(counts: Profile) -> tuple[int, ...]:
    """The window, then the earlier blocks with enough rows."""
    pairs = zip(counts.buckets, counts.rows, strict=True)
    return (0, *(int(b) for b, n in pairs if b > 0 and n >= FEWEST_ROWS))


def _pairs(counts: Profile) -> tuple[int, ...]:
    """Like _numbers, for halves: a block needs rows before and after."""
    rows = {int(b): n for b, n in zip(counts.buckets, counts.rows, strict=True)}
    blocks = sorted({b // 2 for b in rows} - {0})
    full = [b for b in blocks if min(rows.get(2 * b, 0), rows.get(2 * b + 1, 0)) >= FEWEST_ROWS]
    return (0, *full)


def _day(frame: pd.DataFrame, c: Comparison) -> Ints:
    """Whole days (from the window's start backwards) since the earliest block, per row."""
    import pandas as pd

    since = (frame[Role.TIME] - pd.Timestamp(naive(c.window.start))) / pd.Timedelta(days=1)
    days: Ints = np.floor(np.asarray(since, dtype=float)).astype(np.int64)
    return days


def _halves(
    frame: pd.DataFrame, target: Floats, bins: Mapping[str, Bins], c: Comparison, seed: int
) -> tuple[surrogate.Surrogate, surrogate.Surrogate]:
    """Two surrogates, each from every second day, so that each day has one that never saw it."""
    day, past = _day(frame, c) % 2, (frame[BLOCK] != 0).to_numpy()
    parts = []
    for half in (0, 1):
        rows = past & (day == half)
        if rows.sum() < 60:
            rows = past
        parts.append(surrogate.fit(frame[rows], target[rows], bins, seed + half))
    return parts[0], parts[1]
