"""What else it could be: a headless walk goes back to where it was least sure, and walks on there.

The conclusion is one candidate; others are the suspects that its last step names next, and what
the likeliest branches end in that were not taken. They share what the conclusion leaves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from analysis.budget import OverBudget
from analysis.evidence import Evidence, Suspect, SuspectKind
from bot.headless import Check, Walked, resumed
from handlers.messages import words
from state.forks import Fork, forks, named_next, shared
from state.incident import Incident
from state.tree import Tree

SURE = 0.9
"""A walk whose conclusion is as sure as this is not gone back over."""
MOST = 2
"""So many branches that were not taken are walked."""
LEAST = 0.03
"""A branch that is less likely than this is not walked."""
UNLIKELY = 0.005
"""What is less likely than this is no candidate."""
LET_GO: tuple[SuspectKind, ...] = ("snapshot", "feature", "upstream")
"""Kinds of suspects that are causes by themselves."""
NAMES = 3
"""Suspects of the last step that are candidates of their own."""


@dataclass(frozen=True)
class Candidate:
    """A conclusion that may be the right one: its kind, its names (perhaps none), and a
    probability."""

    kind: str
    suspects: tuple[Suspect, ...]
    confidence: float


def candidates(walked: Walked, tree: Tree, check: Check | None) -> tuple[Candidate, ...]:
    """The conclusion, then what else it could be, the likeliest first.

    With a ``check``, and a conclusion that is not sure, the likeliest branches that were not taken
    are walked to their ends (``MOST`` of them): each takes about as long as the rest of the walk.
    """
    incident = walked.incident
    first = _concluded(incident)
    weights = list(_beside(incident))
    if check is not None and first.confidence < SURE:
        weights += _elsewhere(walked, tree, check)
    others: dict[tuple[str, frozenset[str]], tuple[float, Candidate]] = {}
    seen = {_key(first)}
    for weight, found in sorted(weights, key=lambda pair: -pair[0]):
        if _key(found) not in seen:
            seen.add(_key(found))
            others[_key(found)] = (weight, found)
    chances = shared([weight for weight, _ in others.values()], incident)
    rest = (replace(c, confidence=p) for p, (_, c) in zip(chances, others.values(), strict=True))
    return (first, *(c for c in rest if c.confidence >= UNLIKELY))


def _key(c: Candidate) -> tuple[str, frozenset[str]]:
    return c.kind, frozenset(s.name for s in c.suspects)


def _concluded(incident: Incident) -> Candidate:
    if not incident.causes:
        return Candidate("unknown", (), 0.0)
    kind, sure = incident.causes[0].kind, incident.causes[0].confidence
    return Candidate(kind, tuple(s for c in incident.causes for s in c.suspects), sure)


def _beside(incident: Incident) -> Iterator[tuple[float, Candidate]]:
    """The suspects that the step which named the cause would have named next; where nothing is
    named in the end, those that were followed on the way and let go of."""
    for one in islice(named_next(incident), NAMES):
        yield one.chance, Candidate(one.kind, (one.suspect,), 0.0)
    if any(cause.suspects for cause in incident.causes):
        return
    for step in incident.live_steps:
        found = step.evidence
        if found is None or found.verdict in words.UNDECIDED:
            continue
        named = found.named or found.suspects[:1]
        if named and named[0].kind in LET_GO and not (step.answer and step.answer.override):
            yield _let_go(found, named[0]), Candidate(named[0].kind, tuple(named), 0.0)


def _let_go(found: Evidence, first: Suspect) -> float:
    """How likely suspects were when their step let go of them: the score of a feature is its part
    of the change, that of others their probability."""
    if found.named:
        return found.confidence
    return found.shares.get("inputs", 0.0) if first.kind == "feature" else first.score


def _elsewhere(walked: Walked, tree: Tree, check: Check) -> Iterator[tuple[float, Candidate]]:
    """What the likeliest branches that were not taken end in."""
    likely = [f for f in forks(walked.incident, tree) if f.chance >= LEAST]
    for fork in likely[:MOST]:
        along = _along(walked, fork, tree)
        try:
            end = resumed(walked, fork.step, fork.branch.verdict, along, tree, check)
        except OverBudget:
            continue  # the walk has its conclusion: nobody is asked for more than it cost
        yield fork.chance, _concluded(end)


def _along(walked: Walked, fork: Fork, tree: Tree) -> tuple[Suspect, ...]:
    """Whom a branch that points at suspects points at: the first that the step found, of the kind
    that names the cause where the branch is the end."""
    step = walked.incident.step(fork.step)
    if not (step and step.evidence and words.points(fork.branch)):
        return ()
    kinds = () if tree.is_node(fork.branch.to) else tree.exit(fork.branch.to).named_by
    return tuple(s for s in step.evidence.suspects if s.kind in kinds or not kinds)[:1]
