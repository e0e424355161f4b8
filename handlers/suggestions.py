"""What menus offer while somebody types: subjects, values to filter by, open incidents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slack_bolt import Ack, App

from analysis.evidence import Filter
from analysis.explore import MOST_LEVELS
from handlers import actions
from handlers import blocks as b
from handlers.actions import BadValue
from handlers.blocks import Block
from handlers.conversation import Conversation
from handlers.desk import Subject, Subjects, called, every, likeness, plain
from handlers.levels import Level, Levels

MOST_OPTIONS = 100
"""Slack takes at most a hundred options, in groups or not."""
CLOSE = 0.5
Body = dict[str, Any]


class Suggestions:
    """Answers every menu that asks while somebody types."""

    def __init__(self, conversation: Conversation, levels: Levels) -> None:
        self.conversation = conversation
        self.levels = levels
        self.menus: dict[str, Callable[[Body, str], list[Block]]] = {
            "subject": self._subjects,
            "filters": self._filters,
            "incident": self._incidents,
        }

    def register(self, app: App) -> None:
        """Tell Bolt about the menus."""
        for name in self.menus:
            app.options(name)(self._on_typed)

    def _on_typed(self, ack: Ack, body: Body) -> None:
        found = self.menus[body["action_id"]](body, str(body.get("value") or ""))
        key = "option_groups" if found and "options" in found[0] else "options"
        ack(**{key: found})  # type: ignore[arg-type]

    def _subjects(self, body: Body, typed: str) -> list[Block]:
        del body
        return subject_groups(self.conversation.subjects(), typed)

    def _filters(self, body: Body, typed: str) -> list[Block]:
        try:
            ref = actions.parse(str((body.get("view") or {}).get("private_metadata") or ""))
        except BadValue:
            return []
        incident = self.conversation.store.load(ref.incident)
        step = incident.step(ref.step) if incident else None
        if incident is None or step is None:
            return []
        known = self.levels.of(incident.id, step.scope)
        return filter_options(known, self.conversation.subjects().dimensions, typed)

    def _incidents(self, body: Body, typed: str) -> list[Block]:
        """Open incidents that this person may know of, newest first."""
        user = body["user"]["id"]
        found = [
            b.option(f"{i.id} · {i.alert.title or i.alert.subject}", i.id)
            for i in reversed(self.conversation.store.open_incidents())
            if plain(typed) in plain(f"{i.id} {i.alert.title} {i.alert.subject}")
            and self.conversation.may_see(i.id, user)
        ]
        return found[:MOST_OPTIONS]


def subject_groups(known: Subjects, typed: str = "") -> list[Block]:
    """Metrics, models and features whose names hold or resemble what was typed, in groups."""
    scored = [(max(_score(typed, n) for n in called(known, s)), s) for s in every(known)]
    kept = [pair for pair in scored if pair[0] >= CLOSE and subject_option(pair[1])]
    best = sorted(kept, key=lambda pair: -pair[0])[:MOST_OPTIONS]
    groups: list[Block] = []
    for entry, label in (("metric", "Metrics"), ("model", "Models"), ("feature", "Features")):
        options = [subject_option(s) for _, s in best if s.entry == entry]
        if options:
            groups.append({"label": b.plain(label, 75), "options": options})
    return groups


def subject_option(subject: Subject) -> Block | None:
    """A subject as an option; None where its name is longer than an option's value may be."""
    if len(str(subject)) > b.OPTION_VALUE:
        return None
    return b.option(subject.name, str(subject), subject.entry)


def _score(typed: str, name: str) -> float:
    if not plain(typed):
        return 1.0
    return 1.0 if plain(typed) in plain(name) else likeness(typed, name)


def filter_options(known: list[Level], dimensions: tuple[str, ...], typed: str) -> list[Block]:
    """Values of the dimensions that hold what was typed.

    "carrier = UA" typed out counts where the values are not known yet, or are more than are read.
    """
    wanted = plain(typed)
    found = [
        filter_value(dimension, level)
        for dimension, level in known
        if wanted in plain(f"{dimension} {level}")
    ]
    name, sign, level = typed.partition("=")
    read = sum(dimension == name.strip() for dimension, _ in known)
    more = not known or read >= MOST_LEVELS
    if sign and more and name.strip() in dimensions and level.strip():
        found.insert(0, filter_value(name.strip(), level.strip()))
    values = [v for v in dict.fromkeys(found) if len(v) <= b.OPTION_VALUE]
    return [filter_option(v) for v in values[:MOST_OPTIONS]]


def filter_value(dimension: str, level: str) -> str:
    """A dimension's value as the value of an option."""
    return f"{dimension}={level}"


def filter_option(value: str) -> Block:
    """ "carrier=UA" as an option that reads "carrier = UA"."""
    name, _, level = value.partition("=")
    return b.option(f"{name} = {level}", value)


def filters_of(values: list[str]) -> tuple[Filter, ...]:
    """The picked values: those of one dimension are alternatives, dimensions hold together."""
    picked: dict[str, list[str]] = {}
    for value in values:
        name, sign, level = value.partition("=")
        if sign:
            picked.setdefault(name, []).append(level)
    return tuple(Filter(name, tuple(levels)) for name, levels in picked.items())
