"""Actions against a suspect: who may, what it would do, doing it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from analysis.evidence import Suspect, SuspectKind
from state.incident import Incident, Mitigation


class Action(Protocol):
    """One way to mitigate."""

    @property
    def name(self) -> str:
        """Its name in buttons' values and in the record."""
        ...

    @property
    def title(self) -> str:
        """What the button says."""
        ...

    @property
    def acts_on(self) -> tuple[SuspectKind, ...]:
        """Kinds of suspects that it can be aimed at."""
        ...

    def plan(self, incident: Incident, target: Suspect) -> str:
        """What it would do, in a sentence or two; changes nothing. Raises with a sentence."""
        ...

    def carry_out(self, incident: Incident, target: Suspect) -> str:
        """Do it, and say what changed. Raises with a sentence."""
        ...


class NoSuchActionError(LookupError):
    """No mitigation of that name is set up."""


@dataclass(frozen=True)
class Mitigations:
    """The actions that a team has set up.

    ``may`` maps an action's name to the people (user ids) who may confirm it; an action that is
    not listed may be confirmed by anyone in the channel. ``second_person`` are the names of those
    that somebody else than the one who asked has to confirm. ``fresh`` asks anew who may, where
    that depends on groups whose members come and go; ``may`` has those of the start. An action
    with a true ``calls`` only calls people: no recovery is watched after it.
    """

    actions: tuple[Action, ...] = ()
    may: dict[str, frozenset[str]] = field(default_factory=dict)
    second_person: frozenset[str] = frozenset()
    fresh: Mapping[str, Callable[[], frozenset[str]]] = field(default_factory=dict)

    def find(self, name: str) -> Action:
        """The action of that name; NoSuchActionError when there is none."""
        for action in self.actions:
            if action.name == name:
                return action
        known = ", ".join(a.name for a in self.actions) or "none"
        raise NoSuchActionError(f"There is no mitigation {name!r}; set up are: {known}.")

    def mends(self, name: str) -> bool:
        """Whether an action changes something; NoSuchActionError when there is none."""
        return not getattr(self.find(name), "calls", False)

    def against(self, suspects: Iterable[Suspect]) -> list[tuple[Action, Suspect]]:
        """Which actions can be aimed at which of these suspects."""
        return [(a, s) for s in suspects for a in self.actions if s.kind in a.acts_on]

    def refusal(self, name: str, user: str) -> str:
        """Why this person may not confirm it; empty when they may."""
        allowed = self.fresh[name]() if name in self.fresh else self.may.get(name)
        if allowed is None or user in allowed:
            return ""
        people = ", ".join(f"<@{u}>" for u in sorted(allowed)) or "nobody yet"
        return f"You may look, but only {people} may confirm this. I have changed nothing."

    def plan(self, incident: Incident, mitigation: Mitigation) -> str:
        """The dry run of a mitigation."""
        return self.find(mitigation.action).plan(incident, mitigation.target)

    def carry_out(self, incident: Incident, mitigation: Mitigation) -> str:
        """The mitigation itself."""
        return self.find(mitigation.action).carry_out(incident, mitigation.target)
