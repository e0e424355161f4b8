"""An incident as messages: the whole thread, from the incident alone.

:func:`render` is pure and total: whatever happened, it says how every message should be now. The
outbox keeps that, and the sender makes Slack agree.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from handlers.messages import alerts, calls, conclusion
from handlers.messages.handoffs import handoff_message, reminders
from handlers.messages.mitigations import mitigation_message
from handlers.messages.recovery import recovery_message
from handlers.messages.root import root
from handlers.messages.steps import step_message
from handlers.messages.view import Remedy, View
from state.incident import Handoff, Incident, Step
from state.outbox import Post
from state.tree import Tree

__all__ = ["Remedy", "View", "render"]

Dated = tuple[datetime, str, dict[str, Any]]


def render(incident: Incident, tree: Tree, view: View) -> list[Post]:
    """Every message of an incident in one channel, the root first, the others in time's order.

    A channel that is not the primary one shows the same state, the hand-offs to it, every step
    and mitigation since, and the conclusion: a person there can finish without leaving it.
    """
    dated = _steps(incident, tree, view)
    dated += [
        (m.at, f"mitigation-{m.id}", mitigation_message(incident, m, view))
        for m in incident.mitigations
    ]
    if not view.primary:
        dated = _since_the_offer(incident, dated, view)
    dated += [
        (h.at, f"handoff-{h.id}", handoff_message(incident, h, tree, view))
        for h in incident.handoffs
        if _shown(h, view)
    ]
    dated += [r for h in incident.handoffs for r in reminders(incident, h, view)]
    dated += _conclusions(incident, tree, view)
    dated += calls.calls(incident) if view.primary else []
    if view.primary and alerts.worth_telling(incident):
        dated.append((alerts.told_at(incident), "alerts", alerts.alerts_message(incident, view)))
    dated.sort(key=lambda entry: entry[0])
    posts = [Post("root", 0, root(incident, tree, view))]
    return posts + [Post(name, n, payload) for n, (_, name, payload) in enumerate(dated, 1)]


def _since_the_offer(incident: Incident, dated: list[Dated], view: View) -> list[Dated]:
    """What came after the first hand-off to this channel, and the step that waited then.

    What the channel has already stays in it, so that it is folded and not left to mislead.
    """
    offered = min((h.at for h in incident.handoffs if h.channel == view.channel), default=None)
    if offered is None:
        return []
    waiting = [
        s for s in incident.steps if s.answer is None or s.answer.at >= offered or s.looks > 1
    ]
    names = {f"step-{s.number}" for s in waiting if s.status != "superseded"} | view.posted
    return [
        (max(at, offered), name, payload)
        for at, name, payload in dated
        if at >= offered or name in names
    ]


def _shown(handoff: Handoff, view: View) -> bool:
    return view.primary or handoff.channel == view.channel


def _steps(incident: Incident, tree: Tree, view: View) -> list[Dated]:
    """A step was asked no later than the one after it, whatever its last check's time."""
    dated: list[Dated] = []
    latest: datetime | None = None
    for step in reversed(incident.steps):
        at = _asked(step, tree)
        latest = at if latest is None else min(at, latest)
        message = recovery_message if step.node == tree.recovery else step_message
        dated.append((latest, f"step-{step.number}", message(incident, step, tree, view)))
    return dated[::-1]


def _asked(step: Step, tree: Tree) -> datetime:
    """When a step's message was first posted; a watch is looked at again and again."""
    return step.scope.window.start if step.node == tree.recovery else step.asked_at


def _conclusions(incident: Incident, tree: Tree, view: View) -> list[Dated]:
    """The conclusion, and those before it that no longer count."""
    dated: list[Dated] = []
    current = ""
    if conclusion.is_concluded(incident):
        current = conclusion.name(incident, tree)
        at = max((s.answer.at for s in incident.steps if s.answer), default=incident.opened_at)
        done = [s.answer.at for s in incident.live_steps if s.answer and s.node != tree.recovery]
        at = max(done, default=at)
        dated.append((at, current, conclusion.conclusion_message(incident, tree, view)))
    old = [p for p in sorted(view.posted) if p.startswith("conclusion") and p != current]
    return dated + [(incident.opened_at, p, conclusion.withdrawn(incident)) for p in old]
