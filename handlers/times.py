"""Times as people type them: "14:05", "2h ago", "yesterday 3pm", "2026-11-23 14:05", "7d".

Pure: the present moment and the person's zone are arguments. A clock time means the last time
that the clock showed it. What comes out is aware and in UTC.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

EXAMPLES = "`since 14:05`, `2h ago`, `yesterday 3pm` or `2026-11-23 14:05`"

_UNITS = {
    "s": 1,
    "sec": 1,
    "second": 1,
    "m": 60,
    "min": 60,
    "minute": 60,
    "h": 3600,
    "hr": 3600,
    "hour": 3600,
    "d": 86400,
    "day": 86400,
    "w": 604800,
    "week": 604800,
}
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAY = re.compile(r"\b(last )?(mon|tue|wed|thu|fri|sat|sun)(?:[a-z]{0,5}day)?\b")
_PART = re.compile(r"(\d+(?:\.\d+)?|half an?|an?)\s*([a-z]+)")
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2})(?::(\d{2}))?)?\s*([ap]\.?m\.?)?")
_ZONE = re.compile(r"\s*(?:(z|utc|gmt)|(?:utc|gmt)?([+-])(\d{2}):?(\d{2}))$")
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[t\s]+(.+))?")
_NAMED = re.compile(r"(?:(\d{1,2})\.?\s+([a-z]{3,9})|([a-z]{3,9})\s+(\d{1,2}))(?:,?\s+(\d{4}))?\b")
_SLACK = re.compile(r"<!date\^(\d{9,11})\^[^>]*>")
_LONGEST = timedelta(days=3660)


class UnclearTime(ValueError):
    """The text is no time that can be looked at; the message is a sentence with an example."""


def span(text: str) -> timedelta:
    """A length of time: "7d", "90 min", "1h30m", "half an hour", "2 weeks".

    Raises UnclearTime.
    """
    rest, total, found = _tidy(text), 0.0, False
    while match := _PART.match(rest):
        number, unit = match[1], match[2]
        seconds = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s"))
        if seconds is None:
            break
        amount = 0.5 if number.startswith("half") else 1.0 if number[0] == "a" else float(number)
        total, found = total + amount * seconds, True
        rest = rest[match.end() :].strip(" ,").removeprefix("and ")
    if not found or rest:
        raise UnclearTime(f"I can't read “{text}” as a length of time. Try `7d`, `90 min` or `2h`.")
    if not 0 < total <= _LONGEST.total_seconds():
        raise UnclearTime(f"“{text}” is not between a second and ten years. Try `7d` or `2h`.")
    return timedelta(seconds=total)


def moment(text: str, now: datetime, zone: tzinfo) -> datetime:
    """The moment that a person means, in UTC; never later than ``now``.

    A bare length of time ("2h") lies that long ago. A clock time without a day is the last
    one before ``now`` in ``zone``. A day without a clock time is its midnight in ``zone``.
    Raises UnclearTime.
    """
    found = _read(_tidy(text), now.astimezone(zone))
    if found is None:
        raise UnclearTime(f"I can't read “{text}” as a time. Try {EXAMPLES}.")
    if found > now:
        raise UnclearTime(
            f"“{text}” lies {_rough(found - now)} ahead; I can only look back. Try {EXAMPLES}."
        )
    return found


def is_moment(text: str, now: datetime, zone: tzinfo) -> bool:
    """Whether :func:`moment` can read it."""
    try:
        moment(text, now, zone)
    except UnclearTime:
        return False
    return True


def _tidy(text: str) -> str:
    text = re.sub(r"\s+", " ", text.strip().lower())
    text = text if text.startswith("<!date") else text.strip(".,;!? ")
    text = re.sub(r"^(?:since|from|at|on|for|in|over|during)\s+(?=\S)", "", text)
    text = re.sub(r"^(?:the )?(?:last|past) (?=hour|day|week|minute)", "1 ", text)
    return re.sub(r"^(?:the )?(?:last|past) (?=\d|an?\b|half)", "", text)


def coming(text: str, now: datetime, zone: tzinfo) -> datetime:
    """The moment still to come that a person means, in UTC: "9am" is the next one.

    Raises UnclearTime.
    """
    local, tidy = now.astimezone(zone), _tidy(text).removeprefix("until ")
    with suppress(UnclearTime):
        return now + span(tidy)
    day = timedelta(days=1 if tidy.startswith("tomorrow") else 0)
    found = _read(tidy.removeprefix("tomorrow").strip() or "0:00", local)
    if found is None:
        raise UnclearTime(f"I can't read “{text}” as a time. Try `until 9am` or `until 14:05`.")
    there = found.astimezone(zone)
    if day:
        there = datetime.combine(local.date() + day, there.time(), zone)
    elif found <= now:
        # Wall-clock arithmetic: the next time that the clock shows it.
        there += timedelta(days=1)
    if there <= local:
        raise UnclearTime(f"“{text}” is past. Try `until 9am` or `until 14:05`.")
    return there.astimezone(UTC)


def _read(text: str, local: datetime) -> datetime | None:
    """``local`` is the present in the person's zone, unless the text names another."""
    if match := _SLACK.fullmatch(text):
        return datetime.fromtimestamp(int(match[1]), UTC)
    if not text:
        return None
    if text in ("now", "right now"):
        return local.astimezone(UTC)
    if _DATE.fullmatch(text) and (iso := _iso(text, local)):
        return iso
    ago = _ago(text, local)
    if ago is not None:
        return ago
    if (zoned := _ZONE.search(text)) and re.search(r"\d(?::\d\d|[ap]m|t\d\d)?", text):
        text, local = text[: zoned.start()], local.astimezone(_offset(zoned))
    try:
        return _on_a_day(text, local)
    except (ValueError, OverflowError):
        return None


