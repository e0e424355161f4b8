"""Who answers which kind of question."""

from __future__ import annotations

import time
from dataclasses import replace

from analysis.evidence import CannotExamine, Evidence
from analysis.explore import changed, chart, compare, cut, levels, sparks
from analysis.explore.question import Question
from analysis.warehouse import Warehouse

ANSWERS = {
    "chart": chart.draw,
    "segments": cut.segments_of,
    "changed": changed.around,
    "compare": compare.snapshots,
    "sparks": sparks.of,
    "levels": levels.of,
}


def look(warehouse: Warehouse, question: Question) -> Evidence:
    """Answer a question from the tables.

    Raises CannotExamine with a sentence when the tables can't answer it.
    """
    began = time.perf_counter()
    try:
        found = ANSWERS[question.kind](warehouse, question)
    except ValueError as error:
        raise CannotExamine(str(error)) from error
    return replace(found, how=replace(found.how, seconds=round(time.perf_counter() - began, 3)))
