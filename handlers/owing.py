"""What is owed for an incident: checks, looks at the recovery, mitigations, messages to people."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from analysis.evidence import CannotExamine, Evidence, Scope
from handlers import notices
from handlers.readers import Readers
from state import effects as fx
from state import events as ev
from state.as_text import to_json
from state.due import Due, DueWork
from state.effects import Effect
from state.incident import Alert, Incident
from state.machine import advance, ahead
from state.results import Results
from state.tree import Tree

Payload = dict[str, Any]


@dataclass(frozen=True)
class Habits:
    """How a team wants its walks: windows and waits.

    ``route`` gives the channel of an alert that names none. A recovery is looked for again every
    ``recheck``, and no longer waited for after ``give_up``.
    """

    route: Callable[[Alert], str]
    baseline_days: int = 28
    recheck: timedelta = timedelta(minutes=10)
    give_up: timedelta = timedelta(hours=2)
    remind: timedelta = timedelta(minutes=15)


class Owing(Readers):
    """Owes the work that follows from events, in the transaction that saves them."""

    tree: Tree
    clock: Callable[[], datetime]
    habits: Habits
    due: DueWork
    results: Results
    woken: list[Callable[[], None]]

    def now(self) -> datetime:
        """The bot's time; in the demo a simulated one."""
        return self.clock()

    def think_on(self, incident_id: str) -> None:
        """A check was run ahead: owe the one behind it."""
        incident = self.store.load(incident_id)
        if incident is not None and incident.is_open:
            self._look_ahead(incident, self.now())
            self._wake()

    def write(self, user: str, incident_id: str, payload: Payload) -> None:
        """Owe one person a direct message."""
        now = self.now()
        name = f"write:{user}:{incident_id}:{now.isoformat()}"
        self.due.add(Due(name, "write", incident_id, {"user": user, "message": payload}), now)
        self._wake()

    def export(self, incident_id: str, channel: str, user: str, form: str) -> None:
        """Owe the record of an incident as a file in its thread."""
        now = self.now()
        where = self._place_of(incident_id, channel)
        payload = {"form": form, "channel": where, "user": user}
        name = f"export:{incident_id}:{form}:{where}"
        self.due.add(Due(name, "export", incident_id, payload), now)
        self._wake()

    def _owe(self, incident: Incident, effects: Sequence[Effect], at: datetime) -> Incident:
        """Owe the work of the effects; a check whose result is kept is taken in at once."""
        for effect in effects:
            match effect:
                case fx.RunCheck():
                    incident = self._owe_check(incident, effect, at)
                case fx.LookAgain(step):
                    self._add("look", incident, {"step": step}, at + self.habits.recheck)
                case fx.PlanMitigation(number) | fx.CarryOut(number):
                    kind = "plan" if isinstance(effect, fx.PlanMitigation) else "carry"
                    self._add(kind, incident, {"mitigation": number}, at)
                case fx.RemindHandoff(number):
                    offer = incident.handoff(number)
                    due = at + self.habits.remind
                    if offer:
                        due = self._awake(offer.by if offer.reminders else offer.to, due)
                    self._add("remind", incident, {"handoff": number}, due)
                case fx.Refuse():
                    pass
        return incident

    def _awake(self, user: str, at: datetime) -> datetime:
        return notices.awake(self.store, self.directory, user, at)

    def _owe_check(self, incident: Incident, effect: fx.RunCheck, at: datetime) -> Incident:
        kept = self._kept(effect)
        if kept is None:
            self._add("check", incident, {"step": effect.step}, at)
            self._look_ahead(incident, at)
            return incident
        event = ev.Checked(at, effect.step, kept)
        after, effects = advance(incident, event, self.tree)
        self.store.save(incident, after, event)
        after = self._owe(after, effects, at)
        self._look_ahead(after, at)
        return after

    def _look_ahead(self, incident: Incident, at: datetime) -> None:
        """Owe the next check that comes if proposals are accepted, while the person reads or
        waits."""
        check = ahead(incident, at, self.tree, self._kept)
        if check is not None:
            payload = {"node": check.node, "scope": to_json(Scope, check.scope)}
            self._add("ahead", incident, payload, at)

    def _kept(self, check: fx.RunCheck) -> Evidence | None:
        return self.results.of(check_key(check.node, check.scope))

    def _add(self, kind: str, incident: Incident, payload: Mapping[str, Any], at: datetime) -> None:
        name = "-".join(str(v) for k, v in payload.items() if k != "scope")
        self.due.add(Due(f"{kind}:{incident.id}:{name}", kind, incident.id, dict(payload)), at)

    def _wake(self) -> None:
        for wake in self.woken:
            wake()


def check_key(node: str, scope: Scope) -> str:
    """The name of a check's result: the same node over the same scope gives the same evidence."""
    return hashlib.sha256(f"{node}\n{to_json(Scope, scope)}".encode()).hexdigest()


def sentence(error: BaseException) -> str:
    """What the person in the thread reads when a check could not run."""
    if isinstance(error, CannotExamine) or getattr(error, "for_people", False):
        return str(error)
    return (
        f"The check broke ({type(error).__name__}: {str(error)[:300]}). This is a fault of mine, "
        "not of your data; choose a branch by hand, or run it again."
    )