def _ago(text: str, local: datetime) -> datetime | None:
    """ "2h ago" and, because someone who says since when looks back, "2h"."""
    try:
        return local.astimezone(UTC) - span(re.sub(r"\s*(?:ago|back)$", "", text))
    except UnclearTime:
        return None


def _iso(text: str, local: datetime) -> datetime | None:
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=local.tzinfo)).astimezone(UTC)


def _offset(match: re.Match[str]) -> tzinfo:
    if match[1]:
        return UTC
    hours = timedelta(hours=int(match[3]), minutes=int(match[4]))
    return timezone(hours if match[2] == "+" else -hours)


def _on_a_day(text: str, local: datetime) -> datetime | None:
    """A day, a clock time, or both in either order; ValueError when the parts are no date."""
    day, rest = _day(text, local.date())
    clock = _clock(rest) if rest else time()
    if clock is None:
        return None
    moment = datetime.combine(day or local.date(), clock, local.tzinfo)
    if moment > local and day is None:
        moment = datetime.combine(local.date() - timedelta(days=1), clock, local.tzinfo)
    elif moment > local and _WEEKDAY.search(text):
        moment = datetime.combine(local.date() - timedelta(days=7), clock, local.tzinfo)
    return moment.astimezone(UTC)


def _day(text: str, today: date) -> tuple[date | None, str]:
    """The day that is named, and what is left of the text."""
    if match := _DATE.fullmatch(text):
        return date(int(match[1]), int(match[2]), int(match[3])), match[4] or ""
    for word, back in (("yesterday", 1), ("today", 0)):
        if re.search(rf"\b{word}\b", text):
            return today - timedelta(days=back), _without(text, word)
    if match := _WEEKDAY.search(text):
        back = (today.weekday() - _DAYS.index(match[2])) % 7
        if match[1] and not back:
            back = 7
        return today - timedelta(days=back), _without(text, match[0])
    if (match := _NAMED.search(text)) and (match[2] or match[3])[:3] in _MONTHS:
        return _in_past(match, today), _without(text, match[0])
    return None, text


def _in_past(match: re.Match[str], today: date) -> date:
    month = _MONTHS.index((match[2] or match[3])[:3]) + 1
    day = int(match[1] or match[4])
    if match[5]:
        return date(int(match[5]), month, day)
    this = date(today.year, month, day)
    return this if this <= today else date(today.year - 1, month, day)


def _without(text: str, part: str) -> str:
    rest = text.replace(part, " ", 1).strip(" ,")
    return re.sub(r"^(?:at|on)\s+|\s+(?:at|on)$", "", rest)


def _clock(text: str) -> time | None:
    """A clock time; a bare number is none ("5" could be anything)."""
    named = {"noon": time(12), "midnight": time(0)}
    if text in named:
        return named[text]
    match = _CLOCK.fullmatch(text)
    if match is None or not (match[2] or match[4]):
        return None
    hour, half = int(match[1]), (match[4] or "").replace(".", "")
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, int(match[2] or 0), int(match[3] or 0))


def _rough(length: timedelta) -> str:
    minutes = max(1, round(length.total_seconds() / 60))
    if minutes < 120:
        return f"{minutes} minutes" if minutes > 1 else "a minute"
    return f"{minutes // 60} hours" if minutes < 2880 else f"{minutes // 1440} days"
