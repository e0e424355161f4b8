"""What a rendering needs beside the incident: where it is shown, and what is at hand there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from analysis.evidence import Suspect
from handlers import blocks as b
from handlers.messages.words import action_title
from state.incident import Incident
from state.said import Said

LONGEST_NAME = 100
"""Longer names of mitigations don't fit into a button; such a one is not offered."""


@dataclass(frozen=True)
class Remedy:
    """A mitigation that can be carried out here.

    ``name`` has at most 100 characters. ``title`` is an imperative of a few words ("Roll back");
    ``kinds`` are the kinds of suspects that it acts on; ``confirmers`` the people who may confirm
    it, None when anyone may.
    """

    name: str
    title: str
    kinds: tuple[str, ...]
    confirmers: tuple[str, ...] | None = None


@dataclass(frozen=True)
class View:
    """One channel's view of an incident.

    ``home_link`` leads to the thread in the primary channel; it is used where ``primary`` is
    False. ``track_record`` maps a kind of cause to (right, all) of the incidents resolved here.
    ``said`` is what people wrote in the threads. ``posted`` are the names of the posts that this
    channel has already, so that one that no longer counts is folded instead of left to mislead.
    ``subjects`` ("metric:precision") can be triaged. ``links`` lead to other incidents, by id.
    """

    now: datetime
    channel: str
    primary: bool = True
    home_link: str = ""
    track_record: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    mitigations: tuple[Remedy, ...] = ()
    said: tuple[Said, ...] = ()
    posted: frozenset[str] = frozenset()
    subjects: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)

    def incident(self, incident_id: str) -> str:
        """Another incident's id, as a link where there is one."""
        name = b.line(incident_id, 40)
        return b.link(self.links.get(incident_id, ""), name)

    def title(self, action: str) -> str:
        """The title of a mitigation, also of one that is no longer available."""
        known = next((r.title for r in self.mitigations if r.name == action), "")
        return known or action_title(action)

    def confirmers(self, action: str) -> tuple[str, ...] | None:
        """The people who may confirm a mitigation; None when anyone may."""
        return next((r.confirmers for r in self.mitigations if r.name == action), None)


def remedies(
    incident: Incident,
    view: View,
    suspects: tuple[Suspect, ...],
    usual: tuple[str, ...] = (),
) -> list[tuple[Remedy, Suspect]]:
    """Which mitigation can act on which of the suspects: the usual ones first, then by suspect.

    What acts on the cause is not offered first for what the cause feeds as well, and not at all
    once it acts on the cause. Those that are under way, or done, are left out.
    """
    live = [m for m in incident.mitigations if m.status not in ("failed", "cancelled")]
    busy = {(m.action, m.target.kind, m.target.name) for m in live}
    acts = {m.action: m.target.kind for m in live}
    found: dict[tuple[str, str, str], tuple[Remedy, Suspect]] = {}
    for suspect in suspects:
        for remedy in view.mitigations:
            place = (remedy.name, suspect.kind, suspect.name)
            fits = suspect.kind in remedy.kinds and len(remedy.name) <= LONGEST_NAME
            fits &= acts.get(remedy.name, suspect.kind) == suspect.kind
            if fits and place not in busy:
                found.setdefault(place, (remedy, suspect))
    order = {name: rank for rank, name in enumerate(usual)}
    kinds: dict[str, str] = {}
    for remedy, suspect in found.values():
        kinds.setdefault(remedy.name, suspect.kind)

    def rank(pair: tuple[Remedy, Suspect]) -> tuple[bool, int]:
        remedy, suspect = pair
        return suspect.kind != kinds[remedy.name], order.get(remedy.name, len(order))

    return sorted(found.values(), key=rank)
