"""What people typed into the forms: events, or an error beside the field that is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from analysis.evidence import Suspect, SuspectKind, Window
from handlers import actions
from handlers import blocks as b
from handlers.messages import words
from handlers.messages.buttons import ways
from handlers.suggestions import filters_of
from state import events as ev
from state.events import Event
from state.incident import Incident, Step
from state.tree import Branch, Tree

Errors = dict[str, str]
Parsed = list[Event] | Errors
Parser = Callable[[Mapping[str, Any], Incident, Tree, str, datetime], Parsed]

LONGEST_TEXT = 3000
PREFILL = 2900
MOST_FOLLOW_UPS = 20

_KINDS: dict[str, SuspectKind] = {
    "segment": "segment",
    "traffic": "segment",
    "world": "segment",
    "infrastructure": "infra",
    "service": "infra",
    "degraded": "model",
    "model": "model",
    "snapshot": "snapshot",
    "inputs": "feature",
    "feature_only": "feature",
    "upstream": "upstream",
    "training_data": "training_data",
    "labels": "segment",
    "source": "upstream",
}
"""What a name that was typed by hand is, by the branch that it was typed for."""


def parse_choose(
    view: Mapping[str, Any], incident: Incident, tree: Tree, user: str, now: datetime
) -> Parsed:
    """Answered, and the reason as a note. A branch that points at suspects needs one."""
    step = incident.step(_ref(view).step)
    node = words.node_of(tree, step.node) if step else None
    if step is None or node is None:
        return {"verdict": "This step is gone; close the form and use the newest step."}
    branch = next((br for br in ways(node) if br.verdict == _picked(view, "verdict")), None)
    if branch is None:
        return {"verdict": "Pick a branch."}
    chosen = _chosen(view, step, branch)
    if words.points(branch) and not chosen:
        place = "suspects" if _has(view, "suspects") else "names"
        return {place: f"“{branch.label}” needs at least one: pick it, or type its name."}
    also = tuple(
        br.verdict
        for br in ways(node)
        if br.verdict in _ticked(view, "also") and br.verdict != branch.verdict
    )
    answer = ev.Answered(now, step.number, branch.verdict, user, chosen, also)
    return [answer, *_note(view, "why", user, now, f"Step {step.number}: ")]


def _chosen(view: Mapping[str, Any], step: Step, branch: Branch) -> tuple[Suspect, ...]:
    """The picked suspects and the typed ones.

    Suspects that were only left standing from the proposal don't go along to another branch,
    unless that branch is about suspects.
    """
    examined = step.evidence.suspects if step.evidence else ()
    keys = _ticked(view, "suspects")
    picked = tuple(s for s in examined if actions.key(s) in keys)
    typed = tuple(Suspect(_kind(step, branch), n, 0.0, "named by hand") for n in _names(view))
    evidence = step.evidence
    other = evidence is not None and evidence.verdict != branch.verdict
    if evidence and other and picked == evidence.named and not words.points(branch):
        picked = ()
    return picked + tuple(t for t in typed if t.name not in {s.name for s in picked})


def _kind(step: Step, branch: Branch) -> SuspectKind:
    examined = step.evidence.suspects if step.evidence else ()
    return _KINDS.get(branch.verdict) or (examined[0].kind if examined else "metric")


def parse_window(
    view: Mapping[str, Any], incident: Incident, _tree: Tree, user: str, now: datetime
) -> Parsed:
    """Rerun over the window. It has to lie in the past, its ends in order."""
    start, end = _moment(view, "start"), _moment(view, "end")
    if start is None or end is None:
        name = "start" if start is None else "end"
        return {name: "Pick a day and a time."}
    if start >= now:
        return {"start": "It begins in the future; there is no data yet."}
    end = min(end, now)
    if end <= start:
        return {"end": "It has to end after it begins."}
    step = incident.step(_ref(view).step)
    if step is None:
        return {"start": "This step is gone; close the form and use the newest step."}
    filters = filters_of(_ordered(view, "filters"))
    window = Window(start, end)
    own = step.scope.window
    # The form shows minutes: an untouched window is the step's own, with the onset found in it.
    return [ev.Rerun(now, step.number, user, own if _as_shown(window, step) else window, filters)]


def _as_shown(window: Window, step: Step) -> bool:
    """Whether the window is the step's own, as the form shows it: to the minute."""
    own = step.scope.window
    pairs = ((window.start, own.start), (window.end, min(own.end, step.scope.now)))
    return all(abs((given - shown).total_seconds()) < 60 for given, shown in pairs)


def parse_note(
    view: Mapping[str, Any], _incident: Incident, _tree: Tree, user: str, now: datetime
) -> Parsed:
    """Noted."""
    text, link = _text(view, "text"), _text(view, "link")
    if not text:
        return {"text": "Write at least a word."}
    if link and not re.fullmatch(r"https?://[^\s<>|]+", link):
        return {"link": "A link begins with https:// and has no spaces."}
    number = _picked(view, "step")
    return [ev.Noted(now, user, text, link, int(number) if number.isdigit() else 0)]


