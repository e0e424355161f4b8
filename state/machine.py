"""The conversation: ``advance(incident, event, tree) -> (incident, effects)``.

Pure: no input or output, no clock; an event that no longer fits changes nothing and says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from analysis.evidence import Evidence, Scope, Suspect, Window
from state import incident as ev
from state.incident import Cause, Effect, Event, Incident, Refuse, RunCheck, Step, Trail
from state.tree import AGAIN, LEFT, Branch, Tree

FRESH = timedelta(minutes=30)
"""A next step looks at the data as of the step before it, unless that is older than this."""

MOST_LOOKS = 2000
"""A watch ends by itself after so many looks."""

Result = tuple[Incident, tuple[Effect, ...]]


@dataclass(frozen=True)
class _Misfit(Exception):
    """The event does not fit (any more); ``why`` is for the person who caused it."""

    why: str


def advance(incident: Incident, event: Event, tree: Tree) -> Result:
    """Take one event in: the incident after it, and what is to be done now.

    An event that does not fit leaves the incident as it was (the same version) and gives
    ``Refuse`` with the reason, so that a second click or a late check does no harm.
    """
    try:
        after, effects = _take_in(incident, event, tree)
    except _Misfit as misfit:
        return incident, (Refuse(misfit.why),)
    return replace(after, version=incident.version + 1), effects


def ahead(
    incident: Incident,
    at: datetime,
    tree: Tree,
    kept: Callable[[RunCheck], Evidence | None] = lambda _: None,
) -> RunCheck | None:
    """The next check to be run if people go on accepting proposals; None when there is none.

    ``kept`` knows the results of checks that have been run ahead already: the walk is played on
    through them, as far as they go.
    """
    for _ in tree.nodes:
        step = incident.current
        if step is None or step.status != "proposed" or step.evidence is None:
            return None
        answered = ev.Answered(at, step.number, step.evidence.verdict, "")
        incident, effects = advance(incident, answered, tree)
        check = next((e for e in effects if isinstance(e, RunCheck)), None)
        evidence = kept(check) if check else None
        if check is None or evidence is None:
            return check
        incident, _ = advance(incident, ev.Checked(at, check.step, evidence), tree)
    return None


def _take_in(incident: Incident, event: Event, tree: Tree) -> Result:
    match event:
        case ev.Opened():
            return _visit(incident, tree, Trail(event.node, event.scope, 0), event.at)
        case ev.AlertJoined():
            return replace(incident, joined=incident.joined + event.alert.firing), ()
        case ev.Checked():
            return _checked(incident, event, tree)
        case ev.CheckFailed():
            return _failed(incident, event)
        case ev.Answered():
            return _answered(incident, event, tree)
        case ev.Rerun():
            return _rerun(incident, event, tree)
        case ev.WentBack():
            return _went_back(incident, event, tree)
        case ev.Rechecked():
            return _rechecked(incident, event)
        case ev.Noted():
            note = ev.Note(event.at, event.by, event.text, event.permalink)
            return replace(incident, notes=(*incident.notes, note)), ()
        case ev.Taken():
            return _taken(incident, event)
        case ev.SeveritySet():
            return replace(_open(incident), severity=event.severity), ()
        case ev.Snoozed():
            return replace(_open(incident), snoozed_until=event.until), ()
        case ev.HandoffOffered() | ev.HandoffAnswered():
            return _handoff(incident, event)
        case ev.MitigationAsked() | ev.MitigationConfirmed() | ev.MitigationCancelled():
            return _mitigation_decided(_open(incident), event)
        case ev.MitigationPlanned() | ev.MitigationDone() | ev.MitigationFailed():
            return _mitigation_reported(incident, event, tree)
        case ev.Closed():
            return _closed(incident, event)
        case ev.Reopened():
            return _reopened(incident)
        case _:
            assert_never(event)


# -- the walk ---------------------------------------------------------------------------------


def _visit(incident: Incident, tree: Tree, trail: Trail, at: datetime) -> Result:
    """A new step at the trail's node, and its check."""
    tree.node(trail.node)
    number = len(incident.steps) + 1
    scope = _as_of(trail.scope, at)
    step = Step(number, trail.node, scope, at, trail.came_from)
    incident = replace(incident, steps=(*incident.steps, step))
    if incident.status == "concluded":
        incident = replace(incident, status="diagnosing")
    return incident, (RunCheck(number, trail.node, scope),)


