"""The words that several messages share: answers, suspects, the path, what is ruled out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime

from analysis.evidence import Evidence, Suspect
from handlers import blocks as b
from state.incident import Cause, Incident, Note, Step
from state.tree import Branch, Exit, Node, Tree

UNSURE = 0.6
"""Below this confidence a proposal is shown as a guess."""

UNDECIDED = frozenset({"unsure", "watching"})
"""Verdicts that answer nothing yet."""

_POINTING = re.compile(r"(This|These)\b( \w+\b)?")


def node_of(tree: Tree, name: str) -> Node | None:
    """The node of a step; None when the tree no longer has it."""
    return tree.node(name) if tree.is_node(name) else None


def title(tree: Tree, step: Step) -> str:
    """ "3 · Which models?", escaped."""
    node = node_of(tree, step.node)
    return f"{step.number} · {b.line(node.title if node else step.node, 80)}"


def points(branch: Branch) -> bool:
    """Whether a branch's label only points at suspects ("These features")."""
    return _POINTING.match(branch.label) is not None


def label(branch: Branch, suspects: Iterable[Suspect], name: Callable[[str], str] = b.words) -> str:
    """A branch as a person reads it: names in the place of "These features" where there are."""
    names = [name(s.name) for s in suspects]
    if not names:
        return branch.label
    return _POINTING.sub(lambda _: b.listed(names), branch.label, count=1)


def said(branch: Branch, suspects: Iterable[Suspect]) -> str:
    """A branch as a thing decided, in mrkdwn: what it leads to is left out of the label."""
    plain = replace(branch, label=b.line(branch.label.split(":")[0], 80))
    return label(plain, suspects, b.code)


def answer(tree: Tree, step: Step) -> str:
    """What was answered at a step, in mrkdwn: "Real, since 14:05", "`temp` and `dewp`"."""
    if step.answer is None:
        return ""
    if step.answer.skipped:
        return "skipped"
    node = node_of(tree, step.node)
    branch = node.branch(step.answer.verdict) if node else None
    if branch is None:
        return b.line(step.answer.verdict, 80)
    text = said(branch, step.answer.suspects)
    evidence = step.evidence
    found_onset = evidence is not None and evidence.onset is not None and step.scope.onset is None
    if evidence and evidence.onset and found_onset and evidence.verdict == branch.verdict:
        text += f", since {b.clock(evidence.onset.at, step.scope.now)}"
    others = [br for v in step.answer.also if node and (br := node.branch(v))]
    return ", then ".join([text, *(said(br, ()) for br in others)])


def proposal(tree: Tree, step: Step) -> str:
    """What the check proposed at a step, in mrkdwn."""
    node, evidence = node_of(tree, step.node), step.evidence
    branch = node.branch(evidence.verdict) if node and evidence else None
    return said(branch, evidence.named) if branch and evidence else "nothing"


def headline(evidence: Evidence) -> str:
    """The finding as a colleague says it: a guess is called one."""
    text = (
        b.line(evidence.headline, 900, looked(evidence))
        or "I have no words for what I found; see the chart."
    )
    if evidence.confidence < UNSURE and not doubts(evidence):
        return f"I can’t tell for sure. {text}"
    return text


def looked(evidence: Evidence) -> datetime | None:
    """The end of the hours that it is about: moments close to it are told without their date."""
    return evidence.how.window.end if evidence.how.window else None


def doubts(evidence: Evidence) -> bool:
    """Whether the finding itself says that it is none to rely on."""
    said = evidence.headline.lower().replace("’", "'")
    return said.startswith(("i can't", "can't", "not sure"))


def sure(evidence: Evidence) -> str:
    """How sure a finding is. Who can't tell is sure of nothing, and gives no number."""
    if evidence.verdict in UNDECIDED:
        return "can’t tell yet"
    return f"{b.percent(evidence.confidence)} sure"


