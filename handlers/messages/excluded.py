"""What the answers of a walk have ruled out: in words, and as ways that are no buttons any more."""

from __future__ import annotations

from handlers import blocks as b
from handlers.messages.words import UNDECIDED, UNSURE, answered, node_of, trail
from state.forks import forks, shared
from state.incident import Incident, Step
from state.tree import AGAIN, LEFT, Branch, Tree

LIKELY = 0.1
"""From this probability on, a branch that was not taken is told with the conclusion."""

_RULED_OUT = {
    "false_alarm": "a false alarm",
    "world": "a change in the world",
    "traffic": "traffic",
    "segment": "a single segment",
    "infrastructure": "infrastructure",
    "service": "services",
    "degraded": "the models",
    "snapshot": "snapshots",
    "inputs": "the inputs",
    "model": "the model itself",
    "labels": "late labels",
    "source": "what delivers labels",
    "upstream": "what feeds the features",
    "training_data": "training data",
}
"""Verdicts that blame something, and what it is. The others blame nothing: they are no news."""

_BLAMES_NOBODY = frozenset(
    {"real", "none", "fine", "not_snapshot", "unsure", "feature_only", "nothing"}
)


def ruled_out(incident: Incident, tree: Tree) -> list[str]:
    """What the answers excluded, in mrkdwn, each once, in the order of the walk; nothing that a
    later step still holds for likely."""
    every = forks(incident, tree)
    chances = zip(every, shared([f.chance for f in every], incident), strict=True)
    likely = {(f.step, f.branch.verdict) for f, chance in chances if chance >= LIKELY}
    followed = {(s.came_from, s.node) for s in incident.live_steps}
    blamed = {c.kind for c in incident.causes}
    found: list[str] = []
    still: set[str] = set()
    for step in answered(incident, tree):
        node, given = node_of(tree, step.node), step.answer
        if node is None or given is None or given.verdict == "unsure" or _open(step):
            continue
        chosen = (given.verdict, *given.also)
        for branch in node.branches:
            taken = branch.verdict in chosen or (step.number, branch.to) in followed
            taken |= branch.to in (AGAIN, LEFT) or not _weighed(step, branch)
            if (step.number, branch.verdict) in likely:
                still.update(excluded(tree, branch))
            elif not taken and branch.verdict not in blamed:
                found += excluded(tree, branch)
    return [what for what in dict.fromkeys(found) if what not in still]


def denied(incident: Incident, tree: Tree, step: Step) -> frozenset[str]:
    """Where branches lead that blame something which the answers before a step have ruled out, and
    that none of them has led to."""
    found: set[str] = set()
    went: set[str] = set()
    for earlier in trail(incident, step.came_from):
        node, given = node_of(tree, earlier.node), earlier.answer
        if node is None or given is None or _open(earlier):
            continue
        taken = (given.verdict, *given.also)
        went |= {br.to for br in node.branches if br.verdict in taken}
        quiet = {*taken, *UNDECIDED, *_BLAMES_NOBODY}
        heard = [br for br in node.branches if _weighed(earlier, br)]
        found |= {br.to for br in heard if br.verdict not in quiet}
    return frozenset(found - went)


def excluded(tree: Tree, branch: Branch) -> list[str]:
    """What a branch blames, in mrkdwn; nothing where that is nobody."""
    if branch.verdict in _BLAMES_NOBODY:
        return []
    if not tree.is_node(branch.to) and tree.exit(branch.to).kind in ("unknown", "resolved"):
        return []
    return [_RULED_OUT.get(branch.verdict, b.line(branch.label[:1].lower() + branch.label[1:], 60))]


def _weighed(step: Step, branch: Branch) -> bool:
    """Whether the step's check gave the branch a probability, where it gave any."""
    shares = step.evidence.shares if step.evidence else {}
    return not shares or branch.verdict in shares


def _open(step: Step) -> bool:
    """Whether the answer left the question open: it was skipped, or a guess was followed."""
    evidence, given = step.evidence, step.answer
    if given is None or given.skipped:
        return True
    return bool(evidence and not given.override and evidence.confidence < UNSURE)
