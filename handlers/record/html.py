"""A document as one HTML file that needs nothing beside it: pictures are inside."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape

from handlers.record.document import Block, Bullets, Document, Grid, Heading, Paragraph, Picture

_STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --paper: #fcfcfa; --line: #c9c9c4; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8e4; --paper: #1b1d20; --line: #45484d; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 46rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2rem; } h3 { font-size: 1.05rem; }
table { border-collapse: collapse; width: 100%; font-size: 0.9rem; margin: 0.8rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.3rem 0.6rem;
  border-bottom: 1px solid var(--line); overflow-wrap: break-word; }
tr > :first-child { min-width: 5rem; }
@media screen and (max-width: 40rem) {
  th, td { overflow-wrap: anywhere; }
  .titled, .titled tr, .titled td { display: block; }
  .titled tr { border-bottom: 1px solid var(--line); padding: 0.4rem 0; }
  .titled td { border: 0; padding: 0.1rem 0; }
  .titled td:empty, .titled tr:first-child { display: none; }
  .titled td::before { content: attr(data-column) " "; font-weight: 600; }
}
img { max-width: 100%; height: auto; border-radius: 6px; }
@media print { body { max-width: none; } h2, h3, img { break-inside: avoid; } }
"""


def html(document: Document) -> str:
    """The page."""
    body = "\n".join(line for block in document.blocks for line in _block(block))
    title = escape(document.title)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<h1>{title}</h1>\n{body}\n</body>\n</html>\n"
    )


def _block(block: Block) -> Iterator[str]:
    match block:
        case Heading():
            yield f"<h{block.level}>{escape(block.text)}</h{block.level}>"
        case Paragraph():
            yield f"<p>{escape(block.text)}</p>"
        case Bullets():
            yield "<ul>" + "".join(f"<li>{escape(i)}</li>" for i in block.items) + "</ul>"
        case Grid():
            titled = any(block.headers)
            yield '<table class="titled" role="table">' if titled else "<table>"
            if titled:
                yield _row("".join(f"<th>{escape(h)}</th>" for h in block.headers))
            yield from (_row(_cells(block.headers, row)) for row in block.rows)
            yield "</table>"
        case Picture():
            data = base64.b64encode(block.chart.png).decode()
            alt = escape(block.chart.alt, quote=True)
            yield f'<p><img alt="{alt}" src="data:image/png;base64,{data}"></p>'


def _row(cells: str) -> str:
    return f'<tr role="row">{cells}</tr>'


def _cells(headers: tuple[str, ...], row: tuple[str, ...]) -> str:
    """Each with the name of its column, which stands beside it where a phone stacks them."""
    return "".join(
        f'<td role="cell" data-column="{escape(header, quote=True)}">{escape(cell)}</td>'
        for header, cell in zip(headers, row, strict=False)
    )
