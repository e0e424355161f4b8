"""The message that ends a practice: what was planted, and how the team went about it."""

from __future__ import annotations

from typing import Any

from handlers import blocks as b
from handlers.messages import words
from state.practice import Debrief
from state.tree import Tree


def debrief_message(found: Debrief, tree: Tree, planted: str, cause: str) -> dict[str, Any]:
    """The payload; ``planted`` says what was done to the world, ``cause`` what was to be found."""
    head = "You found it" if found.found else "That was not it"
    lines = [f"*Game day: {head.lower()}.*", f"*Planted:* {b.line(planted)}"]
    lines.append(f"*To be found:* {b.line(cause)}")
    lines.append(f"*Times:* {_times(found)}")
    lines.append(_way(found, tree))
    return b.message(f"Game day: {head.lower()}", [b.section("\n".join(lines))])


def _times(found: Debrief) -> str:
    told = [
        (found.first_answer, "to the first answer"),
        (found.cause, "to the last one"),
        (found.end, "to the end"),
    ]
    return ", ".join(f"{b.span(t)} {what}" for t, what in told if t is not None) or "none"


def _way(found: Debrief, tree: Tree) -> str:
    several = "s" if found.answers != 1 else ""
    taken = f"*Way:* {found.answers} answer{several}; the shortest has {len(found.way)}."
    if not found.way:
        return f"*Way:* {found.answers} answer{several}."
    step = found.left
    if step is None:
        return taken + (" You never left it." if found.found else " You stopped before its end.")
    evidence = step.evidence
    told = f"\nI had said: {b.line(evidence.headline, 300)}" if evidence else ""
    follow = evidence is not None and step.answer is not None and not step.answer.override
    who = "you followed my proposal" if follow else "you chose"
    node = words.node_of(tree, step.node)
    better = node.branch(found.instead) if node and found.instead else None
    names = evidence.named if evidence and evidence.verdict == found.instead else ()
    instead = f" The way was {words.said(better, names)}." if better else ""
    return (
        f"{taken} It was left at step {words.title(tree, step)}, where {who} "
        f"{words.answer(tree, step)}.{instead}{told}"
    )
