"""What a practice incident teaches: how long it took, and where the shortest way was left.

Pure: the planted truth goes in beside the incident; nothing here looks at tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from state.incident import Incident, Step
from state.tree import Tree

Turn = tuple[str, str]
"""A question (a node's name) and its answer (a verdict)."""


@dataclass(frozen=True)
class Debrief:
    """How a practice went.

    ``found``: the cause that was recorded, or concluded, is the planted one. ``way`` is the
    shortest way to it. ``left`` is the first answered step that is not on it, ``instead`` the
    verdict that would have been. Times count from the opening: to the first answer, to the last
    one before the end, and to the end; None for what did not happen.
    """

    found: bool
    way: tuple[Turn, ...]
    answers: int
    left: Step | None = None
    instead: str = ""
    first_answer: timedelta | None = None
    cause: timedelta | None = None
    end: timedelta | None = None


def debrief(incident: Incident, start: str, tree: Tree, kind: str, names: Iterable[str]) -> Debrief:
    """Hold what people did against the planted cause: its kind, and its possible names.

    ``start`` is the node at which the walk began. Answers that were taken back count as well:
    the time they cost was spent.
    """
    way = shortest(tree, start, kind)
    answered = [s for s in incident.steps if s.answer is not None and s.node != tree.recovery]
    wanted = dict(way)
    left = next((s for s in answered if _leaves(s, wanted)), None)
    times = [s.answer.at for s in answered if s.answer]
    return Debrief(
        _found(incident, kind, set(names)),
        way,
        len(answered),
        left,
        wanted.get(left.node, "") if left else "",
        _since(incident, min(times, default=None)),
        _since(incident, max(times, default=None)),
        _since(incident, incident.closed_at),
    )


def shortest(tree: Tree, start: str, kind: str) -> tuple[Turn, ...]:
    """The fewest questions from ``start`` to an exit of that kind, with their answers.

    Empty where none leads there.
    """
    ways: list[tuple[Turn, ...]] = [()]
    heads, seen = [start], {start}
    while heads:
        node, way = heads.pop(0), ways.pop(0)
        for branch in tree.node(node).branches:
            turn = (*way, (node, branch.verdict))
            if tree.is_node(branch.to) and branch.to not in seen:
                seen.add(branch.to)
                heads.append(branch.to)
                ways.append(turn)
            elif any(e.name == branch.to and e.kind == kind for e in tree.exits):
                return turn
    return ()


def _leaves(step: Step, wanted: dict[str, str]) -> bool:
    return step.answer is not None and wanted.get(step.node) != step.answer.verdict


def _found(incident: Incident, kind: str, names: set[str]) -> bool:
    return any(
        c.kind == kind and (not names or any(_same(s.name, n) for s in c.suspects for n in names))
        for c in incident.causes
    )


def _same(have: str, want: str) -> bool:
    """Equal, or one is the other with its place spelled out ("feature_store/timeouts")."""
    return have == want or have.startswith(f"{want}/") or want.startswith(f"{have}/")


def _since(incident: Incident, moment: datetime | None) -> timedelta | None:
    return moment - incident.opened_at if moment else None
