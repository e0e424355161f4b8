"""A decision tree as data: nodes with questions, branches by verdict, exits.

A tree is refused on construction when a branch leads nowhere, a node can't be reached, a
verdict is declared twice, or the walk could go round without a person's decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analysis.evidence import Evidence, Scope, SuspectKind

if TYPE_CHECKING:
    from analysis.warehouse import Warehouse

Check = Callable[["Warehouse", Scope], Evidence]

AGAIN = "again"
"""Target of a branch that is no decision: look once more, later."""
LEFT = "left"
"""Target of a branch that goes back to the suspects that are left."""


class BrokenTree(ValueError):
    """A tree contradicts itself; the message names the node and what is wrong."""


@dataclass(frozen=True)
class Branch:
    """Where a verdict leads. ``label`` is the button's text.

    ``each``: several confirmed suspects are followed in turn, not together. ``clears`` are kinds
    of suspects that this verdict takes back: they are no longer suspects on what follows.
    ``rests``: the verdict rests on what the step before it had weighed already, and makes that
    no surer.
    """

    verdict: str
    to: str
    label: str
    each: bool = False
    clears: tuple[SuspectKind, ...] = ()
    rests: bool = False


@dataclass(frozen=True)
class Example:
    """A planted fault and the verdict that the node must come to on it."""

    fault: str
    verdict: str


@dataclass(frozen=True)
class Node:
    """One question of the tree, declared once.

    ``why`` says what it means, ``diagnosis`` how it is found out, ``mitigation`` what helps.
    ``needs`` are tables of the contract without which there is nothing to look at; ``uses`` are
    those that make it better. ``blind`` is the verdict to go on with when the check could not
    look at all. ``beside``: what follows on ``blind`` asks for nothing that this check finds, and
    may be computed beside it, on the chance that the walk goes there.
    """

    name: str
    title: str
    question: str
    why: str
    diagnosis: str
    mitigation: str
    check: Check
    branches: tuple[Branch, ...]
    blind: str
    needs: tuple[str, ...] = ("predictions",)
    uses: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    beside: bool = False

    def branch(self, verdict: str) -> Branch | None:
        """The branch of a verdict; None when the node has none."""
        return next((b for b in self.branches if b.verdict == verdict), None)


@dataclass(frozen=True)
class Exit:
    """An end of the walk. ``kind`` is the class of the cause (several exits may share one).

    ``named_by`` are the kinds of suspects that name the cause, the telling one first;
    ``mitigations`` are actions that usually help, the best one first.
    """

    name: str
    kind: str
    title: str
    meaning: str
    named_by: tuple[SuspectKind, ...] = ()
    mitigations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tree:
    """Nodes and exits; ``starts`` maps what an alert is about to the node it begins at.

    ``recovery`` is the node that watches what a mitigation does.
    """

    nodes: tuple[Node, ...]
    exits: tuple[Exit, ...]
    starts: tuple[tuple[str, str], ...]
    recovery: str

    def __post_init__(self) -> None:
        names = [n.name for n in self.nodes] + [e.name for e in self.exits]
        for name in names:
            if names.count(name) > 1:
                raise BrokenTree(f"{name!r} is declared {names.count(name)} times.")
        for start, target in (*self.starts, ("recovery", self.recovery)):
            if target not in {n.name for n in self.nodes}:
                raise BrokenTree(f"The start {start!r} leads to {target!r}, which is no node.")
        for node in self.nodes:
            self._refuse_bad_branches(node)
        reached = set(self.reachable())
        lost = [n for n in names if n not in reached]
        if lost:
            raise BrokenTree(f"Nothing leads to {', '.join(map(repr, lost))}.")

    def _refuse_bad_branches(self, node: Node) -> None:
        verdicts = [b.verdict for b in node.branches]
        if len(set(verdicts)) != len(verdicts):
            raise BrokenTree(f"{node.name!r} declares a verdict twice: {', '.join(verdicts)}.")
        if node.blind not in verdicts:
            raise BrokenTree(
                f"{node.name!r} would go on blindly with {node.blind!r}, none of its verdicts."
            )
        if not any(b.to != AGAIN for b in node.branches):
            raise BrokenTree(f"{node.name!r} has no branch on which a person could go on.")
        known = {n.name for n in self.nodes} | {e.name for e in self.exits} | {AGAIN, LEFT}
        for branch in node.branches:
            if branch.to not in known:
                raise BrokenTree(
                    f"{node.name!r}: the verdict {branch.verdict!r} leads to {branch.to!r}, "
                    "which is neither a node nor an exit."
                )
        for example in node.examples:
            if example.verdict not in verdicts:
                raise BrokenTree(
                    f"{node.name!r}: the example {example.fault!r} expects {example.verdict!r}, "
                    "which is none of its verdicts."
                )

    def reachable(self) -> Iterator[str]:
        """Names of the nodes and exits that a walk can come to, nearest first."""
        queue = [target for _, target in self.starts] + [self.recovery]
        seen: set[str] = set()
        while queue:
            name = queue.pop(0)
            if name in seen or name in (AGAIN, LEFT):
                continue
            seen.add(name)
            yield name
            if self.is_node(name):
                queue += [b.to for b in self.node(name).branches]

    def is_node(self, name: str) -> bool:
        """Whether that is the name of a node."""
        return any(n.name == name for n in self.nodes)

    def node(self, name: str) -> Node:
        """The node of that name; KeyError when there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise KeyError(name)

    def exit(self, name: str) -> Exit:
        """The exit of that name; KeyError when there is none."""
        for exit_ in self.exits:
            if exit_.name == name:
                return exit_
        raise KeyError(name)

    def start(self, entry: str) -> str:
        """Where an alert about ``entry`` begins; KeyError when the tree has no such start."""
        return dict(self.starts)[entry]

    def depth(self, name: str) -> int:
        """About how many questions are still to come, this one counted: the shortest way that
        goes on while it can. 0 for an exit."""
        return self._shortest(name, frozenset()) if self.is_node(name) else 0

    def _shortest(self, name: str, seen: frozenset[str]) -> int:
        seen = seen | {name}
        onward = [
            self._shortest(b.to, seen)
            for b in self.node(name).branches
            if self.is_node(b.to) and b.to not in seen
        ]
        return 1 + min(onward, default=0)

    def with_node(self, node: Node, *, after: str, on: str) -> Tree:
        """The tree with ``node`` put on the branch ``on`` of the node ``after``."""
        before = self.node(after)
        if before.branch(on) is None:
            raise BrokenTree(f"{after!r} has no verdict {on!r} to put {node.name!r} on.")
        branches = tuple(
            replace(b, to=node.name) if b.verdict == on else b for b in before.branches
        )
        nodes = tuple(replace(n, branches=branches) if n is before else n for n in self.nodes)
        return replace(self, nodes=(*nodes, node))
