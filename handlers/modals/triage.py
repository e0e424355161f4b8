"""The form that starts a triage, empty or filled from somebody's message."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from handlers import blocks as b
from handlers.blocks import Block
from handlers.desk import Subject
from handlers.suggestions import subject_option
from handlers.triage import FORM, Wanted

SEVERITIES = (
    (1, "1 · critical"),
    (2, "2 · high"),
    (3, "3 · medium"),
    (4, "4 · low"),
)


@dataclass(frozen=True)
class Start:
    """What is known before the form is filled: where the thread will hang, what was read.

    ``found`` says in a few words where the values come from.
    """

    channel: str = ""
    thread: str = ""
    subject: Subject | None = None
    since: datetime | None = None
    why: str = ""
    found: str = ""


def triage_form(start: Start, since: datetime) -> Block:
    """The form; ``since`` is what it looks back to when nothing else is known."""
    subject: Block = {
        "type": "external_select",
        "action_id": "subject",
        "min_query_length": 0,
        "placeholder": b.plain("Type a metric, model or feature", 150),
    }
    known = subject_option(start.subject) if start.subject else None
    if known:
        subject["initial_option"] = known
    severity = b.select("severity", "Pick one", [b.option(t, str(n)) for n, t in SEVERITIES])
    severity["initial_option"] = severity["options"][1]
    why = b.field_text("why", multiline=True, placeholder="Pilots report late alerts")
    if start.why:
        why["initial_value"] = start.why[:2900]
    anew = {
        "type": "checkboxes",
        "action_id": "anew",
        "options": [b.option("Open another one even if somebody is on it", "anew")],
    }
    blocks = [b.context(start.found)] if start.found else []
    blocks += [
        b.entry("subject", "What is off?", subject),
        b.entry("since", "Since when?", _moment("since", start.since or since)),
        b.entry("until", "Until (now, if you leave it empty)", _moment("until"), optional=True),
        b.entry("severity", "How bad is it?", severity),
        b.entry("why", "Why do you ask?", why, optional=True),
    ]
    if not start.channel:
        where: Block = {
            "type": "conversations_select",
            "action_id": "channel",
            "default_to_current_conversation": True,
            "placeholder": b.plain("Where alerts about it go", 150),
            "filter": {"include": ["public", "private"], "exclude_bot_users": True},
        }
        blocks.append(b.entry("channel", "In which channel?", where, optional=True))
    blocks.append(b.entry("anew", "If it is being looked at already", anew, optional=True))
    keep = json.dumps({"c": start.channel, "t": start.thread}, separators=(",", ":"))
    return b.modal(FORM, "Start a triage", keep, blocks, "Start")


def _moment(name: str, at: datetime | None = None) -> Block:
    element: Block = {"type": "datetimepicker", "action_id": name}
    if at is not None and 10**9 <= at.timestamp() < 10**10:
        element["initial_date_time"] = int(at.timestamp())
    return element


def parse_triage(
    view: Mapping[str, Any], user: str, now: datetime, known: tuple[Subject, ...]
) -> Wanted | dict[str, str]:
    """What is wanted, or an error beside each field that is wrong."""
    errors: dict[str, str] = {}
    picked = str((_field(view, "subject").get("selected_option") or {}).get("value") or "")
    subject = next((s for s in known if str(s) == picked), None)
    if subject is None:
        errors["subject"] = "Pick a metric, a model or a feature from the list."
    since, until = _time(view, "since"), _time(view, "until")
    if since is None:
        errors["since"] = "Pick a day and a time."
    elif since >= now:
        errors["since"] = "It begins in the future; there is no data yet."
    elif until is not None and until <= since:
        errors["until"] = "It has to end after it begins."
    if subject is None or since is None or errors:
        return errors
    where = _kept(view)
    severity = str((_field(view, "severity").get("selected_option") or {}).get("value") or "2")
    return Wanted(
        subject,
        user,
        since,
        until if until and until < now else None,
        int(severity) if severity in "1234" else 2,
        str(_field(view, "why").get("value") or "").strip()[:3000],
        where.channel or str(_field(view, "channel").get("selected_conversation") or ""),
        where.thread,
        bool(_field(view, "anew").get("selected_options")),
    )


@dataclass(frozen=True)
class _Where:
    channel: str = ""
    thread: str = ""


def _kept(view: Mapping[str, Any]) -> _Where:
    try:
        found = json.loads(str(view.get("private_metadata") or "{}"))
        return _Where(str(found.get("c") or ""), str(found.get("t") or ""))
    except (ValueError, AttributeError):
        return _Where()


def _field(view: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = view.get("state", {}).get("values", {}).get(name, {}).get(name, {})
    return found if isinstance(found, Mapping) else {}


def _time(view: Mapping[str, Any], name: str) -> datetime | None:
    seconds = _field(view, name).get("selected_date_time")
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None
