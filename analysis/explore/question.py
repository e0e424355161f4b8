"""A question beside the tree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from analysis.evidence import CannotExamine, Onset, Scope

Kind = Literal["chart", "segments", "changed", "compare", "sparks", "levels"]
Thing = Literal["metric", "model", "feature", "infra"]

MOST_LEVELS = 100
"""A dimension with more values is offered its commonest."""
SEEN = "seen"
"""The verdict of an answer: nothing is decided by it."""


@dataclass(frozen=True)
class Question:
    """What somebody wants to see about an incident.

    ``scope`` is the incident's: its window, baseline, onset and filters, as of ``scope.now``.
    ``thing`` and ``name`` say what is charted or cut; ``hours`` how much of it is shown (0: the
    usual); ``by`` a dimension. ``others`` are the snapshots to compare (of one, it and what it
    replaced), or the ``thing:name`` pairs of sparklines.
    """

    kind: Kind
    scope: Scope
    thing: Thing = "metric"
    name: str = ""
    hours: float = 0.0
    by: str = ""
    others: tuple[str, ...] = ()


class Misnamed(CannotExamine):
    """A question names what is not there; ``instead`` are questions that may have been meant."""

    def __init__(self, sentence: str, instead: tuple[Question, ...] = ()) -> None:
        super().__init__(sentence)
        self.instead = instead


def onset_of(scope: Scope) -> Onset:
    """When it began: the confirmed onset, else the alert's own start with two hours before it."""
    start = scope.window.start
    return scope.onset or Onset(start, start - timedelta(hours=2), start)
