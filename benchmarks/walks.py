"""The whole walk over planted incidents: is the conclusion right, and as sure as it should be?

Every world is drawn by its scenario and seed, walked without anybody who would correct it, and
thrown away. ``python -m benchmarks.walks --seeds 100-104`` prints a line per incident and a table.
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

from benchmarks.calibration import calibration
from bot.config import load
from bot.demo import NothingToPage, Truth, build, scenarios
from bot.demo.autoplay import NAMELESS, is_right
from bot.triage import triage_headless


@dataclass(frozen=True)
class Outcome:
    """One incident: what was planted, what was concluded, and how sure the walk was.

    ``confidence`` is that of the first cause, or of the last step where none is named; ``top``
    says whether the truth is among the three first suspects; ``path`` has a (node, verdict,
    confidence, headline) for each step; ``seconds`` is the time of all checks.
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
    sure = [c["confidence"] for c in found["causes"]]
    sure += [s["confidence"] for s in path[::-1] if s["confidence"] is not None]
    right = is_right(found, truth.kind, truth.names)
    named = truth.kind not in NAMELESS and any(
        is_right({"kind": truth.kind, "causes": [s]}, truth.kind, truth.names)
        for s in found["ranked"][:3]
    )
    return Outcome(
        name,
        seed,
        truth.kind,
        truth.names[:4],
        found["kind"],
        tuple(c["name"] for c in found["causes"]),
        float(sure[0]) if sure else 0.0,
        right,
        right or named,
        round(sum(s["seconds"] for s in path), 2),
        tuple((s["node"], s["verdict"], s["confidence"] or 0.0, s["headline"]) for s in path),
    )


def play(name: str, seed: int, home: Path, cache: Path) -> Outcome | None:
    """Build a world in ``home``, walk it; None when no draw of that seed would page anybody."""
    try:
        world = build(name, seed, home, cache=cache)
    except NothingToPage:
        return None
    alert, settings = world.alert, load(home / "hawkeye.toml")
    result = triage_headless(settings, alert.subject, since=alert.since, now=world.now)
    return outcome(name, seed, world.truth, result)


def outcomes(names: Sequence[str], seeds: Sequence[int], folder: Path) -> Iterator[Outcome]:
    """Play each scenario with each seed, one world on disk at a time."""
    for seed in seeds:
        for name in names:
            home = folder / f"{name}-{seed}"
            played = play(name, seed, home, folder / "cache")
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


def _numbers(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


@click.command()
@click.option("--seeds", default="100-102", show_default=True, help="FIRST-LAST")
@click.option("--scenario", "names", multiple=True, help="Only these [default: all].")
@click.option("--folder", type=click.Path(path_type=Path), help="Where worlds are built.")
@click.option("--out", type=click.Path(path_type=Path), help="Append each outcome as JSON.")
def main(seeds: str, names: tuple[str, ...], folder: Path | None, out: Path | None) -> None:
    """Play the scenarios, print each outcome and the tables."""
    played: list[Outcome] = []
    with tempfile.TemporaryDirectory() as scratch:
        everything = names or tuple(s.name for s in scenarios())
        for each in outcomes(everything, _numbers(seeds), folder or Path(scratch)):
            played.append(each)
            click.echo(each.line, err=True)
            if out is not None:
                with out.open("a") as file:
                    file.write(json.dumps(asdict(each)) + "\n")
    for line in (*table(played), "", *calibration([(o.confidence, o.right) for o in played])):
        click.echo(line)


if __name__ == "__main__":
    main()
