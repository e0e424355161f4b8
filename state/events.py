"""What happens to an incident, in the past tense; what follows from it is in state/effects.py."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from analysis.budget import Excess
from analysis.evidence import Evidence, Filter, Scope, Suspect, Window
from state.incident import Alert, Call, Entry, Signal


@dataclass(frozen=True)
class Opened:
    """An incident began with this scope at this node of the tree."""

    at: datetime
    node: str
    scope: Scope


@dataclass(frozen=True)
class AlertJoined:
    """An alert of the same cause came, changed, or says that it is over (``alert.firing``).

    ``why`` says in a few words what it shares with the incident; "" for the same alert again.
    """

    at: datetime
    alert: Alert
    why: str = ""


@dataclass(frozen=True)
class Checked:
    """A check came back; ``scope`` is the one it ran with."""

    at: datetime
    step: int
    evidence: Evidence


@dataclass(frozen=True)
class CheckFailed:
    """A check could not run; ``error`` is a sentence for the person in the thread."""

    at: datetime
    step: int
    error: str


@dataclass(frozen=True)
class WentOver:
    """A check needs more than its step may have, and was not run, or not to its end."""

    at: datetime
    step: int
    excess: Excess


@dataclass(frozen=True)
class Allowed:
    """A person lets the step have what it asked for."""

    at: datetime
    step: int
    by: str


@dataclass(frozen=True)
class Answered:
    """A person confirmed a verdict. ``suspects`` None accepts those that were proposed.

    ``also`` are further branches of the same node, to be followed afterwards.
    """

    at: datetime
    step: int
    verdict: str
    by: str
    suspects: tuple[Suspect, ...] | None = None
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """A person leaves this step open: the walk goes on as where the check could not look."""

    at: datetime
    step: int
    by: str


@dataclass(frozen=True)
class Rerun:
    """A person asked for the step again: over another window, fresh data, or filtered traffic.

    ``filters`` None keeps those that the step had; () looks at all traffic. ``minutes`` is how
    much of the time before the window it is compared with; 0 is as much as before.
    """

    at: datetime
    step: int
    by: str
    window: Window | None = None
    filters: tuple[Filter, ...] | None = None
    minutes: int = 0


@dataclass(frozen=True)
class WentBack:
    """A person wants to decide this earlier step anew; later ones no longer count."""

    at: datetime
    step: int
    by: str


@dataclass(frozen=True)
class Rechecked:
    """The time has come to look again at a step that is being watched; ``last``: as long as the
    team waits for a recovery has passed."""

    at: datetime
    step: int
    last: bool = False


@dataclass(frozen=True)
class Noted:
    """Somebody added a line to the record; ``step`` is the one whose evidence goes with it."""

    at: datetime
    by: str
    text: str
    permalink: str = ""
    step: int = 0


@dataclass(frozen=True)
class Taken:
    """Somebody owns it now (``by`` did it, ``owner`` has it)."""

    at: datetime
    by: str
    owner: str


@dataclass(frozen=True)
class SeveritySet:
    """Severity 1 (worst) to 4."""

    at: datetime
    by: str
    severity: int


@dataclass(frozen=True)
class Snoozed:
    """Nobody is to be reminded before ``until``."""

    at: datetime
    by: str
    until: datetime


@dataclass(frozen=True)
class HandoffOffered:
    """``by`` asks ``to`` to take over."""

    at: datetime
    by: str
    to: str
    channel: str = ""


@dataclass(frozen=True)
class HandoffAnswered:
    """Accepted or declined by the person it was offered to."""

    at: datetime
    handoff: int
    by: str
    accepted: bool
    reason: str = ""


@dataclass(frozen=True)
class HandoffOverdue:
    """The time for an answer to a hand-off has passed."""

    at: datetime
    handoff: int


@dataclass(frozen=True)
class MitigationAsked:
    """Somebody wants to see what an action against a suspect would do."""

    at: datetime
    by: str
    action: str
    target: Suspect


@dataclass(frozen=True)
class MitigationPlanned:
    """The dry run says what it would do; ``second_person``: the one who asked can't confirm;
    ``mends``: it would change something, and not only call people."""

    at: datetime
    mitigation: int
    plan: str
    second_person: bool = False
    mends: bool = True


@dataclass(frozen=True)
class MitigationConfirmed:
    """A person who may said: do it."""

    at: datetime
    mitigation: int
    by: str


@dataclass(frozen=True)
class MitigationCancelled:
    """A person said: don't."""

    at: datetime
    mitigation: int
    by: str


@dataclass(frozen=True)
class MitigationDone:
    """It was carried out; ``result`` says what changed."""

    at: datetime
    mitigation: int
    result: str


@dataclass(frozen=True)
class MitigationFailed:
    """The dry run or the action failed; ``error`` is a sentence."""

    at: datetime
    mitigation: int
    error: str


@dataclass(frozen=True)
class Closed:
    """A person ended it: ``outcome`` is "resolved", "not an incident" or "stopped".

    ``kind`` and ``names`` record the real cause when a person knows better than the walk;
    ``follow_ups`` are what is to be done afterwards.
    """

    at: datetime
    by: str
    outcome: str
    text: str = ""
    kind: str = ""
    names: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Puzzled:
    """An alert came that is about nothing known: ``why``, and what may be meant."""

    at: datetime
    why: str
    guesses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Placed:
    """A person said what a puzzling alert is about; the walk begins."""

    at: datetime
    by: str
    entry: Entry
    subject: str
    node: str
    scope: Scope


@dataclass(frozen=True)
class Called:
    """The people on call at a level are mentioned, or will be when quiet hours end."""

    at: datetime
    call: Call


@dataclass(frozen=True)
class Merged:
    """It is due to the cause of another incident, ``into``, which goes on for both."""

    at: datetime
    into: str


@dataclass(frozen=True)
class Parted:
    """The alerts with these ``keys`` are due to the cause of another incident, ``into``."""

    at: datetime
    keys: tuple[str, ...]
    into: str


@dataclass(frozen=True)
class Absorbed:
    """The alerts of another incident, ``of``, are this one's: ``joined`` of them."""

    at: datetime
    of: str
    joined: int
    signals: tuple[Signal, ...]


@dataclass(frozen=True)
class Reopened:
    """It was not over."""

    at: datetime
    by: str


Event = (
    Opened
    | AlertJoined
    | Checked
    | CheckFailed
    | WentOver
    | Allowed
    | Answered
    | Rerun
    | Skipped
    | WentBack
    | Rechecked
    | Noted
    | Taken
    | SeveritySet
    | Snoozed
    | HandoffOffered
    | HandoffAnswered
    | HandoffOverdue
    | MitigationAsked
    | MitigationPlanned
    | MitigationConfirmed
    | MitigationCancelled
    | MitigationDone
    | MitigationFailed
    | Closed
    | Puzzled
    | Placed
    | Called
    | Merged
    | Parted
    | Absorbed
    | Reopened
)
