"""The faults: each edits raw inputs or swaps a function of the pipeline, nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bot.demo.columns import Columns
from bot.demo.flights import (
    NEVER,
    Flights,
    Floats,
    Minutes,
    Raw,
    Strings,
    Weather,
    uniform,
)
from bot.demo.nets import Recipe
from bot.demo.pipeline import Code, Step
from bot.demo.registry import Job


@dataclass(frozen=True)
class Truth:
    """What was planted: the conclusion's kind, and the names of which any one is right.

    ``told`` says it in a sentence. ``onset`` is in minutes, UTC. ``also`` are the truths of
    other faults of the same incident, each to be named as well.
    """

    kind: str
    names: tuple[str, ...]
    told: str
    onset: int
    also: tuple[Truth, ...] = ()


def unchanged_raw(raw: Raw) -> Raw:
    """Raw inputs stay as they are."""
    return raw


def unchanged_code(code: Code) -> Code:
    """Code stays as it is."""
    return code


@dataclass(frozen=True)
class Fault:
    """A regime's edits from ``start`` on.

    ``node`` is where running it again with the last good code or data heals it; ``failing``
    are nodes whose runs fail; ``released`` are nodes with a new version; ``arm`` is the
    (model, arm) whose rollback or removal heals it; ``hidden`` are features that the lineage
    does not list in this world; ``feature`` is the one whose nulls a monitor would see.
    ``parts`` are the faults that this one is made of, when it is several at once.
    """

    truth: Truth
    start: int
    edit_raw: Callable[[Raw], Raw] = unchanged_raw
    edit_code: Callable[[Code], Code] = unchanged_code
    node: str | None = None
    failing: frozenset[str] = frozenset()
    released: tuple[str, ...] = ()
    config_of: tuple[str, str] | None = None
    hidden: tuple[str, ...] = ()
    feature: str | None = None
    parts: tuple[Fault, ...] = ()


def together(first: Fault, second: Fault) -> Fault:
    """Both faults at once, from the first one's start on."""
    return replace(
        first,
        truth=replace(first.truth, also=(second.truth,)),
        edit_raw=lambda raw: second.edit_raw(first.edit_raw(raw)),
        edit_code=lambda code: second.edit_code(first.edit_code(code)),
        failing=first.failing | second.failing,
        released=(*first.released, *second.released),
        parts=(first, second),
    )


# -- raw inputs --------------------------------------------------------------------------------


def frozen_weather(moment: int) -> Callable[[Raw], Raw]:
    """The feed sends nothing from ``moment`` on; what it sent last stays the newest."""

    def edit(raw: Raw) -> Raw:
        sent = raw.weather.time < moment
        table = replace(
            raw.weather,
            time=raw.weather.time[sent],
            origin=raw.weather.origin[sent],
            values={name: value[sent] for name, value in raw.weather.values.items()},
        )
        return replace(raw, weather=table)

    return edit


def silent_aircraft(moment: int) -> Callable[[Raw], Raw]:
    """No pushback message comes in from ``moment`` on."""
    return lambda raw: replace(raw, messages_until=moment)


def converted_weather(
    moment: int, columns: tuple[str, ...], convert: Callable[[Floats], Floats]
) -> Callable[[Raw], Raw]:
    """The feed itself sends other units from ``moment`` on."""

    def edit(raw: Raw) -> Raw:
        after = raw.weather.time >= moment
        values = dict(raw.weather.values)
        for name in columns:
            values[name] = np.where(after, convert(values[name]), values[name])
        return replace(raw, weather=replace(raw.weather, values=values))

    return edit


def fewer_flights(moment: int, column: str, value: str, share: float) -> Callable[[Raw], Raw]:
    """``share`` of the flights with ``column == value`` scored from ``moment`` on are gone."""

    def edit(raw: Raw) -> Raw:
        flights = raw.flights
        gone = (flights.scored >= moment) & (getattr(flights, column) == value)
        gone &= uniform(flights.id, "gone") < share
        return replace(raw, flights=flights.take(~gone))

    return edit


def more_flights(
    moment: int, column: str, value: str, times: int, until: int
) -> Callable[[Raw], Raw]:
    """Extra sections of the flights with ``column == value`` from ``moment`` on.

    Each extra flight is a real one of the same day, moved by some minutes.
    """

    def edit(raw: Raw) -> Raw:
        flights = raw.flights
        chosen = (flights.scored >= moment) & (flights.scored < until)
        mine = flights.take(chosen & (getattr(flights, column) == value))
        parts = [flights]
        for copy in range(1, times + 1):
            shift = 3 + (uniform(mine.id, f"shift{copy}") * 40).astype(np.int64)
            extra = replace(
                mine,
                id=mine.id + copy * 1_000_000,
                number=mine.number + 7000,
                tail=np.array([f"{tail}/{copy}" for tail in mine.tail], dtype=object),
                sched=mine.sched + shift,
                dep=np.where(mine.dep < NEVER, mine.dep + shift, NEVER),
                arr=np.where(mine.arr < NEVER, mine.arr + shift, NEVER),
            )
            parts.append(extra)
        every = Flights(
            **{
                name: np.concatenate([getattr(p, name) for p in parts])
                for name in Flights.__dataclass_fields__
            }
        )
        return replace(raw, flights=every.sorted())

    return edit


