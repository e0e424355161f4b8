"""The lineage as a graph: which nodes a feature is made from, and what lies above several.

Where edges name columns, the walk follows the column; where they do not, the whole node.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analysis.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

MOST_EDGES = 100_000


@dataclass(frozen=True)
class Edge:
    """Data flows from ``upstream`` to ``downstream``; columns where the lineage knows them."""

    upstream: str
    downstream: str
    upstream_column: str | None = None
    downstream_column: str | None = None


@dataclass(frozen=True)
class Graph:
    """Edges by where they end; ``owners`` by node."""

    into: Mapping[str, tuple[Edge, ...]]
    owners: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, edges: Iterable[Edge], owners: Mapping[str, str] | None = None) -> Graph:
        """A graph from its edges; the same edge twice counts once."""
        into: dict[str, list[Edge]] = {}
        for edge in dict.fromkeys(edges):
            into.setdefault(edge.downstream, []).append(edge)
        return cls({k: tuple(v) for k, v in into.items()}, owners or {})

    @property
    def nodes(self) -> frozenset[str]:
        """Every node that an edge names."""
        edges = [e for part in self.into.values() for e in part]
        return frozenset(e.upstream for e in edges) | frozenset(e.downstream for e in edges)

    def parents(self, node: str) -> tuple[str, ...]:
        """Direct upstream nodes."""
        return tuple(dict.fromkeys(e.upstream for e in self.into.get(node, ())))

    def above(self, node: str, column: str | None = None) -> dict[str, int]:
        """Everything upstream of a node (or of one of its columns), with the steps to it."""
        found: dict[str, int] = {}
        queue: deque[tuple[str, str | None, int]] = deque([(node, column, 0)])
        seen = {(node, column)}
        while queue:
            at, col, steps = queue.popleft()
            for edge in self._towards(at, col):
                found.setdefault(edge.upstream, steps + 1)
                key = (edge.upstream, edge.upstream_column)
                if key not in seen:
                    seen.add(key)
                    queue.append((*key, steps + 1))
        found.pop(node, None)
        return found

    def fed(self, broken: Iterable[str]) -> frozenset[str]:
        """Those of ``broken`` that another one of them feeds; in a circle none does."""
        above = {name: self.above(name) for name in broken}
        return frozenset(
            n for n in above if any(a in above and n not in above[a] for a in above[n])
        )

    def _towards(self, node: str, column: str | None) -> list[Edge]:
        """Edges into a node that a column comes from: its own, else those without a column."""
        edges = self.into.get(node, ())
        if column is None:
            return list(edges)
        mine = [e for e in edges if e.downstream_column == column]
        return mine or [e for e in edges if e.downstream_column is None]

    def of_feature(self, feature: str) -> dict[str, int]:
        """Nodes upstream of a feature: by the column that edges name, or a node of its name."""
        found: dict[str, int] = {}
        for edges in self.into.values():
            for edge in edges:
                if edge.downstream_column == feature and not self._passed_on(edge):
                    found.setdefault(edge.upstream, 1)
                    for name, steps in self.above(edge.upstream, edge.upstream_column).items():
                        found[name] = min(found.get(name, 10**6), steps + 1)
        if not found:
            found = self.above(feature)
        return found

    def _passed_on(self, edge: Edge) -> bool:
        """Whether the column goes on from where the edge ends, so that this is not its end."""
        return any(
            e.upstream == edge.downstream and e.upstream_column == edge.downstream_column
            for part in self.into.values()
            for e in part
            if e.upstream_column is not None
        )


def read(warehouse: Warehouse) -> Graph:
    """The team's lineage; CannotExamine when the settings name no such table."""
    table = warehouse.table("lineage")
    frame: pd.DataFrame = warehouse.fetch(table, MOST_EDGES)
    edges, owners = [], {}
    for row in frame.itertuples(index=False):
        edges.append(
            Edge(
                str(row.upstream),
                str(row.downstream),
                _text(row.upstream_column),
                _text(row.downstream_column),
            )
        )
        owner = _text(row.owner)
        if owner:
            owners[str(row.upstream)] = owner
    return Graph.of(edges, owners)


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str) and value else None
