"""Asks a step of the record again: what the cells of an exported notebook call."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from analysis.evidence import Evidence, Scope
from analysis.explore import Question
from bot.checks import run_check, run_look
from state.as_text import from_json


@dataclass(frozen=True)
class Shown:
    """Evidence that a notebook displays: its sentence, and its charts."""

    evidence: Evidence

    def _repr_html_(self) -> str:
        found = self.evidence
        charts = "".join(
            f'<p><img alt="{c.title}" width="720" '
            f'src="data:image/png;base64,{base64.b64encode(c.png).decode()}"></p>'
            for c in found.charts
        )
        return f"<p><b>{found.headline}</b> ({found.confidence:.0%} sure)</p>{charts}"


@dataclass(frozen=True)
class Again:
    """Computes over the tables of a settings file, as of the moment that the scope names."""

    settings: str

    def step(self, node: str, scope: str) -> Shown:
        """The evidence of a node for a scope (JSON as the record keeps it)."""
        return Shown(run_check(self.settings, node, from_json(Scope, scope)))

    def look(self, question: str) -> Shown:
        """The answer to a question beside the tree (JSON as the record keeps it)."""
        return Shown(run_look(self.settings, from_json(Question, question)))
