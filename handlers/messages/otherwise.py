"""What it could be instead of the conclusion."""

from __future__ import annotations

from dataclasses import dataclass

from handlers import blocks as b
from handlers.messages.excluded import LIKELY, excluded
from state.forks import forks, named_next, shared
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
    ways, beside = forks(incident, tree), tuple(named_next(incident))
    raw = [*(fork.chance for fork in ways), *(one.chance for one in beside)]
    chances = shared(raw, incident)
    said = {c.kind for c in incident.causes}
    found = [
        Otherwise(fork.step, blames[0], chance)
        for fork, chance in zip(ways, chances, strict=False)
        if fork.branch.verdict not in said and (blames := excluded(tree, fork.branch))
    ]
    found += [
        Otherwise(one.step, b.code(one.suspect.name), chance)
        for one, chance in zip(beside, chances[len(ways) :], strict=True)
    ]
    likely = [one for one in found if one.chance >= LIKELY]
    return max(likely, key=lambda o: o.chance, default=None)
