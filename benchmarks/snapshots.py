"""Which snapshot: bad ones among 20 to 40 really trained ones, and incidents that no snapshot made.

``python -m benchmarks.snapshots`` plays more cases than `make bench` does; see docs/benchmarks.md.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from benchmarks.features import upper_bound
from benchmarks.histories import BAD
from benchmarks.snapshot_cases import BESIDE, INNOCENT, Bench, Outcome, draw
from benchmarks.table import Row

FAULTS, CONTROLS, SEED = 18, 30, 5
"""The size that `make bench` runs; the full one is 180 and 300."""


def rows(folder: Path) -> Iterator[Row]:
    """The short run: from the log alone, then with the artifacts."""
    for scored in (False, True):
        played = list(Bench(folder, folder, scored).outcomes(draw(FAULTS, CONTROLS, SEED)))
        if scored:
            yield Row("with a scorer:", "")
        yield from summary(played)


def summary(played: Sequence[Outcome]) -> Iterator[Row]:
    """Bad snapshots named, by kind; good ones accused, by what went on."""
    faults = [o for o in played if o.case.kind in BAD]
    scored = [o for o in faults if o.scored]
    yield Row(
        f"suspect snapshot: named first, {len(scored)} of {len(faults)} bad ones that answer "
        "otherwise, and worse",
        f"{_share(o.hit for o in scored)}; another named {_share(o.accused for o in scored)}",
        f"publish nearest to the onset {_share(o.nearest == o.bad for o in scored)}",
    )
    for kind in BAD:
        mine = [o for o in scored if o.case.kind == kind]
        if mine:
            yield Row(f"— {kind.replace('_', ' ')}, {len(mine)}", _share(o.hit for o in mine))
    for beside in BESIDE[1:]:
        mine = [o for o in scored if o.case.beside == beside]
        if mine:
            what = "a good publish" if beside == "publish" else "a shift of traffic"
            yield Row(f"— with {what} beside it, {len(mine)}", _share(o.hit for o in mine))
    rest = [o for o in faults if not o.scored]
    yield Row(
        f"— {len(rest)} others",
        f"named {_share(o.hit for o in rest)}, another named {_share(o.accused for o in rest)}",
    )
    clean = [o for o in played if o.case.kind in INNOCENT]
    accused = sum(o.accused for o in clean)
    near = sum(o.nearest != "" for o in clean)
    sizes = [o.publishes for o in played]
    yield Row(
        f"good snapshots accused, {len(clean)} incidents, {min(sizes)} to {max(sizes)} publishes "
        "a history",
        f"{accused}; at most {upper_bound(accused, len(clean)):.1%} (95 % bound)",
        f"a publish within an hour of the onset: {near}",
    )
    for kind in INNOCENT:
        mine = [o for o in clean if o.case.kind == kind]
        if mine:
            unsure = sum(o.verdict == "unsure" for o in mine)
            yield Row(f"— {kind}, {len(mine)}", f"{sum(o.accused for o in mine)}; {unsure} unsure")
    seconds = [o.seconds for o in played]
    yield Row(
        "seconds a check, median / worst", f"{statistics.median(seconds):.2f} / {max(seconds):.2f}"
    )


def _share(found: Iterator[bool]) -> str:
    every = list(found)
    return f"{sum(every) / len(every):.2f}" if every else "–"


@click.command()
@click.option("--faults", default=180, show_default=True)
@click.option("--controls", default=300, show_default=True)
@click.option("--seed", default=SEED, show_default=True)
@click.option("--cache", type=click.Path(path_type=Path), help="Keep parsed flights here.")
@click.option("--scorer/--no-scorer", default=True, help="Whether artifacts can be scored.")
@click.option("--verbose", is_flag=True, help="Tell of each case that went wrong.")
def main(
    faults: int, controls: int, seed: int, cache: Path | None, scorer: bool, verbose: bool
) -> None:
    """Play the cases and print the table."""
    played = []
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch), cache or Path(scratch), scorer)
        for each in bench.outcomes(draw(faults, controls, seed)):
            played.append(each)
            wrong = each.accused or (each.scored and not each.hit) or not each.verdict
            if verbose and wrong:
                click.echo(f"{each.case} {each.verdict} moved {each.moved:.1f}: {each.said}")
    click.echo("| what | measured | beside it |\n|---|---|---|")
    for row in summary(played):
        click.echo(row.markdown)


if __name__ == "__main__":
    main()
