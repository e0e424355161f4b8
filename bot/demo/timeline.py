"""The timeline: which raw data and code are in force when, and what they serve.

A world is a list of regimes. :func:`replay` runs features, training and serving over them; a
fault or a mitigation is one more regime, and everything after its start is computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bot.demo.columns import FEATURES, Columns
from bot.demo.flights import NEVER, Flights, Floats, Minutes, Raw, Strings, uniform
from bot.demo.nets import Trained, design
from bot.demo.pipeline import Code, at_defaults, features
from bot.demo.registry import (
    CONTROL,
    EXPERIMENT,
    MODELS,
    NO_ARM,
    TREATMENT,
    Job,
    Publish,
    calendar,
    run,
)

Say = Callable[[str], None]
"""Told the name of each step as it begins."""


@dataclass(frozen=True)
class Regime:
    """What is in force from ``start`` (minutes, UTC) until the next regime starts.

    ``share`` is the treatment's part of the traffic; ``pins`` maps a series to the snapshot
    that it serves whatever was published; ``failing`` are nodes whose runs fail; ``releases``
    counts how often each node's code was changed by a fault or a mitigation; ``off`` are
    features of which the scorer gets the default.
    """

    start: int
    raw: Raw
    code: Code
    share: float = 0.5
    pins: Mapping[tuple[str, str], str] = field(default_factory=dict)
    failing: frozenset[str] = frozenset()
    releases: Mapping[str, int] = field(default_factory=dict)
    off: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Log:
    """The feature log: every flight scored, its features, the net's inputs, its labels."""

    flights: Flights
    columns: Columns
    inputs: Floats
    labels: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.flights)

    def upto(self, end: int) -> Log:
        """The rows scored before ``end``."""
        count = int(np.searchsorted(self.flights.scored, end))
        return Log(
            self.flights.take(np.arange(count)),
            {name: values[:count] for name, values in self.columns.items()},
            self.inputs[:count],
            {name: values[:count] for name, values in self.labels.items()},
        )


@dataclass(frozen=True)
class Snapshot:
    """A published snapshot with the job that trained it."""

    publish: Publish
    job: Job
    trained: Trained


COLUMNS = ("row", "time", "model", "arm", "snapshot", "score", "label", "label_time")
"""The columns of :class:`Served`."""


@dataclass(frozen=True)
class Served:
    """Predictions, an entry each, by time: ``row`` is the position in ``log``.

    ``model``, ``arm`` and ``snapshot`` are text; ``score`` is what was returned.
    """

    log: Log
    snapshots: Mapping[str, Snapshot]
    row: Minutes
    time: Minutes
    model: Strings
    arm: Strings
    snapshot: Strings
    score: Floats
    label: Floats
    label_time: Minutes

    def __len__(self) -> int:
        return len(self.row)

    def take(self, index: npt.NDArray[np.generic]) -> Served:
        """The predictions at ``index`` (positions or a mask)."""
        part: dict[str, Any] = {name: getattr(self, name)[index] for name in COLUMNS}
        return replace(self, **part)

    def between(self, start: int, end: int) -> Served:
        """Predictions made in ``start <= t < end``."""
        low, high = np.searchsorted(self.time, [start, end])
        return self.take(np.arange(low, high))


@dataclass(frozen=True)
class Past:
    """What was served before ``until``: a replay goes on from there."""

    until: int
    served: Served


def feature_log(regimes: tuple[Regime, ...], start: int, end: int) -> Log:
    """Features of all flights scored in ``start <= t < end``, each under its regime."""
    parts = []
    for place, regime in enumerate(regimes):
        low = max(start, regime.start)
        high = min(end, regimes[place + 1].start if place + 1 < len(regimes) else end)
        if low >= high:
            continue
        rows = regime.raw.flights.between(low, high)
        columns = at_defaults(features(regime.raw, rows, regime.code), regime.off)
        parts.append(Log(rows, columns, design(columns), {}))
    return _with_labels(_join(parts), regimes)


def _join(parts: list[Log]) -> Log:
    flights = Flights(
        **{
            name: np.concatenate([getattr(p.flights, name) for p in parts])
            for name in Flights.__dataclass_fields__
        }
    )
    columns = {n: np.concatenate([p.columns[n] for p in parts]) for n in FEATURES}
    return Log(flights, columns, np.concatenate([p.inputs for p in parts]), {})


def _with_labels(log: Log, regimes: tuple[Regime, ...]) -> Log:
    """Labels are made by the code in force when the flight arrives."""
    labels = {model: np.full(len(log), np.nan) for model in MODELS}
    known = log.flights.arr < NEVER
    for place, regime in enumerate(regimes):
        ends = regimes[place + 1].start if place + 1 < len(regimes) else NEVER
        mine = known & (log.flights.arr >= regime.start) & (log.flights.arr < ends)
        for model, make in regime.code.labels.items():
            labels[model][mine] = make(log.flights.arr_delay[mine])
    return replace(log, labels=labels)


