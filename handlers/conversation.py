"""The straight line: load, advance, save with what follows from it, then let the work be done.

Every change of an incident goes through :meth:`Conversation.tell`. In one transaction it saves
the incident, the event, how the messages should now be, and the work that is owed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any, Protocol

from analysis.evidence import CannotExamine, Evidence, Scope, Window
from analysis.explore import Question
from handlers import notices
from handlers.calling import Caller, Nobody, Rota
from handlers.desk import Subject, Subjects, open_about
from handlers.directory import Directory
from handlers.intake import PLACED
from handlers.joining import PERSON, home_of, reopens
from handlers.messages.looks import look_message, look_post
from handlers.messages.words import action_title
from handlers.reading import to_people
from state import events as ev
from state.due import Due, DueWork
from state.events import Effect, Event
from state.explanation import Shift, shifts
from state.grouping import Home, Kin
from state.incident import Alert, Incident
from state.looks import Look, Looks
from state.machine import advance, ahead
from state.outbox import Outbox, Post, Resting
from state.signals import named_as
from state.store import Place, Said, StaleIncidentError, Store, to_json
from state.tree import Tree

Payload = dict[str, Any]

STORM_SPAN, STORM_SIZE = timedelta(minutes=1), 5
"""More incidents than this within this time are a storm …"""
STORM_REST_SECONDS = 10.0
"""… in which a first message waits this long for alerts that show what is behind several."""
MOST_TRIES = 20
"""Writers of one incident that collide try again so often before they give up."""


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


class Renderer(Protocol):
    """Renders an incident for one place."""

    def __call__(self, incident: Incident, place: Place) -> Sequence[Post]:
        """How its messages should be there."""
        ...


@dataclass
class Conversation:
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
        self.caller = Caller(self.rota, self.due)

    def now(self) -> datetime:
        """The bot's time; in the demo a simulated one."""
        return self.clock()

    def subjects(self) -> Subjects:
        """What can be triaged."""
        return self.known

    def title(self, action: str) -> str:
        """What a mitigation is called."""
        return self.titles.get(action) or action_title(action)

    def resting(self, incident_id: str = "") -> list[Resting]:
        """Messages that could not be sent, of one incident or of all."""
        return self.outbox.resting(incident_id)

    def link(self, incident_id: str) -> str:
        """A permalink to the incident's thread; "" while Slack does not have it."""
        return str(self.store.settings(f"link:{incident_id}") or "")

    def learn_link(self, incident_id: str, channel: str) -> None:
        """The root message is there: keep the link to it, and show it in the other channels."""
        [home, *others] = self.store.places(incident_id)
        ts = home.thread or self.outbox.message(incident_id, home.channel, "root")
        if channel == home.channel and ts:
            link = self.directory.permalink(home.channel, ts)
            self.store.set_settings(f"link:{incident_id}", link)
            if others:
                self.refresh(incident_id)

    def said(self, incident_id: str, user: str) -> list[Said]:
        """What people told each other in those of its threads that this person can read."""
        found = self._told(incident_id)
        return [s for s in found if self.directory.may_read(s.channel, user)]

    def said_in(self, incident_id: str, channel: str) -> list[Said]:
        """What may be shown to everybody in a channel: what was written there, or in public."""
        public = self.directory.is_public
        found = self._told(incident_id)
        return [s for s in found if s.channel == channel or public(s.channel)]

    def _told(self, incident_id: str) -> list[Said]:
        return to_people(self.store.said(incident_id), self.directory.me()["user_id"])

    def may_read(self, channel: str, user: str) -> bool:
        """Whether a person can read a channel."""
        return self.directory.may_read(channel, user)

    def present(self, channel: str) -> bool:
        """Whether the bot can post in that channel."""
        return self.directory.present(channel)

    def open_to_all(self, channel: str) -> bool:
        """Whether the bot can join that channel by itself."""
        return self.directory.open_to_all(channel)

    def zone(self, user: str) -> tzinfo:
        """The zone in which that person reads clocks."""
        return self.directory.zone(user)

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
            known = {**(self.store.settings(PLACED) or {})}
            known[incident.signals[0].names[0]] = [subject.entry, subject.name]
            self.store.set_settings(PLACED, known)
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
            refusals = [e.why for e in effects if isinstance(e, ev.Refuse)]
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

    def _tell_once(self, incident_id: str, event: Event, *, silent: bool = False) -> str:
        with self.store.transaction():
            incident = self.store.load(incident_id)
            if incident is None:
                return f"I know no incident {incident_id}. `incidents` lists the open ones."
            after, effects = advance(incident, event, self.tree)
            refusals = [e.why for e in effects if isinstance(e, ev.Refuse)]
            if refusals:
                return refusals[0]
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

    # -- what follows ----------------------------------------------------------------------

    def _owe(self, incident: Incident, effects: Sequence[Effect], at: datetime) -> Incident:
        """Owe the work of the effects; a check whose result is kept is taken in at once."""
        for effect in effects:
            match effect:
                case ev.RunCheck():
                    incident = self._owe_check(incident, effect, at)
                case ev.LookAgain(step):
                    self._add("look", incident, {"step": step}, at + self.habits.recheck)
                case ev.PlanMitigation(number) | ev.CarryOut(number):
                    kind = "plan" if isinstance(effect, ev.PlanMitigation) else "carry"
                    self._add(kind, incident, {"mitigation": number}, at)
                case ev.RemindHandoff(number):
                    offer = incident.handoff(number)
                    due = at + self.habits.remind
                    if offer:
                        due = self._awake(offer.by if offer.reminded else offer.to, due)
                    self._add("remind", incident, {"handoff": number}, due)
                case ev.Refuse():
                    pass
        return incident

    def _awake(self, user: str, at: datetime) -> datetime:
        return notices.awake(self.store, self.directory, user, at)

    def _owe_check(self, incident: Incident, effect: ev.RunCheck, at: datetime) -> Incident:
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

    def _kept(self, check: ev.RunCheck) -> Evidence | None:
        return self.store.evidence(check_key(check.node, check.scope))

    def call(self, incident_id: str, level: int) -> None:
        """The time has come to call the people of a level, unless somebody came."""
        incident = self.store.load(incident_id)
        call = self.caller.due_now(incident, level, self.now()) if incident else None
        if call is not None:
            self.tell(incident_id, call)

    def think_on(self, incident_id: str) -> None:
        """A check was run ahead: owe the one behind it."""
        incident = self.store.load(incident_id)
        if incident is not None and incident.is_open:
            self._look_ahead(incident, self.now())
            self._wake()

    def _add(self, kind: str, incident: Incident, payload: Mapping[str, Any], at: datetime) -> None:
        name = "-".join(str(v) for k, v in payload.items() if k != "scope")
        self.due.add(Due(f"{kind}:{incident.id}:{name}", kind, incident.id, dict(payload)), at)

    # -- what it looks like -----------------------------------------------------------------

    def show(self, incident: Incident) -> None:
        """Say in the outbox how its messages should be, in every place that shows it."""
        for place in self.store.places(incident.id):
            self.outbox.want(incident.id, place.channel, self.renderer(incident, place))

    def look(self, incident_id: str, channel: str, user: str, asked: str, at: Question) -> None:
        """Owe the answer to a question beside the tree; "Looking…" stands in its place."""
        now = self.now()
        with self.store.transaction():
            place = self._place_of(incident_id, channel)
            look = self.looks.add(incident_id, place, user, now, asked, at)
            self._show_look(look)
            payload = {"look": look.number}
            due = Due(f"explore:{incident_id}:{look.number}", "explore", incident_id, payload)
            self.due.add(due, now)
        self._wake()

    def looked(
        self, look: Look, found: Evidence | None, error: str, instead: Sequence[Question] = ()
    ) -> None:
        """A look is answered: show it where "Looking…" was. ``instead`` may have been meant."""
        with self.store.transaction():
            self.looks.answer(look, found, error)
            kept = found.without_bytes() if found else None
            self._show_look(replace(look, evidence=kept, error=error), instead)
        self._wake()

    def say(self, incident_id: str, channel: str, user: str, asked: str, payload: Payload) -> None:
        """Answer something in the thread at once, without a look at the tables."""
        with self.store.transaction():
            place = self._place_of(incident_id, channel)
            look = self.looks.add(incident_id, place, user, self.now(), asked)
            self.outbox.want(incident_id, place, [look_post(look, payload)])
        self._wake()

    def _show_look(self, look: Look, instead: Sequence[Question] = ()) -> None:
        post = look_post(look, look_message(look, self.known.dimensions, instead))
        self.outbox.want(look.incident, look.channel, [post])

    def _place_of(self, incident_id: str, channel: str) -> str:
        """Where an answer goes: where it was asked, if the incident is shown there."""
        places = [place.channel for place in self.store.places(incident_id)]
        return channel if channel in places else places[0]

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

    def may_see(self, incident_id: str, user: str) -> bool:
        """Whether somebody may know of an incident: it is theirs, or shown where they can read."""
        incident = self.store.load(incident_id)
        if incident is None:
            return False
        concerned = {incident.owner, incident.alert.by, *(h.to for h in incident.handoffs)}
        return user in concerned or any(
            self.directory.may_read(place.channel, user) for place in self.store.places(incident_id)
        )

    def may_tell(self, incident_id: str, thread_of: str, channel: str) -> bool:
        """Whether an incident may be spoken of in the thread of another one: whoever reads that
        can read one of its own channels as well."""
        there = self._place_of(thread_of, channel)
        own = [place.channel for place in self.store.places(incident_id)]
        return there in own or any(map(self.directory.is_public, own))

    def refresh(self, incident_id: str) -> None:
        """Render again without an event (a link became known, an hour passed)."""
        incident = self.store.load(incident_id)
        if incident is not None:
            self.show(incident)
            self._wake()

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
