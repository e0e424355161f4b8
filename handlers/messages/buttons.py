"""The rows of buttons under steps and conclusions: branches, the ⋯ menu, mitigations."""

from __future__ import annotations

from analysis.evidence import Evidence, Suspect
from handlers import blocks as b
from handlers.actions import value
from handlers.blocks import Block
from handlers.messages import words
from handlers.messages.excluded import denied
from handlers.messages.view import View, remedies
from state.incident import Incident, Step
from state.tree import AGAIN, LEFT, Branch, Node, Tree

MOST_BRANCHES = 3
AGAIN_OVER = "Look again: window, filters…"


def ways(node: Node) -> list[Branch]:
    """The branches that a person can decide for by one click."""
    return [br for br in node.branches if br.to not in (AGAIN, LEFT)]


def for_proposal(
    incident: Incident, step: Step, tree: Tree, evidence: Evidence
) -> list[Block | None]:
    """What was proposed, the other branches, and the ways to ask for more.

    A guess is no primary button: the person is to read before pressing. A branch that only
    points ("These features") needs suspects, so it is reached through "Choose…", as what an
    earlier answer ruled out is.
    """
    node, out = tree.node(step.node), denied(incident, tree, step)
    proposed = node.branch(evidence.verdict)
    found: list[Block | None] = []
    if proposed:
        style = "primary" if evidence.confidence >= words.UNSURE else ""
        found.append(
            _branch(incident, step, proposed, words.label(proposed, evidence.named), style)
        )
    others = [br for br in ways(node) if br is not proposed and not words.points(br)]
    others = [br for br in others if br.to not in out]
    found += [_branch(incident, step, br, br.label) for br in others[:MOST_BRANCHES]]
    if evidence.confidence < words.UNSURE:
        found.append(again(incident, step))
    return [*found, choose(incident, step), how(incident, step), more(incident, step, node)]


def by_hand(incident: Incident, step: Step, node: Node) -> list[Block | None]:
    """All branches, none proposed, after a check that could not run."""
    named = [br for br in ways(node) if br.verdict != node.blind and not words.points(br)]
    found = [_branch(incident, step, br, br.label) for br in named[:MOST_BRANCHES]]
    return [
        again(incident, step, "primary"),
        skip(incident, step, node),
        *found,
        choose(incident, step),
        more(incident, step, node),
    ]


def skip(incident: Incident, step: Step, node: Node) -> Block | None:
    """Goes on without the step's answer, where that can be."""
    ref = value(i=incident.id, s=step.number, o="skip")
    return b.button("Go on without it", "more:skip", ref) if skippable(node) else None


def skippable(node: Node) -> bool:
    """Whether the walk can go on without an answer here."""
    return node.branch(node.blind) in ways(node)


def _branch(
    incident: Incident, step: Step, branch: Branch | None, text: str, style: str = ""
) -> Block | None:
    if branch is None:
        return None
    ref = value(i=incident.id, s=step.number, v=branch.verdict)
    return b.button(text, f"answer:{branch.verdict}", ref, style=style)


def again(incident: Incident, step: Step, style: str = "") -> Block:
    """Runs the step again over fresh data."""
    ref = value(i=incident.id, s=step.number, o="rerun")
    return b.button("Look again", "more:rerun", ref, style=style)


def choose(incident: Incident, step: Step) -> Block:
    """Opens the modal with every branch and suspect."""
    return b.button("Choose…", "choose", value(i=incident.id, s=step.number))


def how(incident: Incident, step: Step) -> Block:
    """Opens what was computed and from what."""
    return b.button("How?", "how", value(i=incident.id, s=step.number))


def more(incident: Incident, step: Step, node: Node) -> Block:
    """The ⋯ menu of a step that waits for an answer (``back``: of the step to decide anew)."""
    entries = [("window", AGAIN_OVER, step.number)]
    if skippable(node):
        entries.append(("skip", "Skip: leave it open", step.number))
    origin = incident.step(step.came_from)
    if origin and origin.answer:
        entries.append(("back", f"Back to step {origin.number}", origin.number))
    entries += [("note", "Add a note…", step.number), ("stop", "Stop here", step.number)]
    return _menu(incident, entries)


def after(incident: Incident, step: Step) -> Block:
    """The ⋯ menu of a step that has been answered."""
    number = step.number
    entries = [("back", "Decide this again", number), ("window", AGAIN_OVER, number)]
    if step.evidence:
        entries.append(("how", "How?", number))
    return _menu(incident, [*entries, ("note", "Add a note…", number)])


def _menu(incident: Incident, entries: list[tuple[str, str, int]]) -> Block:
    options = [b.option(text, value(i=incident.id, s=s, o=o)) for o, text, s in entries]
    return b.overflow("more", options)


def mitigations(
    incident: Incident,
    view: View,
    suspects: tuple[Suspect, ...],
    usual: tuple[str, ...] = (),
    most: int = 1,
    style: str = "",
) -> list[Block | None]:
    """What can be done now about these suspects, the first in a ``style``; the modal when there is
    more than fits."""
    found = remedies(incident, view, suspects, usual)
    row: list[Block | None] = []
    for index, (remedy, target) in enumerate(found[:most]):
        ref = value(i=incident.id, a=remedy.name, k=target.kind, n=target.name)
        text = f"{remedy.title}: {b.words(target.name, 36)}…"
        row.append(b.button(text, f"mitigate:{index}", ref, style="" if index else style))
    if len(found) > most:
        other = value(i=incident.id, o="mitigate")
        row.append(b.button("Other mitigation…", "more:mitigate", other))
    return row
