"""What a walk comes to: the causes that its trails end in, and the suspects that are left."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from analysis.evidence import Suspect
from state.incident import BLINDLY, Cause, Incident, Step, Trail
from state.tree import Exit, Tree

NOTHING = 0.25
"""So often a walk finds nothing where there is something."""
UNSEEN = 0.5
"""So likely is what a walk has come to for each step on its way that could not look."""


def with_cause(incident: Incident, tree: Tree, trail: Trail) -> Incident:
    """The incident with the cause that a trail has ended in."""
    exit_, sure = tree.exit(trail.node), _belief(incident, tree, trail.came_from)
    if not _decided_by(incident, trail.came_from):
        # A way on which every step was skipped was never looked at, whatever it ends in.
        exit_ = next((e for e in tree.exits if e.kind == "unknown"), exit_)
    elif exit_.kind == "unknown":
        exit_, chance = _of_nothing(incident, tree, exit_, trail.came_from)
        sure *= chance
    elif exit_.kind == "world":
        exit_, sure = _of_a_world(incident, tree, exit_, trail.came_from, sure)
    along = tuple({(s.kind, s.name): s for s in trail.scope.suspects}.values())
    named = tuple(s for kind in exit_.named_by for s in along if s.kind == kind)
    cause = Cause(exit_.kind, named, sure, trail.came_from, along)
    return replace(incident, causes=(*incident.causes, cause))


def _of_nothing(incident: Incident, tree: Tree, end: Exit, number: int) -> tuple[Exit, float]:
    """What a walk that found nothing has come to, and how likely the steps before its last one
    leave that.

    Nothing to be found speaks for a false alarm, and bears out no step that led there; a step that
    could have ended in ``end`` itself does not count, but whom it suspected makes the alert no less
    real. Where nobody looked, it may be.
    """
    way = list(_way(incident, number))
    real, alarm = _real(way, tree)
    saw = [s for s in way[1:] if _leads_to(s, tree, end) and s.evidence and s.evidence.suspects]
    real = max([real, *(_pooled(real, _followed(s)) for s in saw)])
    blind = sum(_passed_by(step) for step in way)
    sure = UNSEEN**blind
    # Where no step after the first could look, that nothing was found says nothing.
    nothing = 1 - (1 - NOTHING) * sure if blind < len(way) - 1 else 1.0
    for step in way[1:]:
        if not (_leads_to(step, tree, end) or (alarm and _leads_to(step, tree, alarm))):
            sure *= _followed(step)
    there = real * nothing / (real * nothing + 1 - real)
    return (alarm, 1 - there) if alarm and there < 0.5 else (end, sure * there)


def _of_a_world(
    incident: Incident, tree: Tree, end: Exit, number: int, sure: float
) -> tuple[Exit, float]:
    """A world in which nothing broke, or a false alarm where that is likelier."""
    real, alarm = _real(list(_way(incident, number)), tree)
    return (alarm, 1 - real) if alarm and sure * real < 1 - real else (end, sure)


def _real(way: Sequence[Step], tree: Tree) -> tuple[float, Exit | None]:
    """How sure the way is that the alert is real, and the exit where it is not."""
    for step in way:
        to = {b.to for b in tree.node(step.node).branches}
        alarm = next((e for e in tree.exits if e.name in to and e.kind == "false_alarm"), None)
        if alarm:
            return _followed(step), alarm
    return 1.0, None


def _pooled(one: float, other: float) -> float:
    """What two opinions on the same rows come to: the mean of their log odds (a logarithmic pool:
    Genest and Zidek 1986); the larger one where either is certain."""
    if min(one, other) <= 0 or max(one, other) >= 1:
        return max(one, other)
    odds = math.sqrt(one * other / ((1 - one) * (1 - other)))
    return odds / (1 + odds)


def _leads_to(step: Step, tree: Tree, end: Exit) -> bool:
    """Whether a step could have ended the walk there."""
    return end.name in {b.to for b in tree.node(step.node).branches}


def _belief(incident: Incident, tree: Tree, number: int) -> float:
    """The confidence of the last step on the way whose proposal was followed; without any 1, or 0
    where nobody decided anything.

    What is found in the end bears out the steps before it, and the product of all of them says
    far too little (``python -m benchmarks.walks``). Where the last verdict rests on what the step
    before it had weighed, it is no surer than that one.
    """
    for step in _way(incident, number):
        if step.evidence is not None and step.answer is not None and not step.answer.override:
            branch = tree.node(step.node).branch(step.answer.verdict)
            rests = branch is not None and branch.rests
            before = _followed(incident.step(step.came_from)) if rests else 1.0
            return step.evidence.confidence * before
    return 1.0 if _decided_by(incident, number) else 0.0


def _way(incident: Incident, number: int) -> Iterator[Step]:
    """The step of that number, and those that led to it, the last one first."""
    step = incident.step(number)
    while step is not None:
        yield step
        step = incident.step(step.came_from)


def _decided_by(incident: Incident, number: int) -> bool:
    """Whether a step on the way to there was decided rather than skipped."""
    return any(s.answer and not s.answer.skipped for s in _way(incident, number))


def _passed_by(step: Step) -> bool:
    """Whether a step could not look, and nobody knew better."""
    answer = step.answer
    return step.evidence is None and answer is not None and (answer.skipped or answer.by == BLINDLY)


def _followed(step: Step | None) -> float:
    """How sure a step was of what was followed; 1 where a person said so instead."""
    if step is None or step.evidence is None or step.answer is None or step.answer.override:
        return 1.0
    return step.evidence.confidence


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


def causes_left(incident: Incident) -> tuple[Suspect, ...]:
    """Suspects of the causes found on which no mitigation was carried out."""
    done = {
        (m.target.kind, m.target.name)
        for m in incident.mitigations
        if m.status == "done" and m.mends
    }
    found: dict[tuple[str, str], Suspect] = {}
    for cause in incident.causes:
        named = {(s.kind, s.name): s for s in cause.suspects}
        on_the_way = {(s.kind, s.name) for s in cause.along} - set(named)
        # What was mended on the way, such as the snapshot trained on bad data, mends the cause.
        if not done & on_the_way:
            found |= {key: s for key, s in named.items() if key not in done}
    return tuple(found.values())
