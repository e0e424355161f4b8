"""The profile that is kept between checks: every hour of the serving log is counted once.

Counts are kept per hour and per *slice* (model, snapshot, arm), beside moments and a bounded
random sample of each hour's rows, which the checks of several columns at once need. Before it is
used it is held against the log by the number of rows per hour, which costs a scan of one column:
hours that are new, or that got late rows, are counted again, and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.evidence import Window
from analysis.portable import HASHED, LOT, LOTS, lots
from analysis.profile.bins import Bins, Kind, bins_of
from analysis.profile.counts import Profile
from analysis.profile.stream import Runs, Tally, batches, coded, passes
from analysis.tables import Role
from analysis.warehouse import naive

if TYPE_CHECKING:
    import pandas as pd

Ints = np.ndarray[Any, np.dtype[np.int64]]

SLICES = 64
"""Slices that are told apart; rows of any further model, snapshot and arm are one slice."""
HOUR_ROWS = 200
"""Rows of an hour that are kept as a sample."""
BIN_ROWS = 20_000
"""Rows of the baseline that set the bins."""
GROUP, SLICE, PLACE = "_group", "_slice", "_place"
"""Columns: hour × SLICES + slice; the slice; the hour of a sampled row, since 1970."""

Slice = tuple[str, str, str]
_OF_SLICE = (Role.MODEL, Role.SNAPSHOT, Role.ARM)
_GAP = "\x1f"


@dataclass(frozen=True)
class Kept:
    """Whole hours of a serving log, counted.

    ``profile`` has the buckets hour × SLICES + slice, hours since 1970 UTC. ``moments[column]``
    has shape (buckets, 3): values, their sum, and the sum of their squares, both about the middle
    of the column's bins. ``slices`` are (model, snapshot, arm) in the order of their numbers.
    ``sample`` holds up to HOUR_ROWS rows of each hour with PLACE and SLICE.
    """

    bins: Mapping[str, Bins]
    slices: tuple[Slice, ...]
    profile: Profile
    moments: Mapping[str, np.ndarray[Any, np.dtype[np.float64]]]
    sample: pd.DataFrame

    @cached_property
    def _groups(self) -> Ints:
        return np.array(self.profile.buckets, np.int64)

    @property
    def hours(self) -> Ints:
        """The hour of each bucket, since 1970."""
        return self._groups // SLICES

    @property
    def folded(self) -> bool:
        """Whether there were more slices than are told apart."""
        return bool((self._groups % SLICES == SLICES - 1).any())

    def rows_by_hour(self) -> dict[int, int]:
        """How many rows were counted in each hour."""
        hours, place = np.unique(self.hours, return_inverse=True)
        rows = np.bincount(place, weights=self.profile.rows, minlength=len(hours))
        return {int(h): round(n) for h, n in zip(hours, rows, strict=True)}

    def of(self, models: Iterable[str], arms: Iterable[str]) -> Ints:
        """The numbers of the slices of these models and arms; of all, where none are named."""
        wanted = (set(models), None, set(arms))
        return np.array(
            [
                number
                for number, parts in enumerate(self.slices)
                if all(not w or p in w for p, w in zip(parts, wanted, strict=True))
            ],
            np.int64,
        )

    def in_slices(self, slices: Ints) -> pd.DataFrame:
        """The sampled rows of these slices, in order of time within each hour."""
        return self.sample[self.sample[SLICE].isin(slices)]

    def by(self, blocks: Mapping[int, int], slices: Ints) -> Profile:
        """Counts per block, for hours that ``blocks`` puts into one, of these slices."""
        block = np.array([blocks.get(int(h), -1) for h in self.hours], np.int64)
        used = (block >= 0) & np.isin(self._groups % SLICES, slices)
        names, place = np.unique(block[used], return_inverse=True)
        into = np.zeros((len(names), int(used.sum())))
        into[place, np.arange(into.shape[1])] = 1.0
        counts = {n: into @ c[used] for n, c in self.profile.counts.items()}
        return Profile(tuple(int(n) for n in names), into @ self.profile.rows[used], counts)

    def before(self, moment: datetime) -> Kept:
        """The same without hours that begin at ``moment`` or later: for a look into the past."""
        late = set(self.hours.tolist()) - set(range(hour_of(moment) + 1))
        return self.without(late) if late else self

    def without(self, hours: Iterable[int]) -> Kept:
        """The same without some hours."""
        gone = np.array(sorted(hours), np.int64)
        stay = ~np.isin(self.hours, gone)
        p = self.profile
        left = Profile(
            tuple(int(g) for g in self._groups[stay]),
            p.rows[stay],
            {n: c[stay] for n, c in p.counts.items()},
        )
        sample = self.sample[~self.sample[PLACE].isin(gone)].reset_index(drop=True)
        moments = {n: m[stay] for n, m in self.moments.items()}
        return Kept(self.bins, self.slices, left, moments, sample)

    def with_(self, other: Kept) -> Kept:
        """Both together; they share bins and slices, and no hour."""
        import pandas as pd

        p, q = self.profile, other.profile
        both = Profile(
            (*p.buckets, *q.buckets),
            np.concatenate([p.rows, q.rows]),
            {n: np.concatenate([p.counts[n], q.counts[n]]) for n in self.bins},
        )
        moments = {n: np.concatenate([m, other.moments[n]]) for n, m in self.moments.items()}
        sample = pd.concat([self.sample, other.sample], ignore_index=True)
        return Kept(self.bins, other.slices, both, moments, sample)


def hour_of(moment: datetime) -> int:
    """The hour that an aware moment lies in, since 1970."""
    return int(moment.timestamp() // 3600)


def begun(log: Any, kind: Mapping[str, Kind], until: datetime, seed: int = 0) -> Kept:
    """An empty profile of a plain log with Role columns; its bins come from rows before
    ``until``, so that what began then is unlike the baseline."""
    import pandas as pd

    past = log.filter(log[Role.TIME] < naive(until))
    total = int(past.count().to_pandas())
    if total > BIN_ROWS:
        past = lots(past, past.columns[:HASHED], seed)
        past = past.filter(past[LOT] < max(1, round(LOTS * BIN_ROWS / total)))
    bins = bins_of(past.select(*kind).limit(2 * BIN_ROWS).to_pandas(), kind)
    counts = {n: np.zeros((0, b.size)) for n, b in bins.items()}
    moments = {n: np.zeros((0, 3)) for n, b in bins.items() if b.kind != "level"}
    return Kept(bins, (), Profile((), np.zeros(0), counts), moments, pd.DataFrame({PLACE: []}))


def brought_up_to_date(kept: Kept, log: Any, span: Window, seed: int = 0) -> Kept:
    """The profile with the hours of ``log`` in ``span`` that it lacks, or that changed."""
    recent = log.filter(log[Role.TIME] >= _start(hour_of(span.start)))
    frame = recent.group_by(_h=_hour(recent)).aggregate(n=recent.count()).to_pandas()
    now = dict(zip(frame["_h"].astype(int), frame["n"].astype(int), strict=True))
    hours = range(hour_of(span.start), hour_of(span.end) + 1)
    known = {h: n for h, n in kept.rows_by_hour().items() if h in hours}
    stale = sorted(h for h in now.keys() | known.keys() if now.get(h) != known.get(h))
    if not stale:
        return kept
    rows = log.filter(
        log[Role.TIME] >= _start(stale[0]),
        log[Role.TIME] < _start(stale[-1] + 1),
    )
    if stale[-1] - stale[0] >= len(stale):
        rows = rows.filter(_hour(rows).isin(stale))
    return kept.without(stale).with_(_counted(kept, rows, seed))


def _hour(table: Any) -> Any:
    # Times before 1970 are no serving log's: the division need not floor.
    return (table[Role.TIME].epoch_seconds() // 3600).cast("int64")


def _start(hour: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(hours=hour)


def _counted(kept: Kept, rows: Any, seed: int) -> Kept:
    """The hours of ``rows``, in one scan; ``slices`` are those of ``kept`` and what is new."""
    slices = (*kept.slices, *_new_slices(kept.slices, rows))[: SLICES - 1]
    number = _slice_number(rows, slices)
    tagged = rows.mutate(
        **{PLACE: _hour(rows), SLICE: number, GROUP: _hour(rows) * SLICES + number}
    )
    other = [PLACE, SLICE, *(name for name in rows.columns if name not in kept.bins)]
    found = []
    for names in passes(list(kept.bins)):
        bins = {name: kept.bins[name] for name in names}
        found.append(_passed(tagged, bins, (*other, *names), seed))
        other = []
    return _beside(kept.bins, slices, found)


def _passed(
    tagged: Any, bins: Mapping[str, Bins], raw: Sequence[str], seed: int
) -> tuple[Tally, Sample]:
    """Some columns counted, and some as they are sampled."""
    tally, sample = Tally(bins, moments=True), Sample(HOUR_ROWS, seed)
    for batch in batches(coded(tagged, bins, (GROUP, *raw))):
        group = batch.column(0).to_numpy(zero_copy_only=False)
        tally.add(Runs.of(group), dict(zip(bins, batch.columns[1 + len(raw) :], strict=True)))
        sample.add(Runs.of(group // SLICES), batch.select(range(1, 1 + len(raw))))
    return tally, sample


def _beside(
    bins: Mapping[str, Bins], slices: tuple[Slice, ...], found: Sequence[tuple[Tally, Sample]]
) -> Kept:
    """The columns of all passes together: each pass saw, and sampled, the same rows in order."""
    import pandas as pd

    parts = [tally.profile() for tally, _ in found]
    counts = {name: c for part in parts for name, c in part.counts.items()}
    moments = {name: m for tally, _ in found for name, m in tally.moments().items()}
    sample = pd.concat([sample.frame() for _, sample in found], axis=1)
    return Kept(bins, slices, Profile(parts[0].buckets, parts[0].rows, counts), moments, sample)


def _new_slices(known: tuple[Slice, ...], span: Any) -> Iterator[Slice]:
    """Slices not known yet, those with the most rows first."""
    counted = span.group_by(list(_OF_SLICE)).aggregate(_n=span.count())
    frame = counted.order_by(counted["_n"].desc()).limit(2 * SLICES).to_pandas()
    for model, snapshot, arm in frame[list(_OF_SLICE)].itertuples(index=False):
        if (model, snapshot, arm) not in known:
            yield (model, snapshot, arm)


def _slice_number(table: Any, slices: tuple[Slice, ...]) -> Any:
    joined = table[Role.MODEL] + _GAP + table[Role.SNAPSHOT] + _GAP + table[Role.ARM]
    numbers = [(_GAP.join(parts), i) for i, parts in enumerate(slices)]
    return joined.cases(*numbers, else_=SLICES - 1).cast("int64")


class Sample:
    """A random sample of each hour's rows, of a bounded size.

    Each hour has a generator of its own, and rows come in the order of the log, so that the
    sample of an hour is the same however the log is cut into batches. A row is kept while its
    number is among the ``rows`` smallest (Vitter 1985, "Random sampling with a reservoir").
    """

    def __init__(self, rows: int, seed: int) -> None:
        self._most, self._seed = rows, seed
        self._generators: dict[int, np.random.Generator] = {}
        self._parts: dict[int, list[tuple[Any, Any]]] = {}

    def add(self, hours: Runs, batch: Any) -> None:
        """Takes an Arrow record batch in, whose rows lie in these hours."""
        for place, hour in enumerate(hours.names):
            rows = np.flatnonzero(hours.group == place)
            fresh = np.random.default_rng([self._seed, hour])
            numbers = self._generators.setdefault(hour, fresh).random(len(rows))
            parts = self._parts.setdefault(hour, [])
            few = _smallest(numbers, self._most)
            parts.append((numbers[few], batch.take(_array(rows[few]))))
            if len(parts) > 8:
                self._parts[hour] = [self._merged(parts)]

    def _merged(self, parts: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        import pyarrow as pa

        numbers = np.concatenate([n for n, _ in parts])
        few = _smallest(numbers, self._most)
        table = pa.Table.from_batches([b for _, b in parts]).take(_array(few))
        return numbers[few], table.combine_chunks().to_batches()[0]

    def frame(self) -> pd.DataFrame:
        """All hours' samples, in order of time."""
        import pandas as pd
        import pyarrow as pa

        kept = [self._merged(self._parts[hour])[1] for hour in sorted(self._parts)]
        if not kept:
            return pd.DataFrame({PLACE: []})
        frame: pd.DataFrame = pa.Table.from_batches(kept).to_pandas()
        return frame


def _smallest(numbers: Any, most: int) -> Any:
    if len(numbers) <= most:
        return np.arange(len(numbers))
    return np.sort(np.argpartition(numbers, most)[:most])


def _array(rows: Any) -> Any:
    import pyarrow as pa

    return pa.array(rows)
