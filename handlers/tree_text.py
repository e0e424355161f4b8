"""The tree as text that fits a phone, with where an incident's walk has been and is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from state.incident import Incident
from state.tree import AGAIN, LEFT, Branch, Tree

HERE, BEEN = "▶", "✓"


@dataclass
class _Walk:
    """What the drawing needs to remember: visits by node, verdicts taken, nodes drawn."""

    tree: Tree
    here: str = ""
    taken: dict[str, set[str]] = field(default_factory=dict)
    exits: frozenset[str] = frozenset()
    drawn: set[str] = field(default_factory=set)


def picture(tree: Tree, incident: Incident | None = None) -> list[str]:
    """The tree's lines, a node drawn out where it is first met.

    With an incident, from the node where it began: ``✓`` marks the answers on its path and
    ``▶`` the step where it is.
    """
    walk = _Walk(tree)
    starts = list(dict.fromkeys(target for _, target in tree.starts))
    if incident is not None:
        steps = incident.live_steps
        for step in steps:
            if step.answer is not None:
                walk.taken.setdefault(step.node, set()).add(step.answer.verdict)
        walk.here = incident.current.node if incident.current else ""
        starts = [steps[0].node] if steps else starts
    lines: list[str] = []
    entries = {target: entry for entry, target in reversed(tree.starts)}
    for start in starts:
        if incident is None:
            lines.append(f"Alert about a {entries[start]}:")
        lines += _node(walk, start, "")
    if tree.recovery not in walk.drawn:
        lines += ["After a mitigation:", *_node(walk, tree.recovery, "")]
    return lines


def _node(walk: _Walk, name: str, indent: str) -> Iterator[str]:
    walk.drawn.add(name)
    mark = HERE if name == walk.here else BEEN if name in walk.taken else " "
    yield f"{indent}{mark} {walk.tree.node(name).title}"
    branches = walk.tree.node(name).branches
    for index, branch in enumerate(branches):
        last = index == len(branches) - 1
        yield from _branch(walk, name, branch, indent + "  ", last)


def _branch(walk: _Walk, node: str, branch: Branch, indent: str, last: bool) -> Iterator[str]:
    tick = f"{BEEN} " if branch.verdict in walk.taken.get(node, ()) else ""
    head = f"{indent}{'└' if last else '├'} {tick}{branch.label}"
    deeper = walk.tree.is_node(branch.to) and branch.to not in walk.drawn
    if not deeper:
        yield f"{head} → {_target(walk, branch.to)}"
        return
    yield head
    yield from _node(walk, branch.to, indent + ("  " if last else "│ "))


def _target(walk: _Walk, to: str) -> str:
    if to == AGAIN:
        return "look again later"
    if to == LEFT:
        return "the suspects that are left"
    if walk.tree.is_node(to):
        return f"{walk.tree.node(to).title} (above)"
    return f"■ {walk.tree.exit(to).title}"
