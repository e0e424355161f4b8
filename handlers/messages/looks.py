"""The messages of looks: "Looking…", then the answer with its chart in the same place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from analysis.evidence import Evidence, How
from analysis.explore import Question
from handlers import blocks as b
from handlers.blocks import Block
from handlers.messages import words
from handlers.messages.glossary import explained
from handlers.phrases import label, typed_as
from handlers.registry import run_button
from state.looks import Look
from state.outbox import Post

AFTER_ALL = 10_000
"""Looks stand behind the steps in the outbox's order: they never hold a step up."""
MOST_ROWS = 8


def look_post(look: Look, payload: dict[str, Any]) -> Post:
    """The post of a look."""
    return Post(f"look-{look.number}", AFTER_ALL + look.number, payload)


def look_message(
    look: Look, dimensions: Sequence[str], instead: Sequence[Question] = ()
) -> dict[str, Any]:
    """The payload of a look as it stands; of one that failed with what may have been meant."""
    asked = f"🔎 {b.code(look.asked, 120)} · {b.person(look.user)}"
    if look.error:
        why = b.line(look.error, 900)
        meant = [run_button(label(q), typed_as(q), index) for index, q in enumerate(instead)]
        blocks = [b.context(asked), b.section(why), *b.actions(*meant)]
        return b.message(f"I can't show {look.asked}: {why}", blocks)
    if look.evidence is None:
        return b.message(f"Looking: {look.asked}…", [b.context(asked), b.section("Looking…")])
    found = look.evidence
    near = words.looked(found)
    headline = b.line(found.headline, 600, near)
    blocks = [b.context(asked), b.section(f"*{headline}*")]
    if found.table and look.question and look.question.kind != "sparks":
        blocks += b.table(found.table, MOST_ROWS, near=near)
    blocks += [b.image(chart) for chart in found.charts[:2]]
    blocks += _small_print(found)
    if look.question:
        blocks += b.actions(*next_looks(look.question, found, dimensions))
    return b.message(headline, blocks)


def _small_print(found: Evidence) -> list[Block]:
    parts = [_rows(found.how)] if found.how.rows or found.how.window else []
    if found.how.seconds:
        parts.append(f"{found.how.seconds:.1f}{b.NBSP}s")
    blocks = [b.context(" · ".join(parts))] if parts else []
    if found.not_examined:
        missing = "; ".join(b.line(n, 200).rstrip(".") for n in found.not_examined[:3])
        blocks.append(b.context(f"Not looked at: {missing}."))
    return blocks + explained(found)


def _rows(how: How) -> str:
    parts = [f"{b.count(how.rows)} rows"] if how.rows else []
    if how.window:
        parts.append(f"incident since {b.clock(how.window.start, how.window.end)}")
    if how.baseline:
        parts.append(f"against the {b.span(how.baseline.length)} before")
    return ", ".join(parts)


def next_looks(question: Question, found: Evidence, dimensions: Sequence[str]) -> list[Block]:
    """Where a look can lead: a longer chart, a chart by the dimension that matters."""
    wanted: list[tuple[str, Question]] = []
    if question.kind == "chart":
        if question.hours < 24 * 7:
            wanted.append(("7 days", replace(question, hours=24 * 7)))
        if not question.by and question.thing != "infra" and dimensions:
            wanted.append((f"By {dimensions[0]}", replace(question, by=dimensions[0])))
        if question.thing in ("metric", "model"):
            wanted.append(("Segments", replace(question, kind="segments")))
    elif question.kind == "segments" and found.suspects:
        dimension = found.suspects[0].name.partition("=")[0]
        wanted.append((f"Chart by {dimension}", replace(question, kind="chart", by=dimension)))
    return [run_button(text, typed_as(q), index) for index, (text, q) in enumerate(wanted)]
