"""The JSON of a headless walk: its types, and a walk as such.

docs/headless.md is generated from the types.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from analysis.evidence import Suspect, SuspectKind
from bot.detours import Candidate
from bot.headless import Walked
from state.causes import suspects_left
from state.incident import BLINDLY, Incident, Step

Kind = Literal[
    "feature",
    "upstream",
    "snapshot",
    "training_data",
    "model",
    "infra",
    "traffic",
    "world",
    "labels",
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


class WalkCandidate(_Part):
    """A conclusion that may be the right one."""

    kind: Kind | str
    names: list[str]
    """What would be named; empty for a kind that blames nobody by name."""
    confidence: float = Field(ge=0, le=1)


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
    candidates: list[WalkCandidate]
    """The conclusion, then what else it could be, the likeliest first: what its last step names
    next and, where it is not sure (with ``--auto``), what the likeliest branches that were not
    taken end in."""


def schema() -> dict[str, Any]:
    """JSON Schema of the report."""
    return TypeAdapter(Report).json_schema()


def report(walked: Walked, candidates: Sequence[Candidate]) -> dict[str, Any]:
    """The walk as plain JSON values."""
    incident = walked.incident
    return {
        "incident": {
            "subject": incident.alert.subject,
            "entry": incident.alert.entry,
            "since": incident.alert.since.isoformat(),
            "onset": _onset(incident),
            "now": incident.opened_at.isoformat(),
            "status": incident.status,
        },
        "path": [_step(s, walked.seconds.get(s.number, 0.0)) for s in incident.live_steps],
        "conclusion": conclusion(incident),
        "candidates": [
            {
                "kind": c.kind,
                "names": [s.name for s in c.suspects],
                "confidence": round(c.confidence, 4),
            }
            for c in candidates
        ],
    }


def _onset(incident: Incident) -> str | None:
    onsets = [s.evidence.onset for s in incident.live_steps if s.evidence and s.evidence.onset]
    return onsets[0].at.isoformat() if onsets else None


def _step(step: Step, seconds: float) -> dict[str, Any]:
    evidence, answer = step.evidence, step.answer
    blindly = evidence is None and answer is not None and answer.by == BLINDLY
    return {
        "node": step.node,
        "verdict": answer.verdict if answer and not blindly else None,
        "confidence": evidence.confidence if evidence else None,
        "headline": evidence.headline if evidence else step.error,
        "suspects": [_suspect(s) for s in evidence.suspects] if evidence else [],
        "not_examined": list(evidence.not_examined) if evidence else [step.error],
        "seconds": seconds,
    }


def _suspect(suspect: Suspect) -> dict[str, Any]:
    return {"kind": suspect.kind, "name": suspect.name, "score": suspect.score}


def conclusion(incident: Incident) -> dict[str, Any]:
    """Kind, causes and the ranked suspects of a walk that has ended."""
    causes = incident.causes
    named = [s for cause in causes for s in cause.suspects]
    left = [s for _, s in suspects_left(incident)]
    return {
        "kind": causes[0].kind if causes else "unknown",
        "confidence": round(causes[0].confidence, 4) if causes else 0.0,
        "causes": [
            {"kind": s.kind, "name": s.name, "confidence": round(cause.confidence, 4)}
            for cause in causes
            for s in cause.suspects
        ],
        "ranked": [_suspect(s) for s in (*named, *left)],
    }
