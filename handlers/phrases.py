"""A question beside the tree as it is typed, and as a button says it."""

from __future__ import annotations

from analysis.explore import Question
from handlers.typed import quoted
from state.preferences import window_words


def typed_as(question: Question) -> str:
    """The command that asks it.

    >>> from analysis.explore import Question
    >>> typed_as(Question("compare", None, others=("r 1", "r2")))
    'compare snapshot "r 1" r2'
    """
    name = quoted(question.name)
    match question.kind:
        case "compare":
            return " ".join(("compare snapshot", *map(quoted, question.others)))
        case "segments":
            return f"segments {name}"
        case "changed":
            return "what changed"
        case _:
            return f"chart {name}{tail(question.hours, question.by)}"


def label(question: Question) -> str:
    """What a button says that asks it."""
    match question.kind:
        case "compare":
            return f"Compare {' and '.join(question.others)}"
        case "segments":
            return f"Segments of {question.name}"
        case "changed":
            return "What changed"
    length = f", {window_words(question.hours)}" if question.hours else ""
    by = f" by {question.by}" if question.by else ""
    return f"Chart {question.name}{length}{by}"


def tail(hours: float, by: str) -> str:
    """What follows the name in the command `chart`: " 7d by carrier"."""
    text = ""
    if hours:
        text = f" {hours / 24:g}d" if hours >= 48 and hours % 24 == 0 else f" {hours:g}h"
    return f"{text} by {quoted(by)}" if by else text
