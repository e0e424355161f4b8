"""The record as files, by format."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from analysis.evidence import Chart
from handlers.record.html import html
from handlers.record.markdown import markdown
from handlers.record.material import Material
from handlers.record.notebook import notebook
from handlers.record.pdf import pdf
from handlers.record.post_mortem import post_mortem
from state.as_text import to_json
from state.incident import Incident
from state.said import Said


@dataclass(frozen=True)
class File:
    """A file to save or to upload; ``title`` is for people."""

    name: str
    title: str
    data: bytes


def _markdown(m: Material, settings: str) -> list[File]:
    """The text, and its pictures beside it."""
    del settings
    document = post_mortem(m)
    pictures = [File(_picture(m, c), c.title, c.png) for c in document.pictures]
    text = markdown(document, lambda chart: _picture(m, chart))
    return [_named(m, "md", "post-mortem", text.encode()), *pictures]


def _picture(m: Material, chart: Chart) -> str:
    return f"{m.incident.id}-{chart.id[:8]}.png"


def _html(m: Material, settings: str) -> list[File]:
    del settings
    return [_named(m, "html", "post-mortem", html(post_mortem(m)).encode())]


def _pdf(m: Material, settings: str) -> list[File]:
    del settings
    return [_named(m, "pdf", "post-mortem", pdf(post_mortem(m)))]


def _notebook(m: Material, settings: str) -> list[File]:
    return [_named(m, "ipynb", "notebook", notebook(m, settings).encode())]


def _json(m: Material, settings: str) -> list[File]:
    """Everything that is kept: the incident, its events, what was said and asked."""
    del settings
    whole: dict[str, Any] = {
        "incident": json.loads(to_json(Incident, m.incident)),
        "events": [
            {
                "at": e.at.isoformat(),
                "type": type(e.event).__name__,
                **json.loads(to_json(type(e.event), e.event)),
            }
            for e in m.entries
        ],
        "said": [json.loads(to_json(Said, s)) for s in m.said],
        "looks": [{"at": x.at.isoformat(), "user": x.user, "asked": x.asked} for x in m.looks],
    }
    return [_named(m, "json", "record", json.dumps(whole, indent=1).encode())]


def _named(m: Material, ending: str, what: str, data: bytes) -> File:
    return File(f"{m.incident.id}.{ending}", f"{m.incident.id}: {what}", data)


FORMATS: dict[str, Callable[[Material, str], list[File]]] = {
    "html": _html,
    "md": _markdown,
    "pdf": _pdf,
    "ipynb": _notebook,
    "json": _json,
}
"""What a record can be exported as; the settings file's path goes into the notebook."""
