"""What a walk could have come to instead: branches that were not taken, suspects not named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analysis.evidence import Evidence, Suspect
from state.incident import BLINDLY, Answer, Incident, Step
from state.tree import AGAIN, LEFT, Branch, Tree


@dataclass(frozen=True)
class Fork:
    """A branch that was not taken at ``step``. ``chance`` is the probability that all steps before
    it were right and this was not, but went that way."""

    step: int
    branch: Branch
    chance: float


@dataclass(frozen=True)
class Next:
    """A suspect that the step which named a cause of this ``kind`` would have named next.
    ``chance`` is its part of the scores of all that the step found of its kind."""

    step: int
    kind: str
    suspect: Suspect
    chance: float


def named_next(incident: Incident) -> Iterator[Next]:
    """Suspects beside those that the causes name, in the order of their step; none where a person
    chose among them."""
    named = {s.name for cause in incident.causes for s in cause.suspects}
    for cause in incident.causes:
        step = incident.step(cause.step)
        if step is None or step.evidence is None or not cause.suspects:
            continue
        if step.answer is None or step.answer.override:
            continue
        kind = cause.suspects[0].kind
        alike = [s for s in step.evidence.suspects if s.kind == kind and s.score > 0]
        total = sum(s.score for s in alike)
        for suspect in alike:
            if suspect.name not in named:
                yield Next(step.number, cause.kind, suspect, suspect.score / total)


def shared(chances: Sequence[float], incident: Incident) -> list[float]:
    """The chances as parts of what the conclusion leaves: with it they come to 1 at most, and none
    is likelier, or the walk would have ended there."""
    most = incident.causes[0].confidence if incident.causes else 1.0
    left = 1 - most if incident.causes else 1.0
    total = max(sum(chances), left, 1e-9)
    return [min(left * chance / total, most) for chance in chances]


def forks(incident: Incident, tree: Tree) -> tuple[Fork, ...]:
    """All of them, the likeliest first; none where a person decided otherwise than was proposed.

    Branches that lead to where the walk went anyway are none, nor are those of a node that the tree
    no longer has.
    """
    found: list[Fork] = []
    way = 1.0
    for step in incident.live_steps:
        if step.node == tree.recovery or not tree.is_node(step.node) or step.answer is None:
            continue
        shares = _shares(step, step.answer, tree)
        if not shares:
            continue
        taken = [tree.node(step.node).branch(v) for v in (step.answer.verdict, *step.answer.also)]
        went = {b.to for b in taken if b}
        found += [Fork(step.number, b, way * p) for b, p in shares if b.to not in went]
        way *= sum(p for b, p in shares if b.to in went)
    return tuple(sorted(found, key=lambda f: -f.chance))


def _shares(step: Step, answer: Answer, tree: Tree) -> list[tuple[Branch, float]]:
    """Every branch that a step could take with its probability; of a step that could not look and
    was passed by, all are alike; nothing where a person knew better."""
    onward = [b for b in tree.node(step.node).branches if b.to not in (AGAIN, LEFT)]
    if step.evidence is None:
        passed = answer.skipped or answer.by == BLINDLY
        return [(b, 1 / len(onward)) for b in onward] if passed else []
    if answer.override or step.evidence.verdict not in {b.verdict for b in onward}:
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
