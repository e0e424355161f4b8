"""The walk without Slack: every proposal is accepted, unless somebody chooses otherwise.

What is told of it: :mod:`bot.report`; what else it could be: :mod:`bot.detours`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from analysis.evidence import CannotExamine, Evidence, Scope, Suspect
from state import events as ev
from state.effects import Effect, RunCheck
from state.incident import BLINDLY, Incident, Step
from state.machine import advance
from state.tree import Tree

MOST_STEPS = 40
"""A walk that has not ended by then is cut off (a tree with a circle)."""

Check = Callable[[str, Scope], Evidence]


@dataclass(frozen=True)
class Walked:
    """A walk that has ended, and how long each step's check took (seconds, by step number).

    ``before`` is the incident as it was when a step's answer was still to come, by its number.
    """

    incident: Incident
    seconds: dict[int, float]
    before: dict[int, Incident] = field(default_factory=dict)


def walk(
    incident: Incident,
    opened: ev.Opened,
    tree: Tree,
    check: Check,
    choose: Callable[[Step], str] | None = None,
) -> Walked:
    """Walk from ``opened`` to the conclusion; without ``choose`` every proposal is accepted."""
    incident, effects = advance(incident, opened, tree)
    by = "person" if choose else BLINDLY
    walked = Walked(incident, {})
    return _onward(walked, effects, tree, check, choose or partial(accepted, tree=tree), by)


def resumed(
    walked: Walked,
    number: int,
    verdict: str,
    suspects: tuple[Suspect, ...],
    tree: Tree,
    check: Check,
) -> Incident:
    """The walk taken up again at a step that is answered otherwise; every proposal after it is
    accepted. Gives the incident as it then ends."""
    before = walked.before[number]
    answer = ev.Answered(before.opened_at, number, verdict, BLINDLY, suspects)
    incident, effects = advance(before, answer, tree)
    choose = partial(accepted, tree=tree)
    return _onward(Walked(incident, {}), effects, tree, check, choose, BLINDLY).incident


def _onward(
    walked: Walked,
    effects: Sequence[Effect],
    tree: Tree,
    check: Check,
    choose: Callable[[Step], str],
    by: str,
) -> Walked:
    """From the checks that are asked for to where none is."""
    incident, seconds, before = walked.incident, walked.seconds, walked.before
    for _ in range(MOST_STEPS):
        request = next((e for e in effects if isinstance(e, RunCheck)), None)
        if request is None:
            break
        began = time.perf_counter()
        event = _looked(request, check, incident.opened_at)
        seconds[request.step] = round(time.perf_counter() - began, 3)
        incident, _ = advance(incident, event, tree)
        before[request.step] = incident
        step = incident.steps[request.step - 1]
        answer = ev.Answered(incident.opened_at, step.number, choose(step), by)
        incident, effects = advance(incident, answer, tree)
    return Walked(incident, seconds, before)


def accepted(step: Step, tree: Tree) -> str:
    """The verdict of somebody who accepts what is proposed, or goes on blindly."""
    return step.evidence.verdict if step.evidence else tree.node(step.node).blind


def _looked(request: RunCheck, check: Check, at: datetime) -> ev.Checked | ev.CheckFailed:
    try:
        return ev.Checked(at, request.step, check(request.node, request.scope))
    except CannotExamine as error:
        return ev.CheckFailed(at, request.step, str(error))


def saw_nothing(walked: Walked) -> str:
    """The one reason why no step of the walk could look, in a sentence; empty where reasons differ
    (each step tells its own) or a step found something."""
    steps = walked.incident.live_steps
    blind = {step.error.rstrip(".") for step in steps if step.evidence is None}
    found = any(s.evidence and (s.evidence.suspects or s.evidence.onset) for s in steps)
    if len(blind) != 1 or found or any(c.kind != "unknown" for c in walked.incident.causes[:1]):
        return ""
    return f"No step could look. {blind.pop()}."
