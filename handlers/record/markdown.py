"""A document as Markdown (CommonMark with tables, as GitHub reads it)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from analysis.evidence import Chart
from handlers.record.document import Block, Bullets, Document, Grid, Heading, Paragraph, Picture

_MARKS = re.compile(r"([\\`*_\[\]<>|#])")


def markdown(document: Document, address: Callable[[Chart], str]) -> str:
    """The text; ``address`` says where each chart's picture lies ("" leaves its words alone)."""
    parts = [f"# {_safe(document.title)}"]
    parts += ["\n".join(_block(b, address)) for b in document.blocks]
    return "\n\n".join(parts) + "\n"


def _block(block: Block, address: Callable[[Chart], str]) -> Iterator[str]:
    match block:
        case Heading():
            yield f"{'#' * block.level} {_safe(block.text)}"
        case Paragraph():
            yield _safe(block.text)
        case Bullets():
            yield from (f"- {_safe(item)}" for item in block.items)
        case Grid():
            yield _row(block.headers)
            yield "|" + "---|" * len(block.headers)
            yield from (_row(row) for row in block.rows)
        case Picture():
            where = address(block.chart)
            alt = _safe(block.chart.alt)
            yield f"![{alt}]({where})" if where else f"*Chart: {alt}*"


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(_safe(cell) for cell in cells) + " |"


def _safe(text: str) -> str:
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
