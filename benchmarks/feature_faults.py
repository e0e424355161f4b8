"""What is planted in the inputs of a served model, and on which rows.

A fault edits the features of some rows; the model then scores them again. ``dose`` is the share
of the rows since the onset that it hits: one of several replicas, say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.served import Model
from benchmarks.streams import Stream

VALUES = (
    "nulls",
    "zeros",
    "unit_change",
    "frozen",
    "remapped",
    "new_levels",
    "lost_levels",
    "clipped",
)
ROWS = ("stale", "delayed", "shuffled")
MIXED = ("offsetting_pair", "unused_decoy", "mix_decoy")
KINDS = (*VALUES, *ROWS, *MIXED)
MODEL_SIDE = ("calibration_offset", "another_version")
DECOYS_ALONE = ("unused_alone", "mix_alone")
DOSES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0)
UNITS = ((5 / 9, -160 / 9), (1.609344, 0.0), (0.45359237, 0.0), (12.0, 0.0), (60.0, 0.0))
FOR_NUMBERS = ("zeros", "unit_change", "clipped")
FOR_LEVELS = ("remapped", "new_levels", "lost_levels")


@dataclass(frozen=True)
class Planted:
    """The window's rows with the fault in them, and the features that it is in."""

    window: pd.DataFrame
    truth: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """Where a fault goes: clean rows of the window (positions ``at`` in the stream) and before."""

    stream: Stream
    model: Model
    before: pd.DataFrame
    window: pd.DataFrame
    at: np.ndarray
    onset: pd.Timestamp
    rng: np.random.Generator


def plant(kind: str, site: Site, dose: float) -> Planted:
    """The window with a fault of ``kind`` (one of KINDS or DECOYS_ALONE)."""
    if kind == "offsetting_pair":
        return _offsetting(site, dose)
    if kind in ("unused_decoy", "mix_decoy"):
        basic = str(site.rng.choice(VALUES))
        planted = plant(basic, site, dose)
        decoy = _unused if kind == "unused_decoy" else _mix
        return Planted(decoy(site, planted.window), planted.truth)
    if kind == "unused_alone":
        return Planted(_unused(site, site.window), ())
    if kind == "mix_alone":
        return Planted(_mix(site, site.window), ())
    names = _chosen(kind, site)
    hit = site.rng.random(len(site.window)) < dose
    return Planted(_edited(kind, site, names, hit), names)


def _chosen(kind: str, site: Site) -> tuple[str, ...]:
    """A feature that the model uses, heavier ones more often; of one table in a third of cases."""
    stream, weight = site.stream, site.model.weight
    fits = [n for n in site.model.used if _suits(kind, site, n)]
    chance = np.array([weight[n] for n in fits]) + 0.02
    name = str(site.rng.choice(fits, p=chance / chance.sum()))
    group = next((g for g in stream.groups if name in g), (name,))
    if kind in ("nulls", *ROWS) and site.rng.random() < 1 / 3:
        return tuple(n for n in group if n in fits)
    return (name,)


def _suits(kind: str, site: Site, name: str) -> bool:
    level = site.stream.kinds[name] == "level"
    if kind in FOR_NUMBERS:
        return not level
    if kind in FOR_LEVELS:
        return level
    return name in site.stream.lagging if kind in ("stale", "delayed") else True


def _edited(kind: str, site: Site, names: tuple[str, ...], hit: np.ndarray) -> pd.DataFrame:
    window = site.window.copy()
    rows = np.flatnonzero(hit)
    other = site.rng.permutation(rows)
    lag = float(site.rng.choice([1, 3, 6, 12]))
    for name in names:
        values = window[name].to_numpy(copy=True)
        if kind == "shuffled":
            values[rows] = values[other]
        elif kind in ("stale", "delayed"):
            values[rows] = site.stream.late(site.at[rows], name, kind, site.onset, lag)
        elif site.stream.kinds[name] == "level":
            values = np.where(hit, _other_level(kind, site, name, values), values)
        else:
            values = np.where(hit, _other_number(kind, site, name, values), values)
        window[name] = values
    return window


