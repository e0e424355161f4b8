"""The watch over the recovery: updated in place until a person calls it."""

from __future__ import annotations

from typing import Any

from handlers import blocks as b
from handlers.actions import value
from handlers.blocks import Block
from handlers.messages import budget, buttons, words
from handlers.messages.steps import answered, caveats, failed, folded, found
from handlers.messages.view import View
from state.causes import causes_left, suspects_left
from state.incident import Incident, Step
from state.tree import AGAIN, LEFT, Node, Tree

MOST_LEFT = 3


def recovery_message(incident: Incident, step: Step, tree: Tree, view: View) -> dict[str, Any]:
    """The payload of a step at the tree's recovery node."""
    name = words.title(tree, step)
    node = words.node_of(tree, step.node)
    if step.status == "superseded" or node is None:
        return folded(name)
    if step.answer:
        return answered(incident, step, tree)
    if step.excess:
        return budget.over(incident, step, step.excess, node, name)
    if step.status == "failed":
        return failed(incident, step, node, view, name)
    branch = node.branch(step.evidence.verdict) if step.evidence else None
    if branch is None or branch.to == AGAIN:
        return _watching(incident, step, node, name)
    if branch.to == LEFT:
        return _not_back(incident, step, node, name, view)
    return _back(incident, step, node, name)


def _since(step: Step) -> str:
    return b.clock(step.scope.window.start, step.scope.now)


def _watching(incident: Incident, step: Step, node: Node, name: str) -> dict[str, Any]:
    evidence = step.evidence
    if evidence is None:
        text = f"*{name}* Watching since {_since(step)}. I look again in a moment."
        blocks = [b.section(text)]
    else:
        looks = f"{step.looks} look{'s' if step.looks != 1 else ''}"
        text = f"*{name}* Watching since {_since(step)}. {words.headline(evidence)}"
        blocks = [*found(evidence, step, text), *caveats(evidence)]
        blocks.append(b.context(f"{looks}, the last {b.clock(step.scope.now, step.scope.now)}"))
    if incident.is_open:
        blocks += b.actions(*_calls(incident, step, node), buttons.more(incident, step, node))
    return b.message(text.replace("*", ""), blocks)


def _back(incident: Incident, step: Step, node: Node, name: str) -> dict[str, Any]:
    evidence = step.evidence
    if evidence is None:
        return _watching(incident, step, node, name)
    text = f"*{name}* {words.headline(evidence)}"
    blocks = [*found(evidence, step, text), *caveats(evidence)]
    if incident.is_open:
        calls = _calls(incident, step, node, primary=evidence.verdict)
        blocks += b.actions(*calls, _keep_watching(incident, step), buttons.how(incident, step))
    return b.message(text.replace("*", ""), blocks)


def _not_back(incident: Incident, step: Step, node: Node, name: str, view: View) -> dict[str, Any]:
    evidence = step.evidence
    if evidence is None:
        return _watching(incident, step, node, name)
    left = [suspect for _, suspect in suspects_left(incident)]
    causes = causes_left(incident)
    text = f"*{name}* {words.headline(evidence)}"
    names = b.listed([b.code(s.name) for s in left], MOST_LEFT)
    blocks = found(evidence, step, text)
    if causes:
        also = b.listed([b.code(s.name) for s in causes], MOST_LEFT)
        blocks.append(b.section(f"Found as a cause, and nothing done about it yet: {also}."))
    if left:
        text_left = f"{'These suspects are' if len(left) > 1 else 'The suspect that is'} left: "
        blocks.append(b.section(text_left + names + "."))
    elif not causes:
        blocks.append(b.section("No suspect is left. Go back to a step, or hand it to who knows."))
    blocks += caveats(evidence)
    if incident.is_open:
        follow: list[Block | None] = [
            b.button(
                f"Follow {b.words(s.name, 40)}",
                f"follow:{index}",
                value(i=incident.id, s=step.number, k=s.kind, n=s.name),
                style="primary" if index == 0 else "",
            )
            for index, s in enumerate(left[:MOST_LEFT])
        ]
        calls = _calls(incident, step, node)
        hand = b.button("Hand off…", "handoff", value(i=incident.id))
        mend = buttons.mitigations(incident, view, causes)
        blocks += b.actions(*mend, *follow, _keep_watching(incident, step), *calls, hand)
    return b.message(text.replace("*", ""), blocks)


def _calls(incident: Incident, step: Step, node: Node, primary: str = "") -> list[Block]:
    """The decisions that a person can make over the watch: it is back."""
    return [
        b.button(
            br.label,
            f"answer:{br.verdict}",
            value(i=incident.id, s=step.number, v=br.verdict),
            style="primary" if br.verdict == primary else "",
        )
        for br in buttons.ways(node)
    ]


def _keep_watching(incident: Incident, step: Step) -> Block:
    ref = value(i=incident.id, s=step.number, o="rerun")
    return b.button("Keep watching", "more:rerun", ref)
