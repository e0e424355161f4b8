"""What commands, alerts and monitors need of the conversation, and the names that they know."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from difflib import SequenceMatcher
from typing import Any, Protocol

from analysis.explore import Question
from state.events import Event
from state.incident import Alert, Entry, Incident
from state.outbox import Resting
from state.said import Said
from state.store import Store
from state.tree import Tree

CLOSE = 0.6
"""Names at least this alike (see :func:`likeness`) may have been meant."""


@dataclass(frozen=True)
class Subjects:
    """What an alert or a command can be about, in the order of the settings.

    ``infra`` ("service/metric") can be charted, and traffic is cut by ``dimensions``. ``nodes``
    are those of the lineage, each with the subject below it at which a walk about it begins.
    ``titles`` are what people call a metric.
    """

    metrics: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    infra: tuple[str, ...] = ()
    dimensions: tuple[str, ...] = ()
    nodes: Mapping[str, Subject] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """Something that an alert can be about."""

    entry: Entry
    name: str

    def __str__(self) -> str:
        return f"{self.entry}:{self.name}"


def every(known: Subjects, entry: Entry | None = None) -> tuple[Subject, ...]:
    """Every subject, or those of one entry; metrics come before models before features."""
    named: tuple[tuple[Entry, tuple[str, ...]], ...] = (
        ("metric", known.metrics),
        ("model", known.models),
        ("feature", known.features),
    )
    return tuple(Subject(e, n) for e, names in named for n in names if entry in (None, e))


def entrance(channel: str, desk: Desk) -> str:
    """A line on how the bot gets into a channel ("" for none) where it is no member yet."""
    if not channel or desk.present(channel):
        return ""
    if desk.open_to_all(channel):
        return f"\nI join <#{channel}> for it."
    return f"\n<#{channel}> waits until somebody there lets me in: type `/invite @hawkeye`."


def called(known: Subjects, subject: Subject) -> tuple[str, ...]:
    """Its name, and what people call it."""
    title = known.titles.get(subject.name, "") if subject.entry == "metric" else ""
    return (subject.name, title) if title else (subject.name,)


def find(known: Subjects, name: str, entry: Entry | None = None) -> Subject | None:
    """The subject of that name or title: the exact one, else the one that differs in case and
    punctuation alone. None when there is none, or when several differ so little."""
    candidates = every(known, entry)
    exact = next((s for s in candidates if s.name == name), None)
    if exact is not None or not plain(name):
        return exact
    alike = [s for s in candidates if plain(name) in map(plain, called(known, s))]
    return alike[0] if len({s.name for s in alike}) == 1 else None


def close_to(
    known: Subjects, name: str, entry: Entry | None = None, most: int = 3
) -> list[Subject]:
    """Up to ``most`` subjects whose names look like ``name``, the likest first."""
    scored = [(max(likeness(name, n) for n in called(known, s)), s) for s in every(known, entry)]
    found: dict[str, Subject] = {}
    for score, subject in sorted(scored, key=lambda pair: -pair[0]):
        if score >= CLOSE:
            found.setdefault(subject.name, subject)
    return list(found.values())[:most]


def plain(name: str) -> str:
    """A name without case and punctuation; letters of any script and digits stay."""
    return re.sub(r"[\W_]+", "", name.casefold())


def likeness(name: str, other: str) -> float:
    """How much two names look alike, 0 to 1 (Ratcliff and Obershelp's measure on plain names).

    A name that contains the other one whole counts as close, so that "temp" finds "temp_c".
    """
    left, right = plain(name), plain(other)
    if not left or not right:
        return 0.0
    matcher = SequenceMatcher(None, left, right)
    if matcher.real_quick_ratio() < 0.4:
        return 0.0
    contained = 0.7 if min(len(left), len(right)) >= 3 and (left in right or right in left) else 0.0
    return max(matcher.ratio(), contained)


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name that ``name`` most looks like, if any does."""
    best = max(known, key=lambda other: likeness(name, other), default=None)
    return best if best is not None and likeness(name, best) >= CLOSE else None


class Desk(Protocol):
    """The conversation, as those who hand something to it see it."""

    store: Store
    tree: Tree

    def open(self, alert: Alert) -> Incident:
        """Open an incident, or join the open one of the same key; a store write, no more."""

    def puzzle(self, alert: Alert, why: str, guesses: tuple[str, ...]) -> Incident:
        """Open an incident that a person has to say the subject of, or join it."""

    def tell(self, incident_id: str, event: Event) -> str:
        """Take an event in; "" when it was, else the sentence that says why it was refused."""

    def now(self) -> datetime:
        """The bot's clock: aware, UTC."""

    def subjects(self) -> Subjects:
        """The names that a thread can be opened about."""

    def link(self, incident_id: str) -> str:
        """A permalink to the incident's thread; "" while it has none."""

    def present(self, channel: str) -> bool:
        """Whether the bot can post in that channel."""

    def open_to_all(self, channel: str) -> bool:
        """Whether the bot can join that channel by itself."""

    def team_named(self, alert: Alert) -> str:
        """The workspace of an org that an alert names; "" when it names none."""

    def title(self, action: str) -> str:
        """What a mitigation is called."""

    def said(self, incident_id: str, user: str) -> list[Said]:
        """What people told each other in the incident's threads, as far as ``user`` can read it."""

    def may_tell(self, incident_id: str, thread_of: str, channel: str) -> bool:
        """Whether an incident may be spoken of in the thread of another one, in ``channel``."""

    def may_read(self, channel: str, user: str) -> bool:
        """Whether a person can read a channel."""

    def resting(self, incident_id: str = "") -> list[Resting]:
        """Messages that could not be sent, of one incident or of all."""

    def zone(self, user: str) -> tzinfo:
        """The zone in which that person reads clocks; UTC when it is not known."""

    def look(self, incident_id: str, channel: str, user: str, asked: str, at: Question) -> None:
        """Owe the answer to a question beside the tree, in the incident's thread."""

    def say(
        self, incident_id: str, channel: str, user: str, asked: str, payload: dict[str, Any]
    ) -> None:
        """Answer something in the incident's thread at once."""

    def write(self, user: str, incident_id: str, payload: dict[str, Any]) -> None:
        """Owe one person a direct message, which has to do with an incident."""

    def export(self, incident_id: str, channel: str, user: str, form: str) -> None:
        """Owe the record of an incident as a file in its thread (``form``: see record.files)."""

    def may_see(self, incident_id: str, user: str) -> bool:
        """Whether somebody may know of an incident: private channels stay private."""


@dataclass(frozen=True)
class Desks:
    """The desks of all installations in Slack: one, or one for each workspace or org.

    ``choose`` says for which one an alert is that none of them has open; ``workspaces`` are the
    names by which an alert may say it.
    """

    every: Sequence[Desk]
    choose: Callable[[Alert], Desk]
    workspaces: tuple[str, ...] = ()

    @classmethod
    def one(cls, desk: Desk) -> Desks:
        """The only one."""
        return cls((desk,), lambda _: desk)

    def of(self, alert: Alert) -> Desk:
        """The desk that an alert is for: the one that it names, else where it was first told."""
        if len(self.every) == 1:
            return self.every[0]
        if alert.workspace in self.workspaces:
            return self.choose(alert)
        known = (desk for desk in self.every if desk.store.find_open(alert.key))
        return next(known, None) or self.choose(alert)


def open_about(desk: Desk, subject: Subject, team: str | None = None) -> Incident | None:
    """The newest open incident that has an alert about a subject, whoever opened it; of an org
    only in one workspace (``team``)."""
    found = [i for i in desk.store.open_incidents() if subject in _subjects_of(i)]
    found = [i for i in found if team in (None, i.alert.team)]
    return found[-1] if found else None


def _subjects_of(incident: Incident) -> set[Subject]:
    own = Subject(incident.alert.entry, incident.alert.subject)
    return {own, *(Subject(s.entry, s.subject) for s in incident.signals)}
