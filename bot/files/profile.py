"""``hawkeye profile``: one pass over a log, every column counted per hour."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bot.files.shared import say, tell

if TYPE_CHECKING:
    from analysis.profile import Bins, Profile

SAMPLE = 20_000
"""Rows that set the bins, where none are saved."""
PLACES = 16
"""… from so many places of a Parquet file,"""
GROUPS = 8
"""… that lie in so many of its row groups: of each that is touched, about all is read."""
ROW = "file_row_number"


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--time", "time_column", required=True, help="Column of the prediction's time.")
@click.option("--prediction", required=True, help="Column of the served prediction.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def profile(file: Path, time_column: str, prediction: str, as_json: bool) -> None:
    """Count every column of FILE (Parquet or CSV) per hour, in one scan inside the engine.

    ``scan_seconds`` is what reading all the same columns once takes (their sums), on the same
    threads, in the same run.
    """
    result, counted, bins, left_out = _measured(file, time_column, prediction)
    if left_out:
        click.echo(f"Not counted, as they hold lists or the like: {', '.join(left_out)}.", err=True)
    if as_json:
        say(result)
        return
    click.echo(
        f"{result['rows']:,} rows × {result['columns']} columns in {result['buckets']} hours: "
        f"{result['seconds']:.1f} s, {result['seconds'] / result['scan_seconds']:.1f} × a plain "
        f"scan, {result['peak_mb']:.0f} MB at most."
    )
    _show(file, counted, bins)


def _measured(
    file: Path, time_column: str, prediction: str
) -> tuple[dict[str, Any], Profile, dict[str, Bins], list[str]]:
    """What is printed, the counts and their bins, and the columns that can't be counted."""
    from analysis.engine import connect
    from analysis.profile import kinds

    needed = time_column, prediction
    table = _read(connect(), file, needed)
    names = [c for c in table.columns if c != time_column]
    _scan(table, names)  # warms the file cache for both
    began = time.perf_counter()
    _scan(table, names)
    scan = time.perf_counter() - began
    began = time.perf_counter()
    counted, bins = _counted(table, _moments(file, table, needed), time_column, names)
    seconds = time.perf_counter() - began
    result = {
        "rows": round(counted.rows.sum()),
        "columns": len(bins),
        "buckets": len(counted.buckets),
        "seconds": round(seconds, 3),
        "scan_seconds": round(scan, 3),
        "peak_mb": round(_peak_mb(), 1),
    }
    can = kinds(table, names)
    return result, counted, bins, [name for name in names if name not in can]


def _moments(file: Path, table: Any, needed: tuple[str, ...]) -> Any:
    """Some of the rows of ``table``, from all over it: they set the bins.

    A Parquet file is opened at a few places, for rows drawn one by one would read all of it.
    """
    import ibis
    import pyarrow.parquet as pq

    if file.suffix != ".parquet" or ROW in table.columns:
        rows = int(table.count().execute())
        return table if rows <= 2 * SAMPLE else table.filter(ibis.random() < SAMPLE / rows)
    about = pq.read_metadata(file)
    sizes = [about.row_group(i).num_rows for i in range(about.num_row_groups)]
    if sum(sizes) <= 2 * SAMPLE:
        return table
    starts = _places(sizes)
    width = SAMPLE // len(starts)
    numbered = _read(table.get_backend(), file, needed, file_row_number=True)
    # Ranges are what the reader skips the rest of the file by.
    return numbered.filter(ibis.or_(*(numbered[ROW].between(at, at + width - 1) for at in starts)))


