"""The end of the walk: the cause with its path, or plainly that it is not known."""

from __future__ import annotations

from typing import Any

from handlers import blocks as b
from handlers.actions import value
from handlers.blocks import Block
from handlers.messages import buttons, words
from handlers.messages.excluded import ruled_out
from handlers.messages.otherwise import otherwise
from handlers.messages.view import View
from state.incident import Cause, Incident, Step
from state.tree import Tree

MOST_CAUSES = 4
MOST_MISSING = 2


def is_concluded(incident: Incident) -> bool:
    """Whether there is a conclusion to show."""
    if incident.status == "diagnosing":
        return False
    return bool(incident.causes) or incident.status == "concluded"


def name(incident: Incident, tree: Tree) -> str:
    """The name of the conclusion's post: a walk taken up again ends in a post of its own."""
    steps = words.answered(incident, tree)
    return f"conclusion-{steps[-1].number}" if steps else "conclusion"


def conclusion_message(incident: Incident, tree: Tree, view: View) -> dict[str, Any]:
    """The payload of the conclusion."""
    causes = incident.causes[:MOST_CAUSES] or (Cause("unknown", (), 0.0, 0),)
    lines = [_cause(incident, tree, view, c, len(causes) > 1) for c in causes]
    if len(incident.causes) > MOST_CAUSES:
        lines.append(f"… and {len(incident.causes) - MOST_CAUSES} more causes")
    other = otherwise(incident, tree)
    if all(c.kind == "unknown" for c in causes):
        lines += _undecided(incident, tree)
    elif other:
        chance = b.percent(other.chance)
        lines.append(f"If not that: {other.blames} ({chance}, step {other.step}).")
    blocks = [b.section("\n".join(lines))]
    blocks.append(b.context(_record(incident, tree, causes)))
    if incident.is_open:
        blocks += b.actions(*_buttons(incident, tree, view, causes))
    return b.message(f"{_title(tree, causes[0])}", blocks)


def withdrawn(incident: Incident) -> dict[str, Any]:
    """A conclusion that no longer counts."""
    text = "~Conclusion~ taken back: the diagnosis goes on below"
    if not incident.is_open or incident.status != "diagnosing":
        text = "~Conclusion~ replaced by the one below"
    return b.message(text.replace("~", ""), [b.context(text)])


def _title(tree: Tree, cause: Cause, beside: str = "") -> str:
    text = words.cause_words(tree, cause, beside)
    blames = cause.kind not in ("unknown", "false_alarm", "world")
    return f"Cause: {text}" if blames else text


def _cause(incident: Incident, tree: Tree, view: View, cause: Cause, several: bool) -> str:
    step = incident.step(cause.step)
    finding = ""
    if step and step.evidence and step.answer and not step.answer.override and not several:
        finding = step.evidence.headline
    told = b.line(finding, 400, step.scope.now if step else None)
    text = f"{'• ' if several else ''}*{_title(tree, cause, finding)}.* {told}".rstrip()
    if not cause.step:
        by = f" by {b.person(incident.closed_by)}" if incident.closed_by else ""
        return text + (f" Recorded{by}." if cause.kind != "unknown" or by else "")
    if cause.kind != "unknown":
        text += f"\nConfidence {b.percent(cause.confidence)}{_track(view, cause)}."
    return text


def _track(view: View, cause: Cause) -> str:
    right, all_ = view.track_record.get(cause.kind, (0, 0))
    if all_ < 1:
        return ""
    return f" (this branch was the recorded cause {right} of {all_} times here)"


def _undecided(incident: Incident, tree: Tree) -> list[str]:
    """What was not looked at and what would decide it."""
    lines: list[str] = []
    if odd := words.odd(incident, tree):
        lines.append(f"*What does not fit:* {'; '.join(odd[:2])}.")
    missing, skipped = words.not_examined(incident), words.skipped(incident, tree)
    if skipped or missing:
        lines.append(f"*Not looked at:* {'; '.join([*skipped[:6], *missing[:4]])}.")
    decide = ["the steps that were skipped"] if skipped else []
    weak = weakest(incident, tree)
    if weak and weak.evidence:
        sure = b.percent(weak.evidence.confidence)
        decide.append(f"step {weak.number} again with more data (I was {sure} sure of it)")
    if missing:
        decide.append("the tables that were missing")
    decide.append("somebody who knows what changed around the onset")
    lines.append(f"*What would decide it:* {b.listed(decide)}.")
    return lines


def weakest(incident: Incident, tree: Tree) -> Step | None:
    """The answered step whose proposal was least sure; None where all were quite sure."""
    steps = [
        s for s in words.answered(incident, tree) if s.evidence and s.evidence.confidence < 0.9
    ]
    return min(steps, key=lambda s: s.evidence.confidence if s.evidence else 1.0, default=None)


def _doubtful(incident: Incident, tree: Tree, causes: tuple[Cause, ...]) -> int:
    """The number of the step to decide anew where the conclusion is wrong; 0 where none is told."""
    other = otherwise(incident, tree)
    if other and causes[0].kind != "unknown":
        return other.step
    weak = weakest(incident, tree) if causes[0].kind in ("unknown", "false_alarm") else None
    return weak.number if weak else 0


def _record(incident: Incident, tree: Tree, causes: tuple[Cause, ...]) -> str:
    way = words.path(incident, tree, causes[0] if len(causes) == 1 else None)
    lines = [f"Path: {way or 'none'}"]
    out = ruled_out(incident, tree)
    if out:
        lines.append(f"Ruled out: {b.listed(out, 8)}")
    chosen = words.overrides(incident, tree)
    if chosen:
        lines.append(f"Overrides: {'; '.join(chosen[:3])}")
    missing = [*words.skipped(incident, tree), *words.not_examined(incident)]
    if missing and any(c.kind != "unknown" for c in causes):
        more = f"; and {len(missing) - MOST_MISSING} more" if len(missing) > MOST_MISSING else ""
        lines.append(
            f"Not looked at: {'; '.join(b.line(m, 110) for m in missing[:MOST_MISSING])}{more}"
        )
    return "\n".join(lines)


def _buttons(
    incident: Incident, tree: Tree, view: View, causes: tuple[Cause, ...]
) -> list[Block | None]:
    ref = value(i=incident.id)
    suspects = tuple(s for c in causes for s in (*c.suspects, *c.along))
    usual = tuple(m for c in causes if (e := words.exit_of(tree, c.kind)) for m in e.mitigations)
    begun = any(m.status not in ("failed", "cancelled") for m in incident.mitigations)
    style = "primary" if causes[0].confidence >= words.UNSURE and not begun else ""
    row = buttons.mitigations(incident, view, suspects, usual, most=2, style=style)
    if causes[0].kind == "false_alarm":
        row = [b.button("Not an incident", "dismiss", ref, style="primary")]
    doubtful = _doubtful(incident, tree, causes)
    if doubtful:
        back = value(i=incident.id, s=doubtful, o="back")
        row.append(b.button(f"Back to step {doubtful}", "more:back", back))
    return [
        *row,
        b.button("Hand off…", "handoff", ref),
        b.button("Resolve…", "resolve", ref, style=style if causes[0].kind == "world" else ""),
    ]
