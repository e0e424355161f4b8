"""A document as PDF."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from itertools import zip_longest
from pathlib import Path
from typing import Any

from handlers.record.document import Block, Bullets, Document, Grid, Heading, Paragraph, Picture

_SIZES = {"title": 18, "2": 14, "3": 11.5, "body": 9.5, "cell": 8.5, "column": 8.5}
_BOLD = frozenset({"title", "2", "3", "column"})
_PADDING = 12.5
"""What a cell of a table takes beside its text."""
_TABLE_BEGINS = 120.0
"""A heading and the first rows of a table under it, which may go on on the next page."""


def pdf(document: Document) -> bytes:
    """The pages, A4."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import CondPageBreak, SimpleDocTemplate

    made = io.BytesIO()
    pages = SimpleDocTemplate(
        made,
        pagesize=A4,
        title=document.title,
        author="HawkEye",
        leftMargin=48,
        rightMargin=48,
        topMargin=54,
        bottomMargin=54,
    )
    story = [_text(document.title, "title")]
    for block, below in zip_longest(document.blocks, document.blocks[1:]):
        if isinstance(block, Heading) and isinstance(below, Grid):
            story += [CondPageBreak(_TABLE_BEGINS), _text(block.text, str(block.level), near=False)]
        else:
            story += _block(block, pages.width)
    pages.build(story)
    return made.getvalue()


def _block(block: Block, width: float) -> Iterator[Any]:
    match block:
        case Heading():
            yield _text(block.text, str(block.level))
        case Paragraph():
            yield _text(block.text, "body")
        case Bullets():
            yield from (_text(f"• {item}", "body") for item in block.items)
        case Grid():
            yield _grid(block, width)
        case Picture():
            yield _picture(block, width)


def _text(text: str, kind: str, *, near: bool = True) -> Any:
    """A paragraph; a heading stays ``near`` what follows: on one page with all of it."""
    from reportlab import platypus
    from reportlab.lib.styles import ParagraphStyle

    size = _SIZES[kind]
    head = kind in ("title", "2", "3")
    cell = kind in ("cell", "column")
    style = ParagraphStyle(
        kind,
        fontName=_fonts()[kind in _BOLD],
        fontSize=size,
        leading=size * 1.35,
        spaceBefore=size * 0.9 if head else 0,
        spaceAfter=0 if cell else 4,
        keepWithNext=head and near,
        splitLongWords=True,
    )
    return platypus.Paragraph(escape(text), style)


@cache
def _fonts() -> tuple[str, str]:
    """The fonts that the charts use: PDF's own lack arrows and most scripts."""
    import matplotlib
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for name in ("DejaVuSans", "DejaVuSans-Bold"):
        pdfmetrics.registerFont(TTFont(name, str(folder / f"{name}.ttf")))
    return "DejaVuSans", "DejaVuSans-Bold"


def _grid(block: Grid, width: float) -> Any:
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import Table

    titled = any(block.headers)
    rows = [block.headers, *block.rows] if titled else list(block.rows)
    cells = [
        [_text(cell, "column" if titled and not n else "cell") for cell in row]
        for n, row in enumerate(rows)
    ]
    line = ("LINEBELOW", (0, 0), (-1, -1), 0.5, HexColor("#C9C9C4"))
    style = [line, ("VALIGN", (0, 0), (-1, -1), "TOP")]
    widths = _widths(rows, width)
    return Table(cells, widths, style=style, repeatRows=int(titled), spaceAfter=8)


def _widths(rows: Sequence[tuple[str, ...]], width: float) -> list[float]:
    """Columns that break no word while there is room: short ones whole, the rest for long ones."""
    from reportlab.pdfbase.pdfmetrics import stringWidth

    def across(text: str) -> float:
        return float(stringWidth(text, _fonts()[1], _SIZES["column"])) + _PADDING

    columns = list(zip(*rows, strict=True))
    whole = [max(map(across, column)) for column in columns]
    least = [
        max(across(word) for cell in column for word in cell.split() or [""]) for column in columns
    ]
    found = [0.0] * len(columns)
    left = width
    for done, n in enumerate(sorted(range(len(columns)), key=lambda n: whole[n])):
        share = left / (len(columns) - done)
        found[n] = min(whole[n], max(least[n], share))
        left -= found[n]
    found[-1] += max(left, 0.0)
    return [w * width / sum(found) for w in found]


def _picture(block: Picture, width: float) -> Any:
    from PIL import Image as Pixels
    from reportlab.platypus import Image

    with Pixels.open(io.BytesIO(block.chart.png)) as pixels:
        across, down = pixels.size
    shown = min(width, 430.0)
    return Image(io.BytesIO(block.chart.png), shown, min(shown * down / across, 640.0))
