"""What somebody's message says: its words, wherever they stand in it, and the time it tells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from handlers import times
from state.said import Said

MOST_CHARACTERS = 20_000
_SHOWN = ("text", "fallback", "pretext", "title", "value", "alt_text")
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?(?:\s?[ap]\.?m\.?)?(?:\s?(?:utc|gmt|z)\b)?"
_TIMES = (
    re.compile(r"<!date\^\d{9,11}\^[^>]*>"),
    re.compile(
        r"\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?"
        r"(?:\s?(?:utc|gmt|z)\b|[+-]\d{2}:?\d{2})?",
        re.I,
    ),
    re.compile(rf"\b(?:yesterday|mon|tue|wed|thu|fri|sat|sun)[a-z]*\s+(?:at\s+)?{_CLOCK}", re.I),
    re.compile(rf"(?<![\d.:-]){_CLOCK}", re.I),
    re.compile(r"\b(?:\d+|half an|an?)\s?(?:min|minute|m|hr|hour|h|day|d)s?\s+ago\b", re.I),
)
"""Times as they stand in running text, the most telling first."""


def words_of(message: Mapping[str, Any]) -> str:
    """Everything that a message shows, from its text, blocks and attachments, each text once."""
    found = dict.fromkeys(_texts({k: message.get(k) for k in ("text", "blocks", "attachments")}))
    return "\n".join(found)[:MOST_CHARACTERS]


def written(message: Mapping[str, Any]) -> str:
    """What a record keeps of a message: of a person's the text, which its blocks only say again;
    of an app's everything that it shows."""
    text = str(message.get("text") or "")
    return text if text and not message.get("bot_id") else words_of(message)


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        for key, inner in part.items():
            if isinstance(inner, str):
                if key in _SHOWN and inner.strip():
                    yield inner.strip()
            else:
                yield from _texts(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _texts(inner)


def moment_in(text: str, said: datetime, zone: tzinfo) -> datetime | None:
    """The first time that a text tells, as its reader in ``zone`` takes it; None when it tells
    none. A clock time is the last one before the text was ``said``."""
    for pattern in _TIMES:
        for match in pattern.finditer(text):
            try:
                return times.moment(re.sub(r"\s+at\s+", " ", match[0]), said, zone)
            except times.UnclearTime:
                continue
    return None


def when(ts: str) -> datetime | None:
    """The moment of a message's ``ts``."""
    try:
        return datetime.fromtimestamp(float(ts), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def to_people(said: Iterable[Said], me: str) -> list[Said]:
    """What was written to people. What begins with a mention of the bot (``me``) was asked of it,
    and is known by what came of it."""
    to_me = (f"<@{me}>", f"<@{me}|")
    return [s for s in said if s.pinned or not (me and s.text.startswith(to_me))]
