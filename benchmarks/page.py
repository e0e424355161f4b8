"""docs/benchmarks.md: a section per benchmark, each written anew by the command that it names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
HEAD = (
    "# Benchmarks\n\n"
    "What was measured, and the command that prints it. `make bench` runs everything that has a\n"
    "bounded size; the longer runs of this page write their section with `--docs`.\n"
)


def write(name: str, title: str, command: str, lines: Iterable[str], page: Path = PAGE) -> None:
    """Put a section in its place on the page, or at the end; the others stay as they are."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    body = "\n".join([begin, f"## {title}", "", f"`{command}`", "", *lines, end])
    text = page.read_text(encoding="utf-8") if page.exists() else HEAD
    section = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.S)
    if section.search(text):
        text = section.sub(lambda _: body, text)
    else:
        text = f"{text.rstrip()}\n\n{body}\n"
    page.write_text(text, encoding="utf-8")