def frozen_hourly(moment: int) -> Callable[[Code], Code]:
    """The job that writes the hourly weather last succeeded at ``moment``."""

    def hourly(table: Weather) -> Weather:
        sent = table.time < moment
        values = {name: value[sent] for name, value in table.values.items()}
        return Weather(table.time[sent], table.origin[sent], values)

    return lambda code: replace(code, weather_hourly=hourly)


# -- code --------------------------------------------------------------------------------------


def converted(
    node: str, columns: tuple[str, ...], convert: Callable[[Floats], Floats]
) -> Callable[[Code], Code]:
    """``node`` writes these columns through ``convert``."""

    def edit(code: Code) -> Code:
        before = code.steps[node]

        def step(raw: Raw, rows: Flights, code: Code) -> Columns:
            result = before(raw, rows, code)
            return result | {name: convert(result[name]) for name in columns}

        return code.with_step(node, step)

    return edit


def step_swapped(node: str, step: Step) -> Callable[[Code], Code]:
    """``node`` runs ``step``."""
    return lambda code: code.with_step(node, step)


def unmatched_tails(tails: Strings) -> Strings:
    """A clean-up that drops the leading N: no tail number matches any more."""
    return np.array([t[1:] if t.startswith("N") else t for t in tails], dtype=object)


def shuffled_tails(flown: Strings, seed: int) -> Callable[[Strings], Strings]:
    """An index that slipped by one: each aircraft has the key of another one.

    The index is sorted by how often an aircraft is in ``flown``, so that its neighbour flies
    about as often: hardly anything is null that was not.
    """
    known, counts = np.unique(flown.astype(str), return_counts=True)
    order = np.lexsort((np.array([hash_text(t, seed) for t in known]), counts))
    other = dict(zip(known[order], known[np.roll(order, 1)], strict=True))

    def keys(tails: Strings) -> Strings:
        return np.array([other.get(tail, tail) for tail in tails], dtype=object)

    return keys


def hash_text(text: str, seed: int) -> int:
    """A number from a text, the same in every run."""
    import zlib

    return zlib.crc32(f"{seed}:{text}".encode())


def tails_keyed(keys: Callable[[Strings], Strings]) -> Callable[[Code], Code]:
    """tail_keys runs another function."""
    return lambda code: replace(code, tail_keys=keys)


def timeouts_of(dose: float, moment: int) -> Callable[[Code], Code]:
    """About ``dose`` of the requests to the feature store time out from ``moment`` on."""

    def share(time: Minutes) -> Floats:
        wobble = 0.85 + 0.3 * uniform(time // 5, "wobble")
        broken: Floats = np.where(time >= moment, np.minimum(dose * wobble, 0.98), 0.004)
        return broken

    return lambda code: replace(code, timeouts=share)


def scores_changed(
    model: str, arm: str, change: Callable[[Floats], Floats]
) -> Callable[[Code], Code]:
    """The scorer passes the scores of one arm through ``change``."""

    def edit(code: Code) -> Code:
        before = code.scores

        def scores(values: Floats, which: str, where: str) -> Floats:
            values = before(values, which, where)
            return change(values) if (which, where) == (model, arm) else values

        return replace(code, scores=scores)

    return edit


def logit_changed(slope: float, shift: float) -> Callable[[Floats], Floats]:
    """Probabilities with their logit times ``slope`` plus ``shift``."""

    def change(score: Floats) -> Floats:
        likely = np.clip(score, 1e-6, 1 - 1e-6)
        logit = np.log(likely / (1 - likely))
        return 1 / (1 + np.exp(-(slope * logit + shift)))

    return change


def labels_of(model: str, make: Callable[[Floats], Floats]) -> Callable[[Code], Code]:
    """The outcome of a flight is judged by another rule."""
    return lambda code: replace(code, labels={**code.labels, model: make})


# -- training ----------------------------------------------------------------------------------


def training_of(snapshot: str, change: Callable[[Job, Columns], Job]) -> Callable[[Code], Code]:
    """The training job of one snapshot runs through ``change``."""

    def training(job: Job, columns: Columns) -> Job:
        return change(job, columns) if job.publish.snapshot == snapshot else job

    return lambda code: replace(code, training=training)


def without_days(days: frozenset[int]) -> Callable[[Job, Columns], Job]:
    """These partitions never arrived."""

    def change(job: Job, columns: Columns) -> Job:
        del columns
        return job.keep(~np.isin(job.day, list(days)))

    return change


def labels_rewritten(
    days: frozenset[int], share: float, rewrite: Callable[[Floats], Floats]
) -> Callable[[Job, Columns], Job]:
    """In these partitions ``share`` of the labels went through ``rewrite``."""

    def change(job: Job, columns: Columns) -> Job:
        del columns
        hit = np.isin(job.day, list(days)) & (uniform(job.rows, "labels") < share)
        return replace(job, label=np.where(hit, rewrite(job.label), job.label))

    return change


def recipe_changed(**changes: Any) -> Callable[[Job, Columns], Job]:
    """Other hyperparameters, e.g. a learning rate that is far too large."""

    def change(job: Job, columns: Columns) -> Job:
        del columns
        recipe: Recipe = replace(job.recipe, **changes)
        return replace(job, recipe=recipe)

    return change
