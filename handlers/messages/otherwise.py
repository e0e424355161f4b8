"""What it could be instead of the conclusion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from handlers import blocks as b
from handlers.messages import words
from state.incident import Incident
from state.tree import Tree


@dataclass(frozen=True)
class Otherwise:
    """What it could be instead of the conclusion, in mrkdwn; where that was decided; how likely."""

    step: int
    blames: str
    chance: float


def otherwise(incident: Incident, tree: Tree) -> Otherwise | None:
    """The likeliest thing that is not in the conclusion; None where none is likely: what a branch
    blames that was not taken, or whom the last step names next."""
    said = {c.kind for c in incident.causes}
    found = [
        Otherwise(fork.step, blames[0], fork.chance)
        for fork in words.likely_forks(incident, tree)
        if fork.branch.verdict not in said and (blames := words.excluded(tree, fork.branch))
    ]
    found += _named_next(incident)
    return max(found, key=lambda o: o.chance, default=None)


def _named_next(incident: Incident) -> Iterator[Otherwise]:
    """The suspects of the last step of its kind that the one conclusion does not name."""
    if len(incident.causes) != 1:
        return
    cause = incident.causes[0]
    step, named = incident.step(cause.step), {s.name for s in cause.suspects}
    if step is None or step.evidence is None or step.answer is None or not cause.suspects:
        return
    if step.answer.override:
        return  # whom a person passed over is not offered again
    for suspect in step.evidence.suspects:
        chance = min(suspect.score, 1 - cause.confidence)
        alike = suspect.kind == cause.suspects[0].kind and suspect.name not in named
        if alike and chance >= words.LIKELY:
            yield Otherwise(step.number, b.code(suspect.name), chance)