def training_job(publish: Publish, log: Log, regimes: tuple[Regime, ...]) -> Job:
    """The rows with a label in the training window, an even sample of at most the recipe's
    size, as the training code in force at that moment leaves them."""
    recipe = publish.series.recipe
    scored, arrived = log.flights.scored, log.flights.arr
    inside = (scored >= publish.train_start) & (scored < publish.train_end)
    rows = np.flatnonzero(inside & (arrived < publish.trained))
    if len(rows) > recipe.rows:
        chance = uniform(log.flights.id[rows], f"train:{publish.snapshot}")
        rows = rows[np.sort(np.argsort(chance, kind="stable")[: recipe.rows])]
    job = Job(publish, rows, log.flights.day[rows], log.labels[publish.series.model][rows], recipe)
    return _regime_at(regimes, publish.trained).code.training(job, log.columns)


def replay(
    regimes: tuple[Regime, ...],
    start: int,
    end: int,
    since: int,
    cache: Path | None,
    past: Past | None = None,
    say: Say = lambda _: None,
) -> Served:
    """Features from ``start``, snapshots, and the predictions of ``since <= t < end``.

    With ``past``, what happened before ``past.until`` is taken from it, not computed again.
    """
    say("joining features")
    if past is None:
        log, snapshots = feature_log(regimes, start, end), {}
    else:
        before = past.served.log.upto(past.until)
        after = feature_log(regimes, past.until, end)
        log = _with_labels(_join([before, after]), regimes)
        kept = past.served.snapshots.items()
        snapshots = {n: s for n, s in kept if s.publish.trained < past.until}
    for publish in calendar(since, end):
        if publish.snapshot in snapshots or _paused(publish, regimes):
            continue
        say(f"training {publish.snapshot}")
        job = training_job(publish, log, regimes)
        snapshots[publish.snapshot] = Snapshot(publish, job, run(job, log.inputs, cache))
    say("serving predictions")
    if past is None:
        return _serve(log, snapshots, regimes, since, end)
    fresh = _serve(log, snapshots, regimes, past.until, end)
    return _joined(past.served.between(since, past.until), fresh)


def _joined(before: Served, after: Served) -> Served:
    """The predictions of both, with the log of ``after``, which goes on from ``before``'s.

    Labels of the earlier ones are those of the log: they may arrive later, under other code.
    """
    label = np.full(len(before), np.nan)
    for model, values in after.log.labels.items():
        mine = before.model == model
        label[mine] = values[before.row[mine]]
    before = replace(before, label=label)
    both: dict[str, Any] = {
        n: np.concatenate([getattr(before, n), getattr(after, n)]) for n in COLUMNS
    }
    return replace(after, **both)


def _paused(publish: Publish, regimes: tuple[Regime, ...]) -> bool:
    return publish.series.key in _regime_at(regimes, publish.published).pins


def _serve(
    log: Log,
    snapshots: Mapping[str, Snapshot],
    regimes: tuple[Regime, ...],
    since: int,
    end: int,
) -> Served:
    low, high = np.searchsorted(log.flights.scored, [since, end])
    row = np.arange(low, high)
    time = log.flights.scored[row]
    regime = np.searchsorted([r.start for r in regimes], time, "right") - 1
    shares = np.array([r.share for r in regimes])[regime]
    treated = uniform(log.flights.id[row], EXPERIMENT) < shares
    parts = []
    for model in MODELS:
        arms = (
            np.where(treated, TREATMENT, CONTROL).astype(object)
            if model == "late_arrival"
            else np.full(len(row), NO_ARM, object)
        )
        names = _snapshot_in_force(snapshots, regimes, regime, model, arms, time)
        score = np.full(len(row), np.nan)
        for name in np.unique(names.astype(str)):
            mine = names == name
            score[mine] = snapshots[name].trained.net.score(log.inputs[row[mine]])
        for place in np.unique(regime):
            for arm in np.unique(arms.astype(str)):
                mine = (regime == place) & (arms == arm)
                score[mine] = regimes[place].code.scores(score[mine], model, arm)
        parts.append((row, np.full(len(row), model, object), arms, names, score))
    rows, models, all_arms, all_names, scores = (
        np.concatenate([p[i] for p in parts]) for i in range(5)
    )
    label = np.concatenate([log.labels[m][row] for m in MODELS])
    served = Served(
        log,
        snapshots,
        row=rows,
        time=log.flights.scored[rows],
        model=models,
        arm=all_arms,
        snapshot=all_names,
        score=scores,
        label=label,
        label_time=log.flights.arr[rows],
    )
    return served.take(np.argsort(served.time, kind="stable"))


def _snapshot_in_force(
    snapshots: Mapping[str, Snapshot],
    regimes: tuple[Regime, ...],
    regime: Minutes,
    model: str,
    arms: Strings,
    time: Minutes,
) -> Strings:
    names = np.full(len(time), "", object)
    for arm in np.unique(arms.astype(str)):
        mine = arms == arm
        line = sorted(
            (s.publish.published, n)
            for n, s in snapshots.items()
            if s.publish.series.key == (model, arm)
        )
        place = np.searchsorted([p for p, _ in line], time[mine], "right") - 1
        names[mine] = np.array([n for _, n in line], object)[np.maximum(place, 0)]
        for number, each in enumerate(regimes):
            if (model, arm) in each.pins:
                names[mine & (regime == number)] = each.pins[model, arm]
    return names


def _regime_at(regimes: tuple[Regime, ...], moment: int) -> Regime:
    return [r for r in regimes if r.start <= moment][-1]