def _as_of(scope: Scope, at: datetime) -> Scope:
    if at - scope.now <= FRESH or at <= scope.window.start:
        return scope
    return replace(scope, now=at, window=Window(scope.window.start, at))


def _checked(incident: Incident, event: ev.Checked, tree: Tree) -> Result:
    step = _step(incident, event.step)
    if step.status not in ("running", "watching"):
        raise _Misfit(f"Step {step.number} no longer waits for a check.")
    evidence = event.evidence.without_bytes()
    branch = tree.node(step.node).branch(evidence.verdict)
    if branch is None:
        known = ", ".join(b.verdict for b in tree.node(step.node).branches)
        error = f"The check came to {evidence.verdict!r}, which is none of {known}."
        return incident.with_step(replace(step, status="failed", error=error)), ()
    looks = step.looks + 1
    if branch.to == AGAIN and looks < MOST_LOOKS:
        step = replace(step, evidence=evidence, status="watching", looks=looks)
        return incident.with_step(step), (ev.LookAgain(step.number),)
    step = replace(step, evidence=evidence, status="proposed", looks=looks, asked_at=event.at)
    return incident.with_step(step), ()


def _failed(incident: Incident, event: ev.CheckFailed) -> Result:
    step = _step(incident, event.step)
    if step.status not in ("running", "watching"):
        raise _Misfit(f"Step {step.number} no longer waits for a check.")
    return incident.with_step(replace(step, status="failed", error=event.error)), ()


def _answered(incident: Incident, event: ev.Answered, tree: Tree) -> Result:
    step = _step(_open(incident), event.step)
    if step.answer is not None:
        at = f"{step.answer.at:%H:%M} UTC"
        label = _label(tree, step.node, step.answer.verdict)
        raise _Misfit(f"<@{step.answer.by}> was first: “{label}” at {at}.")
    if step.status == "superseded":
        raise _Misfit(f"Step {step.number} was left behind by going back; use the newest one.")
    branch = tree.node(step.node).branch(event.verdict)
    if branch is None:
        raise _Misfit(f"“{event.verdict}” is not an answer to “{tree.node(step.node).title}”.")
    if branch.to == AGAIN:
        raise _Misfit(f"“{branch.label}” needs no answer: I look again by myself.")
    answer = _answer(step, event)
    step = replace(step, answer=answer, status="answered")
    incident = incident.with_step(step)
    if branch.to == LEFT:
        return _left(incident, step, tree, event)
    trails = _trails(step, answer, branch)
    for verdict in event.also:
        other = tree.node(step.node).branch(verdict)
        if other is not None and other.to not in (AGAIN, LEFT):
            trails += _trails(step, answer, other)
    return _follow(replace(incident, waiting=(*trails, *incident.waiting)), tree, event)


def _answer(step: Step, event: ev.Answered) -> ev.Answer:
    evidence = step.evidence
    proposed = evidence.named if evidence and evidence.verdict == event.verdict else ()
    chosen = proposed if event.suspects is None else event.suspects
    same = {(s.kind, s.name) for s in chosen} == {(s.kind, s.name) for s in proposed}
    override = evidence is None or evidence.verdict != event.verdict or not same
    return ev.Answer(event.verdict, chosen, event.by, event.at, override)


def _trails(step: Step, answer: ev.Answer, branch: Branch) -> tuple[Trail, ...]:
    """What the answer opens: one trail, or one for each suspect."""
    groups: list[tuple[Suspect, ...]] = [answer.suspects]
    if branch.each and len(answer.suspects) > 1:
        groups = [(s,) for s in answer.suspects]
    return tuple(Trail(branch.to, _narrowed(step, group), step.number) for group in groups)


def _narrowed(step: Step, suspects: tuple[Suspect, ...]) -> Scope:
    """The scope after the answer: with its suspects, and its onset where it found one."""
    scope = replace(step.scope, suspects=(*step.scope.suspects, *suspects))
    onset = step.evidence.onset if step.evidence else None
    if onset is None or step.scope.onset == onset or onset.at >= scope.now:
        return scope
    length = scope.baseline.length
    baseline = Window(onset.low - length, onset.low)
    return replace(scope, onset=onset, window=Window(onset.at, scope.now), baseline=baseline)


