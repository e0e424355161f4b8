"""What a button carries: a verb in its ``action_id``, a small JSON in its ``value``.

``action_id`` is the verb, or ``verb:suffix`` where one block holds several of a kind. The value
says which incident and what of it. Slack allows 2,000 characters in a button's value and 150 in
an option's, so a suspect whose name is too long travels as a fingerprint of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from analysis.evidence import Suspect
from state.incident import Incident

LONGEST_NAME = 60
"""Names up to this many bytes of JSON travel as they are; longer ones as a fingerprint."""

_KEYS = {
    "i": "incident",
    "s": "step",
    "v": "verdict",
    "m": "mitigation",
    "h": "handoff",
    "a": "action",
    "k": "kind",
    "n": "name",
    "o": "option",
    "t": "minutes",
}
_NUMBERS = frozenset({"step", "mitigation", "handoff", "minutes"})


class BadValue(ValueError):
    """A button's value is not one of ours; the message says what is wrong with it."""


@dataclass(frozen=True)
class Ref:
    """A parsed value. Numbers are 0 and texts empty where the value names none.

    ``option`` is the choice in a ⋯ menu: "rerun", "shorter" (``minutes`` to compare with),
    "window", "skip", "back" (``step`` is then the step to decide anew), "note", "stop", "how" or
    "mitigate". ``name`` may be a fingerprint: look the suspect up with :func:`suspect_of`.
    """

    incident: str
    step: int = 0
    verdict: str = ""
    mitigation: int = 0
    handoff: int = 0
    action: str = ""
    kind: str = ""
    name: str = ""
    option: str = ""
    minutes: int = 0


def value(**keys: str | int) -> str:
    """Compact JSON of the keys i, s, v, m, h, a, k, n, o, t; empty ones are left out.

    Raises:
        KeyError: a key that nobody would understand.
    """
    unknown = keys.keys() - _KEYS.keys()
    if unknown:
        raise KeyError(f"no such key: {', '.join(sorted(unknown))}")
    kept = {k: v for k, v in keys.items() if v not in ("", 0)}
    if isinstance(kept.get("n"), str):
        kept["n"] = short(str(kept["n"]))
    return json.dumps(kept, separators=(",", ":"))


def parse(text: str) -> Ref:
    """The value back.

    Raises:
        BadValue: it is no JSON object, names no incident, or holds something of another type.
    """
    try:
        found = json.loads(text)
    except (TypeError, ValueError) as error:
        raise BadValue(f"This button carries no readable value ({error}).") from error
    if not isinstance(found, dict) or not isinstance(found.get("i"), str) or not found["i"]:
        raise BadValue("This button does not say which incident it belongs to.")
    fields: dict[str, Any] = {}
    for key, entry in found.items():
        name = _KEYS.get(key)
        if name is None:
            continue
        kind = int if name in _NUMBERS else str
        if not isinstance(entry, kind) or isinstance(entry, bool):
            raise BadValue(f"This button's {name} is {entry!r}, which is no {kind.__name__}.")
        fields[name] = entry
    return Ref(**fields)


def of(action: Mapping[str, Any]) -> Ref:
    """The value of a clicked button, or of the option picked in a menu.

    Raises:
        BadValue: the action carries none of ours.
    """
    option = action.get("selected_option")
    text = option.get("value") if isinstance(option, Mapping) else action.get("value")
    return parse(str(text or ""))


def verb(action_id: str) -> str:
    """The verb of an ``action_id``: "answer" of "answer:real"."""
    return action_id.split(":", 1)[0]


def short(name: str) -> str:
    """A name that fits into any value: itself, or a fingerprint when it is long."""
    if not name.startswith("#") and len(json.dumps(name)) <= LONGEST_NAME:
        return name
    return "#" + hashlib.sha256(name.encode()).hexdigest()[:16]


def key(suspect: Suspect) -> str:
    """A suspect as an option's value (at most 150 characters)."""
    return f"{suspect.kind}|{short(suspect.name)}"


def find(suspects: Iterable[Suspect], kind: str, name: str) -> Suspect | None:
    """The suspect of that kind and (possibly fingerprinted) name; None when there is none."""
    return next((s for s in suspects if s.kind == kind and name in (s.name, short(s.name))), None)


def everyone(incident: Incident) -> tuple[Suspect, ...]:
    """All suspects that an incident knows, each once: its causes, confirmed ones, the rest."""
    found: dict[tuple[str, str], Suspect] = {}
    for cause in incident.causes:
        for suspect in (*cause.suspects, *cause.along):
            found.setdefault((suspect.kind, suspect.name), suspect)
    for suspect in incident.suspects:
        found.setdefault((suspect.kind, suspect.name), suspect)
    for step in reversed(incident.steps):
        examined = step.evidence.suspects if step.evidence else ()
        for suspect in (*examined, *step.scope.suspects):
            found.setdefault((suspect.kind, suspect.name), suspect)
    for mitigation in incident.mitigations:
        target = mitigation.target
        found.setdefault((target.kind, target.name), target)
    return tuple(found.values())


def suspect_of(incident: Incident, ref: Ref) -> Suspect | None:
    """The suspect that a button means; None when the incident knows no such suspect."""
    return find(everyone(incident), ref.kind, ref.name)
