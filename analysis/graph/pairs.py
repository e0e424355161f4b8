"""Two nodes that broke at once, where one of them alone can't be the whole story."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis import odds
from analysis.graph.health import Health
from analysis.graph.suspicion import TRACE, Suspicion

UNTOLD = 0.1
"""From this share of the suspicion on, suspects need a node even where none shows a trace."""
TWICE = float(np.log(0.05))
"""Log odds that a second node broke in the same hours, before its runs are seen."""


@dataclass(frozen=True)
class Pair:
    """Two nodes and the probability of the less likely one; ``nested``: the first feeds the
    second."""

    names: tuple[str, str]
    share: float
    nested: bool


def find(s: Suspicion, ills: Mapping[str, Health], shares: Mapping[str, float]) -> Pair | None:
    """The likeliest node and another that broke beside it; None where one explains everything."""
    first = max((n for n in shares if n), key=lambda n: shares[n])
    return _apart(s, ills, first) or _nested(s, ills, first)


def _apart(s: Suspicion, ills: Mapping[str, Health], first: str) -> Pair | None:
    """Suspects that the likeliest node does not feed need a cause of their own.

    Each node is weighed over the suspects that the other does not feed.
    """
    second = _beside(s, ills, first)
    again = _beside(s, ills, second[0]) if second else None
    if second is None or again is None or again[0] != first:
        return None
    return Pair((first, second[0]), min(again[1], second[1]), nested=False)


def _beside(s: Suspicion, ills: Mapping[str, Health], without: str) -> tuple[str, float] | None:
    rest = s.unfed(without)
    if not rest:
        return None
    alone = s.only(rest)
    covers = {n: c for n, c in alone.coverage().items() if n not in s.graph.above(without)}
    if not covers:
        return None
    own = alone.blame(ills, covers)
    best = max(covers, key=lambda n: own[n])
    told = ills[best].log_odds > TRACE or s.share(rest) >= UNTOLD
    return (best, own[best]) if told and own[best] > 0.5 else None


def _nested(s: Suspicion, ills: Mapping[str, Health], first: str) -> Pair | None:
    """Two releases at once, one node above the other.

    A job that fails or thins out does so to all that it feeds; a new version is a node's own. Of
    more than two, one release may have carried all: that names nobody.
    """
    own = {n: _released(h) for n, h in ills.items() if _released(h) + TWICE > 0}
    if len(own) != 2 or first not in own:
        return None
    (second,) = own.keys() - {first}
    if first in s.graph.above(second):
        names = (first, second)
    elif second in s.graph.above(first):
        names = (second, first)
    else:
        return None
    return Pair(names, odds.probability(min(own.values()) + TWICE), nested=True)


def _released(health: Health) -> float:
    """Log Bayes factor of a version that changed just then."""
    return max((s.log_odds for s in health.signs if s.kind == "version"), default=0.0)