def _other_number(kind: str, site: Site, name: str, values: np.ndarray) -> Any:
    past = site.before[name].dropna().to_numpy()
    if kind == "nulls":
        return np.nan
    if kind == "zeros":
        return 0.0
    if kind == "frozen":
        return float(site.rng.choice(past))
    if kind == "unit_change":
        slope, shift = UNITS[int(site.rng.integers(len(UNITS)))]
        return values * slope + shift
    share = float(site.rng.uniform(0.2, 0.5))
    if site.rng.random() < 0.5:
        return np.fmin(values, np.quantile(past, 1 - share))
    return np.fmax(values, np.quantile(past, share))


def _other_level(kind: str, site: Site, name: str, values: np.ndarray) -> Any:
    shares = site.before[name].value_counts(normalize=True)
    levels = np.array(sorted(shares.index), dtype=object)
    if kind == "nulls":
        return None
    if kind == "frozen":
        return str(site.rng.choice(site.before[name].dropna()))
    if kind == "remapped":
        table = dict(zip(levels, np.roll(levels, 1), strict=True))
        return np.array([table.get(v, v) for v in values], dtype=object)
    common = [v for v in levels if shares[v] > 0.05]
    chosen = str(site.rng.choice(common))
    if kind == "new_levels":
        return np.where(values == chosen, f"{chosen}_v2", values)
    rest = shares.drop(chosen)
    return np.where(values == chosen, str(rest.idxmax()), values)


def _offsetting(site: Site, dose: float) -> Planted:
    """Two features moved on the same rows so that the mean prediction hardly moves."""
    from benchmarks.served import logit

    numbers = [n for n in site.model.used if site.stream.kinds[n] == "number"]
    weight = np.array([site.model.weight[n] for n in numbers]) + 0.02
    first, second = site.rng.choice(numbers, 2, replace=False, p=weight / weight.sum())
    hit = site.rng.random(len(site.window)) < dose
    clean = logit(site.model(site.window))

    def moved(name: str, by: float) -> Any:
        step = by * float(site.before[name].std())
        return np.where(hit, site.window[name] + step, site.window[name])

    def effect(**columns: Any) -> float:
        return float((logit(site.model(site.window.assign(**columns))) - clean).mean())

    by = float(site.rng.choice([-1.5, -1, 1, 1.5]))
    one = moved(first, by)
    steps = [s for s in np.linspace(-3, 3, 25) if abs(s) > 0.2]
    left = {s: abs(effect(**{first: one, second: moved(second, s)})) for s in steps}
    best = min(left, key=lambda s: left[s])
    window = site.window.assign(**{first: one, second: moved(second, best)})
    return Planted(window, (str(first), str(second)))


def _unused(site: Site, window: pd.DataFrame) -> pd.DataFrame:
    """A feature that the model does not use is at one value from the onset on."""
    idle = [n for n in site.stream.features if n not in site.model.used]
    name = str(site.rng.choice(idle))
    level = site.stream.kinds[name] == "level"
    constant = site.before[name].mode().iloc[0] if level else float(site.before[name].max())
    return window.assign(**{name: constant})


def _mix(site: Site, window: pd.DataFrame) -> pd.DataFrame:
    """From the onset on 30–70 % of one segment's rows are gone."""
    dim = str(site.rng.choice(site.stream.dims))
    # The segment is that of the clean rows: a fault may sit in the same column.
    shares = site.window[dim].value_counts(normalize=True)
    fits = shares[(shares > 0.1) & (shares < 0.6)]
    # Where no segment is of that size, the one next to the largest goes.
    level = site.rng.choice((fits if len(fits) else shares[1:2]).index)
    some = site.rng.random(len(window)) < site.rng.uniform(0.3, 0.7)
    left = ~(some & (site.window[dim] == level).to_numpy())
    return window.iloc[np.flatnonzero(left)]
