"""The values that flow through a walk: a scope goes into a check, evidence comes out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

SuspectKind = Literal[
    "metric",
    "segment",
    "infra",
    "model",
    "arm",
    "snapshot",
    "feature",
    "upstream",
    "training_data",
    "module",
]


@dataclass(frozen=True, order=True)
class Window:
    """A half-open span of time, ``start <= t < end``; both ends are aware and in UTC."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for end in (self.start, self.end):
            if end.utcoffset() is None:
                raise ValueError(f"a window needs times with a zone, got {end!r}")
        if self.end <= self.start:
            raise ValueError(f"a window must end after it starts: {self.start} … {self.end}")

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    def shifted(self, by: timedelta) -> Window:
        """The same length, moved by ``by``."""
        return Window(self.start + by, self.end + by)


@dataclass(frozen=True)
class Suspect:
    """One thing that may be responsible.

    ``score`` is the share of the change that it explains (0 to 1; may be negative for a
    suspect that works against the change). ``low`` and ``high`` bound it at 95 %.
    ``changed`` says in a few words what is different; ``since`` is when it changed.
    """

    kind: SuspectKind
    name: str
    score: float
    changed: str = ""
    low: float | None = None
    high: float | None = None
    since: datetime | None = None


@dataclass(frozen=True)
class Chart:
    """A picture with words for those who can't see it.

    ``id`` is the SHA-256 of the bytes; ``png`` is empty once the bytes are in the store.
    """

    id: str
    title: str
    alt: str
    png: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, png: bytes, title: str, alt: str) -> Chart:
        """A chart named by its content."""
        return cls(hashlib.sha256(png).hexdigest(), title, alt, png)


@dataclass(frozen=True)
class Table:
    """A few rows beside the chart: at most 4 columns and 8 rows read well on a phone."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Onset:
    """When it began: the best estimate with its bounds, and how long it has lasted."""

    at: datetime
    low: datetime
    high: datetime


@dataclass(frozen=True)
class How:
    """How evidence was computed, for whoever presses "How?"."""

    method: str
    window: Window | None = None
    baseline: Window | None = None
    rows: int = 0
    baseline_rows: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evidence:
    """What a check found: a verdict that it proposes, and why.

    ``verdict`` is one of the branches of the node that asked. ``confidence`` is the
    probability, 0 to 1, that the verdict is right. ``headline`` is one sentence that a person
    who never saw the model understands. ``suspects`` come best first. ``not_examined`` names
    what could not be looked at and why. ``figures`` are the numbers behind the headline.
    ``proposed`` says how many of the first suspects the verdict names (the rest are shown as
    "looked at, not blamed"); by default those with at least a quarter of the first one's score.
    ``shares`` are the probabilities of the verdicts, where the check tells the others apart too.
    """

    verdict: str
    confidence: float
    headline: str
    suspects: tuple[Suspect, ...] = ()
    proposed: int | None = None
    charts: tuple[Chart, ...] = ()
    table: Table | None = None
    not_examined: tuple[str, ...] = ()
    disagreements: tuple[str, ...] = ()
    onset: Onset | None = None
    figures: dict[str, float] = field(default_factory=dict)
    how: How = How("")
    shares: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.confidence <= 1:
            raise ValueError(f"confidence must lie in 0..1, got {self.confidence}")

    @property
    def named(self) -> tuple[Suspect, ...]:
        """The suspects that the verdict names."""
        if self.proposed is not None:
            return self.suspects[: self.proposed]
        least = self.suspects[0].score / 4 if self.suspects else 0.0
        return tuple(s for s in self.suspects if s.score >= least)[:4]

    def without_bytes(self) -> Evidence:
        """The same evidence with the charts' bytes left out, to be kept in the record."""
        return replace(self, charts=tuple(replace(c, png=b"") for c in self.charts))


@dataclass(frozen=True, order=True)
class Filter:
    """Only the traffic whose ``dimension`` (or model, arm, snapshot, experiment) is one of
    ``values``; "(null)" is where it has none."""

    dimension: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.dimension} = {' or '.join(self.values)}"


@dataclass(frozen=True)
class Scope:
    """What a check is asked to look at.

    ``now`` is the moment as of which tables are read: rows and labels that arrive later are
    not seen. ``window`` holds the incident, ``baseline`` the days to compare it with.
    ``suspects`` are those that a person confirmed on the way here; ``belief`` is how sure the
    check was that named the last of them, 1 where a person chose otherwise. ``subject`` is the
    name of the metric, model or feature that the alert was about. All ``filters`` hold at once
    for every row of traffic that is read. ``last``: nobody waits longer to see whether it is back.
    """

    now: datetime
    window: Window
    baseline: Window
    entry: Literal["metric", "model", "feature"]
    subject: str
    onset: Onset | None = None
    suspects: tuple[Suspect, ...] = ()
    seed: int = 0
    belief: float = 1.0
    filters: tuple[Filter, ...] = ()
    last: bool = False

    def named(self, *kinds: SuspectKind) -> tuple[str, ...]:
        """Names of the confirmed suspects of these kinds, in the order confirmed."""
        return tuple(dict.fromkeys(s.name for s in self.suspects if s.kind in kinds))


class CannotExamine(Exception):
    """A check can't run on what there is; the message says what is missing, how much, what next.

    The person in the thread reads it as it stands.
    """
