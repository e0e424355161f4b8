"""The walk without Slack: every proposal is accepted, the result is one JSON object.

Its form is :class:`bot.report.Report`, documented in docs/headless.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analysis.evidence import CannotExamine, Evidence, Scope, Suspect
from state import events as ev
from state.effects import RunCheck
from state.incident import Incident, Step
from state.machine import advance
from state.steps import suspects_left
from state.tree import Tree

MOST_STEPS = 40
"""A walk that has not ended by then is cut off (a tree with a circle)."""

BLINDLY = "auto"
"""Answers for whoever accepts what is proposed; what it says of a blind step is no verdict."""

Check = Callable[[str, Scope], Evidence]


@dataclass(frozen=True)
class Walked:
    """A walk that has ended, and how long each step's check took (seconds, by step number)."""

    incident: Incident
    seconds: dict[int, float]


def walk(
    incident: Incident,
    opened: ev.Opened,
    tree: Tree,
    check: Check,
    choose: Callable[[Step], str] | None = None,
) -> Walked:
    """Walk from ``opened`` to the conclusion; without ``choose`` every proposal is accepted."""
    seconds: dict[int, float] = {}
    incident, effects = advance(incident, opened, tree)
    by = "person" if choose else BLINDLY
    for _ in range(MOST_STEPS):
        request = next((e for e in effects if isinstance(e, RunCheck)), None)
        if request is None:
            break
        began = time.perf_counter()
        event = _looked(request, check, opened.at)
        seconds[request.step] = round(time.perf_counter() - began, 3)
        incident, _ = advance(incident, event, tree)
        step = incident.steps[request.step - 1]
        verdict = choose(step) if choose else accepted(step, tree)
        answer = ev.Answered(opened.at, step.number, verdict, by)
        incident, effects = advance(incident, answer, tree)
    return Walked(incident, seconds)


def accepted(step: Step, tree: Tree) -> str:
    """The verdict of somebody who accepts what is proposed, or goes on blindly."""
    return step.evidence.verdict if step.evidence else tree.node(step.node).blind


def _looked(request: RunCheck, check: Check, at: datetime) -> ev.Checked | ev.CheckFailed:
    try:
        return ev.Checked(at, request.step, check(request.node, request.scope))
    except CannotExamine as error:
        return ev.CheckFailed(at, request.step, str(error))


def saw_nothing(walked: Walked) -> str:
    """The one reason why no step of the walk could look, in a sentence; empty where reasons differ
    (each step tells its own) or a step found something."""
    steps = walked.incident.live_steps
    blind = {step.error.rstrip(".") for step in steps if step.evidence is None}
    found = any(s.evidence and (s.evidence.suspects or s.evidence.onset) for s in steps)
    if len(blind) != 1 or found or conclusion(walked.incident)["kind"] != "unknown":
        return ""
    return f"No step could look. {blind.pop()}."


def report(walked: Walked) -> dict[str, Any]:
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
