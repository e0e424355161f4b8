"""One message per step: looking, what was found, what could not be looked at, the answer."""

from __future__ import annotations

from itertools import islice
from typing import Any

from analysis.evidence import Evidence, How
from handlers import blocks as b
from handlers.blocks import Block
from handlers.messages import budget, buttons, words
from handlers.messages.glossary import explained
from handlers.messages.view import View
from state.incident import Incident, Step
from state.tree import Node, Tree

MOST_CHARTS = 2


def step_message(incident: Incident, step: Step, tree: Tree, view: View) -> dict[str, Any]:
    """The payload of a step that is not the watch over the recovery."""
    name = words.title(tree, step)
    if step.status == "superseded":
        return folded(name, anew=_anew(incident, step))
    if step.answer:
        return answered(incident, step, tree)
    if incident.part_of:
        return _folded(name, f"goes on in {view.incident(incident.part_of)}")
    if not incident.is_open and step.status == "running":
        return _folded(name, "not looked at: it was closed before")
    node = words.node_of(tree, step.node)
    if node is None:
        gone = "The tree has no such step any more; go back to an earlier one."
        return b.message(f"{name} {gone}", [b.section(f"*{name}*\n{gone}")])
    if step.excess:
        return budget.over(incident, step, step.excess, node, name)
    if step.status == "failed":
        return failed(incident, step, node, view, name)
    if step.evidence is None:
        ask = b.line(node.question, 200)
        return b.message(f"{name} Looking…", [b.section(f"*{name}*\nLooking: {ask}")])
    return _proposed(incident, step, tree, step.evidence, view)


def folded(name: str, anew: int = 0) -> dict[str, Any]:
    """A step that no longer counts: one short line, with the step that asks the same again."""
    return _folded(name, f"looked at again in step {anew}" if anew else "left behind")


def _folded(name: str, why: str) -> dict[str, Any]:
    return b.message(f"{name} ({why})", [b.context(f"~{name}~ {why}")])


def _anew(incident: Incident, step: Step) -> int:
    """The live step that asks what a superseded one asked, coming from the same place; else 0."""
    again = (
        s.number
        for s in incident.live_steps
        if s.number > step.number and (s.node, s.came_from) == (step.node, step.came_from)
    )
    return next(again, 0)


def _proposed(
    incident: Incident, step: Step, tree: Tree, evidence: Evidence, view: View
) -> dict[str, Any]:
    node, name = tree.node(step.node), words.title(tree, step)
    finding = words.headline(evidence)
    branch = node.branch(evidence.verdict)
    guessed = evidence.confidence < words.UNSURE and not words.doubts(evidence)
    if branch and guessed and branch.verdict != "unsure":
        finding += f" My best guess: {words.said(branch, evidence.named)}."
    blocks = [*found(evidence, step, f"*{name}* {finding}"), *caveats(evidence)]
    earlier = [s.evidence for s in incident.live_steps if s.number < step.number and s.evidence]
    blocks += explained(evidence, earlier)
    if incident.is_open:
        blocks += b.actions(*buttons.for_proposal(incident, step, tree, evidence))
        blocks += _mitigations(incident, step, view)
    return b.message(f"{name} {finding} ({words.sure(evidence)})", blocks)


def found(evidence: Evidence, step: Step, text: str) -> list[Block]:
    """The finding with its suspects or table, its charts and the small print."""
    if not evidence.table:
        telling = [s for s in evidence.named if s.kind != "metric" and (s.changed or s.score > 0)]
        text = "\n".join([text, *words.suspect_lines(telling, step)])
    blocks = [b.section(text)]
    if evidence.table:
        blocks += b.table(evidence.table, near=step.scope.now)
    blocks += [b.image(chart) for chart in evidence.charts[:MOST_CHARTS]]
    return [*blocks, b.context(looked_at(evidence, step))]


def looked_at(evidence: Evidence, step: Step) -> str:
    """The small print: how sure, which rows of which window against which, how long it took."""
    how = evidence.how
    low = evidence.confidence < words.UNSURE and evidence.verdict not in words.UNDECIDED
    parts = [f"{'only ' if low else ''}{words.sure(evidence)}"]
    parts += [f"only where {b.line(str(f), 120)}" for f in step.scope.filters]
    if how.rows or how.window:
        parts.append(_rows(how, step))
    if how.seconds:
        parts.append(f"{how.seconds:.1f}{b.NBSP}s")
    parts += budget.allowances(step)
    return " · ".join(parts)


def _rows(how: How, step: Step) -> str:
    text = f"{b.count(how.rows)} rows" if how.rows else "looked"
    if how.window:
        text += f" since {b.clock(how.window.start, step.scope.now)}"
    if how.baseline:
        of = f"{b.count(how.baseline_rows)} of " if how.baseline_rows else ""
        text += f" against {of}the {b.span(how.baseline.length)} before"
    elif how.baseline_rows:
        text += f" against {b.count(how.baseline_rows)} before"
    return text


def caveats(evidence: Evidence) -> list[Block]:
    """What the reader must not overlook: views that disagree, what was not looked at."""
    blocks: list[Block] = []
    if evidence.disagreements:
        blocks.append(b.context("Views disagree: " + _some(evidence.disagreements, 2)))
    if evidence.not_examined:
        blocks.append(b.context("Not looked at: " + _some(evidence.not_examined, 3)))
    return blocks


def _some(items: tuple[str, ...], most: int) -> str:
    text = "; ".join(b.line(i, 200).rstrip(".") for i in islice(items, most))
    more = len(items) - most
    return text + (f"; and {more} more under “How?”" if more > 0 else ".")


def _mitigations(incident: Incident, step: Step, view: View) -> list[Block]:
    """What can be done already, while the diagnosis goes on."""
    if incident.current is None or incident.current.number != step.number:
        return []
    named = step.evidence.named if step.evidence else ()
    return b.actions(*buttons.mitigations(incident, view, (*named, *step.scope.suspects)))


def failed(incident: Incident, step: Step, node: Node, view: View, name: str) -> dict[str, Any]:
    """A check that could not run: why, and the branches to choose from by hand."""
    why = b.line(step.error, 900, step.scope.now) or "The check ended without a word."
    text = f"*{name}* I could not look. {why}"
    blocks = [b.section(text)]
    if incident.is_open:
        blocks.append(b.context("If you know the answer, choose it; or look again."))
        blocks += b.actions(*buttons.by_hand(incident, step, node))
        blocks += _mitigations(incident, step, view)
    return b.message(f"{name} I could not look. {why}", blocks)


def answered(incident: Incident, step: Step, tree: Tree) -> dict[str, Any]:
    """One line, and the chart that the decision was made on."""
    if step.answer is None:
        return folded(words.title(tree, step))
    given, said = step.answer, words.answer(tree, step)
    node = words.node_of(tree, step.node)
    mark = "↷" if given.skipped else "✓"
    at = b.clock(given.at, step.scope.now)
    text = f"{mark} *{step.number} · {said[:1].upper()}{said[1:]}* — {b.person(given.by)}, {at}"
    if given.skipped:
        text += f" · left open: {b.line(node.title if node else step.node, 80)}"
    elif given.override and step.evidence:
        text += f" · override: I proposed {words.proposal(tree, step)}"
    elif given.override:
        text += f" · by hand: I {'was over my budget' if step.excess else 'could not look'}"
    menu = buttons.after(incident, step) if incident.is_open else None
    blocks = [b.section(text, menu)]
    blocks += [b.image(c) for c in (step.evidence.charts if step.evidence else ())[:1]]
    return b.message(text.replace("*", ""), blocks)
