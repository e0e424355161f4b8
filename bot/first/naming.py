"""What metrics with a table of their own are called: like their tables."""

from __future__ import annotations

from collections.abc import Sequence

from analysis.engine import ending, parts

_MARKS = "*?["
"""What makes a pattern of a path."""


def series_names(sources: Sequence[str], taken: Sequence[str]) -> list[str]:
    """A name for each source, numbered where another metric has it already."""
    had = {name.casefold() for name in taken}
    found = []
    for source in sources:
        called = name = _name(source)
        number = 2
        while name.casefold() in had:
            name, number = f"{called} {number}", number + 1
        had.add(name.casefold())
        found.append(name)
    return found


def _name(source: str) -> str:
    """What an engine calls a table within its schema, a file without its ending; a pattern is
    called like its folder."""
    if "/" not in source and not ending(source):
        return parts(source)[-1]
    *folders, name = source.partition("?")[0].split("/") if "://" in source else source.split("/")
    while folders and (not name or any(mark in name for mark in _MARKS)):
        name = folders.pop()
    return name.partition(".")[0].strip(_MARKS) or "series"