def suspect_lines(suspects: Iterable[Suspect], step: Step, most: int = 4) -> list[str]:
    """A line per suspect: name, share with its interval, what changed, since when."""
    return [_suspect(s, step) for s in list(suspects)[:most]]


def _suspect(suspect: Suspect, step: Step) -> str:
    parts: list[str] = []
    if suspect.score > 0:
        share = f"explains {b.percent(min(suspect.score, 1.0))}"
        if suspect.low is not None and suspect.high is not None:
            share += f" ({max(suspect.low, 0) * 100:.0f}–{min(suspect.high, 1) * 100:.0f})"
        parts.append(share)
    if suspect.changed:
        parts.append(b.line(suspect.changed, 140, step.scope.now))
    if suspect.since:
        parts.append(f"since {b.clock(suspect.since, step.scope.now)}")
    return f"• {b.code(suspect.name)}" + (f" — {', '.join(parts)}" if parts else "")


def trail(incident: Incident, number: int) -> list[Step]:
    """The answered steps that led to a step, and it, first one first."""
    found: list[Step] = []
    step = incident.step(number)
    while step is not None:
        if step.answer is not None:
            found.append(step)
        step = incident.step(step.came_from) if step.came_from < step.number else None
    return found[::-1]


def answered(incident: Incident, tree: Tree) -> list[Step]:
    """The live steps that people have answered, without the watch over the recovery."""
    return [s for s in incident.live_steps if s.answer is not None and s.node != tree.recovery]


def path(incident: Incident, tree: Tree, cause: Cause | None = None) -> str:
    """ "Real → Model → `delay` → …": the answers on the way to a cause, or all of them."""
    steps = trail(incident, cause.step) if cause and cause.step else answered(incident, tree)
    parts = [answer(tree, s) for s in steps]
    if len(parts) > 9:
        parts = [*parts[:4], "…", *parts[-4:]]
    return " → ".join(parts)


def odd(incident: Incident, tree: Tree) -> list[str]:
    """What views disagreed on at the steps that were answered, each once, the first step first."""
    steps = [s for s in answered(incident, tree) if s.evidence]
    said = [d for s in steps if s.evidence for d in s.evidence.disagreements]
    return list(dict.fromkeys(b.line(d, 200).rstrip(".") for d in said))


def not_examined(incident: Incident, most: int = 160) -> list[str]:
    """What no live step could look at, in mrkdwn, each once and of ``most`` characters."""
    found: dict[str, None] = {}
    for step in incident.live_steps:
        for text in step.evidence.not_examined if step.evidence else ():
            found.setdefault(b.line(text, most).rstrip("."))
    return list(found)


def skipped(incident: Incident, tree: Tree) -> list[str]:
    """The steps that people left open, in mrkdwn: "step 3, which models (skipped)"."""
    found = []
    for step in answered(incident, tree):
        if step.answer and step.answer.skipped:
            node = node_of(tree, step.node)
            asked = (node.title if node else step.node).rstrip("?")
            found.append(f"step {step.number}, {b.line(asked, 80)} (skipped)")
    return found


def place(incident: Incident, tree: Tree, step: Step) -> str:
    """ "step 2 of about 6". Steps that were run again or gone back to are in the thread with
    numbers of their own, but on the way they count once."""
    at = [s.number for s in incident.live_steps].index(step.number) + 1
    about = at + tree.depth(step.node) - 1
    return f"step {at} of about {about}" if about > at else f"step {at}"


def overrides(incident: Incident, tree: Tree) -> list[str]:
    """Where people decided otherwise than proposed, in mrkdwn."""
    return [
        f"step {s.number}: {answer(tree, s)}, {b.person(s.answer.by)}"
        + (f" (I proposed {proposal(tree, s)})" if s.evidence else " (I could not look)")
        for s in answered(incident, tree)
        if s.answer and s.answer.override and not s.answer.skipped
    ]


def exit_of(tree: Tree, kind: str) -> Exit | None:
    """The first exit of a kind of cause; None when the tree has none."""
    return next((e for e in tree.exits if e.kind == kind), None)


