"""Which features moved the predictions: planted faults, clean controls, and public rankers.

``python -m benchmarks.features`` runs more cases than `make bench` does; see docs/benchmarks.md.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from benchmarks.calibration import calibration
from benchmarks.feature_cases import CLEAN, Bench, Case, Outcome, draw
from benchmarks.feature_faults import DECOYS_ALONE, KINDS, MODEL_SIDE
from benchmarks.rankers import RANKERS
from benchmarks.table import Row

FAULTS, CONTROLS, SEED = 42, 30, 11
"""The size that `make bench` runs; the full one is 560 and 300."""


def rows(folder: Path) -> Iterator[Row]:
    """The short run."""
    bench = Bench(folder, folder)
    yield from summary(list(bench.outcomes(draw(FAULTS, CONTROLS, SEED), True)))


def summary(played: Sequence[Outcome]) -> Iterator[Row]:
    """What is asked of the check, a row each."""
    faults = [o for o in played if o.case.kind in KINDS]
    scored = [o for o in faults if o.scored]
    yield Row(
        f"responsible features: first / in the top 3, {len(scored)} of {len(faults)} faults "
        "that move predictions",
        f"{_share(o.named(1) for o in scored)} / {_share(o.named(3) for o in scored)}",
        "; ".join(
            f"{name} {_share(o.hit(1, o.peers.get(name, ())) for o in scored)} / "
            f"{_share(o.hit(3, o.peers.get(name, ())) for o in scored)}"
            for name in RANKERS
        ),
    )
    yield Row(
        "— by rank alone, whatever the verdict, as the rankers beside it",
        f"{_share(o.hit(1) for o in scored)} / {_share(o.hit(3) for o in scored)}",
    )
    for kind in KINDS:
        mine = [o for o in scored if o.case.kind == kind]
        if mine:
            yield Row(f"— {kind.replace('_', ' ')}, {len(mine)}", *_both(mine))
    rest = [o for o in faults if not o.scored]
    yield Row(
        f"— {len(rest)} that move predictions less",
        f"none or unknown {_share(_silent(o) for o in rest)}, "
        f"the broken feature {_share(o.named(1) for o in rest)}, "
        f"another accused {_share(not _silent(o) and not o.named(1) for o in rest)}",
    )
    clean = [o for o in played if o.case.kind == CLEAN]
    accused = sum(not _silent(o) for o in clean)
    yield Row(
        f"clean controls accused, of {len(clean)}",
        f"{accused}; at most {upper_bound(accused, len(clean)):.1%} (95 % bound)",
    )
    for kind in DECOYS_ALONE:
        alone = [o for o in played if o.case.kind == kind]
        yield Row(
            f"{kind.replace('_', ' ')}, {len(alone)}",
            f"accused {_share(not _silent(o) for o in alone)}",
        )
    yield from _model_side(played)
    seconds = [o.seconds for o in played]
    yield Row(
        "seconds a check, median / worst", f"{statistics.median(seconds):.2f} / {max(seconds):.2f}"
    )


def _both(mine: Sequence[Outcome]) -> tuple[str, str]:
    best = max(RANKERS, key=lambda n: sum(o.hit(1, o.peers.get(n, ())) for o in mine))
    return (
        f"{_share(o.named(1) for o in mine)} / {_share(o.named(3) for o in mine)}",
        f"best of them {_share(o.hit(1, o.peers.get(best, ())) for o in mine)} / "
        f"{_share(o.hit(3, o.peers.get(best, ())) for o in mine)} ({best})",
    )


def _model_side(played: Sequence[Outcome]) -> Iterator[Row]:
    """Inputs or model: where the model answers otherwise, and where only inputs changed."""
    broken = [o for o in played if o.case.kind in MODEL_SIDE and o.scored]
    scored = [o for o in played if o.case.kind in KINDS and o.scored and o.figures]
    yield Row(
        f"inputs or model: {len(broken)} faults of the model said to be the model's",
        _share(o.verdict == "model" for o in broken),
        f"of {len(scored)} faults of inputs {_share(o.verdict == 'model' for o in scored)}; median "
        f"R² of the surrogate {_median([o.figures['surrogate_r2'] for o in scored + broken]):.2f}",
    )
    yield Row(
        "— part of the shift said to be explained by inputs, median",
        f"{_median([o.figures['explained_by_inputs'] for o in scored]):.0%} where inputs broke",
        f"{_median([o.figures['explained_by_inputs'] for o in broken]):.0%} where the model did",
    )


def reliability(played: Sequence[Outcome]) -> Iterator[str]:
    """Stated against right: scored faults and clean controls."""
    pairs = []
    for o in played:
        # A silent step states how likely it is that nothing changed.
        stated = o.figures.get("p_none", 0.0) if _silent(o) else o.confidence
        if o.case.kind == CLEAN:
            pairs.append((stated, _silent(o)))
        elif o.scored and o.case.kind in (*KINDS, *MODEL_SIDE):
            right = o.verdict == "model" if o.case.kind in MODEL_SIDE else o.named(1)
            pairs.append((stated, right))
    yield from calibration(pairs)


def _kept(file: Path | None) -> list[Outcome]:
    """The outcomes in a file of an earlier run."""
    lines = file.read_text().splitlines() if file is not None and file.exists() else []
    every = [json.loads(line) for line in lines]
    return [Outcome(**o | {"case": Case(**o["case"])}) for o in every]


def upper_bound(count: int, total: int) -> float:
    """Upper end of the 95 % interval of a share (Clopper and Pearson 1934)."""
    from scipy.stats import beta

    return float(beta.ppf(0.975, count + 1, total - count)) if count < total else 1.0


def _silent(o: Outcome) -> bool:
    return o.verdict in ("none", "unknown")


def _share(found: Iterator[bool]) -> str:
    every = list(found)
    return f"{sum(every) / len(every):.2f}" if every else "–"


def _median(values: list[float]) -> float:
    return statistics.median(values) if values else float("nan")


@click.command()
@click.option("--faults", default=560, show_default=True)
@click.option("--controls", default=300, show_default=True)
@click.option("--seed", default=SEED, show_default=True)
@click.option("--peers/--no-peers", default=True, help="Run the public rankers too.")
@click.option("--scorer/--no-scorer", default=True, help="Whether the artifact can be scored.")
@click.option("--cache", type=click.Path(path_type=Path), help="Keep parsed flights here.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Keep each outcome here as JSON; those that it holds are not played again.",
)
@click.option("--most", type=int, help="Play at most so many more; print what there is.")
def main(
    faults: int,
    controls: int,
    seed: int,
    peers: bool,
    scorer: bool,
    cache: Path | None,
    out: Path | None,
    most: int | None,
) -> None:
    """Play the cases, print the table and the reliability diagram."""
    cases = draw(faults, controls, seed)
    played = [o for o in _kept(out) if o.case in cases]
    done = {o.case for o in played}
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch), cache or Path(scratch), scorer)
        for each in bench.outcomes([c for c in cases if c not in done][:most], peers):
            played.append(each)
            if out is not None:
                with out.open("a") as file:
                    file.write(json.dumps(asdict(each)) + "\n")
    click.echo("| what | measured | beside it |\n|---|---|---|")
    for row in summary(played):
        click.echo(row.markdown)
    for line in ("", *reliability(played)):
        click.echo(line)


if __name__ == "__main__":
    main()
