"""What every move of the machine stands on: results, refusals, look-ups."""

from __future__ import annotations

from dataclasses import dataclass

from state.effects import Effect
from state.incident import Incident, Step
from state.tree import Tree

Result = tuple[Incident, tuple[Effect, ...]]


@dataclass(frozen=True)
class Misfit(Exception):
    """The event does not fit (any more); ``why`` is for the person who caused it."""

    why: str


def still_open(incident: Incident) -> Incident:
    """The incident; Misfit when it is over."""
    if not incident.is_open:
        by = f" by <@{incident.closed_by}>" if incident.closed_by else ""
        raise Misfit(
            f"This incident is {incident.outcome or incident.status}{by}; reopen it first."
        )
    return incident


def step_of(incident: Incident, number: int) -> Step:
    """The step of that number; Misfit when there is none."""
    step = incident.step(number)
    if step is None:
        raise Misfit(f"There is no step {number}.")
    return step


def watch_of(incident: Incident, tree: Tree) -> Step | None:
    """The step that watches a recovery and has not been answered; None when there is none."""
    watching = [s for s in incident.live_steps if s.node == tree.recovery and not s.answer]
    return watching[-1] if watching else None


def label_of(tree: Tree, node: str, verdict: str) -> str:
    """What the button of a verdict says."""
    branch = tree.node(node).branch(verdict)
    return branch.label if branch else verdict
