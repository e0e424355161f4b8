"""An incident as a value: what was alerted, what was looked at, what people decided.

An incident changes only through :func:`state.machine.advance`. It is kept as JSON, so every
part is a frozen dataclass of plain values; times are aware and in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from analysis.budget import Excess, Resource
from analysis.evidence import Evidence, Onset, Scope, Suspect

Entry = Literal["metric", "model", "feature"]
Status = Literal["diagnosing", "concluded", "watching", "resolved", "closed"]
StepStatus = Literal["running", "over", "proposed", "failed", "answered", "watching", "superseded"]
MitigationStatus = Literal["planning", "planned", "carrying", "done", "failed", "cancelled"]
CallReason = Literal["opened", "quiet", "escalated", "again"]
HandoffStatus = Literal["offered", "accepted", "declined", "taken back", "not answered"]

BLINDLY = "auto"
"""Answers for whoever accepts what is proposed; what it says of a blind step is no verdict."""

OPEN: frozenset[Status] = frozenset({"diagnosing", "concluded", "watching"})


@dataclass(frozen=True)
class Alert:
    """Something says that ``subject`` is off since ``since``.

    ``key`` is the alert's fingerprint: the same key joins the open incident. ``source`` names the
    format or the monitor. ``start`` is a node of the tree when the sender knows better than
    ``entry``. ``channel`` and ``thread`` say where to post, when it is not left to the routes.
    ``names`` are all the known things that it names ("model:delay", "upstream:weather"), the
    subject among them; ``owner`` is the team that it names. ``update`` says in a few words what
    changed where nothing fired and nothing ended ("acknowledged"). ``until`` ends the window that
    is looked at; None looks until now. ``workspace`` is the settings' name of the workspace whose
    channel is meant; ``team`` the id of the channel's in an org, where an alert joins no incident
    of another one. ``onset`` has the bounds of ``since``, where the sender knows them.
    """

    source: str
    key: str
    entry: Entry
    subject: str
    title: str
    since: datetime
    severity: int = 2
    firing: bool = True
    detail: str = ""
    url: str = ""
    start: str = ""
    channel: str = ""
    thread: str = ""
    by: str = ""
    names: tuple[str, ...] = ()
    owner: str = ""
    update: str = ""
    until: datetime | None = None
    workspace: str = ""
    team: str = ""
    onset: Onset | None = None

    def of_team(self, team: str) -> bool:
        """Whether it may be of that workspace of an org: "" is one that is not known."""
        return not (team and self.team) or team == self.team


@dataclass(frozen=True)
class Signal:
    """One alert of an incident as it stands now; every time it was told is in the event log.

    It fired ``count`` times, first told at ``first``, last told of at ``last``. ``ups`` are the
    latest moments at which it fired again after it had ended. ``why`` says what joined it.
    ``onset`` has the bounds of ``since``, where they are known.
    """

    key: str
    source: str
    entry: Entry
    subject: str
    title: str
    since: datetime
    first: datetime
    last: datetime
    severity: int
    count: int = 1
    firing: bool = True
    names: tuple[str, ...] = ()
    ups: tuple[datetime, ...] = ()
    update: str = ""
    why: str = ""
    onset: Onset | None = None


@dataclass(frozen=True)
class Call:
    """People that were called to an incident: who was on call at that level (0 is the first).

    ``held_until`` is the end of the quiet hours that keep them from being mentioned before.
    """

    at: datetime
    level: int
    people: tuple[str, ...]
    reason: CallReason = "opened"
    held_until: datetime | None = None


@dataclass(frozen=True)
class Answer:
    """A person's decision at a step. ``override``: it differs from what was proposed.

    ``also`` are the other branches of the node that are to be followed afterwards. ``skipped``:
    nothing was decided, and the verdict is only the way that the walk went on.
    """

    verdict: str
    suspects: tuple[Suspect, ...]
    by: str
    at: datetime
    override: bool
    also: tuple[str, ...] = ()
    skipped: bool = False


@dataclass(frozen=True)
class Allowance:
    """A person's word that a step may have more: up to ``upto`` bytes or seconds."""

    of: Resource
    upto: float
    by: str
    at: datetime


@dataclass(frozen=True)
class Step:
    """One node visited with one scope. ``number`` counts from 1 within the incident.

    ``came_from`` is the number of the step whose answer led here (0 for a start). ``excess`` is
    what it asks for while its status is "over"; ``allowed`` is what people gave it, once a
    resource.
    """

    number: int
    node: str
    scope: Scope
    asked_at: datetime
    came_from: int = 0
    status: StepStatus = "running"
    evidence: Evidence | None = None
    error: str = ""
    answer: Answer | None = None
    looks: int = 0
    excess: Excess | None = None
    allowed: tuple[Allowance, ...] = ()


@dataclass(frozen=True)
class Trail:
    """A branch that waits to be followed: where to, with what, coming from which step."""

    node: str
    scope: Scope
    came_from: int


@dataclass(frozen=True)
class Cause:
    """How one trail ended. ``kind`` is an exit's; ``confidence`` is a probability, 0 to 1.

    ``suspects`` name the cause; ``along`` are all that were confirmed on the way to it.
    """

    kind: str
    suspects: tuple[Suspect, ...]
    confidence: float
    step: int
    along: tuple[Suspect, ...] = ()