def cause_words(tree: Tree, cause: Cause, beside: str = "") -> str:
    """A cause as a few words of mrkdwn without a full stop.

    What changed is left out where the finding ``beside`` it, as its check told it, says so.
    """
    exit_ = exit_of(tree, cause.kind)
    told = _told(exit_, cause)
    who = b.listed([b.code(s.name) for s in told])
    if cause.kind == "unknown":
        return "I don’t know the cause" if not who else f"unknown: {who}"
    if cause.kind == "false_alarm":
        return "False alarm: nothing left its usual range"
    if cause.kind == "world":
        return "Nothing broke: the world changed" + (f", most of all in {who}" if who else "")
    if cause.kind == "labels":
        return "Labels are late" + (f", most of all in {who}" if who else "")
    if not who:
        kind = b.line(exit_.title if exit_ else cause.kind.replace("_", " "), 60)
        return f"{kind}: {b.line(exit_.meaning, 200).rstrip('.')}" if exit_ else kind
    # Of several, what one of them changed would read as said of all.
    changed = told[0].changed.rstrip(".") if len(told) == 1 else ""
    text = _PHRASES.get(cause.kind, "{who}").format(who=who, through=_through(cause))
    said_beside = changed.split(": ", 1)[-1] in beside
    return f"{text} — {b.line(changed, 200)}" if changed and not said_beside else text


_PHRASES = {
    "traffic": "traffic of {who}",
    "snapshot": "snapshot {who}",
    "training_data": "training data{through}: {who}",
    "model": "how {who} is served",
    "upstream": "{who}{through}",
}


def _told(exit_: Exit | None, cause: Cause) -> list[Suspect]:
    """The suspects that name a cause: those of the exit's telling kind, where there are any."""
    first = exit_.named_by[0] if exit_ and exit_.named_by else ""
    telling = [s for s in cause.suspects if s.kind == first]
    return telling or list(cause.suspects)


def _through(cause: Cause) -> str:
    """What a cause acts through: the features that it feeds, the snapshot that it made."""
    kind, text = {
        "upstream": ("feature", ", upstream of "),
        "training_data": ("snapshot", " of snapshot "),
    }.get(cause.kind, ("", ""))
    names = dict.fromkeys(b.code(s.name) for s in cause.along if s.kind == kind)
    return text + b.listed(list(names)) if names else ""


def who_answered(incident: Incident, tree: Tree) -> str:
    """Who confirmed what: "steps 1 to 5 by <@U1>, step 6 by <@U2>"."""
    runs: list[tuple[str, list[int]]] = []
    for step in answered(incident, tree):
        by = step.answer.by if step.answer else ""
        if runs and runs[-1][0] == by:
            runs[-1][1].append(step.number)
        else:
            runs.append((by, [step.number]))
    return ", ".join(f"{_steps(numbers)} by {b.person(by)}" for by, numbers in runs[-5:])


def _steps(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"step {numbers[0]}"
    return f"steps {numbers[0]} to {numbers[-1]}"


def action_title(action: str) -> str:
    """What to call a mitigation whose title is not at hand: its name in words."""
    return action.replace("_", " ").capitalize() or "Mitigation"


def minutes(incident: Incident) -> str:
    """How long it lasted, from the opening to the close."""
    end = incident.closed_at
    return b.span(end - incident.opened_at) if end else ""


def answers(incident: Incident, tree: Tree) -> str:
    """ "6 answers"."""
    number = len(answered(incident, tree))
    return f"{number} answer{'s' if number != 1 else ''}"


def note(one: Note, incident: Incident) -> str:
    """A line of the record with its author and time, in mrkdwn."""
    by = f"{b.person(one.by)}, {b.clock(one.at, incident.opened_at)}"
    link = b.link(one.permalink, "link")
    by += f", see step {one.step}" if one.step else ""
    return f"{b.line(one.text, 300)} ({by}{f', {link}' if link != 'link' else ''})"