def _places(sizes: list[int]) -> list[int]:
    """The row that each place begins at, of a file whose row groups have these numbers of rows.

    Places lie evenly in row groups that are spread over the file: at most half of them, unless
    they are few, or too small to hold enough rows.
    """
    count = len(sizes)
    enough = -(-SAMPLE * count // sum(sizes))
    chosen = min(count, max(GROUPS // 2, min(GROUPS, count // 2), enough))
    each = -(-PLACES // chosen)
    return [
        sum(sizes[:group]) + sizes[group] * place // each
        for group in ((2 * i + 1) * count // (2 * chosen) for i in range(chosen))
        for place in range(each)
    ]


def _counted(
    table: Any, some_rows: Any, time_column: str, names: list[str]
) -> tuple[Profile, dict[str, Bins]]:
    """Some columns after the others: what is asked for thousands at once takes long to plan."""
    from analysis.profile import Profile
    from analysis.profile.stream import passes

    bins: dict[str, Bins] = {}
    found: list[Profile] = []
    for some in passes(names):
        counted, set_by_sample = _passed(table, some_rows, time_column, some)
        found.append(counted)
        bins |= set_by_sample
    counts = {name: c for part in found for name, c in part.counts.items()}
    return Profile(found[0].buckets, found[0].rows, counts), bins


def _passed(
    table: Any, some_rows: Any, time_column: str, names: Sequence[str]
) -> tuple[Profile, dict[str, Bins]]:
    from analysis.profile import bins_of, kinds, plain, profile
    from analysis.tables import Role

    def ready(rows: Any, *also: str) -> Any:
        time = rows[time_column]
        named = {Role.TIME: time, hour: time.truncate("h"), **{n: rows[n] for n in names}}
        return plain(rows.select(**named), kind, also, nan=True)

    # Longer than any column that begins so: none is called like it.
    hour = max(["_hour", *(f"{n}_" for n in names if n.startswith("_hour"))], key=len)
    kind = kinds(table, names)
    bins = bins_of(ready(some_rows).to_pyarrow().to_pandas(), kind)
    return profile(ready(table, hour), bins, hour), bins


def _read(connection: Any, file: Path, needed: tuple[str, ...], **options: bool) -> Any:
    """The rows with a time; ``options`` are those of the engine's reader of Parquet."""
    import duckdb

    try:
        if file.suffix == ".parquet":
            table = connection.read_parquet(file, **options)
        else:
            table = connection.read_csv(file)
    except (duckdb.Error, OSError) as error:
        raise click.ClickException(f"{file}: {str(error).splitlines()[0]}") from error
    missing = [name for name in needed if name not in table.columns]
    if missing:
        raise click.ClickException(
            f"{file} has no column {', '.join(map(repr, missing))}; "
            f"there are {', '.join(table.columns)}."
        )
    kind = table[needed[1]].type()
    if not (kind.is_numeric() or kind.is_boolean()):
        raise click.ClickException(f"{file}: {needed[1]} is {kind}, not a number.")
    timed = _timed(table, file, needed[0])
    return timed.filter(timed[needed[0]].notnull())


def _timed(table: Any, file: Path, column: str) -> Any:
    """``table`` with its times as timestamps: numbers are seconds since 1970, or milli-, micro- or
    nanoseconds by their size."""
    from analysis.epochs import unit_of

    kind = table[column].type()
    if kind.is_timestamp() or kind.is_date():
        return table
    if not kind.is_integer():
        raise click.ClickException(f"{file}: {column} is {kind}, not a time.")
    ends = table.aggregate(low=table[column].min(), high=table[column].max()).execute().iloc[0]
    if ends.isna().any():
        return table.mutate(**{column: table[column].as_timestamp("s")})
    unit = unit_of(float(ends["low"]), float(ends["high"]))
    if unit is None:
        raise click.ClickException(
            f"{file}: {column} holds {ends['low']:.0f} to {ends['high']:.0f}, which is no time in "
            "seconds, milli-, micro- or nanoseconds since 1970."
        )
    return table.mutate(**{column: (table[column] // unit).cast("int64").as_timestamp("s")})


def _scan(table: Any, names: list[str]) -> None:
    """Read every column once, in as many passes as the profile: sums of numbers, least of the
    rest."""
    from analysis.profile.stream import passes

    for some in passes(names):
        number = {n: table[n].type().is_numeric() for n in some}
        asked = {n: table[n].cast("float64").sum() if number[n] else table[n].min() for n in some}
        table.aggregate(**{f"_{i}": each for i, each in enumerate(asked.values())}).execute()


def _peak_mb() -> float:
    """The most memory this process has held, in megabytes."""
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def _show(file: Path, counted: Profile, bins: dict[str, Bins]) -> None:
    """What moved most between the first and the second half of the hours."""
    from analysis.profile import distance

    half = max(len(counted.buckets) // 2, 1)
    moved = {
        name: float(distance(c[:half].sum(axis=0)[None], c[half:].sum(axis=0)[None])[0])
        for name, c in counted.counts.items()
    }
    rows = []
    for name in sorted(moved, key=lambda n: -moved[n])[:12]:
        total = counted.counts[name].sum(axis=0)
        missing = total[-1] / max(float(total.sum()), 1.0)
        folded = bins[name].distinct - len(bins[name].levels) if bins[name].levels else 0
        rows.append(
            (
                name,
                bins[name].kind,
                f"{missing:.1%}",
                f"{moved[name]:.3f}",
                f"{folded} levels folded into other" if folded > 0 else "",
            )
        )
    tell(
        f"{file.stem}: first half of the hours against the second (Jensen–Shannon distance)",
        ("column", "kind", "missing", "distance", ""),
        rows,
    )
