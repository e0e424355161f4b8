"""``hawkeye segments``: the fewest combinations of values that explain a change."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from analysis.portable import NULL
from bot.files.shared import (
    AS_JSON,
    FILES,
    day_of,
    moment,
    numbers,
    placed,
    read,
    say,
    tell,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from analysis.drilldown.leaves import Segment


HUGE = 1e100
"""Larger amounts are compared in units of the largest: their squares have no place."""
AT_RANDOM = 0.5, 3.0
"""Spread of the gaps between events, in units of their mean."""
EVENTS = 20
"""A moment of a log of events holds so many of them, at the median."""
DAYS = 3
"""Fewer earlier days are no usual day."""


@dataclass(frozen=True)
class Wanted:
    """Which columns to read: actual and expected, or a value over time."""

    dims: tuple[str, ...]
    actual: str | None
    expected: str | None
    value: str | None
    denominator: str | None
    time: str | None
    since: str | None

    @property
    def columns(self) -> tuple[str, ...]:
        """All that a file must have."""
        named = (self.actual, self.expected, self.value, self.denominator, self.time)
        return (*self.dims, *(name for name in named if name))

    def check(self) -> None:
        """Raise click.UsageError unless the options are one way or the other."""
        if not self.dims:
            raise click.UsageError("--dims names no column; an example: --dims region,device")
        self._check_dims()
        if self.since:
            moment(self.since, "--since")
        one = (self.actual, self.expected)
        two = (self.value, self.time, self.since)
        if all(one) and not any((*two, self.denominator)):
            return
        if all(two) and not any(one):
            return
        raise click.UsageError(
            "Give either --actual and --expected, or --value (perhaps --denominator), --time "
            "and --since."
        )

    def _check_dims(self) -> None:
        """Raise click.UsageError when a dimension is what is measured: each amount would be a
        segment of its own."""
        for name in ("actual", "expected", "value", "denominator", "time"):
            if getattr(self, name) in self.dims:
                raise click.UsageError(
                    f"--dims names {getattr(self, name)}, which is --{name}; a column is either."
                )


@click.command()
@FILES
@click.option("--dims", required=True, help="Columns to search, separated by commas.")
@click.option("--actual", help="Column of what was measured.")
@click.option("--expected", help="Column of what was expected.")
@click.option("--value", help="Column of amounts over time.")
@click.option("--denominator", help="Column that --value is divided by: explain a ratio.")
@click.option("--time", "time_column", help="Column of times.")
@click.option("--since", help="Rows before it are the baseline: ISO time, or an integer.")
@AS_JSON
def segments(
    files: tuple[Path, ...],
    dims: str,
    actual: str | None,
    expected: str | None,
    value: str | None,
    denominator: str | None,
    time_column: str | None,
    since: str | None,
    as_json: bool,
) -> None:
    """Name the segments that explain why each FILE's total changed.

    A file that can't be judged is named on standard error; the others still are, and the exit
    code is 1.
    """
    import pandas  # noqa: F401 - the seconds of a file are not those of the start-up

    names = tuple(dict.fromkeys(p.strip() for p in dims.split(",") if p.strip()))
    wanted = Wanted(names, actual, expected, value, denominator, time_column, since)
    wanted.check()
    wrong = 0
    for path in files:
        try:
            _judge(path, wanted, as_json)
        except click.ClickException as error:
            error.show()
            wrong += 1
    if wrong:
        raise SystemExit(1)


def _judge(path: Path, wanted: Wanted, as_json: bool) -> None:
    """One file's change, explained and told."""
    from analysis.drilldown.cuboids import explain

    began = time.perf_counter()
    frame = read(path, tuple(dict.fromkeys(wanted.columns)))
    table = _sized((_held if wanted.value else _given)(path, frame, wanted))
    ratio = ("below", "below_was") if wanted.denominator else None
    found = explain(table, list(wanted.dims), "now", "was", denominator=ratio)
    seconds = round(time.perf_counter() - began, 3)
    if as_json:
        say(_result(path, found, seconds))
    else:
        _show(path, found, table)


def _sized(table: pd.DataFrame) -> pd.DataFrame:
    """In units of the largest amount where that is too large to be squared."""
    import numpy as np

    names = [name for name in ("now", "was", "below", "below_was") if name in table.columns]
    top = float(np.abs(table[names].to_numpy(float)).max())
    return table.assign(**{n: table[n] / top for n in names}) if top > HUGE else table