def _follow(incident: Incident, tree: Tree, event: ev.Answered) -> Result:
    """Take the next trail: a node is visited, an exit is a cause; after the last, conclude."""
    while incident.waiting:
        trail, rest = incident.waiting[0], incident.waiting[1:]
        incident = replace(incident, waiting=rest)
        if tree.is_node(trail.node):
            return _visit(incident, tree, trail, event.at)
        if tree.exit(trail.node).kind == "resolved":
            return _closed(incident, ev.Closed(event.at, event.by, "resolved"))
        incident = _with_cause(incident, tree, trail)
    if _watch(incident):
        return replace(incident, status="watching"), ()
    return replace(incident, status="concluded"), ()


def _with_cause(incident: Incident, tree: Tree, trail: Trail) -> Incident:
    exit_ = tree.exit(trail.node)
    along = tuple({(s.kind, s.name): s for s in trail.scope.suspects}.values())
    named = tuple(s for kind in exit_.named_by for s in along if s.kind == kind)
    cause = Cause(exit_.kind, named, _belief(incident, trail.came_from), trail.came_from, along)
    return replace(incident, causes=(*incident.causes, cause))


def _belief(incident: Incident, number: int) -> float:
    """The product of the confidences along the way, where people followed the proposals."""
    belief = 1.0
    step = incident.step(number)
    while step is not None:
        if step.evidence is not None and step.answer is not None and not step.answer.override:
            belief *= step.evidence.confidence
        step = incident.step(step.came_from)
    return belief


def _left(incident: Incident, step: Step, tree: Tree, event: ev.Answered) -> Result:
    """Not recovering: follow a suspect that was found on the way but not yet followed."""
    chosen = step.answer.suspects if step.answer else ()
    keys = {(s.kind, s.name) for s in chosen}
    options = suspects_left(incident)
    wanted = next((o for o in options if not keys or (o[1].kind, o[1].name) in keys), None)
    if wanted is None:
        return replace(incident, status="concluded"), ()
    origin, suspect = wanted
    verdict = origin.answer.verdict if origin.answer else ""
    branch = tree.node(origin.node).branch(verdict)
    if branch is None:
        return replace(incident, status="concluded"), ()
    trail = Trail(branch.to, _narrowed(origin, (suspect,)), origin.number)
    incident = replace(incident, waiting=(*incident.waiting, trail), status="diagnosing")
    return (incident, ()) if _asking(incident, tree) else _follow(incident, tree, event)


def suspects_left(incident: Incident) -> tuple[tuple[Step, Suspect], ...]:
    """Suspects that answered steps found and nobody has followed, best first, with their step.

    Only those with at least a twentieth of the change are worth a second walk.
    """
    followed = {
        (s.kind, s.name)
        for step in incident.live_steps
        if step.answer and step.node != "recovery"
        for s in step.answer.suspects
    }
    found: dict[tuple[str, str], tuple[Step, Suspect]] = {}
    for step in incident.live_steps:
        if step.evidence is None or step.answer is None or step.node == "recovery":
            continue
        for suspect in step.evidence.suspects:
            key = (suspect.kind, suspect.name)
            if key not in followed and suspect.score >= 0.05:
                found.setdefault(key, (step, suspect))
    return tuple(sorted(found.values(), key=lambda pair: -pair[1].score))


def _rerun(incident: Incident, event: ev.Rerun, tree: Tree) -> Result:
    step = _step(_open(incident), event.step)
    if step.status == "superseded":
        raise _Misfit(f"Step {step.number} was left behind already; use the newest one.")
    incident = _without_later(incident, step, tree, itself=True)
    window = event.window or Window(step.scope.window.start, max(event.at, step.scope.window.end))
    length = step.scope.baseline.length
    scope = replace(
        step.scope,
        now=event.at,
        window=window,
        baseline=Window(window.start - length, window.start),
        onset=None if event.window else step.scope.onset,
    )
    return _visit(incident, tree, Trail(step.node, scope, step.came_from), event.at)


