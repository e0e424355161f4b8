"""The straight line: load, advance, save with what follows from it, then let the work be done.

Every change of an incident goes through :meth:`Conversation.tell`. In one transaction it saves
the incident, the event, how the messages should now be, and the work that is owed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from analysis.evidence import Scope, Window
from handlers import blocks as b
from handlers import notices
from handlers.calling import Caller, Nobody, Rota
from handlers.desk import Subject, Subjects, open_about
from handlers.directory import Directory
from handlers.intake import PLACED
from handlers.joining import PERSON, home_of, reopens
from handlers.looking import Looking
from handlers.messages.words import action_title
from handlers.owing import Habits
from state import effects as fx
from state import events as ev
from state.due import DueWork
from state.events import Event
from state.explanation import Shift, shifts
from state.grouping import Home, Kin
from state.incident import Alert, Incident
from state.looks import Looks
from state.machine import advance
from state.outbox import Outbox, Post
from state.results import Results
from state.said import Sayings
from state.signals import named_as
from state.store import Place, StaleIncidentError, Store
from state.tree import Tree

STORM_SPAN, STORM_SIZE = timedelta(minutes=1), 5
"""More incidents than this within this time are a storm …"""
STORM_REST_SECONDS = 10.0
"""… in which a first message waits this long for alerts that show what is behind several."""
MOST_TRIES = 20
"""Writers of one incident that collide try again so often before they give up."""


class Renderer(Protocol):
    """Renders an incident for one place."""

    def __call__(self, incident: Incident, place: Place) -> Sequence[Post]:
        """How its messages should be there."""
        ...


@dataclass
class Conversation(Looking):
    """Holds the parts that an event passes; keeps nothing itself.

    ``woken`` are called after a commit that left something to send or to do.
    """

    store: Store
    tree: Tree
    clock: Callable[[], datetime]
    habits: Habits
    known: Subjects
    directory: Directory
    renderer: Renderer
    kin: Kin = field(default_factory=Kin)
    rota: Rota = field(default_factory=Nobody)
    titles: Mapping[str, str] = field(default_factory=dict)
    woken: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self.store)
        self.due = DueWork(self.store)
        self.looks = Looks(self.store)
        self.sayings = Sayings(self.store)
        self.results = Results(self.store)
        self.caller = Caller(self.rota, self.due)

    def subjects(self) -> Subjects:
        """What can be triaged."""
        return self.known

    def title(self, action: str) -> str:
        """What a mitigation is called."""
        return self.titles.get(action) or action_title(action)

    def learn_link(self, incident_id: str, channel: str) -> None:
        """The root message is there: keep the link to it, and show it in the other channels."""
        [home, *others] = self.store.places(incident_id)
        ts = home.thread or self.outbox.message(incident_id, home.channel, "root")
        if channel == home.channel and ts:
            link = self.directory.permalink(home.channel, ts)
            self.store.set_settings(f"link:{incident_id}", link)
            if others:
                self.refresh(incident_id)
            for of in self._absorbed(incident_id):
                self.refresh(of)

    def _absorbed(self, incident_id: str) -> list[str]:
        """Incidents of which Slack knows, and whose alerts went to this one."""
        events = (entry.event for entry in self.store.events(incident_id))
        found = dict.fromkeys(e.of for e in events if isinstance(e, ev.Absorbed))
        return [i for i in found for p in self.store.places(i) if self.outbox.names(i, p.channel)]

    def team_named(self, alert: Alert) -> str:
        """The workspace of an org that an alert names; "" when it names none."""
        return self.directory.team(self._channel(alert)) if alert.workspace else ""

    def _channel(self, alert: Alert) -> str:
        return self.directory.channel(alert.channel or self.habits.route(alert))

    def open(self, alert: Alert) -> Incident:
        """A new incident for an alert, or the one that it joins.

        Whether there is one is decided in the transaction that writes: of a hundred alerts at
        once, one opens. What a person opens joins nothing but the same key.
        """
        return self._take_in(alert, self._opened)

    def puzzle(self, alert: Alert, why: str, guesses: tuple[str, ...]) -> Incident:
        """An incident that a person has to say the subject of, or the one of the same words."""
        return self._take_in(alert, lambda now, _: ev.Puzzled(now, why, guesses))

    def place(self, incident_id: str, by: str, subject: Subject) -> str:
        """A person says what a puzzling alert is about: its walk begins, or it joins the open
        incident about that. The sentence for the person when it changed nothing, else ""."""
        now = self.now()
        with self.store.transaction():
            incident = self.store.load(incident_id)
            if incident is None or not incident.puzzle:
                return "That has been said already."
            asked = {name for signal in incident.signals for name in signal.names}
            placed = {name: [subject.entry, subject.name] for name in asked}
            self.store.set_settings(PLACED, {**(self.store.settings(PLACED) or {}), **placed})
            about = open_about(self, subject, incident.alert.team)
            if about is None:
                alert = replace(incident.alert, entry=subject.entry, subject=subject.name)
                node, scope = self.tree.start(subject.entry), self._scope(alert, now)
                event = ev.Placed(now, by, subject.entry, subject.name, node, scope)
                refusal = self._tell_once(incident_id, event)
            else:
                signals = named_as(incident.signals, subject.entry, subject.name)
                refusal = self._tell_once(incident_id, ev.Merged(now, about.id))
                absorbed = ev.Absorbed(now, incident_id, incident.joined, signals)
                refusal = refusal or self._tell_once(about.id, absorbed)
        self._wake()
        return refusal

    def _opened(self, now: datetime, alert: Alert) -> Event:
        return ev.Opened(now, alert.start or self.tree.start(alert.entry), self._scope(alert, now))

    def _take_in(self, alert: Alert, opening: Callable[[datetime, Alert], Event]) -> Incident:
        channel = self._channel(alert)
        alert = replace(alert, team=self.directory.team(channel))
        # Asked before the transaction: it may take another system a second to say.
        people = self.rota.people(alert, 0)
        with self.store.transaction():
            home = home_of(self.store, alert, self.now(), self.kin)
            if home is None:
                found = self._begin(alert, channel, people, opening(self.now(), alert))
            else:
                found = self._join(home, alert, people)
            if alert.source != PERSON and found.is_open:
                found = self._regroup(found, alert)
        self._wake()
        return found

    def _regroup(self, incident: Incident, alert: Alert) -> Incident:
        """Let alerts move to the incidents that explain them better by now; where this one is."""
        for shift in shifts(incident, self.store.open_incidents(), self.kin):
            self._shift(shift)
        return self.store.find_open(alert.key, incident.alert.team) or incident

    def _shift(self, shift: Shift) -> None:
        """What Slack has not been told of an incident that has no alerts left is never told."""
        now, part = self.now(), self.store.load(shift.of)
        if part is None:
            return
        if shift.whole:
            unsaid = self.outbox.withdraw(part.id)
            self.due.withdraw(part.id)
            self._tell_once(part.id, ev.Merged(now, shift.into), silent=unsaid)
            joined = part.joined
        else:
            keys = tuple(s.key for s in shift.signals)
            self._tell_once(part.id, ev.Parted(now, keys, shift.into))
            joined = sum(s.count for s in shift.signals)
        moved = tuple(replace(s, why=shift.cause) for s in shift.signals)
        self._tell_once(shift.into, ev.Absorbed(now, part.id, joined, moved))

    def _join(self, home: Home, alert: Alert, people: tuple[str, ...]) -> Incident:
        self._tell_once(home.incident.id, ev.AlertJoined(self.now(), alert, home.why))
        if reopens(home.incident):
            self._tell_once(home.incident.id, ev.Reopened(self.now(), ""))
            call = self.caller.again(home.incident, people, self.now())
            if call is not None:
                self._tell_once(home.incident.id, call)
        return self.store.load(home.incident.id) or home.incident

    def _begin(self, alert: Alert, channel: str, people: tuple[str, ...], event: Event) -> Incident:
        now = self.now()
        incident = Incident(self.store.new_id(), alert, now, alert.severity)
        after, effects = advance(incident, event, self.tree)
        self.store.save(None, after, event)
        self.store.add_place(Place(after.id, channel, alert.thread))
        after = self._owe(after, effects, now)
        call = self.caller.first(after, people, now)
        if call is not None:
            before = after
            after, _ = advance(before, call, self.tree)
            self.store.save(before, after, call)
            notices.owe(self.store, self.due, self.directory, after, call)
        self.show(after)
        if alert.source != PERSON and self._storm(now):
            self.outbox.rest(after.id, STORM_REST_SECONDS)
        return after

    def _storm(self, now: datetime) -> bool:
        """Whether incidents open so fast that some may turn out to be one."""
        young = [i for i in self.store.open_incidents() if now - i.opened_at < STORM_SPAN]
        return len(young) > STORM_SIZE

    def _scope(self, alert: Alert, now: datetime) -> Scope:
        until = min(alert.until or now, now)
        since = min(alert.since, until - timedelta(hours=1))
        baseline = Window(since - timedelta(days=self.habits.baseline_days), since)
        return Scope(now, Window(since, until), baseline, alert.entry, alert.subject)

    def refusal(self, incident: Incident, events: Sequence[Event]) -> str:
        """Why one of these events, each after the one before it, would change nothing; else ""."""
        for event in events:
            incident, effects = advance(incident, event, self.tree)
            refusals = [e.why for e in effects if isinstance(e, fx.Refuse)]
            if why := self._nobody(event) or next(iter(refusals), ""):
                return why
        return ""

    def _nobody(self, event: Event) -> str:
        """The sentence for who gives an incident to somebody that can't answer."""
        to = ""
        if isinstance(event, ev.HandoffOffered):
            to = event.to
        elif isinstance(event, ev.Taken) and event.owner != event.by:
            to = event.owner
        if to and not self.directory.is_person(to):
            return f"<@{to}> is an app, or has left; pick a person."
        return ""

    def tell(self, incident_id: str, event: Event) -> str:
        """Take one event in; the sentence for the person when it changed nothing, else "".

        Safe to call from several threads and processes at once.
        """
        if why := self._nobody(event):
            return why
        for _ in range(MOST_TRIES):
            try:
                refusal = self._tell_once(incident_id, event)
            except StaleIncidentError:
                continue
            self._wake()
            return refusal
        return "Too many people answered at once; nothing was changed, please try again."

    def call(self, incident_id: str, level: int) -> None:
        """The time has come to call the people of a level, unless somebody came."""
        incident = self.store.load(incident_id)
        call = self.caller.due_now(incident, level, self.now()) if incident else None
        if call is not None:
            self.tell(incident_id, call)

    def _tell_once(self, incident_id: str, event: Event, *, silent: bool = False) -> str:
        with self.store.transaction():
            incident = self.store.load(incident_id)
            if incident is None:
                return f"I know no incident {incident_id}. `incidents` lists the open ones."
            after, effects = advance(incident, event, self.tree)
            refusals = [e.why for e in effects if isinstance(e, fx.Refuse)]
            if refusals:
                return b.zoned(refusals[0], self.now())
            self.store.save(incident, after, event)
            if isinstance(event, ev.HandoffOffered) and event.channel:
                self.store.add_place(Place(after.id, event.channel, primary=False))
            if after.severity < incident.severity:
                self.caller.worse(after, event.at)
            if not after.is_open and incident.is_open:
                self._record_outcome(incident, after)
            after = self._owe(after, effects, event.at)
            if not silent:
                self.show(after)
                notices.owe(self.store, self.due, self.directory, after, event)
            if isinstance(event, ev.Checked):
                self._look_ahead(after, event.at)
        return ""

    def _record_outcome(self, before: Incident, after: Incident) -> None:
        if before.causes and after.causes and after.status == "resolved":
            self.store.record_outcome(after.id, before.causes[0].kind, after.causes[0].kind)

    def show(self, incident: Incident) -> None:
        """Say in the outbox how its messages should be, in every place that shows it."""
        for place in self.store.places(incident.id):
            self.outbox.want(incident.id, place.channel, self.renderer(incident, place))

    def refresh(self, incident_id: str) -> None:
        """Render again without an event (a link became known, an hour passed)."""
        incident = self.store.load(incident_id)
        if incident is not None:
            self.show(incident)
            self._wake()
