"""A line of the table, and what a benchmark is: a module whose ``rows`` yields such lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Row:
    """What was measured, the figures with their units, and what they stand beside."""

    what: str
    value: str
    beside: str = ""

    @property
    def markdown(self) -> str:
        """The line itself."""
        return f"| {self.what} | {self.value} | {self.beside} |"


class Benchmark(Protocol):
    """A module of this package."""

    @staticmethod
    def rows(folder: Path) -> Iterator[Row]:
        """Measure, in an empty folder of its own, and yield each row as soon as it is known."""
