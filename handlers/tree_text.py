"""The tree as text that fits a phone, with where an incident's walk has been and is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from state.incident import Incident, Step
from state.tree import AGAIN, LEFT, Branch, Tree

HERE, BEEN, SKIPPED = "▶", "✓", "↷"


@dataclass
class _Walk:
    """What the drawing needs to remember: the marks of the verdicts taken, the nodes drawn."""

    tree: Tree
    here: str = ""
    taken: dict[tuple[str, str], str] = field(default_factory=dict)
    drawn: set[str] = field(default_factory=set)


def picture(tree: Tree, incident: Incident | None = None) -> list[str]:
    """The tree's lines, a node drawn out where it is first met (``↑`` points back to it).

    With an incident, from the node where it began: ``✓`` marks the answers on its path, ``↷``
    where it went on without one, and ``▶`` the step where it is.
    """
    walk = _Walk(tree)
    starts = list(dict.fromkeys(target for _, target in tree.starts))
    if incident is not None:
        steps = incident.live_steps
        for step in steps:
            if step.answer is not None:
                walk.taken[step.node, step.answer.verdict] = mark_of(step)
        walk.here = incident.current.node if incident.current else ""
        starts = [steps[0].node] if steps else starts
    entries = {target: entry for entry, target in reversed(tree.starts)}
    lines: list[str] = []
    for start in starts:
        lead = f"Alert about a {entries[start]}: " if incident is None else ""
        if start in walk.drawn:
            lines.append(f"{lead}{tree.node(start).title} ↑")
        else:
            lines += _node(walk, start, "", lead)
    if tree.recovery not in walk.drawn:
        lines += _node(walk, tree.recovery, "", "After a mitigation: ")
    return lines


def _node(walk: _Walk, name: str, indent: str, lead: str) -> Iterator[str]:
    """The node on the line of what leads to it, and its branches below."""
    walk.drawn.add(name)
    mark = f"{HERE} " if name == walk.here else ""
    yield f"{lead}{mark}{walk.tree.node(name).title}"
    branches = walk.tree.node(name).branches
    for index, branch in enumerate(branches):
        last = index == len(branches) - 1
        head = f"{indent}{'└' if last else '├'} {_label(walk, name, branch)}"
        if walk.tree.is_node(branch.to) and branch.to not in walk.drawn:
            yield from _node(walk, branch.to, indent + ("  " if last else "│ "), f"{head} → ")
        else:
            yield f"{head}{_target(walk, branch)}"


def _label(walk: _Walk, node: str, branch: Branch) -> str:
    mark = walk.taken.get((node, branch.verdict))
    return f"{mark} {branch.label}" if mark else branch.label


def mark_of(step: Step) -> str:
    """What stands before an answered step: a skipped one decided nothing."""
    return SKIPPED if step.answer and step.answer.skipped else BEEN


def _target(walk: _Walk, branch: Branch) -> str:
    if branch.to == AGAIN:
        return " → look again later"
    if branch.to == LEFT:
        return " → the suspects that are left"
    if walk.tree.is_node(branch.to):
        return f" → {walk.tree.node(branch.to).title} ↑"
    title = walk.tree.exit(branch.to).title
    return " ■" if title == branch.label else f" ■ {title}"
