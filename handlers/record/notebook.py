"""A Jupyter notebook that computes every figure of an incident again, from the team's tables."""

from __future__ import annotations

import json
from typing import Any

from analysis.evidence import Scope
from handlers.record.material import Material
from handlers.record.timeline import title
from state.as_text import to_json
from state.incident import Step

Cell = dict[str, Any]

_SETUP = """\
# Needs HawkEye installed, and the tables that hawkeye.toml names as they were.
from bot.again import Again

again = Again({settings!r})"""


def notebook(m: Material, settings: str) -> str:
    """The notebook's JSON (nbformat 4.5); ``settings`` is the path of the settings file.

    Each step is asked again with the scope that it had, as of the same moment, so that it comes
    to the same figures as long as the tables still hold what they held.
    """
    head = m.text(m.incident.alert.title or m.incident.alert.subject)
    cells = [_words(f"# {m.incident.id}: {head}", "title")]
    cells.append(_code(_SETUP.format(settings=settings), "setup"))
    for step in m.incident.live_steps:
        cells += _step(m, step)
    for look in m.looks:
        if look.question is not None and look.evidence is not None:
            cells.append(_words(f"## Beside the walk: {look.asked}", f"look-{look.number}"))
            asked = to_json(type(look.question), look.question)
            cells.append(_code(f"again.look({asked!r})", f"look-{look.number}-code"))
    about = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": about, "cells": cells}
    return json.dumps(whole, indent=1)


def _step(m: Material, step: Step) -> list[Cell]:
    said = step.evidence.headline if step.evidence else step.error
    text = f"## {step.number}. {title(m, step)}?\n\nThen: {said}"
    scope = to_json(Scope, step.scope)
    return [
        _words(text, f"step-{step.number}"),
        _code(f"again.step({step.node!r}, {scope!r})", f"step-{step.number}-code"),
    ]


def _words(text: str, name: str) -> Cell:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": text}


def _code(text: str, name: str) -> Cell:
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {},
        "execution_count": None,
        "outputs": [],
        "source": text,
    }
