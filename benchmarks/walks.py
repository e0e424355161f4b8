"""The whole walk over planted incidents: is the conclusion right, and as sure as it should be?

Every world is drawn by its scenario and seed, walked without anybody who would correct it, and
thrown away. ``python -m benchmarks.walks --seeds 100-104`` prints a line per incident and a table;
``--out`` keeps outcomes, ``--read`` tells about kept ones, ``--docs`` writes docs/benchmarks.md.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks import page, reliability
from benchmarks.calibration import calibration, calibration_error, separation
from benchmarks.table import Row
from bot.config import load
from bot.demo import NothingToPage, Truth, build, scenarios
from bot.demo.autoplay import all_right, is_right
from bot.triage import triage_headless

BOUNDED = range(100, 102)
"""The seeds of ``make bench``: an incident of every scenario takes some ten seconds."""
PICTURE = "reliability-{}.png"


@dataclass(frozen=True)
class Outcome:
    """One incident: what was planted, what was concluded, and how sure the walk was.

    ``confidence`` is the conclusion's; ``top`` says whether the three first candidates hold the
    truth, all of it; ``path`` has a (node, verdict, confidence, headline) for each step;
    ``seconds`` is the time of all checks.
    """

    scenario: str
    seed: int
    truth: str
    names: tuple[str, ...]
    found: str
    causes: tuple[str, ...]
    confidence: float
    right: bool
    top: bool
    seconds: float
    path: tuple[tuple[str, str, float, str], ...]

    @property
    def line(self) -> str:
        """For the eye."""
        mark = "right" if self.right else "top 3" if self.top else "WRONG"
        steps = " ".join(f"{node}={verdict}@{sure:.2f}" for node, verdict, sure, _ in self.path)
        return (
            f"{mark} {self.scenario} {self.seed}: {self.truth} {self.names} -> {self.found} "
            f"{self.causes} {self.confidence:.2f} {self.seconds:.1f}s | {steps}"
        )


def outcome(name: str, seed: int, truth: Truth, result: dict[str, Any]) -> Outcome:
    """An outcome from the JSON of a walk."""
    found, path = result["conclusion"], result["path"]
    right = all_right(found, truth)
    first = [
        {"kind": c["kind"], "causes": [{"name": n} for n in c["names"]]}
        for c in result["candidates"][:3]
    ]
    named = all(any(is_right(c, t.kind, t.names) for c in first) for t in (truth, *truth.also))
    return Outcome(
        name,
        seed,
        truth.kind,
        (*truth.names[:4], *(t.names[0] for t in truth.also)),
        found["kind"],
        tuple(c["name"] for c in found["causes"]),
        found["confidence"],
        right,
        right or named,
        round(sum(s["seconds"] for s in path), 2),
        tuple((s["node"], s["verdict"], s["confidence"] or 0.0, s["headline"]) for s in path),
    )


def play(name: str, seed: int, home: Path, cache: Path, scorer: bool = True) -> Outcome | None:
    """Build a world in ``home``, walk it; None when no draw of that seed would page anybody."""
    try:
        world = build(name, seed, home, cache=cache)
    except NothingToPage:
        return None
    alert, settings = world.alert, load(home / "hawkeye.toml")
    if not scorer:
        settings = settings.model_copy(update={"scorer": None})
    result = triage_headless(settings, alert.subject, since=alert.since, now=world.now)
    return outcome(name, seed, world.truth, result)


def outcomes(
    names: Sequence[str], seeds: Sequence[int], folder: Path, scorer: bool = True
) -> Iterator[Outcome]:
    """Play each scenario with each seed, one world on disk at a time."""
    for seed in seeds:
        for name in names:
            home = folder / f"{name}-{seed}"
            played = play(name, seed, home, folder / "cache", scorer)
            shutil.rmtree(home, ignore_errors=True)
            if played is not None:
                yield played


def table(played: Sequence[Outcome]) -> Iterator[str]:
    """Markdown rows: each scenario, then all of them."""
    yield "| scenario | incidents | right | in the top 3 |\n|---|---|---|---|"
    for name in (*dict.fromkeys(o.scenario for o in played), ""):
        rows = [o for o in played if name in ("", o.scenario)]
        right, top = sum(o.right for o in rows), sum(o.top for o in rows)
        yield f"| {name or 'all'} | {len(rows)} | {right / len(rows):.0%} | {top / len(rows):.0%} |"


def rows(folder: Path) -> Iterator[Row]:
    """A bounded part of the walks, for ``make bench``."""
    played = list(outcomes([s.name for s in scenarios()], BOUNDED, folder))
    right, top = sum(o.right for o in played), sum(o.top for o in played)
    yield Row(
        f"the whole walk over {len(played)} planted incidents, conclusion right",
        f"{right / len(played):.0%}, in the top 3 {top / len(played):.0%}",
        f"{np.median([o.seconds for o in played]):.1f} s a walk (median of all its checks)",
    )
    outside = [o for o in played if o.truth == "unknown"]
    if outside:
        unknown = sum(o.right for o in outside)
        yield Row("cause outside the tree: unknown", f"{unknown} of {len(outside)}")
    stated = np.array([o.confidence for o in played])
    correct = np.array([o.right for o in played])
    yield Row(
        "confidence of conclusions",
        f"expected calibration error {calibration_error(stated, correct):.3f}",
        f"AUROC of right against wrong {separation(stated, correct):.2f}",
    )


def told(played: Sequence[Outcome]) -> list[str]:
    """Both tables as Markdown lines."""
    pairs = [(o.confidence, o.right) for o in played]
    return [*table(played), "", *calibration(pairs)]


def _write_docs(played: Sequence[Outcome], scorer: bool) -> None:
    name, title, bare = "walks", "The whole walk", ""
    if not scorer:
        name, title, bare = "walks-bare", "The whole walk without a scorer", " --no-scorer"
    chart = reliability.diagram([(o.confidence, o.right) for o in played])
    picture = PICTURE.format(name)
    (page.PAGE.parent / picture).write_bytes(chart.png)
    first, last = min(o.seed for o in played), max(o.seed for o in played)
    lines = [f"Seeds {first} to {last}.", "", *told(played), "", f"![{chart.alt}]({picture})", ""]
    command = f"python -m benchmarks.walks --seeds {first}-{last}{bare} --docs"
    page.write(name, title, command, lines)


def _numbers(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def _kept(file: Path) -> list[Outcome]:
    fields = [json.loads(line) for line in file.read_text().splitlines()]
    return [Outcome(**f) for f in fields]


@click.command()
@click.option("--seeds", default="100-102", show_default=True, help="FIRST-LAST")
@click.option("--scenario", "names", multiple=True, help="Only these [default: all].")
@click.option("--folder", type=click.Path(path_type=Path), help="Where worlds are built.")
@click.option("--out", type=click.Path(path_type=Path), help="Append each outcome as JSON.")
@click.option("--read", type=click.Path(path_type=Path, exists=True), help="Play none: an --out.")
@click.option("--scorer/--no-scorer", default=True, help="Whether artifacts can be scored.")
@click.option("--docs", is_flag=True, help="Write the tables and the diagram into docs/.")
def main(
    seeds: str,
    names: tuple[str, ...],
    folder: Path | None,
    out: Path | None,
    read: Path | None,
    scorer: bool,
    docs: bool,
) -> None:
    """Play the scenarios, print each outcome and the tables."""
    played: list[Outcome] = [] if read is None else _kept(read)
    everything = names or tuple(s.name for s in scenarios())
    with tempfile.TemporaryDirectory() as scratch:
        wanted = _numbers(seeds) if read is None else range(0)
        for each in outcomes(everything, wanted, folder or Path(scratch), scorer):
            played.append(each)
            click.echo(each.line, err=True)
            if out is not None:
                with out.open("a") as file:
                    file.write(json.dumps(asdict(each)) + "\n")
    for line in told(played):
        click.echo(line)
    if docs:
        _write_docs(played, scorer)


if __name__ == "__main__":
    main()
