"""Which earlier incidents were like this one: by suspects, by path, by the shape of the metric.

Three views, each 0 to 1, weighed and added up:

- *suspects*: the overlap of what was confirmed (Jaccard's index), causes counting twice;
- *path*: how much of the way through the tree the two share, question by question and answer by
  answer, from the start (twice the length of the common subsequence over both lengths);
- *shape*: whether the same thing moved in the same direction, by about as much.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from state.incident import Incident

SUSPECTS, PATH, SHAPE = 0.5, 0.3, 0.2
"""What each view counts: the same suspect says most, and every short walk shares its path."""
ALIKE = 0.35
"""Incidents less alike than this are not told."""


@dataclass(frozen=True)
class Match:
    """An earlier incident, how much it is like the one asked about (0 to 1), and by what."""

    incident: Incident
    score: float
    shared: tuple[str, ...]

    @property
    def took(self) -> timedelta | None:
        """How long it lasted; None while it is open."""
        end = self.incident.closed_at
        return end - self.incident.opened_at if end else None


def similar(one: Incident, others: Iterable[Incident], most: int = 3) -> list[Match]:
    """The earlier incidents that are most like ``one``, best first."""
    earlier = [o for o in others if o.id != one.id and o.opened_at <= one.opened_at]
    found = [_match(one, other) for other in earlier if other.live_steps]
    told = [m for m in found if m.score >= ALIKE]
    return sorted(told, key=lambda m: (-m.score, -m.incident.opened_at.timestamp()))[:most]


def _match(one: Incident, other: Incident) -> Match:
    mine, theirs = _suspects(one), _suspects(other)
    keys = mine.keys() | theirs.keys()
    both = {k: min(mine.get(k, 0), theirs.get(k, 0)) for k in keys}
    union = sum(max(mine.get(k, 0), theirs.get(k, 0)) for k in keys)
    suspects = sum(both.values()) / union if union else 0.0
    path, shape = _common(_path(one), _path(other)), _shape(one, other)
    shared = [name for (_, name), weight in both.items() if weight]
    shared += ["the same path"] if path == 1.0 else []
    shared += [f"{one.alert.subject} moved alike"] if shape > 0.5 else []
    score = SUSPECTS * suspects + PATH * path + SHAPE * shape
    return Match(other, score, tuple(shared))


def _suspects(incident: Incident) -> dict[tuple[str, str], int]:
    """What people confirmed, or the current step proposes, by weight."""
    found: dict[tuple[str, str], int] = {(s.kind, s.name): 1 for s in incident.suspects}
    return found | {(s.kind, s.name): 2 for c in incident.causes for s in c.suspects}


def _path(incident: Incident) -> list[tuple[str, str]]:
    """Questions with their answers; with the proposal where nobody has answered yet."""
    told = []
    for step in incident.live_steps:
        verdict = step.answer.verdict if step.answer else ""
        verdict = verdict or (step.evidence.verdict if step.evidence else "")
        if verdict:
            told.append((step.node, verdict))
    return told


def _common(a: Sequence[tuple[str, str]], b: Sequence[tuple[str, str]]) -> float:
    """2 × the longest common subsequence ÷ both lengths."""
    if not a or not b:
        return 0.0
    row = [0] * (len(b) + 1)
    for left in a:
        before = row
        row = [0]
        for i, right in enumerate(b):
            row.append(before[i] + 1 if left == right else max(before[i + 1], row[i]))
    return 2 * row[-1] / (len(a) + len(b))


def _shape(one: Incident, other: Incident) -> float:
    """0 unless the same thing moved in the same direction; then how alike the sizes are."""
    if (one.alert.entry, one.alert.subject) != (other.alert.entry, other.alert.subject):
        return 0.0
    mine, theirs = _moved(one), _moved(other)
    if mine is None or theirs is None or mine * theirs <= 0:
        return 0.0
    return math.exp(-abs(math.log(abs(mine) / abs(theirs))))


def _moved(incident: Incident) -> float | None:
    """By how much the first step saw the metric move, as a share of what is usual."""
    for step in incident.live_steps:
        figures = step.evidence.figures if step.evidence else {}
        now, usual = figures.get("now"), figures.get("usual")
        if now is not None and usual is not None and now != usual:
            return (now - usual) / max(abs(usual), 1e-9)
    return None
