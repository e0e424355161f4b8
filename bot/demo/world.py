"""The world: what a scenario looks like from outside, and what mitigations do to it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import numpy as np

from analysis import words
from analysis.tables import Contract
from bot.demo import operations, writer
from bot.demo.columns import DEFAULTS, GROUPS
from bot.demo.faults import Fault, Truth
from bot.demo.flights import HOUR, to_minute, to_time
from bot.demo.registry import CONTROL, NO_ARM, TREATMENT
from bot.demo.stage import Stage
from bot.demo.timeline import Regime, Served

Mitigation = Literal["rollback", "arm_to_zero", "rerun_node", "feature_default"]
Target = Mapping[str, str]


class CannotMitigate(Exception):
    """This mitigation can't be carried out on this target; the message says why."""


@dataclass(frozen=True)
class Alert:
    """The alert that opens the incident. ``entry`` says what ``subject`` is the name of."""

    entry: Literal["metric", "model", "feature"]
    subject: str
    since: datetime
    title: str
    value: float
    detail: str


@dataclass
class World:
    """A world on disk. ``now`` is the moment at which ``alert`` fires; the timeline goes on for
    more than a day and a half after it. ``truth`` is nowhere in ``folder``."""

    folder: Path
    contract: Contract
    now: datetime
    alert: Alert
    truth: Truth
    stage: Stage
    fault: Fault
    regimes: tuple[Regime, ...]
    served: Served
    seed: int

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    @property
    def end(self) -> datetime:
        """Where the timeline ends."""
        return to_time(self.stage.end)

    def dry_run(self, mitigation: str, target: Target, at: datetime) -> str:
        """What the mitigation would change, in a sentence or two. Raises CannotMitigate."""
        with self._lock:
            return self._plan(mitigation, target, to_minute(at))[1]

    def apply(self, mitigation: str, target: Target, at: datetime) -> str:
        """Carry it out: serve everything after ``at`` anew and replace the files.

        Nothing before ``at`` changes. Returns what was done. Raises CannotMitigate.
        """
        with self._lock:
            regime, words = self._plan(mitigation, target, to_minute(at))
            regimes = (*self.regimes, regime)
            served = self.stage.replay(regimes, self.stage.end, self.served)
            stage = self.stage
            if _trained_anew(self.served, served):
                writer.write_snapshots(self.folder, served)
            writer.rewrite(self.folder, served, regimes, stage.start, stage.end, self.seed)
            self.regimes, self.served = regimes, served
            return words.replace("would go", "went").replace("would be", "was")

    # -- plans ---------------------------------------------------------------------------------

    def _plan(self, mitigation: str, target: Target, at: int) -> tuple[Regime, str]:
        last = self.regimes[-1]
        if at <= last.start or at >= self.stage.end:
            raise CannotMitigate(
                f"{words.clock(to_time(at))} is outside what can still be changed: after "
                f"{words.clock(to_time(last.start))} and before {words.clock(self.end)}."
            )
        now = replace(last, start=at)
        name = target.get("name") or target.get("snapshot") or target.get("node") or ""
        if mitigation == "rollback":
            return self._rollback(now, name)
        if mitigation == "arm_to_zero":
            return self._arm_to_zero(now, target.get("arm") or name)
        if mitigation == "rerun_node":
            return self._rerun(now, name)
        if mitigation == "feature_default":
            return self._feature_default(now, name)
        raise CannotMitigate(
            f"There is no mitigation {mitigation!r}; there are rollback, arm_to_zero, rerun_node, "
            "feature_default."
        )

    def _rollback(self, now: Regime, name: str) -> tuple[Regime, str]:
        bad = self.served.snapshots.get(name)
        if bad is None or bad.publish.published > now.start:
            raise CannotMitigate(f"No snapshot {name!r} had been published by then.")
        line = [
            s.publish
            for s in self.served.snapshots.values()
            if s.publish.series.key == bad.publish.series.key
            and s.publish.published < bad.publish.published
        ]
        if not line:
            raise CannotMitigate(f"{name} is the oldest snapshot of its series; none is before it.")
        good = max(line, key=lambda p: p.published)
        key = bad.publish.series.key
        regime = replace(now, pins={**now.pins, key: good.snapshot})
        if self.fault.config_of == key:
            regime = replace(regime, code=self.stage.regime.code)
        rows = self._rate(now.start, *key)
        return regime, (
            f"{_series(key)} would go back from {name} to {good.snapshot} (published "
            f"{to_time(good.published):%d %b %H:%M}); about {rows:.0f} predictions an hour. "
            "Publishing would be on hold from then on."
        )

    def _arm_to_zero(self, now: Regime, name: str) -> tuple[Regime, str]:
        arm = name.rpartition("/")[2]
        if arm not in (CONTROL, TREATMENT):
            raise CannotMitigate(f"There is no arm {name!r}; there are {CONTROL} and {TREATMENT}.")
        rows = self._rate(now.start, "late_arrival", arm)
        other = CONTROL if arm == TREATMENT else TREATMENT
        regime = replace(now, share=0.0 if arm == TREATMENT else 1.0)
        return regime, (
            f"{arm}'s traffic would go to {other}: about {rows:.0f} predictions an hour, "
            f"served by {self._serving(now.start, other)}."
        )

    def _rerun(self, now: Regime, name: str) -> tuple[Regime, str]:
        parts = self.fault.parts or (self.fault,)
        known = {*operations.OWNERS, *(p.node for p in parts)}
        node = name.partition("/")[0]
        if node not in known:  # a feature: what writes it is what can be run again
            node = next((n for n, columns in GROUPS.items() if node in columns), node)
        if node == "request":
            raise CannotMitigate(
                f"{name} comes with the request: no node of the pipeline writes it."
            )
        if node not in known:
            raise CannotMitigate(f"There is no node {name!r} in the pipeline.")
        both = sum(self._rate(now.start, *key) for key in _KEYS)
        words = (
            f"The last good release of {node} would be deployed and run again; it feeds about "
            f"{both:.0f} predictions an hour."
        )
        if node not in {p.node for p in parts}:
            return now, words
        releases = {**now.releases, node: 2}
        raw, code = self.stage.regime.raw, self.stage.regime.code
        for part in (p for p in parts if p.node and releases.get(p.node) != 2):
            raw, code = part.edit_raw(raw), part.edit_code(code)
        failing = now.failing - {node}
        healed = replace(now, raw=raw, code=code, failing=failing, releases=releases)
        return healed, words

    def _feature_default(self, now: Regime, name: str) -> tuple[Regime, str]:
        if name not in DEFAULTS:
            known = ", ".join(DEFAULTS)
            raise CannotMitigate(f"{name!r} has no default; these features have one: {known}.")
        both = sum(self._rate(now.start, *key) for key in _KEYS)
        return replace(now, off=now.off | {name}), (
            f"{name} would go to its default, {DEFAULTS[name]:g}, in every request: about "
            f"{both:.0f} predictions an hour. Both models do without what it tells them."
        )

    def _rate(self, at: int, model: str, arm: str) -> float:
        """Predictions an hour over the day before ``at``, in hours with traffic."""
        day = self.served.between(at - 24 * HOUR, at)
        mine = (day.model == model) & (day.arm == arm)
        hours = len(np.unique(day.time[mine] // HOUR))
        return float(mine.sum() / max(hours, 1))

    def _serving(self, at: int, arm: str) -> str:
        day = self.served.between(at - 24 * HOUR, at)
        mine = np.flatnonzero(day.arm == arm)
        return str(day.snapshot[mine[-1]]) if len(mine) else "its newest snapshot"


_KEYS = (("late_arrival", CONTROL), ("late_arrival", TREATMENT), ("arrival_delay", NO_ARM))


def _trained_anew(before: Served, after: Served) -> bool:
    """Whether a snapshot that is still to come is another one now."""
    old = {n: s.trained.curve for n, s in before.snapshots.items()}
    return old != {n: s.trained.curve for n, s in after.snapshots.items()}


def _series(key: tuple[str, str]) -> str:
    return key[0] if key[1] == NO_ARM else f"{key[0]} ({key[1]})"
