"""What the next person needs to know in a minute, from the record and from the thread."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from handlers import blocks as b
from handlers.actions import everyone
from handlers.blocks import Block
from handlers.messages import excluded, words
from state.incident import Incident
from state.said import Said
from state.tree import Tree

MOST_SAID = 3
"""Quotes and notes; the thread has the others. With them all it is read in about a minute."""
MOST_OPEN = 4
_BECAME = {
    "planning": "its dry run is under way",
    "planned": "waits to be confirmed",
    "carrying": "being carried out",
    "done": "done",
    "failed": "failed",
    "cancelled": "cancelled",
}
_TOKEN = re.compile(r"<([@#!][^<>]*|(?:https?://|mailto:)[^<>]*)>")
_NUMBER = re.compile(r"\d")
_SMALL_TALK = re.compile(
    r"(thanks?|thx|ok(ay)?|on it|looking|\+1|lgtm|got it|hi|hello)\b.{0,12}", re.I
)


@dataclass(frozen=True)
class Summary:
    """The parts of a hand-off, each a few lines of mrkdwn, ready to show.

    ``noted`` are the lines that people put into the record, ``said`` quotes of what they wrote in
    the thread, with author, time and link.
    """

    headline: str
    known: tuple[str, ...] = ()
    ruled_out: tuple[str, ...] = ()
    done: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    noted: tuple[str, ...] = ()
    said: tuple[str, ...] = ()


def summarise(
    incident: Incident,
    tree: Tree,
    said: Sequence[Said],
    title: Callable[[str], str] = words.action_title,
) -> Summary:
    """The state of an incident for somebody who was not there; ``title`` names a mitigation."""
    return Summary(
        headline=b.line(incident.alert.title or incident.alert.subject, 200) or incident.id,
        known=tuple(_known(incident, tree)),
        ruled_out=tuple(excluded.ruled_out(incident, tree)),
        done=tuple(_done(incident, tree, title)),
        open=tuple(_open(incident, tree)),
        next=tuple(_next(incident, tree, title)),
        noted=tuple(words.note(n, incident) for n in incident.notes[-MOST_SAID:]),
        said=tuple(quote(s, incident.opened_at) for s in pick(said, incident)),
    )


def summary_blocks(summary: Summary) -> list[Block]:
    """The summary as blocks: what to do comes first, the parts that are empty are left out."""
    parts = [
        ("Next", _lines(summary.next)),
        ("Known", _lines(summary.known)),
        ("Open", _lines(summary.open)),
        ("Done", _lines(summary.done)),
        ("Ruled out", b.listed(list(summary.ruled_out), 8)),
        ("Noted", _lines(summary.noted)),
        ("Said in the thread", _lines(summary.said)),
    ]
    return [b.section(f"*{title}:* {text}") for title, text in parts if text]


def catch_up(
    incident: Incident,
    tree: Tree,
    said: Sequence[Said],
    title: Callable[[str], str] = words.action_title,
) -> dict[str, object]:
    """The payload of "Catch me up", for one pair of eyes."""
    found = summarise(incident, tree, said, title)
    owner = b.person(incident.owner) if incident.owner else "nobody"
    facts = f"{incident.id}, severity {incident.severity}, {owner} has it, {incident.status}"
    blocks = [b.section(f"*{found.headline}*\n{facts}"), *summary_blocks(found)]
    return b.message(f"Where we are: {found.headline}", blocks)


def _lines(items: Sequence[str]) -> str:
    if len(items) < 2:
        return "".join(items)
    return "\n" + "\n".join(f"• {item}" for item in items)


# -- from the record ----------------------------------------------------------------------------


def _known(incident: Incident, tree: Tree) -> list[str]:
    """The causes, else the first and the newest confirmed finding; the way, and who confirmed."""
    found = [f"{words.cause_words(tree, c)}." for c in incident.causes[:3]]
    steps = [s for s in words.answered(incident, tree) if s.answer and not s.answer.override]
    told = steps[:1] if found else [*steps[:1], *steps[1:][-1:]]
    found += [
        f"{words.title(tree, s)} {b.line(s.evidence.headline, 240, s.scope.now)}"
        for s in told
        if s.evidence
    ]
    way = words.path(incident, tree)
    if way:
        found.append(f"So far: {way} ({words.who_answered(incident, tree)})")
    return found or [b.line(incident.alert.detail, 240) or "Only the alert itself so far."]


def _done(incident: Incident, tree: Tree, title: Callable[[str], str]) -> list[str]:
    found = []
    for m in incident.mitigations:
        what = f"{b.line(title(m.action), 60)}: {b.code(m.target.name)}"
        when = f", {b.clock(m.done_at, incident.opened_at)}" if m.done_at else ""
        result = f": {b.line(m.result, 200)}" if m.result else ""
        found.append(f"{what}, {_BECAME[m.status]}{when}{result}")
    found += [f"Decided by hand at {text}" for text in words.overrides(incident, tree)[:3]]
    found += [
        f"{b.person(h.to)} declined to take over"
        + (f": “{b.line(h.reason, 120)}”" if h.reason else "")
        for h in incident.handoffs
        if h.status == "declined"
    ]
    return found[-6:] or [f"{words.answers(incident, tree)}, no mitigation yet"]


def _open(incident: Incident, tree: Tree) -> list[str]:
    """What nobody knows yet: failed checks, guesses, views that disagree, what was not read."""
    found: list[str] = []
    for step in incident.live_steps:
        name = words.title(tree, step)
        evidence = step.evidence
        if step.status == "failed":
            found.append(f"{name} I could not look: {b.line(step.error, 160, step.scope.now)}")
        elif step.status == "over" and step.excess:
            found.append(f"{name} {step.excess.sentence}")
        elif step.answer and step.answer.skipped:
            found.append(f"{name} Skipped by {b.person(step.answer.by)}")
        elif evidence and evidence.confidence < words.UNSURE:
            found.append(f"{name} Only {b.percent(evidence.confidence)} sure of it")
        if evidence:
            found += [b.line(d, 160) for d in evidence.disagreements[:1]]
    waiting = [t.node for t in incident.waiting if tree.is_node(t.node)]
    found += [f"Still to follow: {b.line(tree.node(n).title, 80)}" for n in waiting[:2]]
    missing = words.not_examined(incident)
    if missing:
        found.append(f"Not looked at: {'; '.join(missing[:3])}")
    return found[:MOST_OPEN]


def _next(incident: Incident, tree: Tree, title: Callable[[str], str]) -> list[str]:
    """What the next person is to do, the most pressing first."""
    if not incident.is_open:
        return []
    if incident.puzzle:
        return ["Say what it is about: pick it on the first message"]
    found = [
        f"Confirm or cancel “{b.line(title(m.action), 60)}: {b.code(m.target.name)}”"
        for m in incident.mitigations
        if m.status == "planned"
    ]
    step = incident.current
    node = words.node_of(tree, step.node) if step else None
    if step and node and step.status == "proposed":
        found.append(f"Answer step {step.number}: I propose {words.proposal(tree, step)}")
    elif step and node and step.status == "failed":
        found.append(f"Decide step {step.number} by hand: {b.line(node.question, 160)}")
    elif step and step.status == "over":
        found.append(f"Say whether step {step.number} may go over its budget")
    elif step and step.status == "watching":
        found.append("Wait for the metric to come back; then resolve")
    elif step and node:
        found.append(f"Wait for step {step.number}: {b.line(node.question, 160)}")
    elif not found and all(c.kind == "unknown" for c in incident.causes):
        since = b.clock(incident.alert.since, incident.opened_at)
        found.append(f"Ask who changed anything around {since}: no step found the cause")
        found += [f"It does not fit: {one}" for one in words.odd(incident, tree)[:1]]
    elif incident.causes and not found:
        helps = [
            words.node_of(tree, s.node) for c in incident.causes if (s := incident.step(c.step))
        ]
        found += [b.line(n.mitigation, 200) for n in helps[:1] if n]
        found.append("Mitigate from the conclusion, or resolve")
    return found


# -- from the thread ----------------------------------------------------------------------------


def pick(said: Sequence[Said], incident: Incident, most: int = MOST_SAID) -> list[Said]:
    """The few messages that matter, in the order they were written."""
    names = {s.name.lower() for s in everyone(incident) if len(s.name) > 2}
    names |= {incident.alert.subject.lower()} - {""}
    scored = [(_weight(s, names), i) for i, s in enumerate(said)]
    best = sorted((p for p in scored if p[0] > 0), key=lambda p: (-p[0], -p[1]))[:most]
    return [said[i] for _, i in sorted(best, key=lambda p: p[1])]


def _weight(said: Said, names: set[str]) -> float:
    """How much a message matters: questions, links, figures, suspects; small talk does not."""
    text = said.text.strip()
    low = text.lower()
    if said.pinned:
        return 100.0
    if not text or _SMALL_TALK.fullmatch(low):
        return 0.0
    weight = 3.0 * ("?" in _TOKEN.sub("", text))
    weight += 2.0 * ("<http" in low)
    weight += 1.5 * bool(_NUMBER.search(_TOKEN.sub("", text)))
    weight += 3.0 * any(name in low for name in names)
    weight += 0.5 * (len(text.split()) >= 5)
    return weight


def quote(said: Said, near: datetime) -> str:
    """“what was written” (author, time, link), harmless: nobody is called by it again."""
    text = b.clip(_harmless(said.text), 240)
    parts = [b.person(said.user)]
    moment = _moment(said.ts)
    if moment:
        parts.append(b.clock(moment, near))
    if b.link(said.permalink, "link") != "link":
        parts.append(b.link(said.permalink, "link"))
    return f"“{text}” ({', '.join(parts)})"


def _moment(ts: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(float(ts), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _harmless(text: str) -> str:
    """Slack's own mrkdwn on one line: links stay, calls to a channel or a group become words."""

    def safe(match: re.Match[str]) -> str:
        inner = match.group(1)
        address, _, label = inner.partition("|")
        if inner.startswith(("http://", "https://")):
            return b.link(address.replace("&amp;", "&"), _stray(label) or "link")
        if re.fullmatch(r"@[UW][A-Z0-9]+", address) or re.fullmatch(r"#C[A-Z0-9]+", address):
            return f"<{address}>"
        return "@" + _stray(label.lstrip("@") or address.lstrip("!@#").split("^")[0])

    parts: list[str] = []
    last = 0
    flat = re.sub(r"\s+", " ", text).strip()
    for match in _TOKEN.finditer(flat):
        parts += [_stray(flat[last : match.start()]), safe(match)]
        last = match.end()
    return "".join([*parts, _stray(flat[last:])]) or "…"


def _stray(text: str) -> str:
    return text.replace("<", "&lt;").replace(">", "&gt;")
