"""Calling people: who is on call when an incident opens, and the next one when nobody comes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from state import events as ev
from state.due import Due, DueWork
from state.incident import Alert, Call, CallReason, Incident, attended


class Rota(Protocol):
    """Who is called for an alert, level by level (0 is the first)."""

    @property
    def wait(self) -> timedelta:
        """How long a level has before the next one is called."""

    def levels(self, alert: Alert) -> int:
        """How many levels there are."""

    def people(self, alert: Alert, level: int) -> tuple[str, ...]:
        """Who is on call at a level now."""

    def held_until(self, severity: int, now: datetime) -> datetime | None:
        """The end of the quiet hours that hold a call back; None when it may be made now."""


class Nobody:
    """A team that calls nobody."""

    wait = timedelta(minutes=15)

    def levels(self, alert: Alert) -> int:
        """None."""
        del alert
        return 0

    def people(self, alert: Alert, level: int) -> tuple[str, ...]:
        """Nobody."""
        del alert, level
        return ()

    def held_until(self, severity: int, now: datetime) -> datetime | None:
        """Never quiet: there is nobody to disturb."""
        del severity, now
        return None


@dataclass(frozen=True)
class Caller:
    """Decides who is called when; what it owes is due work, so that a restart forgets nothing."""

    rota: Rota
    due: DueWork

    def first(self, incident: Incident, people: tuple[str, ...], now: datetime) -> ev.Called | None:
        """The call when an incident opens; None when there is nobody to call."""
        if not people or incident.alert.by:
            return None
        return self._call(incident, 0, people, "opened", now)

    def again(self, incident: Incident, people: tuple[str, ...], now: datetime) -> ev.Called | None:
        """An alert opened the incident again: its owner is called, else who is on call."""
        people = (incident.owner,) if incident.owner else people
        return self._call(incident, 0, people, "again", now) if people else None

    def due_now(self, incident: Incident, level: int, now: datetime) -> ev.Called | None:
        """The call that is due, unless somebody has come meanwhile or may not be disturbed."""
        quiet = incident.snoozed_until if incident.snoozed_until else now
        if not incident.is_open or attended(incident):
            return None
        if quiet > now:
            self._owe(incident, level, quiet)
            return None
        people = self.rota.people(incident.alert, level)
        reason: CallReason = "escalated" if level else "quiet"
        return self._call(incident, level, people, reason, now)

    def worse(self, incident: Incident, now: datetime) -> None:
        """It got worse: a call that quiet hours held back may be made now."""
        held = incident.calls[-1] if incident.calls else None
        if held and held.held_until and not self.rota.held_until(incident.severity, now):
            self._owe(incident, held.level, now)

    def _call(
        self,
        incident: Incident,
        level: int,
        people: tuple[str, ...],
        reason: CallReason,
        now: datetime,
    ) -> ev.Called:
        held = self.rota.held_until(incident.severity, now)
        if held is not None:
            self._owe(incident, level, held)
        elif level + 1 < self.rota.levels(incident.alert):
            self._owe(incident, level + 1, now + self.rota.wait)
        return ev.Called(now, Call(now, level, people, reason, held))

    def _owe(self, incident: Incident, level: int, at: datetime) -> None:
        name = f"call:{incident.id}:{level}"
        self.due.add(Due(name, "call", incident.id, {"level": level}), at)
