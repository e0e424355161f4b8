"""The form behind "How?": what was computed, from what, and what that leaves open."""

from __future__ import annotations

import re
from typing import Any

from analysis.evidence import Evidence, Window
from handlers import blocks as b
from handlers.blocks import Block
from handlers.messages import words
from handlers.messages.glossary import meanings
from state.incident import Incident, Step
from state.tree import Tree

_PROBABILITY = re.compile(r"^[pP] (?=\w)")
MOST_FIGURES = 12
MOST_SUSPECTS = 12
MOST_ROWS = 20


def how(incident: Incident, number: int, tree: Tree) -> dict[str, Any]:
    """A form without fields about one step."""
    step = incident.step(number)
    if step is None:
        return b.notice("How?", f"There is no step {number} any more.")
    node = words.node_of(tree, step.node)
    blocks = [b.section(f"*{words.title(tree, step)}*")]
    if node:
        blocks.append(b.section(f"*Why it is asked.* {b.line(node.why, 600)}"))
        blocks.append(b.section(f"*How it is found out.* {b.line(node.diagnosis, 600)}"))
    if step.evidence is None:
        what = b.line(step.error, 900) or "It has not come back yet."
        return b.modal("how", "How?", "", [*blocks, b.section(what)])
    blocks += _computed(step.evidence, step)
    if node:
        blocks.append(b.section(f"*What usually helps.* {b.line(node.mitigation, 600)}"))
    return b.modal("how", "How?", "", blocks)


def _computed(evidence: Evidence, step: Step) -> list[Block]:
    how_, parts = evidence.how, []
    if how_.method:
        parts.append(f"*This time.* {b.line(how_.method, 900)}")
    for name, span, rows in (
        ("Window", how_.window, how_.rows),
        ("Baseline", how_.baseline, how_.baseline_rows),
    ):
        if span:
            count = f", {b.count(rows)} rows" if rows else ""
            parts.append(f"*{name}.* {_span(span)}{count}")
    if how_.seconds:
        parts.append(f"*Took* {how_.seconds:.2f} s")
    parts += [b.line(n, 400) for n in how_.notes[:5]]
    blocks = [b.section("\n".join(parts))] if parts else []
    for title, lines in (
        ("Figures", _figures(evidence)),
        ("Suspects", words.suspect_lines(evidence.suspects, step, MOST_SUSPECTS)),
        ("Rows", _rows(evidence)),
        ("In plain words", [f"• {b.line(t, 300)}." for t in meanings(evidence)]),
        ("Views that disagree", [b.line(d, 300) for d in evidence.disagreements]),
        ("Not looked at", [b.line(n, 300) for n in evidence.not_examined]),
    ):
        if lines:
            most = {"Figures": MOST_FIGURES, "Rows": MOST_ROWS}.get(title, MOST_SUSPECTS)
            blocks.append(b.section(f"*{title}*\n" + "\n".join(lines[:most])))
    return blocks


def _figures(evidence: Evidence) -> list[str]:
    return [
        f"{b.line(_PROBABILITY.sub('probability of ', name.replace('_', ' ')), 80)}: "
        f"{b.figure(figure)}"
        for name, figure in evidence.figures.items()
    ]


def _rows(evidence: Evidence) -> list[str]:
    if evidence.table is None:
        return []
    return ["• " + " · ".join(b.line(c, 60) for c in row[:6]) for row in evidence.table.rows]


def _span(span: Window) -> str:
    return f"{b.clock(span.start)} to {b.clock(span.end)} ({b.span(span.length)})"
