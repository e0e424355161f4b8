"""A step that would go over its budget: what it needs, and what a person can let it do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from analysis.budget import Excess, amount
from analysis.words import plural
from handlers import blocks as b
from handlers.actions import value
from handlers.blocks import Block
from handlers.messages import buttons
from state.budgeting import HEADROOM
from state.incident import Incident, Step
from state.tree import Node

_DAY = timedelta(days=1)


def over(incident: Incident, step: Step, excess: Excess, node: Node, name: str) -> dict[str, Any]:
    """The question whether the step may have more."""
    upto = amount(excess.of, HEADROOM[excess.of] * excess.needs)
    rest = f"Allowed, it may take {upto}."
    if excess.of == "bytes":
        rest = f"None of that was read. Allowed, it asks again before it reads more than {upto}."
    blocks = [b.section(f"*{name}* {excess.sentence}"), b.context(rest)]
    if incident.is_open:
        blocks += b.actions(*_ways_on(incident, step, excess, node))
    return b.message(f"{name} {excess.sentence}", blocks)


def _ways_on(incident: Incident, step: Step, excess: Excess, node: Node) -> list[Block | None]:
    ref = value(i=incident.id, s=step.number)
    go = "Run it anyway"
    if excess.of == "seconds":
        go = f"Give it {amount(excess.of, HEADROOM[excess.of] * excess.needs)}"
    return [
        b.button(go, "allow", ref),
        _shorter(incident, step, excess),
        buttons.skip(incident, step, node),
        buttons.choose(incident, step),
        buttons.more(incident, step, node),
    ]


def _shorter(incident: Incident, step: Step, excess: Excess) -> Block | None:
    """Looks at fewer days before the incident, where whole days are left: about half of what the
    budget has room for, as other queries come after the one that was counted last."""
    before = step.scope.baseline.length
    days = int(before * min(excess.may / excess.needs, 1.0) / 2 / _DAY)
    if days < 1:
        return b.button("A shorter window…", "more:window", value(i=incident.id, s=step.number))
    ref = value(i=incident.id, s=step.number, o="shorter", t=days * 24 * 60)
    text = f"Compare with {plural(days, 'day')}, not {before / _DAY:.3g}"
    return b.button(text, "more:shorter", ref)


def allowances(step: Step) -> list[str]:
    """Who let the step have more than its budget, for the small print."""
    return [f"up to {amount(a.of, a.upto)} allowed by {b.person(a.by)}" for a in step.allowed]
