"""The JSON of a headless walk, as types: docs/headless.md is generated from them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from analysis.evidence import SuspectKind

Kind = Literal[
    "feature",
    "upstream",
    "snapshot",
    "training_data",
    "model",
    "infra",
    "traffic",
    "world",
    "false_alarm",
    "unknown",
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


class ScoredSuspect(_Part):
    """Something that was looked at."""

    kind: SuspectKind
    name: str
    score: float
    """Share of the change that it explains; may be negative."""


class WalkedStep(_Part):
    """One node of the tree, in the order visited."""

    node: str
    verdict: str | None
    """Null when the check could not look: the headline says why, and the walk went on."""
    confidence: float | None = Field(ge=0, le=1)
    """Probability that the verdict is right; null when the check could not look."""
    headline: str
    suspects: list[ScoredSuspect]
    not_examined: list[str]
    seconds: float


class Cause(_Part):
    """A cause, by name."""

    kind: SuspectKind
    name: str
    confidence: float = Field(ge=0, le=1)


class WalkConclusion(_Part):
    """How the walk ended."""

    kind: Kind | str
    """A team's own exits add kinds of their own."""
    confidence: float = Field(ge=0, le=1)
    """Probability that the first cause is right; of the kind alone where it has no name."""
    causes: list[Cause]
    ranked: list[ScoredSuspect]
    """The causes, then every suspect that was found and not followed, best first."""


class WalkedIncident(_Part):
    """What was asked."""

    subject: str
    entry: Literal["metric", "model", "feature"]
    since: str
    """ISO time, UTC."""
    onset: str | None
    """When it began, as far as a step found out."""
    now: str
    """The moment as of which the tables were read."""
    status: str


class Report(_Part):
    """What ``hawkeye triage --auto --json`` prints."""

    incident: WalkedIncident
    path: list[WalkedStep]
    conclusion: WalkConclusion


def schema() -> dict[str, Any]:
    """JSON Schema of the report."""
    return TypeAdapter(Report).json_schema()