def _went_back(incident: Incident, event: ev.WentBack, tree: Tree) -> Result:
    step = _step(_open(incident), event.step)
    if step.status == "superseded":
        raise _Misfit(f"Step {step.number} was left behind already; use the newest one.")
    incident = _without_later(incident, step, tree, itself=False)
    status: ev.StepStatus = "proposed" if step.evidence else "failed"
    incident = incident.with_step(replace(step, answer=None, status=status))
    return replace(incident, status="diagnosing"), ()


def _without_later(incident: Incident, step: Step, tree: Tree, *, itself: bool) -> Incident:
    """Supersede what ``step`` led to (and it, if asked), with the causes found there.

    A step of another trail that waits for its answer goes back into the queue, so that people
    are asked one thing at a time.
    """
    led_to = {step.number}
    for later in incident.steps[step.number :]:
        if later.came_from in led_to:
            led_to.add(later.number)
    asking = [s for s in _asking(incident, tree) if s.number not in led_to]
    gone = (led_to if itself else led_to - {step.number}) | {s.number for s in asking}
    steps = tuple(
        replace(s, status="superseded") if s.number in gone else s for s in incident.steps
    )
    causes = tuple(c for c in incident.causes if c.step not in led_to)
    waiting = tuple(t for t in incident.waiting if t.came_from not in led_to)
    paused = tuple(Trail(s.node, s.scope, s.came_from) for s in asking)
    return replace(
        incident, steps=steps, causes=causes, waiting=(*paused, *waiting), status="diagnosing"
    )


def _asking(incident: Incident, tree: Tree) -> list[Step]:
    """Steps of the diagnosis that wait for a check or a person."""
    return [s for s in incident.live_steps if s.answer is None and s.node != tree.recovery]


def _rechecked(incident: Incident, event: ev.Rechecked) -> Result:
    step = _step(_open(incident), event.step)
    if step.status != "watching":
        raise _Misfit(f"Step {step.number} is not being watched.")
    if event.at <= step.scope.window.start:
        return incident, (ev.LookAgain(step.number),)
    scope = replace(step.scope, now=event.at, window=Window(step.scope.window.start, event.at))
    step = replace(step, scope=scope)
    return incident.with_step(step), (RunCheck(step.number, step.node, scope),)


# -- people -----------------------------------------------------------------------------------


def _taken(incident: Incident, event: ev.Taken) -> Result:
    if _open(incident).owner == event.owner:
        raise _Misfit(f"<@{event.owner}> has it already.")
    return replace(incident, owner=event.owner), ()


def _handoff(incident: Incident, event: ev.HandoffOffered | ev.HandoffAnswered) -> Result:
    incident = _open(incident)
    if isinstance(event, ev.HandoffOffered):
        if event.to == incident.owner:
            raise _Misfit(f"<@{event.to}> has it already.")
        pending = next((h for h in incident.handoffs if h.status == "offered"), None)
        if pending is not None:
            raise _Misfit(f"It is already offered to <@{pending.to}>, who has not answered yet.")
        handoff = ev.Handoff(
            len(incident.handoffs) + 1, event.by, event.to, event.at, event.channel
        )
        return incident.with_handoff(handoff), (ev.RemindHandoff(handoff.id),)
    found = incident.handoff(event.handoff)
    if found is None or found.status != "offered":
        raise _Misfit("This hand-off has been answered already.")
    if event.by not in (found.to, found.by):
        raise _Misfit(f"This is offered to <@{found.to}>; only they can accept or decline it.")
    status: ev.HandoffStatus = "accepted" if event.accepted else "declined"
    if event.accepted and event.by != found.to:
        raise _Misfit(f"Only <@{found.to}> can accept it.")
    answered = replace(found, status=status, reason=event.reason, answered_at=event.at)
    incident = incident.with_handoff(answered)
    return (replace(incident, owner=found.to) if event.accepted else incident), ()


def _closed(incident: Incident, event: ev.Closed) -> Result:
    incident = _open(incident)
    if event.kind:
        suspects = tuple(
            next((s for s in incident.suspects if s.name == name), Suspect("metric", name, 0.0))
            for name in event.names
        )
        cause = Cause(event.kind, suspects, 1.0, 0)
        incident = replace(incident, causes=(cause,))
    incident = replace(
        incident,
        status="resolved" if event.outcome == "resolved" else "closed",
        closed_at=event.at,
        closed_by=event.by,
        outcome=event.outcome,
        waiting=(),
    )
    if event.text:
        note = ev.Note(event.at, event.by, event.text)
        incident = replace(incident, notes=(*incident.notes, note))
    return incident, ()