@dataclass(frozen=True)
class Note:
    """A line for the record; ``permalink`` leads to what it came from, ``step`` (0 for none) is
    the one whose evidence goes with it."""

    at: datetime
    by: str
    text: str
    permalink: str = ""
    step: int = 0


@dataclass(frozen=True)
class Mitigation:
    """An action against a suspect, planned (dry run), confirmed by a person, carried out.

    ``second_person``: whoever asked for it can't be the one who confirms it. ``mends`` is False
    where it only calls people: nothing is changed, so nothing can come back by it.
    """

    id: int
    action: str
    target: Suspect
    asked_by: str
    at: datetime
    status: MitigationStatus = "planning"
    plan: str = ""
    result: str = ""
    confirmed_by: str = ""
    done_at: datetime | None = None
    second_person: bool = False
    mends: bool = True


@dataclass(frozen=True)
class Handoff:
    """An offer to another person; ``channel`` is theirs when it is not the incident's.

    ``reminders`` are the moments at which nobody had answered yet: at the first the one it was
    offered to is reminded, at the second the one who offered it is told.
    """

    id: int
    by: str
    to: str
    at: datetime
    channel: str = ""
    status: HandoffStatus = "offered"
    reason: str = ""
    answered_at: datetime | None = None
    reminders: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Departure:
    """Alerts that turned out to be due to the cause of another incident, ``into``, and went there.

    ``titles`` are theirs; together they had fired ``count`` times.
    """

    at: datetime
    into: str
    titles: tuple[str, ...]
    count: int


@dataclass(frozen=True)
class Incident:
    """All that is known about one incident. ``version`` counts the events it has taken in.

    ``joined`` counts how often its alerts fired; ``signals`` are those alerts, each once.
    ``departures`` are those that went elsewhere; ``part_of`` is the incident that goes on for this
    one ("" for none).
    ``puzzle`` says why nobody knows yet what it is about ("" once that is known); ``guesses`` are
    names ("metric:precision") that may be meant.
    """

    id: str
    alert: Alert
    opened_at: datetime
    severity: int
    status: Status = "diagnosing"
    owner: str = ""
    steps: tuple[Step, ...] = ()
    waiting: tuple[Trail, ...] = ()
    causes: tuple[Cause, ...] = ()
    notes: tuple[Note, ...] = ()
    mitigations: tuple[Mitigation, ...] = ()
    handoffs: tuple[Handoff, ...] = ()
    joined: int = 1
    signals: tuple[Signal, ...] = ()
    departures: tuple[Departure, ...] = ()
    part_of: str = ""
    calls: tuple[Call, ...] = ()
    snoozed_until: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str = ""
    outcome: str = ""
    follow_ups: tuple[str, ...] = ()
    puzzle: str = ""
    guesses: tuple[str, ...] = ()
    version: int = 0

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self.status in OPEN

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """The incidents to which alerts of this one went."""
        found = (self.part_of, *(d.into for d in self.departures))
        return tuple(dict.fromkeys(i for i in found if i))

    @property
    def live_steps(self) -> tuple[Step, ...]:
        """The steps that count: those not superseded by going back or running again."""
        return tuple(s for s in self.steps if s.status != "superseded")

    @property
    def current(self) -> Step | None:
        """The step that waits for a check or for a person; None when there is none.

        A step that is only being watched comes after the ones that need a person.
        """
        waiting = [s for s in self.live_steps if s.status != "answered"]
        busy = [s for s in waiting if s.status != "watching"]
        left = busy or waiting
        return left[-1] if left else None

    @property
    def suspects(self) -> tuple[Suspect, ...]:
        """Everything that live steps have confirmed or, at the current step, propose."""
        found: dict[tuple[str, str], Suspect] = {}
        for step in self.live_steps:
            chosen: tuple[Suspect, ...] = ()
            if step.answer:
                chosen = step.answer.suspects
            elif step.evidence:
                chosen = step.evidence.named
            found |= {(s.kind, s.name): s for s in chosen}
        return tuple(found.values())

    def step(self, number: int) -> Step | None:
        """The step of that number; None when there is none."""
        return self.steps[number - 1] if 0 < number <= len(self.steps) else None

    def with_step(self, step: Step) -> Incident:
        """The incident with this step in the place of the one of the same number."""
        steps = (*self.steps[: step.number - 1], step, *self.steps[step.number :])
        return replace(self, steps=steps)

    def mitigation(self, number: int) -> Mitigation | None:
        """The mitigation of that number; None when there is none."""
        return next((m for m in self.mitigations if m.id == number), None)

    def with_mitigation(self, mitigation: Mitigation) -> Incident:
        """The incident with this mitigation added, or put in the place of its former self."""
        others = tuple(m for m in self.mitigations if m.id != mitigation.id)
        return replace(self, mitigations=(*others, mitigation))

    def handoff(self, number: int) -> Handoff | None:
        """The hand-off of that number; None when there is none."""
        return next((h for h in self.handoffs if h.id == number), None)

    def with_handoff(self, handoff: Handoff) -> Incident:
        """The incident with this hand-off added, or put in the place of its former self."""
        others = tuple(h for h in self.handoffs if h.id != handoff.id)
        return replace(self, handoffs=(*others, handoff))


def attended(incident: Incident) -> bool:
    """Whether a person is on it: somebody has it, or has done something about it."""
    answered = any(step.answer for step in incident.live_steps)
    acted = incident.mitigations or incident.handoffs or incident.notes or incident.alert.by
    return bool(incident.owner or answered or acted)
