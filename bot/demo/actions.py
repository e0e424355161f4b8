"""Mitigations that are really carried out in the demo's world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.evidence import Suspect, SuspectKind
from state.incident import Incident

if TYPE_CHECKING:
    from bot.demo import Clock, World

MENDED: tuple[SuspectKind, ...] = ("upstream", "infra", "feature")
WATCHING_SPEED = 1440.0
"""While a recovery is watched, a day passes in a minute: labels take hours to arrive."""


@dataclass(frozen=True)
class WorldAction:
    """One way to change the demo's world."""

    name: str
    title: str
    acts_on: tuple[SuspectKind, ...]
    world: World
    clock: Clock

    def plan(self, incident: Incident, target: Suspect) -> str:
        """What would change, from the world's own dry run."""
        del incident
        return self.world.dry_run(self.name, _target(target), self.clock.now())

    def carry_out(self, incident: Incident, target: Suspect) -> str:
        """Serve everything from now on anew, and let time pass faster until it shows."""
        del incident
        done = self.world.apply(self.name, _target(target), self.clock.now())
        self.clock.set_speed(WATCHING_SPEED)
        return done


def demo_actions(world: World, clock: Clock) -> list[WorldAction]:
    """The mitigations of the demo's world; the page to the owner is the settings' own."""
    return [
        WorldAction("rollback", "Roll back", ("snapshot",), world, clock),
        WorldAction("arm_to_zero", "Arm to zero", ("arm",), world, clock),
        WorldAction("rerun_node", "Restore", MENDED, world, clock),
        WorldAction("feature_default", "Back to its default", ("feature",), world, clock),
    ]


def _target(suspect: Suspect) -> dict[str, str]:
    return {"kind": suspect.kind, "name": suspect.name}