def _amounts(path: Path, frame: pd.DataFrame, column: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A column as floats (n,) with gaps as NaN; raises click.ClickException when all are gaps."""
    found = numbers(path, frame, column)
    if not (found == found).any():
        raise click.ClickException(f"{path}: {column} is a gap or infinite in every row.")
    return found


def _given(path: Path, frame: pd.DataFrame, w: Wanted) -> pd.DataFrame:
    assert w.actual is not None
    assert w.expected is not None
    table = frame[list(w.dims)].assign(
        now=_amounts(path, frame, w.actual), was=_amounts(path, frame, w.expected)
    )
    # A gap is not a zero: without one of the two there is nothing to compare.
    table = table.dropna(subset=["now", "was"])
    if table.empty:
        raise click.ClickException(f"{path}: no row has both {w.actual} and {w.expected}.")
    if not table["was"].abs().sum():
        raise click.ClickException(
            f"{path}: {w.expected} is 0 everywhere; nothing to compare with."
        )
    return table


def _held(path: Path, frame: pd.DataFrame, w: Wanted) -> pd.DataFrame:
    """Sums per cell since the moment, and of as much time before it: of the same hours of earlier
    days where that is less than a day and there are DAYS of them."""
    assert w.value is not None
    assert w.time is not None
    assert w.since is not None
    times, start = placed(path, frame, w.time, w.since)
    late = times >= start
    before = ~late & _same_hours(times, start)
    ticks = _ticks(times, start)
    moments = [ticks[late].nunique(), ticks[before].nunique()]
    if not all(moments):
        raise click.ClickException(
            f"{path}: {int((~late).sum())} rows before --since and {int(late.sum())} after; "
            "both are needed."
        )
    sums = {"now": _amounts(path, frame, w.value)}
    if w.denominator:
        sums["below"] = _amounts(path, frame, w.denominator)
    table = frame[list(w.dims)].astype("string").fillna(NULL).assign(**sums)
    if w.denominator and not (table["below"][late].any() and table["below"][before].any()):
        when = "since then" if table["below"][before].any() else "before"
        raise click.ClickException(f"{path}: {w.denominator} is 0 in every row {when}: no ratio.")
    now = table[late].groupby(list(w.dims)).sum()
    was = table[before].groupby(list(w.dims)).sum() * (moments[0] / moments[1])
    return (
        now.join(was.add_suffix("_was"), how="outer")
        .fillna(0.0)
        .reset_index()
        .rename(columns={"now_was": "was"})
    )


def _ticks(times: pd.Series[Any], start: int | datetime) -> pd.Series[Any]:
    """Times (n,) as moments to be counted. Rows that come whenever something happens have no
    rhythm: their moments are as wide as EVENTS of them take, or fewer of them were less time."""
    gaps = times.drop_duplicates().sort_values().diff().dropna()
    if len(gaps) < EVENTS:
        return times
    spread = float(gaps.std() / gaps.mean())  # 1 where things happen at random, 0 on a schedule
    if not AT_RANDOM[0] < spread < AT_RANDOM[1]:
        return times
    counted: pd.Series[Any] = (times - start) // (EVENTS * gaps.median())
    return counted


def _same_hours(times: pd.Series[Any], start: int | datetime) -> pd.Series[Any]:
    """Which times (n,) fall, on whatever day, between the hour of ``start`` and that of the last:
    a night is not held against the days around it.

    All of them, unless it is less than a day from ``start`` to the last time and DAYS or more to
    it from the first.
    """
    day, since = day_of(times), times - start
    if day is None or not since.max() < day or -since.min() < DAYS * day:
        return times.notna()
    same: pd.Series[Any] = since % day <= since.max()
    return same if (same & (times < start)).any() else times.notna()


def _result(path: Path, found: list[Segment], seconds: float) -> dict[str, Any]:
    return {
        "file": str(path),
        "segments": [
            {
                "where": s.where,
                "effect": s.effect,
                "share": round(s.share, 6),
                "score": round(s.score, 4),
            }
            for s in found
        ],
        "seconds": seconds,
    }


def _show(path: Path, found: list[Segment], table: pd.DataFrame) -> None:
    from analysis.charts.bars import Bar, segment_bars

    whole = f"{table['was'].sum():,.6g} → {table['now'].sum():,.6g}"
    rows = [
        (s.name, s.effect, f"{s.share:.0%}", f"{s.expected:,.6g} → {s.actual:,.6g}") for s in found
    ]
    title = f"{path}: {whole}" + ("" if found else "; no segment stands out")
    tell(title, ("segment", "effect", "share of the change", "amount"), rows)
    if found:
        bars = [Bar(s.name, s.expected, s.actual, True) for s in found]
        alt = "; ".join(f"{s.name} {s.expected:,.6g} → {s.actual:,.6g}" for s in found)
        picture = Path(f"{path.stem}-segments.png")
        picture.write_bytes(segment_bars(bars, f"What changed in {path.stem}", alt, "amount").png)
        click.echo(f"Chart: {picture}")