def parse_handoff(
    view: Mapping[str, Any], incident: Incident, _tree: Tree, user: str, now: datetime
) -> Parsed:
    """HandoffOffered, and what was added as a note before it."""
    to = str(_element(view, "to").get("selected_user") or "")
    if not to:
        return {"to": "Pick a person."}
    if to == incident.owner:
        return {"to": "This person has it already; pick another one."}
    if to == user:
        return {"to": "That is you. To own it yourself, take it; else pick another person."}
    channel = str(_element(view, "channel").get("selected_conversation") or "")
    offered = ev.HandoffOffered(now, user, to, channel)
    return [*_note(view, "text", user, now), offered]


def parse_decline(
    view: Mapping[str, Any], _incident: Incident, _tree: Tree, user: str, now: datetime
) -> Parsed:
    """HandoffAnswered, declined."""
    reason = _text(view, "reason")
    return [ev.HandoffAnswered(now, _ref(view).handoff, user, False, reason)]


def parse_resolve(
    view: Mapping[str, Any], incident: Incident, tree: Tree, user: str, now: datetime
) -> Parsed:
    """Closed. A cause is recorded by hand only where it differs from the conclusion."""
    kind, names, text = _picked(view, "kind"), _names(view), _text(view, "text")
    if kind and kind not in {e.kind for e in tree.exits}:
        return {"kind": f"“{kind}” is no cause that the tree knows; pick one of the list."}
    if names and not kind:
        return {"kind": "Say what kind of cause that was."}
    follow_ups = tuple(_lines(_text(view, "follow_ups")))[:MOST_FOLLOW_UPS]
    known = incident.causes[0] if incident.causes else None
    same = known is not None and kind == known.kind
    if not kind or (same and names == _lines(cause_names(incident))):
        return [ev.Closed(now, user, "resolved", text, follow_ups=follow_ups)]
    known_names = {shown(s): s.name for s in actions.everyone(incident)}
    meant = tuple(known_names.get(n, n) for n in names)
    return [ev.Closed(now, user, "resolved", text, kind, meant, follow_ups)]


def shown(suspect: Suspect) -> str:
    """A suspect's name as a field shows it: on one line, not endless."""
    return b.words(suspect.name, 300)


def cause_names(incident: Incident) -> str:
    """The names of the concluded cause, one a line, as many as a field holds."""
    lines: list[str] = []
    for cause in incident.causes[:1]:
        for suspect in cause.suspects:
            name = shown(suspect)
            if sum(map(len, lines)) + len(lines) + len(name) <= PREFILL:
                lines.append(name)
    return "\n".join(lines)


def parse_mitigate(
    view: Mapping[str, Any], incident: Incident, _tree: Tree, user: str, now: datetime
) -> Parsed:
    """MitigationAsked."""
    name, _, rest = _picked(view, "action").partition("|")
    kind, _, target = rest.partition("|")
    suspect = actions.find(actions.everyone(incident), kind, target)
    if not name or suspect is None:
        return {"action": "Pick what should be done."}
    return [ev.MitigationAsked(now, user, name, suspect)]


PARSERS: dict[str, Parser] = {
    "choose": parse_choose,
    "window": parse_window,
    "note": parse_note,
    "handoff": parse_handoff,
    "decline": parse_decline,
    "resolve": parse_resolve,
    "mitigate": parse_mitigate,
}
"""By callback_id: (view, incident, tree, user, now) to events, or errors by block_id."""


# -- reading a view's state -----------------------------------------------------------------------


def _ref(view: Mapping[str, Any]) -> actions.Ref:
    return actions.parse(str(view.get("private_metadata") or ""))


def _has(view: Mapping[str, Any], name: str) -> bool:
    return name in view.get("state", {}).get("values", {})


def _element(view: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = view.get("state", {}).get("values", {}).get(name, {}).get(name, {})
    return found if isinstance(found, Mapping) else {}


def _text(view: Mapping[str, Any], name: str) -> str:
    return str(_element(view, name).get("value") or "").strip()[:LONGEST_TEXT]


def _names(view: Mapping[str, Any]) -> list[str]:
    """The lines of the field "names", each once."""
    return _lines(_text(view, "names"))


def _lines(text: str) -> list[str]:
    lines = (" ".join(entry.split()) for entry in text.splitlines())
    return list(dict.fromkeys(entry for entry in lines if entry))


def _picked(view: Mapping[str, Any], name: str) -> str:
    return str((_element(view, name).get("selected_option") or {}).get("value") or "")


def _ticked(view: Mapping[str, Any], name: str) -> set[str]:
    return set(_ordered(view, name))


def _ordered(view: Mapping[str, Any], name: str) -> list[str]:
    return [str(o.get("value")) for o in _element(view, name).get("selected_options") or []]


def _moment(view: Mapping[str, Any], name: str) -> datetime | None:
    seconds = _element(view, name).get("selected_date_time")
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None


def _note(
    view: Mapping[str, Any], name: str, user: str, now: datetime, before: str = ""
) -> list[Event]:
    text = _text(view, name)
    return [ev.Noted(now, user, before + text)] if text else []
