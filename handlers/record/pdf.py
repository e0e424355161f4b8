"""A document as PDF."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from handlers.record.document import Block, Bullets, Document, Grid, Heading, Paragraph, Picture

_SIZES = {"title": 18, "2": 14, "3": 11.5, "body": 9.5, "cell": 8.5}


def pdf(document: Document) -> bytes:
    """The pages, A4."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import SimpleDocTemplate

    made = io.BytesIO()
    pages = SimpleDocTemplate(
        made, pagesize=A4, title=document.title, author="HawkEye", leftMargin=48, rightMargin=48
    )
    story = [_text(document.title, "title")]
    for block in document.blocks:
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


def _text(text: str, kind: str) -> Any:
    from reportlab import platypus
    from reportlab.lib.styles import ParagraphStyle

    size = _SIZES[kind]
    head = kind in ("title", "2", "3")
    style = ParagraphStyle(
        kind,
        fontName=_fonts()[1 if head else 0],
        fontSize=size,
        leading=size * 1.35,
        spaceBefore=size * 0.9 if head else 0,
        spaceAfter=4 if kind != "cell" else 0,
        keepWithNext=head,
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

    rows = [block.headers, *block.rows] if any(block.headers) else list(block.rows)
    longest = [min(max(len(r[i]) for r in rows), 70) + 4 for i in range(len(rows[0]))]
    widths = [width * n / sum(longest) for n in longest]
    cells = [[_text(cell, "cell") for cell in row] for row in rows]
    line = ("LINEBELOW", (0, 0), (-1, -1), 0.5, HexColor("#C9C9C4"))
    return Table(cells, widths, style=[line, ("VALIGN", (0, 0), (-1, -1), "TOP")], spaceAfter=8)


def _picture(block: Picture, width: float) -> Any:
    from PIL import Image as Pixels
    from reportlab.platypus import Image

    with Pixels.open(io.BytesIO(block.chart.png)) as pixels:
        across, down = pixels.size
    shown = min(width, 430.0)
    return Image(io.BytesIO(block.chart.png), shown, min(shown * down / across, 640.0))
