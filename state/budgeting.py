"""A step that needs more than it may have waits for a person, who allows it or does not."""

from __future__ import annotations

from dataclasses import replace

from analysis.budget import Resource
from state import events as ev
from state.effects import RunCheck
from state.guards import Misfit, Result, step_of, still_open
from state.incident import Allowance, Incident

HEADROOM: dict[Resource, float] = {"bytes": 2, "seconds": 10}
"""How much more than it was seen to need an allowed step may have, before it asks again: bytes are
counted beforehand, query by query, and nobody knows how long the rest of a stopped step takes."""


def went_over(incident: Incident, event: ev.WentOver) -> Result:
    """The step asks whether it may have more."""
    step = step_of(incident, event.step)
    if step.status not in ("running", "watching"):
        raise Misfit(f"Step {step.number} no longer waits for a check.")
    return incident.with_step(replace(step, status="over", excess=event.excess)), ()


def allowed(incident: Incident, event: ev.Allowed) -> Result:
    """A person said that it may: the check runs again, with more."""
    step = step_of(still_open(incident), event.step)
    if step.status != "over" or step.excess is None:
        who = f": <@{step.allowed[-1].by}> allowed it" if step.allowed else ""
        raise Misfit(f"Step {step.number} no longer asks for more{who}.")
    of = step.excess.of
    given = Allowance(of, HEADROOM[of] * step.excess.needs, event.by, event.at)
    allowed_now = (*(a for a in step.allowed if a.of != of), given)
    step = replace(step, status="running", excess=None, allowed=allowed_now)
    return incident.with_step(step), (RunCheck(step.number, step.node, step.scope),)
