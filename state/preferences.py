"""What a person wants of the bot for themselves: kept per user, the same in every workspace."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

from state.store import Store

WINDOWS = (6, 24, 72, 168)
"""Hours that a triage may look back on by default."""


@dataclass(frozen=True)
class Preferences:
    """Settings of one person.

    Between ``quiet_from`` and ``quiet_until`` ("22:00", "07:00", in their own zone; "" for none)
    the bot writes them no direct message and does not remind them. ``dm`` sends one when the bot
    calls, asks or assigns them somewhere. ``window_hours``: how far a triage looks back when
    nobody says since when.
    """

    quiet_from: str = ""
    quiet_until: str = ""
    dm: bool = False
    window_hours: int = 24

    @property
    def has_quiet(self) -> bool:
        """Whether there are quiet hours."""
        return bool(self.quiet_from and self.quiet_until and self.quiet_from != self.quiet_until)

    def quiet_end(self, now: datetime, zone: tzinfo) -> datetime | None:
        """The end of the quiet hours that ``now`` lies in; None when it lies in none."""
        if not self.has_quiet:
            return None
        start, end = time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_until)
        local = now.astimezone(zone)
        clock = local.time().replace(tzinfo=None)
        inside = start <= clock < end if start < end else clock >= start or clock < end
        if not inside:
            return None
        over = local.replace(hour=end.hour, minute=end.minute, second=0, microsecond=0)
        return (over if over > local else over + timedelta(days=1)).astimezone(now.tzinfo)


def preferences(store: Store, user: str) -> Preferences:
    """What this person chose, else the defaults; keys of another version are left out."""
    kept: dict[str, Any] = store.settings(f"user:{user}") or {}
    return Preferences(**{k: v for k, v in kept.items() if k in Preferences.__dataclass_fields__})


def set_preferences(store: Store, user: str, chosen: Preferences) -> None:
    """Keep what this person chose."""
    store.set_settings(f"user:{user}", asdict(chosen))


def window_words(hours: float) -> str:
    """A span as people say it.

    >>> window_words(168), window_words(6), window_words(1)
    ('7 days', '6 hours', '1 hour')
    """
    count, unit = (hours / 24, "day") if hours >= 48 and hours % 24 == 0 else (hours, "hour")
    return f"{count:g} {unit}{'' if count == 1 else 's'}"
