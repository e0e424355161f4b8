"""Builds a world: draws an incident until somebody would be paged for it, then writes it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from bot.demo import writer
from bot.demo.faults import Fault
from bot.demo.flights import HOUR, Raw, load, to_minute, to_time
from bot.demo.measure import watch
from bot.demo.oracle import Found, find
from bot.demo.scenarios import Draw, Scenario, scenario
from bot.demo.stage import Stage, set_stage
from bot.demo.world import Alert, World

WEEKS, DRAWS, QUIET_DRAWS = 6, 16, 60
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
        alert=_alert(kind, found),
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
        for attempt in range(DRAWS if kind.find != "quiet" else QUIET_DRAWS):
            say(f"planting, draw {attempt + 1}")
            fault = kind.plant(Draw(rng, stage, failed))
            failed += 1
            if fault is None:
                continue
            served = stage.clean
            if kind.find == "damage":
                end = min(fault.truth.onset + kind.patience * HOUR, stage.end)
                served = stage.replay(stage.regimes(fault), end)
            found = find(stage, kind, fault, served, rng)
            if found is not None:
                return stage, fault, found
    raise NothingToPage(
        f"{WEEKS * DRAWS} draws of {kind.name} with seed {seed} made nothing that pages anybody; "
        "try another seed."
    )


def _alert(kind: Scenario, found: Found) -> Alert:
    metric = watch(found.reading.name)
    subject = {"metric": metric.name, "model": metric.model}.get(kind.entry, metric.name)
    reading = found.reading
    side = "above" if reading.z > 0 else "below"
    return Alert(
        entry=kind.entry,
        subject=subject,
        since=to_time(found.since),
        title=f"{metric.title}: {reading.value:.3g}, usually {reading.usual:.3g}",
        value=reading.value,
        detail=(
            f"{metric.name} is {side} its usual range: {reading.value:.3g} against "
            f"{reading.usual:.3g} at the same hours of the {reading.days} days before."
        ),
    )


def day_of(text: str) -> int:
    """A date as days since 1970."""
    from datetime import datetime

    return to_minute(datetime.fromisoformat(f"{text}T00:00+00:00")) // 1440
