"""What is served on a history of snapshots, and what else may happen at the onset."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from benchmarks.histories import TREATMENT, Chain, History

BASELINE = pd.Timedelta(days=14)
DAY = pd.Timedelta(days=1)

Served = tuple[Chain, tuple[pd.Timestamp, ...]]
"""A chain, and when its snapshots went live."""


def chains_served(
    history: History, chain: Chain, beside: str, onset: pd.Timestamp, rng: np.random.Generator
) -> list[Served]:
    """All chains; beside a publish in question another one publishes within the hour, if asked."""
    out = [(c, c.publishes) for c in history.chains]
    if beside != "publish":
        return out
    at = int(rng.choice([i for i, c in enumerate(history.chains) if c is not chain]))
    other, times = out[at]
    near = min(range(len(times)), key=lambda i: abs(times[i] - onset))
    moved = onset + pd.Timedelta(minutes=int(rng.integers(-60, 60)))
    out[at] = other, (*times[:near], moved, *times[near + 1 :])
    return out


def log_of(
    history: History,
    served: Sequence[Served],
    asked: tuple[Chain, int],
    bad: tuple[str, float],
    onset: pd.Timestamp,
    end: pd.Timestamp,
) -> pd.DataFrame:
    """The serving log of all chains; the snapshot ``asked`` is the bad one, if any is."""
    times = history.stream.frame["time"]
    low, high = times.searchsorted([onset - BASELINE - DAY, end])
    rows = history.stream.frame.iloc[low:high]
    treated = np.random.default_rng(history.start.dayofyear).random(len(rows)) < TREATMENT
    parts = []
    for c, publishes in served:
        mine = rows
        if c.model == "main":
            mine = rows[treated == (c.arm == "treatment")]
        current = np.searchsorted(np.array(publishes), mine["time"].to_numpy(), "right") - 1
        for i in np.unique(current):
            wrong = bad if (c, i) == asked else ("", 0.0)
            part = mine[current == i]
            model = history.snapshot(c, int(i), *wrong)
            name = c.name(int(i)) + ("-bad" if wrong[0] else "")
            parts.append(
                part.assign(
                    prediction=model(part),
                    model=c.model,
                    experiment="rollout" if c.model == "main" else "none",
                    arm=c.arm,
                    snapshot=name,
                )
            )
    log: pd.DataFrame = pd.concat(parts).sort_values("time", kind="stable", ignore_index=True)
    return log


def happen(
    log: pd.DataFrame, kind: str, history: History, onset: pd.Timestamp, rng: np.random.Generator
) -> pd.DataFrame:
    """Something else than a snapshot happens at the onset; models answer what they are asked."""
    since = (log["time"] >= onset).to_numpy()
    if kind == "traffic":
        name = str(rng.choice(history.stream.dims))
        level = str(rng.choice(log[name].astype(str).unique()))
        other = (log[name].astype(str) != level).to_numpy()
        gone = since & other & (rng.random(len(log)) < 0.8)
        return log[~gone].reset_index(drop=True)
    if kind == "world":
        flipped = since & (rng.random(len(log)) < 0.3)
        return log.assign(label=np.where(flipped, 1 - log["label"], log["label"]))
    return _break_inputs(log, history, since, rng)


def _break_inputs(
    log: pd.DataFrame, history: History, since: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """A used feature is missing, or in another unit, in most rows; all chains see the same."""
    numbers = [f for f, kind in history.stream.kinds.items() if kind == "number"]
    name = str(rng.choice(numbers))
    hit = since & (rng.random(len(log)) < 0.8)
    values = log[name].to_numpy(float)
    wrong = np.full(len(log), np.nan) if rng.integers(2) else values * 1.8 + 32
    log = log.assign(**{name: np.where(hit, wrong, values)})
    prediction = log["prediction"].to_numpy(float).copy()
    chains = {f"{c.model}-{c.arm}": c for c in history.chains}
    for snapshot, part in log[hit].groupby("snapshot"):
        chain, _, k = str(snapshot).rpartition("-")
        trained = history.snapshot(chains[chain], int(k))
        prediction[part.index] = trained(part)
    return log.assign(prediction=prediction)
