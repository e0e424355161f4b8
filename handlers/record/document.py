"""A document as data: blocks that every format renders in its own way."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.evidence import Chart, Table


@dataclass(frozen=True)
class Heading:
    """A heading; ``level`` counts from 2, the title being 1."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Some sentences."""

    text: str


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table of text."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, found: Table) -> Grid:
        """A finding's table, whose rows may be longer or shorter than its head."""
        width = max(map(len, (found.headers, *found.rows)))
        head, *rows = (row + ("",) * (width - len(row)) for row in (found.headers, *found.rows))
        return cls(head, tuple(rows))


@dataclass(frozen=True)
class Picture:
    """A chart with its bytes."""

    chart: Chart


Block = Heading | Paragraph | Bullets | Grid | Picture


@dataclass(frozen=True)
class Document:
    """A title, and blocks in order; all text is plain."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def pictures(self) -> tuple[Chart, ...]:
        """The charts, each once, in order."""
        found = {b.chart.id: b.chart for b in self.blocks if isinstance(b, Picture)}
        return tuple(found.values())
