"""Datadog's webhooks integration, whose payload is a template that the team writes.

Source: "Webhooks" in Datadog's documentation on integrations. Keys are read whatever their
case: ``alert_id``, ``alertId`` and ``ALERT_ID`` are Datadog's ``$ALERT_ID``. The payload that
Datadog sends when nobody wrote one (title, body, id, date) is understood as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from handlers.alerts.placing import Draft, fingerprint, taken
from handlers.alerts.shared import BadPayload, Known, Taken, one_line, severity_of
from handlers.desk import plain

FIRES = frozenset(
    {"triggered", "retriggered", "warn", "rewarn", "nodata", "renodata", "renotify", "alert"}
)
_TYPES = {"error": 2, "warning": 3, "success": 4, "info": 4}
_TITLE = re.compile(r"^\s*(?:\[(P[1-5])\]\s*)?\[([A-Za-z -]+?)(?: on [^\]]*)?\]\s*")


def datadog(payload: Any, known: Known) -> Taken:
    """The event of a monitor. Raises BadPayload."""
    if not isinstance(payload, dict):
        raise BadPayload((f"the payload: found {one_line(repr(payload), 80)}, expected an object",))
    said = {plain(k): _text(v) for k, v in payload.items() if isinstance(k, str)}
    title = said.get("alerttitle") or said.get("eventtitle") or said.get("title", "")
    head = _TITLE.match(title)
    moved = plain(said.get("alerttransition") or said.get("transition") or "")
    moved = moved or (plain(head[2]) if head else "")
    if not title and not said.get("alertid"):
        wanted = "`title` or `alert_id` (`$EVENT_TITLE`, `$ALERT_ID`), see docs/alerts.md"
        raise BadPayload((f"the payload: found neither, expected {wanted}",))
    if moved and moved not in FIRES and moved != "recovered":
        return Taken(ignored=(f"The transition “{one_line(moved, 40)}” is no alert.",))
    return taken([_draft(said, title, head, moved, known)], known)


def _draft(
    said: Mapping[str, str], title: str, head: re.Match[str] | None, moved: str, known: Known
) -> Draft:
    tags = _tags(said.get("tags", "")) | _tags(said.get("alertscope", ""))
    name = title[head.end() :] if head else title
    priority = said.get("alertpriority") or (head[1] if head else "") or ""
    severity = severity_of(priority, _TYPES.get(said.get("alerttype", ""), 2))
    metric = {"metric": said["alertmetric"]} if said.get("alertmetric") else {}
    return Draft(
        source="datadog",
        key=_key(said, name, tags),
        name=name,
        title=name,
        since=_moment(said, known.now),
        severity=severity,
        firing=moved != "recovered",
        labels={**metric, **tags},
        texts=(
            said.get("alertscope", ""),
            said.get("alertquery", ""),
            _message(said),
        ),
        detail=said.get("alertstatus") or _message(said),
        url=said.get("link", ""),
    )


def _message(said: Mapping[str, str]) -> str:
    """What the monitor says, without Datadog's marks of Markdown and the handles it notifies."""
    text = said.get("textonlymsg") or said.get("eventmsg") or said.get("body", "")
    return re.sub(r"%%%|(?<!\S)@\S+", "", text).strip()


def _key(said: Mapping[str, str], name: str, tags: Mapping[str, str]) -> str:
    """A monitor and the group of it that fires; its cycle key changes with every new alarm."""
    monitor = said.get("alertid") or said.get("aggregkey") or name
    scope = said.get("alertscope") or fingerprint(tags)
    return f"{monitor}:{scope}"[:200]


def _tags(text: str) -> dict[str, str]:
    """ "model:delay, team:ml" as labels; a tag without a value is none."""
    pairs = (part.strip().partition(":") for part in text.split(","))
    return {name: value.strip() for name, mark, value in pairs if mark and name}


def _moment(said: Mapping[str, str], now: datetime) -> datetime:
    """Datadog's ``$DATE`` is in milliseconds since 1970, its ``…_POSIX`` in seconds."""
    for key in ("dateposix", "date", "lastupdatedposix", "lastupdated"):
        digits = said.get(key, "").strip()
        if digits.isdigit():
            seconds = int(digits) / (1000 if len(digits) > 11 else 1)
            return datetime.fromtimestamp(seconds, UTC) if seconds < 1e11 else now
    return now


def _text(value: Any) -> str:
    """A variable that Datadog did not know stays as ``$NAME`` and means nothing."""
    if isinstance(value, list):
        return ",".join(_text(v) for v in value)
    text = "" if value is None or isinstance(value, dict) else str(value).strip()
    return "" if re.fullmatch(r"\$[A-Z_]+", text) or text == "null" else text
