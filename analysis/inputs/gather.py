"""The rows and counts that a comparison needs, from memory or from the engine.

A small log is fetched once and cut in memory: planning several queries would take longer than
the work. A large one is read from its kept profile, hour by hour, beside a sample of the window's
own rows; where there is none, the engine counts, and bounded samples come back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.evidence import CannotExamine, Scope, Window
from analysis.inputs import sampling
from analysis.inputs.blocks import BLOCK, REACH, Comparison, blocks_of, edges, edges_of
from analysis.inputs.surrogate import is_probability
from analysis.profile import Bins, Kind, Profile, bins_of, profile
from analysis.profile.kept import Kept
from analysis.tables import Role
from analysis.warehouse import naive

if TYPE_CHECKING:
    import pandas as pd

Ints = np.ndarray[Any, np.dtype[np.int64]]
Kinds = Mapping[str, Kind]

IN_MEMORY = 2_000_000
"""A log with fewer values (rows × features) in baseline and window is cut in memory."""
WINDOW_ROWS, BLOCK_ROWS, OTHER_ROWS, EDGE_ROWS = 4_000, 8_000, 3_000, 8_000
LABELLED_ROWS = 40_000
"""Outcomes say little a row: of a large log so many labelled ones are looked at, among them all
with a rare outcome that fit."""
FEWEST_ROWS = 12
SERVERS = (Role.MODEL, Role.ARM)
"""What the surrogate gets beside the features: it stands for all that served."""
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Labelled:
    """Rows with a label: block, label and prediction of each, and its cell of every feature.

    Of a block they are a random sample within each outcome, not across both: a rare one is there
    more often than it happens. ``weight`` rows of the block are like each; 1 where all are there.
    """

    block: Ints
    label: np.ndarray[Any, np.dtype[np.float64]]
    prediction: np.ndarray[Any, np.dtype[np.float64]]
    cells: Mapping[str, Ints]
    weight: np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Gathered:
    """Day and edge samples sorted by time, with BLOCK; bins; counts of all rows; labelled rows.

    Those are all where they were in memory, a sample of their own where the engine counts, and
    those of the day sample beside a kept profile.
    """

    days: pd.DataFrame
    edge: pd.DataFrame
    bins: Mapping[str, Bins]
    counts: Profile
    edge_counts: Profile
    labelled: Labelled


Past = Callable[[], tuple[Kept, Ints] | None]
"""Gives the kept profile and the numbers of the slices that are looked at, if there is one."""


def gather(
    log: Any, c: Comparison, scope: Scope, kind: Kinds, past: Past = lambda: None
) -> Gathered:
    """Everything for the comparison ``c`` of a plain log (see :func:`profile.plain`).

    Raises CannotExamine when either side has too few rows.
    """
    span = log.filter(
        log[Role.TIME] >= naive(min(scope.baseline.start, c.low)),
        log[Role.TIME] < naive(c.window.end),
    )
    most = IN_MEMORY // max(len(kind), 1)
    frame: pd.DataFrame = span.limit(most + 1).to_pandas()
    if len(frame) <= most:
        return _from_memory(_sorted(frame), c, scope, kind)
    hourly = _whole_hours(c)
    found = past() if hourly else None
    if hourly is None or found is None:
        return _from_engine(log, c, scope, kind)
    kept, slices = found
    return _from_kept(kept, slices, log, hourly, scope)


def beside(log: Any, c: Comparison, seed: int) -> pd.DataFrame:
    """A bounded sample of another plain log in the blocks of ``c``, with BLOCK."""
    return _sorted(sampling.uniform(c.tagged(log), BLOCK_ROWS, seed, (0,)))


def _from_memory(frame: pd.DataFrame, c: Comparison, scope: Scope, kind: Kinds) -> Gathered:
    times = frame[Role.TIME].to_numpy("datetime64[us]")
    block, edge_block = blocks_of(c, times), edges_of(c, times)
    days, edge = _samples(frame, c, scope, block, edge_block)
    bins, counted = _bins(days, kind)
    cells = {n: b.cells(frame[n]) for n, b in counted.items()}
    return Gathered(
        days,
        edge,
        bins,
        _count(cells, counted, block),
        _count(cells, counted, edge_block),
        _labelled(frame, cells, block),
    )


def _samples(
    frame: pd.DataFrame, c: Comparison, scope: Scope, block: Ints, edge_block: Ints
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bounded samples of the days and of the edge, with BLOCK, from rows in order of time."""
    times = frame[Role.TIME].to_numpy("datetime64[us]")
    rng = np.random.default_rng(scope.seed)
    in_block = block >= 0
    _enough(block[in_block])
    kept = [
        _some(rng, np.flatnonzero(block == 0), WINDOW_ROWS),
        _some(rng, np.flatnonzero(block > 0), BLOCK_ROWS),
    ]
    end = np.datetime64(naive(min(scope.baseline.end, c.window.start)))
    rest = _some(rng, np.flatnonzero(~in_block & (times < end)), OTHER_ROWS)
    rows = np.sort(np.concatenate([*kept, rest]))
    days = frame.iloc[rows].assign(**{BLOCK: np.where(in_block, block, -1)[rows]})
    days = days.reset_index(drop=True)
    wanted = np.flatnonzero(edge_block >= 0)
    near = wanted[edge_block[wanted] <= 1]
    far = _some(rng, wanted[edge_block[wanted] > 1], EDGE_ROWS - min(len(near), EDGE_ROWS // 2))
    rows = np.sort(np.concatenate([_some(rng, near, EDGE_ROWS // 2), far]))
    edge = frame.iloc[rows].assign(**{BLOCK: edge_block[rows]}).reset_index(drop=True)
    return days, edge


def _whole_hours(c: Comparison) -> Comparison | None:
    """The comparison with a window of whole hours; None when no hour lies in it, or its earlier
    blocks are not whole hours apart. The hour that still runs counts as whole."""
    start, end = _hour_up(c.window.start), _hour_up(c.window.end)
    if start >= end or c.period % HOUR:
        return None
    return replace(c, window=Window(start, end), doubt=-(-c.doubt // HOUR) * HOUR)


def _hour_up(moment: datetime) -> datetime:
    return datetime.fromtimestamp(-(-moment.timestamp() // 3600) * 3600, UTC)


def _from_kept(kept: Kept, slices: Ints, log: Any, c: Comparison, scope: Scope) -> Gathered:
    import pandas as pd

    since = naive(c.window.start - c.doubt - REACH)
    late = log.filter(log[Role.TIME] >= since, log[Role.TIME] < naive(c.window.end))
    near = sampling.uniform(late.mutate(**{BLOCK: 0}), WINDOW_ROWS + EDGE_ROWS, scope.seed)
    sample = kept.in_slices(slices)
    far = sample.loc[sample[Role.TIME] < since, [*near.columns.drop(BLOCK)]]
    frame = _sorted(pd.concat([far, near.drop(columns=BLOCK)], ignore_index=True))
    times = frame[Role.TIME].to_numpy("datetime64[us]")
    block, edge_block = blocks_of(c, times), edges_of(c, times)
    _enough(block[block >= 0])
    days, edge = _samples(frame, c, scope, block, edge_block)
    hours = np.unique(kept.hours)
    starts = hours.astype("datetime64[h]").astype("datetime64[us]")
    blocks = (blocks_of(c, starts), edges_of(c, starts))
    counts, edge_counts = (
        kept.by(dict(zip(hours.tolist(), b.tolist(), strict=True)), slices) for b in blocks
    )
    bins = {**kept.bins, **_server_bins(days)}
    return Gathered(days, edge, bins, counts, edge_counts, _sampled_labels(days, kept.bins))


def _sampled_labels(rows: pd.DataFrame, bins: Mapping[str, Bins]) -> Labelled:
    cells = {name: b.cells(rows[name]) for name, b in bins.items()}
    return _labelled(rows, cells, rows[BLOCK].to_numpy(np.int64))


def _labelled(frame: pd.DataFrame, cells: Mapping[str, Ints], block: Ints) -> Labelled:
    """The rows of a frame that have a label and lie in a block (0 and more)."""
    label = frame[Role.LABEL].to_numpy(float, na_value=np.nan)
    prediction = frame[Role.PREDICTION].to_numpy(float, na_value=np.nan)
    rows = (block >= 0) & np.isfinite(label) & np.isfinite(prediction)
    kept = {name: cell[rows] for name, cell in cells.items()}
    weight = np.ones(len(frame))
    if sampling.STANDS_FOR in frame:
        weight = frame[sampling.STANDS_FOR].to_numpy(float)
    return Labelled(block[rows], label[rows], prediction[rows], kept, weight[rows])


def _some(rng: np.random.Generator, rows: Ints, most: int) -> Ints:
    return rows if len(rows) <= most else rng.choice(rows, most, replace=False)


def _count(cells: Mapping[str, Ints], bins: Mapping[str, Bins], block: Ints) -> Profile:
    """The profile by block of rows in memory; rows of no block (-1) are left out."""
    inside = block >= 0
    buckets, code = np.unique(block[inside], return_inverse=True)
    rows = np.bincount(code, minlength=len(buckets)).astype(float)
    counts = {}
    for name, b in bins.items():
        flat = np.bincount(code * b.size + cells[name][inside], minlength=len(buckets) * b.size)
        counts[name] = flat.reshape(len(buckets), b.size).astype(float)
    return Profile(tuple(int(b) for b in buckets), rows, counts)


def _from_engine(log: Any, c: Comparison, scope: Scope, kind: Kinds) -> Gathered:
    import pandas as pd

    ready, around = c.tagged(log), edges(c, log)
    earlier = log.filter(
        log[Role.TIME] >= naive(scope.baseline.start),
        log[Role.TIME] < naive(min(scope.baseline.end, c.window.start)),
    )
    days = sampling.uniform(ready, BLOCK_ROWS + WINDOW_ROWS, scope.seed, (0,))
    _enough(days[BLOCK].to_numpy())
    rest = sampling.uniform(earlier.mutate(**{BLOCK: -1}), OTHER_ROWS, scope.seed)
    edge = _sorted(sampling.uniform(around, EDGE_ROWS, scope.seed, (0, 1)))
    days = _sorted(pd.concat([days, rest], ignore_index=True))
    bins, counted = _bins(days, kind)
    counts, edge_counts = profile(ready, counted, BLOCK), profile(around, counted, BLOCK)
    told = ready.filter(ready[Role.LABEL].notnull())
    fit = max(IN_MEMORY // max(len(kind), 1), WINDOW_ROWS + BLOCK_ROWS)
    # Other answers than probabilities can't be moved to the rate of a case-control sample.
    chances = is_probability(days[Role.PREDICTION].to_numpy(float, na_value=np.nan))
    draw = sampling.case_control if chances else sampling.uniform
    told = draw(told, min(LABELLED_ROWS, fit), scope.seed, (0,))
    return Gathered(days, edge, bins, counts, edge_counts, _sampled_labels(told, counted))


def _bins(days: pd.DataFrame, kind: Kinds) -> tuple[dict[str, Bins], dict[str, Bins]]:
    """Bins by the baseline's rows: with what served, for the surrogate, and without it."""
    bins = bins_of(_earlier(days), kind)
    return {**bins, **_server_bins(days)}, bins


def _server_bins(days: pd.DataFrame) -> dict[str, Bins]:
    """Bins of the models and arms, where rows of several are read: each answers in its own way."""
    several: Kinds = {role: "level" for role in SERVERS if days[role].nunique() > 1}
    return bins_of(_earlier(days), several)


def _earlier(days: pd.DataFrame) -> pd.DataFrame:
    past = days[days[BLOCK] > 0]
    return past if len(past) > 200 else days[days[BLOCK] != 0]


def _enough(block: Ints) -> None:
    now, then = int((block == 0).sum()), int((block > 0).sum())
    if now < FEWEST_ROWS or then < 5 * FEWEST_ROWS:
        raise CannotExamine(
            f"{now:,} incident and {then:,} baseline rows; need {FEWEST_ROWS} and "
            f"{5 * FEWEST_ROWS}: choose a wider window."
        )


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values([Role.TIME, Role.PREDICTION], kind="stable", ignore_index=True)