def _reopened(incident: Incident) -> Result:
    if incident.is_open:
        raise _Misfit("It is open already.")
    status: ev.Status = "concluded" if incident.causes else "diagnosing"
    return replace(incident, status=status, closed_at=None, closed_by="", outcome=""), ()


# -- mitigations ------------------------------------------------------------------------------


def _mitigation_decided(
    incident: Incident,
    event: ev.MitigationAsked | ev.MitigationConfirmed | ev.MitigationCancelled,
) -> Result:
    if isinstance(event, ev.MitigationAsked):
        number = len(incident.mitigations) + 1
        asked = ev.Mitigation(number, event.action, event.target, event.by, event.at)
        return incident.with_mitigation(asked), (ev.PlanMitigation(number),)
    found = incident.mitigation(event.mitigation)
    if found is None or found.status != "planned":
        state = found.status if found else "gone"
        by = f" (<@{found.confirmed_by}>)" if found and found.confirmed_by else ""
        raise _Misfit(f"This mitigation is {state} already{by}.")
    if isinstance(event, ev.MitigationCancelled):
        return incident.with_mitigation(replace(found, status="cancelled")), ()
    carrying = replace(found, status="carrying", confirmed_by=event.by)
    return incident.with_mitigation(carrying), (ev.CarryOut(found.id),)


def _mitigation_reported(
    incident: Incident,
    event: ev.MitigationPlanned | ev.MitigationDone | ev.MitigationFailed,
    tree: Tree,
) -> Result:
    found = incident.mitigation(event.mitigation)
    if found is None or found.status not in ("planning", "carrying"):
        raise _Misfit("This mitigation no longer waits for a report.")
    match event:
        case ev.MitigationPlanned():
            return incident.with_mitigation(replace(found, status="planned", plan=event.plan)), ()
        case ev.MitigationFailed():
            failed = replace(found, status="failed", result=event.error)
            return incident.with_mitigation(failed), ()
        case ev.MitigationDone():
            done = replace(found, status="done", result=event.result, done_at=event.at)
            return _start_watching(incident.with_mitigation(done), event.at, tree)


def _start_watching(incident: Incident, at: datetime, tree: Tree) -> Result:
    """A step at the recovery node, watching from the moment of the mitigation on."""
    if not incident.is_open:
        return incident, ()
    watched = _watch(incident)
    if watched is not None:
        incident = incident.with_step(replace(watched, status="superseded"))
    last = [s for s in incident.live_steps if s.node != tree.recovery][-1].scope
    onset = last.onset.low if last.onset else last.window.start
    baseline = Window(onset - last.baseline.length, onset)
    scope = replace(
        last, now=at, window=Window(at, at + timedelta(minutes=1)), baseline=baseline, suspects=()
    )
    step = Step(len(incident.steps) + 1, tree.recovery, scope, at, status="watching")
    status: ev.Status = "diagnosing" if incident.status == "diagnosing" else "watching"
    incident = replace(incident, steps=(*incident.steps, step), status=status)
    return incident, (ev.LookAgain(step.number),)


def _watch(incident: Incident) -> Step | None:
    watching = [s for s in incident.live_steps if s.node == "recovery" and s.answer is None]
    return watching[-1] if watching else None


# -- guards -----------------------------------------------------------------------------------


def _open(incident: Incident) -> Incident:
    if not incident.is_open:
        by = f" by <@{incident.closed_by}>" if incident.closed_by else ""
        raise _Misfit(
            f"This incident is {incident.outcome or incident.status}{by}; reopen it first."
        )
    return incident


def _step(incident: Incident, number: int) -> Step:
    step = incident.step(number)
    if step is None:
        raise _Misfit(f"There is no step {number}.")
    return step


def _label(tree: Tree, node: str, verdict: str) -> str:
    branch = tree.node(node).branch(verdict)
    return branch.label if branch else verdict
