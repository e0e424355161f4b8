"""On which line of a TOML text a key stands; the parser of the standard library does not say."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

Key = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)([^\[\]]+?)\]\]?\s*(#.*)?$")
_ASSIGNMENT = re.compile(r"""^\s*((?:[\w.-]|\s*"[^"]*"\s*|\s*'[^']*'\s*)+?)\s*=""")
_PART = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*\.?""")
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*')
_TRIPLE = re.compile(r'"""|\'\'\'')


def lines_of(text: str) -> dict[Key, int]:
    """The line, counted from 1, of every table and key of a TOML text.

    Elements of an array of tables carry their number: ``("metrics", 0, "name")``. Keys inside
    an inline table have no line of their own; :func:`line_of` falls back to the key that holds it.
    """
    found: dict[Key, int] = {}
    counts: Counter[Key] = Counter()
    here: Key = ()
    open_brackets, open_quote = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        inside = open_brackets > 0 or open_quote != ""
        if not inside and (header := _HEADER.match(line)):
            here = _numbered(_parts(header[2]), counts)
            if header[1] == "[[":
                counts[here] += 1
                here = (*here, counts[here] - 1)
            found.setdefault(here, number)
            continue
        if not inside and (assignment := _ASSIGNMENT.match(line)):
            found.setdefault((*here, *_parts(assignment[1])), number)
        open_brackets, open_quote = _still_open(line, open_brackets, open_quote)
    return found


def line_of(found: Mapping[Key, int], key: Sequence[str | int]) -> int | None:
    """The line of ``key``, or of the nearest table or key that holds it."""
    for length in range(len(key), 0, -1):
        if (line := found.get(tuple(key[:length]))) is not None:
            return line
    return None


def _parts(dotted: str) -> Key:
    return tuple(a or b or c for a, b, c in _PART.findall(dotted))


def _numbered(parts: Key, counts: Counter[Key]) -> Key:
    """``a.b`` under an array of tables ``[[a]]`` means the last element of ``a``."""
    here: Key = ()
    for index, part in enumerate(parts):
        here = (*here, part)
        if index < len(parts) - 1 and counts[here]:
            here = (*here, counts[here] - 1)
    return here


def _still_open(line: str, brackets: int, quote: str) -> tuple[int, str]:
    """Brackets and triple quotes that are open at the end of ``line``."""
    while True:
        if quote:
            _, mark, line = line.partition(quote)
            if not mark:
                return brackets, quote
            quote = ""
        first = _TRIPLE.search(line)
        plain = _QUOTED.sub("", line[: first.start()] if first else line)
        brackets += sum(plain.count(c) for c in "[{") - sum(plain.count(c) for c in "]}")
        if first is None:
            return max(brackets, 0), ""
        quote, line = first[0], line[first.end() :]
