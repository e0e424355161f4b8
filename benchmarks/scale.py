"""What a step costs at 10⁸, 10¹⁰ and 10¹² rows a day: unit costs measured here, then multiplied.

``python -m benchmarks.scale --price 6.25 --docs`` writes the tables of docs/scale.md.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from analysis.budget import amount
from benchmarks import page
from benchmarks.table import Row
from benchmarks.units import FEW, Units

PAGE = page.PAGE.with_name("scale.md")
PRICE = 6.25
SOURCE = "BigQuery on demand, United States, <https://cloud.google.com/bigquery/pricing>"
A_DAY = {"10⁸": 1e8, "10¹⁰": 1e10, "10¹²": 1e12}
COLUMNS = 51
BEFORE = 28
"""Days that an incident's day is compared with: `baseline_days` by default."""
SAMPLED = 1e7
"""Rows a day of a sampled copy of the log."""
HEAD = "| what | measured | beside it |\n|---|---|---|"

HEAD_OF_DAYS = "| what is read | bytes and dollars | time |\n|---|---|---|"


@dataclass(frozen=True)
class Read:
    """A way to look at a log: how many rows and columns of it; ``extra`` are bytes that are read
    besides, of a saved profile."""

    what: str
    rows: float
    columns: int
    extra: float = 0.0


def rows(folder: Path) -> Iterator[Row]:
    """The unit costs, then the days."""
    units = Units()
    yield from units.measured(folder)
    yield from worked_out(units, PRICE)


def worked_out(units: Units, price: float) -> Iterator[Row]:
    """Every day with every way to look at it; ``price`` is in dollars a TiB."""
    for name, count in A_DAY.items():
        for way in _ways(count, units):
            yield _row(f"{name} rows a day: {way.what}", way, units, price)
    hourly = SAMPLED / 24
    yield Row(
        f"a sample of {SAMPLED:,.0f} rows a day: an hour lies from all its rows",
        f"{units.noise / hourly**0.5:.4f} (Jensen–Shannon distance)",
        f"a day {units.noise / SAMPLED**0.5:.5f}",
    )


def _ways(count: float, units: Units) -> Iterator[Read]:
    days = BEFORE + 1
    yield Read(f"{COLUMNS} columns, {days} days", days * count, COLUMNS)
    yield Read(f"{FEW} columns, {days} days", days * count, FEW)
    yield Read(f"{COLUMNS} columns, 3 hours", count / 8, COLUMNS)
    profile = units.kept * days * 24 * COLUMNS
    told = f"{COLUMNS} columns, a saved profile ({amount('bytes', profile)}) and the newest hour"
    yield Read(told, count / 24, COLUMNS, profile)
    yield Read(f"{COLUMNS} columns, {days} days of the sample", days * SAMPLED, COLUMNS)


def _row(what: str, way: Read, units: Units, price: float) -> Row:
    values = way.rows * way.columns
    billed = values * units.billed
    seconds = values * units.scan
    cores = max(round((os.cpu_count() or 1) * seconds / 60), 1)
    return Row(
        what,
        f"{amount('bytes', values * units.packed + way.extra)} packed; "
        f"{amount('bytes', billed)} billed, {_dollars(billed / 2**40 * price)}",
        f"a scan: {_time(seconds)} here; {cores:,} such {_cores(cores)} for a minute",
    )


def _cores(count: int) -> str:
    return "core" if count == 1 else "cores"


def _dollars(sum_: float) -> str:
    return f"${sum_:,.0f}" if sum_ >= 10 else f"${sum_:.2f}"


def _time(seconds: float) -> str:
    days = seconds / 86400
    return amount("seconds", seconds) if days < 2 else f"{days:,.0f} days"


@click.command()
@click.option("--price", default=PRICE, show_default=True, help="Dollars a TiB that is read.")
@click.option("--source", default=SOURCE, show_default=True, help="Where the price stands.")
@click.option("--docs", is_flag=True, help="Write the tables into docs/scale.md.")
def main(price: float, source: str, docs: bool) -> None:
    """Measure and work out; print the table, and write the page if asked."""
    units = Units()
    click.echo(HEAD)
    with TemporaryDirectory() as folder:
        measured = _told(units.measured(Path(folder)))
    worked = _told(worked_out(units, price))
    if not docs:
        return
    command = f"python -m benchmarks.scale --price {price:g} --docs"
    page.write("units", "What was measured", command, [HEAD, *measured, ""], PAGE)
    said = f"At ${price:g} a TiB ({source}). Other engines have other prices: `--price`."
    page.write("days", "What follows from it", command, [said, "", HEAD_OF_DAYS, *worked, ""], PAGE)


def _told(found: Iterator[Row]) -> list[str]:
    lines = []
    for row in found:
        click.echo(row.markdown)
        lines.append(row.markdown)
    return lines


if __name__ == "__main__":
    main()
