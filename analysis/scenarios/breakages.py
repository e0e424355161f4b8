"""What faults do to served features: each takes rows and gives rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.scenarios.synthetic import ORIGINS, Floats

if TYPE_CHECKING:
    import pandas as pd

_SLOT = {"temp": 0, "wind": 1, "humid": 2, "queue": 3}
_UNITS = {
    "temp": (5 / 9, -160 / 9),
    "wind": (0.44704, 0.0),
    "distance": (1.609344, 0.0),
}


@dataclass(frozen=True)
class Context:
    """The weather by hour and origin, when it broke, and which rows are hit."""

    table: Floats
    onset: int
    rng: np.random.Generator
    hit: np.ndarray[Any, np.dtype[np.bool_]]


def apply(fault: str, rows: pd.DataFrame, features: Sequence[str], c: Context) -> pd.DataFrame:
    """Rows with ``features`` broken in the way of ``fault`` where ``c.hit``."""
    rows = rows.copy()
    if fault in ("join_shuffled", "shuffled"):
        order = np.flatnonzero(c.hit)
        other = c.rng.permutation(order)
        for name in features:
            values = rows[name].to_numpy(copy=True)
            values[order] = values[other]
            rows[name] = values
        return rows
    for i, name in enumerate(features):
        rows[name] = _broken(fault, rows, name, i, c)
    return rows


def defaults(rows: pd.DataFrame, features: Sequence[str], hit: Any) -> pd.DataFrame:
    """Rows with a constant default in ``features`` where ``hit``."""
    rows = rows.copy()
    for name in features:
        rows[name] = np.where(hit, 0.0, rows[name])
    return rows


def _broken(fault: str, rows: pd.DataFrame, name: str, i: int, c: Context) -> Any:
    if rows[name].dtype.kind != "f":
        return _categories(fault, rows[name].to_numpy(object), c)
    values = rows[name].to_numpy(float)
    past = values[rows["at"].to_numpy() < c.onset]
    if fault in ("stale", "delayed"):
        changed = _old(rows, name, fault, c)
    elif fault in ("nulls", "join_nulls"):
        changed = np.full(len(values), np.nan)
    elif fault == "zeros":
        changed = np.zeros(len(values))
    elif fault == "unit_change":
        slope, shift = _UNITS.get(name, (1000.0, 0.0))
        changed = (values * slope + shift).round(2)
    elif fault == "frozen":
        changed = np.full(len(values), float(c.rng.choice(past[~np.isnan(past)])))
    elif fault == "default":
        changed = np.full(len(values), -1.0)
    elif fault == "sign_flip":
        changed = -values
    elif fault == "clipped":
        changed = np.minimum(values, np.nanquantile(past, 0.35))
    else:
        changed = values + (1.3 if i == 0 else -1.3) * np.nanstd(past)
    return np.where(c.hit, changed, values)


def _old(rows: pd.DataFrame, name: str, fault: str, c: Context) -> Floats:
    """The values of the weather at the onset (a feed that stopped) or some hours ago."""
    hour = rows["hour"].to_numpy()
    origin = rows["origin"].map({o: i for i, o in enumerate(ORIGINS)}).to_numpy()
    lag = int(np.random.default_rng(c.onset).integers(7, 17))
    then = np.minimum(hour, c.onset - 1) if fault == "stale" else np.maximum(hour - lag, 0)
    old = c.table[then, origin, _SLOT[name]] - c.table[hour, origin, _SLOT[name]]
    values: Floats = rows[name].to_numpy(float) + old
    return values.round(1) if name != "humid" else values.round()


def _categories(fault: str, values: Any, c: Context) -> Any:
    levels = sorted({str(v) for v in values})
    turned = levels[1:] + levels[:1]
    if fault == "remapped":
        table = dict(zip(levels, turned, strict=True))
        changed = np.array([table[str(v)] for v in values], dtype=object)
    elif fault == "new_level":
        changed = np.array([f"{v}_v2".lower() for v in values], dtype=object)
    elif fault == "lost_level":
        changed = np.array([levels[0]] * len(values), dtype=object)
    else:
        changed = np.array([None] * len(values), dtype=object)
    return np.where(c.hit, changed, values)
