"""The walk: steps are visited, checked, answered, run again, left behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from analysis.evidence import Scope, Suspect, Window
from analysis.words import clock
from state import effects as fx
from state import events as ev
from state.causes import suspects_left, with_cause
from state.effects import RunCheck
from state.guards import Misfit, Result, label_of, step_of, still_open, watch_of
from state.incident import Answer, Incident, Step, StepStatus, Trail
from state.people import closed
from state.tree import AGAIN, LEFT, Branch, Tree

FRESH = timedelta(minutes=30)
"""A next step looks at the data as of the step before it, unless that is older than this."""

MOST_LOOKS = 2000
"""A watch ends by itself after so many looks."""


def visit(incident: Incident, tree: Tree, trail: Trail, at: datetime) -> Result:
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


def checked(incident: Incident, event: ev.Checked, tree: Tree) -> Result:
    """Evidence is there: the step asks a person, or is looked at again later."""
    step = step_of(incident, event.step)
    if step.status not in ("running", "watching"):
        raise Misfit(f"Step {step.number} no longer waits for a check.")
    evidence = event.evidence.without_bytes()
    branch = tree.node(step.node).branch(evidence.verdict)
    if branch is None:
        known = ", ".join(b.verdict for b in tree.node(step.node).branches)
        error = f"The check came to {evidence.verdict!r}, which is none of {known}."
        return incident.with_step(replace(step, status="failed", error=error)), ()
    looks = step.looks + 1
    if branch.to == AGAIN and looks < MOST_LOOKS:
        step = replace(step, evidence=evidence, status="watching", looks=looks)
        return incident.with_step(step), (fx.LookAgain(step.number),)
    step = replace(step, evidence=evidence, status="proposed", looks=looks, asked_at=event.at)
    return incident.with_step(step), ()


def check_failed(incident: Incident, event: ev.CheckFailed) -> Result:
    """The step shows why there is no evidence, and can be answered by hand."""
    step = step_of(incident, event.step)
    if step.status not in ("running", "watching"):
        raise Misfit(f"Step {step.number} no longer waits for a check.")
    return incident.with_step(replace(step, status="failed", error=event.error)), ()


def answered(incident: Incident, event: ev.Answered, tree: Tree) -> Result:
    """A person decided: the trails that this opens are followed, the first answer counts."""
    step = _unanswered(incident, event.step, tree)
    node = tree.node(step.node)
    branch = node.branch(event.verdict)
    if branch is None:
        raise Misfit(f"“{event.verdict}” is not an answer to “{node.title}”.")
    if branch.to == AGAIN:
        raise Misfit(f"“{branch.label}” needs no answer: I look again by myself.")
    return _decided(incident, step, _answer(step, event, tree), tree)


def skipped(incident: Incident, event: ev.Skipped, tree: Tree) -> Result:
    """Nobody decides: the walk goes on as where the check could not look."""
    step = _unanswered(incident, event.step, tree)
    node = tree.node(step.node)
    branch = node.branch(node.blind)
    if branch is None or branch.to in (AGAIN, LEFT):
        raise Misfit(f"“{node.title}” can't be skipped: everything after it needs the answer.")
    answer = Answer(node.blind, (), event.by, event.at, override=True, skipped=True)
    return _decided(incident, step, answer, tree)


def _unanswered(incident: Incident, number: int, tree: Tree) -> Step:
    """The step, if it still waits for an answer; else the person is told who was first."""
    step = step_of(still_open(incident), number)
    if step.answer is not None:
        at = clock(step.answer.at)
        label = label_of(tree, step.node, step.answer.verdict)
        said = "Skipped" if step.answer.skipped else label
        raise Misfit(f"<@{step.answer.by}> was first: “{said}” at {at}.")
    if step.status == "superseded":
        raise Misfit(f"Step {step.number} was left behind by going back; use the newest one.")
    return step


def _decided(incident: Incident, step: Step, answer: Answer, tree: Tree) -> Result:
    step = replace(step, answer=answer, status="answered")
    incident = incident.with_step(step)
    taken = [b for v in (answer.verdict, *answer.also) if (b := tree.node(step.node).branch(v))]
    if taken[0].to == LEFT:
        return _left(incident, tree, answer)
    trails = tuple(trail for branch in taken for trail in _trails(step, answer, branch))
    return _follow(replace(incident, waiting=(*trails, *incident.waiting)), tree, answer)


def _answer(step: Step, event: ev.Answered, tree: Tree) -> Answer:
    evidence = step.evidence
    proposed = evidence.named if evidence and evidence.verdict == event.verdict else ()
    chosen = proposed if event.suspects is None else event.suspects
    same = {(s.kind, s.name) for s in chosen} == {(s.kind, s.name) for s in proposed}
    override = evidence is None or evidence.verdict != event.verdict or not same
    walkable = [b.verdict for b in tree.node(step.node).branches if b.to not in (AGAIN, LEFT)]
    also = tuple(v for v in event.also if v in walkable and v != event.verdict)
    return Answer(event.verdict, chosen, event.by, event.at, override, also)


def _trails(step: Step, answer: Answer, branch: Branch) -> tuple[Trail, ...]:
    """What the answer opens: one trail, or one for each suspect."""
    groups: list[tuple[Suspect, ...]] = [answer.suspects]
    if branch.each and len(answer.suspects) > 1:
        groups = [(s,) for s in answer.suspects]
    belief = 1.0 if answer.override or step.evidence is None else step.evidence.confidence
    return tuple(
        Trail(branch.to, _narrowed(step, group, branch, belief), step.number) for group in groups
    )


def _narrowed(
    step: Step, suspects: tuple[Suspect, ...], branch: Branch, belief: float = 1.0
) -> Scope:
    """The scope after the answer: with its suspects, and its onset where it found one."""
    kept = tuple(s for s in step.scope.suspects if s.kind not in branch.clears)
    scope = replace(step.scope, suspects=(*kept, *suspects))
    if suspects:
        scope = replace(scope, belief=belief)
    onset = step.evidence.onset if step.evidence else None
    if onset is None or step.scope.onset == onset or onset.at >= scope.now:
        return scope
    length = scope.baseline.length
    baseline = Window(onset.low - length, onset.low)
    return replace(scope, onset=onset, window=Window(onset.at, scope.now), baseline=baseline)


def _follow(incident: Incident, tree: Tree, answer: Answer) -> Result:
    """Take the next trail: a node is visited, an exit is a cause; after the last, conclude."""
    while incident.waiting:
        trail, rest = incident.waiting[0], incident.waiting[1:]
        incident = replace(incident, waiting=rest)
        if tree.is_node(trail.node):
            return visit(incident, tree, trail, answer.at)
        if tree.exit(trail.node).kind == "resolved":
            return closed(incident, ev.Closed(answer.at, answer.by, "resolved"))
        incident = with_cause(incident, tree, trail)
    if watch_of(incident, tree):
        return replace(incident, status="watching"), ()
    return replace(incident, status="concluded"), ()


def _left(incident: Incident, tree: Tree, answer: Answer) -> Result:
    """Not recovering: follow a suspect that was found on the way but not yet followed."""
    keys = {(s.kind, s.name) for s in answer.suspects}
    options = suspects_left(incident)
    wanted = next((o for o in options if not keys or (o[1].kind, o[1].name) in keys), None)
    if wanted is None:
        return replace(incident, status="concluded"), ()
    origin, suspect = wanted
    verdict = origin.answer.verdict if origin.answer else ""
    branch = tree.node(origin.node).branch(verdict)
    if branch is None:
        return replace(incident, status="concluded"), ()
    trail = Trail(branch.to, _narrowed(origin, (suspect,), branch), origin.number)
    incident = replace(incident, waiting=(*incident.waiting, trail), status="diagnosing")
    return (incident, ()) if _asking(incident, tree) else _follow(incident, tree, answer)


def rerun(incident: Incident, event: ev.Rerun, tree: Tree) -> Result:
    """The step is visited anew, over another window or over fresh data."""
    step = step_of(still_open(incident), event.step)
    if step.status == "superseded":
        raise Misfit(f"Step {step.number} was left behind already; use the newest one.")
    incident = _without_later(incident, step, tree, itself=True)
    window = event.window or Window(step.scope.window.start, max(event.at, step.scope.window.end))
    length = timedelta(minutes=event.minutes) or step.scope.baseline.length
    scope = replace(
        step.scope,
        now=event.at,
        window=window,
        baseline=Window(window.start - length, window.start),
        onset=step.scope.onset if window.start == step.scope.window.start else None,
        filters=step.scope.filters if event.filters is None else event.filters,
    )
    return visit(incident, tree, Trail(step.node, scope, step.came_from), event.at)


def went_back(incident: Incident, event: ev.WentBack, tree: Tree) -> Result:
    """The step waits for its answer again; what it led to no longer counts."""
    step = step_of(still_open(incident), event.step)
    if step.status == "superseded":
        raise Misfit(f"Step {step.number} was left behind already; use the newest one.")
    incident = _without_later(incident, step, tree, itself=False)
    status: StepStatus = "over" if step.excess else "proposed" if step.evidence else "failed"
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
    if step.node == tree.recovery:
        asking = []
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


def rechecked(incident: Incident, event: ev.Rechecked) -> Result:
    """A watched step is looked at again, as of now."""
    step = step_of(still_open(incident), event.step)
    if step.status != "watching":
        raise Misfit(f"Step {step.number} is not being watched.")
    if event.at <= step.scope.window.start:
        return incident, (fx.LookAgain(step.number),)
    window = Window(step.scope.window.start, event.at)
    scope = replace(step.scope, now=event.at, window=window, last=event.last)
    step = replace(step, scope=scope)
    return incident.with_step(step), (RunCheck(step.number, step.node, scope),)
