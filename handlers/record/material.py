"""Everything that is kept of one incident, read at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from analysis.evidence import Chart
from handlers.messages.words import action_title
from handlers.record.plain import Names, plain
from state.incident import Incident
from state.looks import Look, Looks
from state.results import Results
from state.said import Said, Sayings
from state.store import Entry, Store
from state.tree import Tree


@dataclass(frozen=True)
class Material:
    """What a record is told from. ``chart`` gives a kept chart with its bytes by its id."""

    incident: Incident
    tree: Tree
    entries: tuple[Entry, ...]
    said: tuple[Said, ...]
    looks: tuple[Look, ...]
    names: Names
    link: str
    chart: Callable[[str], Chart | None]
    title: Callable[[str], str]

    def text(self, mrkdwn: str) -> str:
        """A message's words as a document has them."""
        return plain(mrkdwn, self.names)


def material(
    store: Store,
    incident: str,
    tree: Tree,
    names: Names = lambda user: user,
    link: str = "",
    title: Callable[[str], str] = action_title,
    said: Sequence[Said] | None = None,
) -> Material | None:
    """All that the store keeps of an incident; None when it knows none of that name.

    ``title`` names a mitigation. ``said`` is what may be told of its threads: all of it, where
    None is given.
    """
    found = store.load(incident)
    if found is None:
        return None
    return Material(
        found,
        tree,
        tuple(store.events(incident)),
        tuple(Sayings(store).of(incident) if said is None else said),
        tuple(Looks(store).of(incident)),
        names,
        link,
        Results(store).chart,
        title,
    )
