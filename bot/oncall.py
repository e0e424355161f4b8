"""Who is on call: from the settings, Slack's user groups and PagerDuty; and when to be quiet."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen
from zoneinfo import ZoneInfo

import structlog

from bot.config.people import OnCall
from handlers.directory import Directory
from state.incident import Alert

log = structlog.get_logger()
MEMORY_SECONDS = 300.0
TIMEOUT_SECONDS = 3.0
MOST_NAMED = 5
"""A larger group is mentioned as a group."""
POLICY, SCHEDULE = "pagerduty:", "pagerduty-schedule:"


@dataclass
class PagerDuty:
    """PagerDuty's REST API, version 2: ``GET /oncalls``. Source: its documentation for developers.

    Raises OSError or ValueError when it does not answer as documented.
    """

    url: str
    token: str

    def on_call(self, kind: str, name: str, level: int | None) -> list[dict[str, Any]]:
        """The users on call now, by a policy (at a level of it) or a schedule, each once."""
        filters = {"escalation_policy_ids[]": name, "schedule_ids[]": name}
        wanted = {kind: filters[kind], "include[]": "users", "earliest": "true", "limit": "100"}
        headers = {
            "Authorization": f"Token token={self.token}",
            "Accept": "application/vnd.pagerduty+json;version=2",
        }
        request = Request(f"{self.url.rstrip('/')}/oncalls?{urlencode(wanted)}", headers=headers)
        with urlopen(request, timeout=TIMEOUT_SECONDS) as answer:
            said = json.load(answer)
        users = {
            entry["user"]["id"]: entry["user"]
            for entry in said["oncalls"]
            if level is None or entry["escalation_level"] == level
        }
        return list(users.values())


@dataclass
class Rota:
    """Answers who is called for an alert, level by level; keeps what it was told for minutes.

    ``levels_of`` gives the entries of the settings for an alert.
    """

    settings: OnCall
    directory: Directory
    pagerduty: PagerDuty | None
    levels_of: Callable[[Alert], tuple[str, ...]]
    _kept: dict[str, tuple[float, tuple[str, ...]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def wait(self) -> timedelta:
        """How long a level has before the next one is called."""
        return timedelta(minutes=self.settings.wait_minutes)

    def levels(self, alert: Alert) -> int:
        """How many levels there are."""
        return len(self.levels_of(alert))

    def people(self, alert: Alert, level: int) -> tuple[str, ...]:
        """Slack ids of people or groups, or names of people that Slack does not know.

        When a source does not answer, what it last said counts, else nobody.
        """
        entries = self.levels_of(alert)
        return self._of(entries[level]) if level < len(entries) else ()

    def held_until(self, severity: int, now: datetime) -> datetime | None:
        """The end of the quiet hours that hold a call back; None when it may be made now."""
        quiet = self.settings.quiet
        if quiet is None or severity <= self.settings.quiet_severity:
            return None
        begin, end = quiet
        local = now.astimezone(ZoneInfo(self.settings.quiet_zone))
        at = local.time()
        inside = begin <= at < end if begin <= end else at >= begin or at < end
        if not inside:
            return None
        day = local.date() + timedelta(days=1 if at >= end else 0)
        return datetime.combine(day, end, local.tzinfo).astimezone(now.tzinfo)

    def _of(self, entry: str) -> tuple[str, ...]:
        with self._lock:
            kept = self._kept.get(entry)
        if kept is not None and time.monotonic() - kept[0] < MEMORY_SECONDS:
            return kept[1]
        try:
            found = self._asked(entry)
        except (OSError, ValueError, KeyError, TypeError) as error:
            # The incident opens all the same, with whom we last knew.
            log.warning("who is on call is not known", entry=entry, error=str(error)[:200])
            found = kept[1] if kept else ()
        with self._lock:
            self._kept[entry] = (time.monotonic(), found)
        return found

    def _asked(self, entry: str) -> tuple[str, ...]:
        if entry.startswith(POLICY):
            name, _, level = entry.removeprefix(POLICY).partition("/")
            return self._from_pagerduty("escalation_policy_ids[]", name, int(level or 1))
        if entry.startswith(SCHEDULE):
            name = entry.removeprefix(SCHEDULE)
            return self._from_pagerduty("schedule_ids[]", name, None)
        if entry.startswith("S"):
            members = tuple(sorted(self.directory.members([entry])))
            return members if 0 < len(members) <= MOST_NAMED else (entry,)
        return (entry,)

    def _from_pagerduty(self, kind: str, name: str, level: int | None) -> tuple[str, ...]:
        if self.pagerduty is None:
            raise ValueError("HAWKEYE_PAGERDUTY_TOKEN is not set")
        users = self.pagerduty.on_call(kind, name, level)
        return tuple(
            self.directory.by_email(str(user.get("email") or "")) or str(user.get("summary") or "")
            for user in users
        )
