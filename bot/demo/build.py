"""Builds a world: draws an incident until somebody would be paged for it, then writes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np

from bot.demo import writer
from bot.demo.faults import Fault
from bot.demo.flights import DAY, HOUR, Raw, load, to_time
from bot.demo.measure import watch
from bot.demo.oracle import Found, find
from bot.demo.plants import Draw
from bot.demo.scenarios import Scenario, scenario
from bot.demo.stage import Stage, set_stage
from bot.demo.timeline import Served
from bot.demo.world import Alert, World

WEEKS, DRAWS, QUIET_DRAWS = 6, 16, 250
"""So many weeks are tried, and so many draws in each, before giving up."""


class NothingToPage(Exception):
    """No draw of this scenario and seed made an incident that somebody would be paged for."""


def build(
    name: str,
    seed: int,
    folder: Path,
    progress: Callable[[str], None] | None = None,
    cache: Path | None = None,
) -> World:
    """The world of a scenario, written into ``folder``; the same for the same seed.

    ``cache`` keeps parsed flights and trained snapshots (by default beside ``folder``).
    Raises KeyError for an unknown scenario, DataMissing without the flights' package,
    NothingToPage when no draw is serious enough.
    """
    say = progress or (lambda _: None)
    kind = scenario(name)
    cache = cache or folder.parent / "cache"
    say("reading the flights of 2013")
    raw = load(cache)
    stage, fault, found = _drawn(kind, seed, raw, cache, say)
    regimes = stage.regimes(fault)
    say("serving the days that follow")
    served = stage.replay(regimes, stage.end)
    contract = writer.write_world(
        folder, served, regimes, stage.start, stage.end, seed, fault.hidden, say
    )
    return World(
        folder=folder,
        contract=contract,
        now=to_time(found.now),
        alert=_alert(kind, fault, found, served),
        truth=fault.truth,
        stage=stage,
        fault=fault,
        regimes=regimes,
        served=served,
        seed=seed,
    )


def _drawn(
    kind: Scenario, seed: int, raw: Raw, cache: Path, say: Callable[[str], None]
) -> tuple[Stage, Fault, Found]:
    rng = Random(f"{kind.name}:{seed}")
    failed = 0
    for _ in range(WEEKS):
        anchor = kind.week(rng, raw)
        say(f"the weeks before {to_time(anchor * 1440):%-d %B}")
        stage = set_stage(raw, anchor, cache, say)
        say("planting an incident")
        for _ in range(DRAWS if kind.find != "quiet" else QUIET_DRAWS):
            fault = kind.plant(Draw(rng, stage, failed))
            failed += 1
            if fault is None:
                continue
            served = stage.clean
            if not all(_alone(stage, kind, part, rng) for part in fault.parts):
                continue
            if kind.find == "damage":
                end = min(fault.truth.onset + (kind.patience + 1) * HOUR, stage.end)
                served = stage.replay(stage.regimes(fault), end)
            found = find(stage, kind, fault, served, rng)
            if found is not None:
                return stage, fault, found
    raise NothingToPage(
        f"{failed} draws of {kind.name} with seed {seed} made nothing that pages anybody; "
        "try another seed."
    )


def _alone(stage: Stage, kind: Scenario, part: Fault, rng: Random) -> bool:
    """Whether somebody would be paged for this part of a fault by itself."""
    end = min(part.truth.onset + (kind.patience + 1) * HOUR, stage.end)
    served = stage.replay(stage.regimes(part), end)
    return find(stage, kind, part, served, rng) is not None


def _alert(kind: Scenario, fault: Fault, found: Found, served: Served) -> Alert:
    if kind.entry == "feature" and fault.feature is not None:
        return _nulls(fault.feature, found, served)
    metric = watch(found.reading.name)
    subject = metric.model if kind.entry == "model" else metric.name
    reading = found.reading
    side = "above" if reading.z > 0 else "below"
    hours = round((found.now - found.since) / HOUR)
    return Alert(
        entry=kind.entry,
        subject=subject,
        since=to_time(found.since),
        title=f"{metric.title}: {reading.value:.3g} over {hours} h, usually {reading.usual:.3g}",
        value=reading.value,
        detail=(
            f"{metric.name} is {side} its usual range: {reading.value:.3g} over the last {hours} "
            f"hours, {reading.usual:.3g} at the same hours of the {reading.days} days before."
        ),
    )


def _nulls(feature: str, found: Found, served: Served) -> Alert:
    """What a monitor of the feature's nulls says."""
    times = served.log.flights.scored
    null = np.isnan(served.log.columns[feature])
    now = float(null[(times >= found.since) & (times < found.now)].mean())
    usual = float(null[(times >= found.since - 14 * DAY) & (times < found.since)].mean())
    return Alert(
        entry="feature",
        subject=feature,
        since=to_time(found.since),
        title=f"{feature} is null in {now:.0%} of the predictions, usually {usual:.0%}",
        value=now,
        detail=f"{now:.0%} of {feature} are null, against {usual:.0%} in the two weeks before.",
    )
