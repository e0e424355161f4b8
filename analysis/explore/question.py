"""A question beside the tree, and who answers which kind."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from analysis.evidence import CannotExamine, Evidence, Onset, Scope
from analysis.warehouse import Warehouse

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


def look(warehouse: Warehouse, question: Question) -> Evidence:
    """Answer a question from the tables.

    Raises CannotExamine with a sentence when the tables can't answer it.
    """
    from analysis.explore import changed, chart, compare, cut, levels, sparks

    answers = {
        "chart": chart.draw,
        "segments": cut.segments_of,
        "changed": changed.around,
        "compare": compare.snapshots,
        "sparks": sparks.of,
        "levels": levels.of,
    }
    began = time.perf_counter()
    try:
        found = answers[question.kind](warehouse, question)
    except ValueError as error:
        raise CannotExamine(str(error)) from error
    return replace(found, how=replace(found.how, seconds=round(time.perf_counter() - began, 3)))


def onset_of(scope: Scope) -> Onset:
    """When it began: the confirmed onset, else the alert's own start with two hours before it."""
    start = scope.window.start
    return scope.onset or Onset(start, start - timedelta(hours=2), start)
