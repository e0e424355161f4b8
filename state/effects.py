"""What the shell is to do, as data: the imperatives that an event leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.evidence import Scope


@dataclass(frozen=True)
class RunCheck:
    """Run the check of ``node`` with ``scope`` and report it as ``step``."""

    step: int
    node: str
    scope: Scope


@dataclass(frozen=True)
class LookAgain:
    """Tell Rechecked for this step when the recheck interval has passed."""

    step: int


@dataclass(frozen=True)
class PlanMitigation:
    """Do the dry run and tell MitigationPlanned or MitigationFailed."""

    mitigation: int


@dataclass(frozen=True)
class CarryOut:
    """Do it and tell MitigationDone or MitigationFailed."""

    mitigation: int


@dataclass(frozen=True)
class RemindHandoff:
    """Tell HandoffOverdue for this hand-off when the time for an answer has passed."""

    handoff: int


@dataclass(frozen=True)
class Refuse:
    """The event changed nothing; ``why`` is for the person who caused it, alone."""

    why: str


Effect = RunCheck | LookAgain | PlanMitigation | CarryOut | RemindHandoff | Refuse
