"""Where a walk could have gone otherwise: the branches that were not taken, the likeliest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.evidence import Evidence
from state.incident import Incident, Step
from state.tree import AGAIN, LEFT, Branch, Tree


@dataclass(frozen=True)
class Fork:
    """A branch that was not taken at ``step``. ``chance`` is the probability that all steps before
    it were right and this was not, but went that way."""

    step: int
    branch: Branch
    chance: float


def forks(incident: Incident, tree: Tree) -> tuple[Fork, ...]:
    """All of them, the likeliest first; none where a person decided against a proposal.

    Branches that lead to where the walk went anyway are none.
    """
    found: list[Fork] = []
    way = 1.0
    for step in incident.live_steps:
        if step.node == tree.recovery or step.answer is None:
            continue
        shares = _shares(step, tree)
        if not shares:
            continue
        taken = tree.node(step.node).branch(step.answer.verdict)
        went = taken.to if taken else ""
        found += [Fork(step.number, b, way * p) for b, p in shares if b.to != went]
        way *= sum(p for b, p in shares if b.to == went)
    return tuple(sorted(found, key=lambda f: -f.chance))


def _shares(step: Step, tree: Tree) -> list[tuple[Branch, float]]:
    """Every branch that a step could take with its probability; of a step that could not look,
    all are alike; nothing where a person knew better."""
    onward = [b for b in tree.node(step.node).branches if b.to not in (AGAIN, LEFT)]
    if step.evidence is None:
        return [(b, 1 / len(onward)) for b in onward]
    if step.answer is None or step.answer.verdict != step.evidence.verdict:
        return []
    return list(_told(step.evidence, onward))


def _told(evidence: Evidence, branches: list[Branch]) -> Iterator[tuple[Branch, float]]:
    """What the check says; what it does not tell apart is shared evenly."""
    told = {b.verdict: evidence.shares[b.verdict] for b in branches if b.verdict in evidence.shares}
    told |= {evidence.verdict: max(evidence.confidence, told.get(evidence.verdict, 0.0))}
    rest = max(1 - sum(told.values()), 0.0)
    silent = len(branches) - len(told)
    for branch in branches:
        yield branch, told.get(branch.verdict, rest / max(silent, 1))
