"""Incidents on histories of snapshots: a bad publish, or something else while publishes go on."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.evidence import CannotExamine, Evidence, Onset, Scope, Suspect, Window
from analysis.snapshots import which_snapshot
from analysis.tables import Contract
from analysis.warehouse import Warehouse
from benchmarks import scorer, streams
from benchmarks.histories import BAD, DAYS, Chain, History
from benchmarks.served import FAMILIES, logit
from benchmarks.snapshot_worlds import BASELINE, DAY, Served, chains_served, happen, log_of

INNOCENT = ("quiet", "publish", "inputs", "traffic", "world")
"""Nothing at all; a good publish; and broken inputs, a shift of traffic or of the world's ways
within an hour of a good publish."""
NOTICED = 20
"""An onset is off by up to so many minutes, in half of the cases."""
MOVED = 3.0
"""A bad snapshot is scored where its answers differ so many times as much as retraining makes."""
HARMED = 3.0
"""And where its log loss is so many standard errors above its predecessor's on the same rows."""
BESIDE = ("", "publish", "traffic")
"""Beside a bad snapshot: nothing, a good publish of another chain within the hour, or a shift of
traffic at the onset."""
ARTIFACTS = 14
"""So many are kept of each chain."""
CASES_EACH = 24
"""So many cases share a history."""


@dataclass(frozen=True)
class Case:
    """What is planted: a kind of BAD or of INNOCENT, and one of BESIDE; on which history."""

    kind: str
    beside: str
    number: int
    stream: str
    history: int


@dataclass(frozen=True)
class Outcome:
    """What the check said. ``moved``: how far the bad snapshot's answers lie from its
    predecessor's, over the median of good publishes before; ``harm`` by how many standard errors
    its log loss on them is higher. ``nearest`` is the snapshot published
    nearest to the onset, within an hour; ``publishes`` how many a chain has."""

    case: Case
    verdict: str
    confidence: float
    named: str
    first: str
    bad: str
    nearest: str
    moved: float
    harm: float
    publishes: int
    said: str
    seconds: float

    @property
    def scored(self) -> bool:
        """Whether the snapshot was really bad: it answers otherwise, and worse."""
        return self.moved >= MOVED and self.harm >= HARMED

    @property
    def hit(self) -> bool:
        """Whether the bad one was named."""
        return self.verdict == "snapshot" and self.named == self.bad

    @property
    def accused(self) -> bool:
        """Whether a good snapshot was named."""
        return self.verdict == "snapshot" and self.named != self.bad


def draw(bad: int, innocent: int, seed: int) -> list[Case]:
    """So many of each, kinds and histories in turn."""
    total = bad + innocent
    histories = max(2, round(total / CASES_EACH))
    cases = [(BAD[i % len(BAD)], BESIDE[i // len(BAD) % len(BESIDE)], i) for i in range(bad)]
    cases += [(INNOCENT[i % len(INNOCENT)], "", bad + i) for i in range(innocent)]
    order = np.random.default_rng(seed).integers(0, histories, total)
    drawn = [
        Case(kind, also, seed * 100_000 + i, ("flights", "census")[h % 2], seed * 1_000 + int(h))
        for (kind, also, i), h in zip(cases, order, strict=True)
    ]
    return sorted(drawn, key=lambda c: c.history)


class Bench:
    """Plays cases; ``folder`` holds the tables of one at a time, ``cache`` the parsed flights.

    With ``scored`` the check can ask the artifacts of all snapshots.
    """

    def __init__(self, folder: Path, cache: Path, scored: bool = False) -> None:
        self.folder = folder
        self.scored = scored
        self._cache = cache
        self._streams: dict[str, streams.Stream] = {}
        self._history: tuple[Any, History] | None = None

    def outcomes(self, cases: Sequence[Case]) -> Iterator[Outcome]:
        """Each as soon as it is known; cases of one history in a row train it once."""
        for case in cases:
            yield self._play(case, self._history_of(case))

    def _history_of(self, case: Case) -> History:
        key = (case.stream, case.history)
        if self._history is None or self._history[0] != key:
            if case.stream not in self._streams:
                persons = case.stream == "census"
                made = streams.persons() if persons else streams.flights(self._cache)
                self._streams[case.stream] = made
            families = [FAMILIES[(case.history // 2 + i) % len(FAMILIES)] for i in range(2)]
            history = History.draw(self._streams[case.stream], families, case.history)
            self._history = key, history
        return self._history[1]

    def _play(self, case: Case, history: History) -> Outcome:
        rng = np.random.default_rng(case.number)
        chain = history.chains[int(rng.integers(2))]
        k, onset, end = _moment(case, history, chain, rng)
        bad = case.kind if case.kind in BAD else ""
        dose = float(rng.uniform(0.3, 1.0) if bad in ("dropped", "stale", "skewed") else 0.5)
        served = chains_served(history, chain, case.beside, onset, rng)
        log = log_of(history, served, (chain, k), (bad, dose), onset, end)
        shift = case.beside if bad else case.kind
        if shift not in ("", "quiet", "publish"):
            log = happen(log, shift, history, onset, rng)
        moved, harm = 0.0, 0.0
        if bad:
            # The model "other" scores every request, and once.
            requests = log[(log["time"] >= onset) & (log["model"] == "other")]
            moved, harm = _oracle(history, chain, k, (bad, dose), requests)
        late = pd.Timedelta(minutes=int(rng.integers(-NOTICED, NOTICED)) * int(rng.integers(2)))
        named = bool(rng.integers(3))
        asked = (chain, k, bad, dose)
        registry = self._registry(history, served, asked, end)
        registry.to_parquet(self.folder / "snapshots.parquet", index=False)
        found, seconds = self._look(history, log, onset + late, end, named)
        said = _said(found)
        name = chain.name(k) + "-bad" if bad else ""
        publishes = sum(len(c.publishes) for c in history.chains) // len(history.chains)
        near = _nearest(served, onset + late, named)
        if near == chain.name(k) and bad:
            near = name
        return Outcome(
            case,
            **said,
            bad=name,
            nearest=near,
            moved=moved,
            harm=harm,
            publishes=publishes,
            seconds=seconds,
        )

    def _look(
        self,
        history: History,
        log: pd.DataFrame,
        since: Any,
        end: Any,
        named: bool,
    ) -> tuple[Evidence | CannotExamine, float]:
        roles = {n: n for n in ("time", "prediction", "model", "experiment", "arm", "snapshot")}
        if history.stream.labelled:
            roles |= {"label": "label", "label_time": "label_time"}
        log[[*roles, *history.stream.features]].to_parquet(self.folder / "log.parquet", index=False)
        contract: dict[str, Any] = {
            "predictions": {
                "source": "log.parquet",
                "features": history.stream.features,
                "dimensions": history.stream.dims,
                **roles,
            },
            "snapshots": {"source": "snapshots.parquet"},
            "metrics": [{"name": "mean", "kind": "mean_prediction"}],
        }
        if self.scored:
            contract["snapshots"] = {"source": "snapshots.parquet", "artifact": "artifact"}
            contract["scorer"] = {"command": scorer.COMMAND}
        now, at = (t.to_pydatetime().replace(tzinfo=UTC) for t in (end, since))
        bound = pd.Timedelta(minutes=NOTICED + 10).to_pytimedelta()
        scope = Scope(
            now,
            Window(at, now),
            Window(at - BASELINE.to_pytimedelta(), at),
            "metric",
            "mean",
            Onset(at, at - bound, at + bound),
            (Suspect("model", "main", 0.9),) if named else (),
        )
        begun = time.perf_counter()
        try:
            team = Warehouse(Contract.model_validate(contract), self.folder, now)
            found: Evidence | CannotExamine = which_snapshot(team, scope)
        except CannotExamine as error:
            found = error
        return found, time.perf_counter() - begun

    def _registry(
        self,
        history: History,
        served: Sequence[Served],
        asked: tuple[Chain, int, str, float],
        end: pd.Timestamp,
    ) -> pd.DataFrame:
        """Every snapshot published by ``end``; the latest of each chain with its artifact."""
        suspect, k, bad, dose = asked
        rows = []
        for c, publishes in served:
            known = [i for i, at in enumerate(publishes) if at < end]
            for i in known:
                wrong = (bad, dose) if bad and (c, i) == (suspect, k) else ("", 0.0)
                name = c.name(i) + ("-bad" if wrong[0] else "")
                file = f"artifacts/{name}.pickle"
                if self.scored and i > known[-1] - ARTIFACTS:
                    scorer.put(self.folder / file, history.snapshot(c, i, *wrong))
                row = {"model": c.model, "snapshot": name, "published": publishes[i]}
                rows.append(row | {"artifact": file})
        return pd.DataFrame(rows)


def _said(found: Evidence | CannotExamine) -> dict[str, Any]:
    if isinstance(found, CannotExamine):
        return {"verdict": "", "confidence": 0.0, "named": "", "first": "", "said": str(found)}
    return {
        "verdict": found.verdict,
        "confidence": found.confidence,
        "named": found.named[0].name if found.named else "",
        "first": found.suspects[0].name if found.suspects else "",
        "said": " | ".join(
            [found.headline, *(f"{s.name} {s.changed}" for s in found.suspects[:3])]
        ),
    }


def _moment(
    case: Case, history: History, chain: Chain, rng: np.random.Generator
) -> tuple[int, pd.Timestamp, pd.Timestamp]:
    """The publish that is bad, or near the onset; the onset, and the moment of the look."""
    times = history.stream.frame["time"]
    early = history.start + BASELINE + pd.Timedelta(days=1)
    usable = [i for i, at in enumerate(chain.publishes) if early < at]
    usable = [i for i in usable[:-1] if chain.publishes[i] < history.start + DAYS * DAY]
    for _ in range(1_000):
        k = int(rng.choice(usable))
        onset = chain.publishes[k]
        if case.kind == "quiet":
            onset += pd.Timedelta(minutes=int(rng.integers(14 * 60)))
        elif case.kind in INNOCENT[2:]:
            onset += pd.Timedelta(minutes=int(rng.integers(-60, 60)))
        end = min(onset + pd.Timedelta(hours=int(rng.choice([4, 8, 12]))), chain.publishes[k + 1])
        low, high = times.searchsorted([onset, end])
        if high - low >= FEWEST:
            # Nothing can be seen before the first request.
            return k, max(onset, times.iloc[low]).floor("min"), end.floor("min")
    raise ValueError(f"history {case.history} has no window of {FEWEST} rows")


FEWEST = 200
"""Rows of the stream in a window, at the least."""


def _nearest(served: Sequence[Served], onset: pd.Timestamp, named: bool) -> str:
    """The peer: whoever went live nearest to the onset, if within an hour."""
    every = [
        (abs(at - onset), c.name(i))
        for c, publishes in served
        for i, at in enumerate(publishes)
        if c.model == "main" or not named
    ]
    gap, name = min(every)
    return name if gap <= pd.Timedelta(hours=1) else ""


def _oracle(
    history: History, chain: Chain, k: int, bad: tuple[str, float], rows: pd.DataFrame
) -> tuple[float, float]:
    """Who holds both artifacts and all labels: the same rows through them, and good neighbours."""
    good = [logit(history.snapshot(chain, i)(rows)) for i in range(k - 6, k)]
    usual = [float(np.sqrt(np.mean((b - a) ** 2))) for a, b in pairwise(good)]
    new, old = logit(history.snapshot(chain, k, *bad)(rows)), good[-1]
    y = rows["label"].to_numpy(float)
    gap = np.logaddexp(0, new) - y * new - np.logaddexp(0, old) + y * old
    gap = gap[np.isfinite(gap)]
    moved = float(np.sqrt(np.mean((new - old) ** 2))) / float(np.median(usual))
    return moved, float(gap.mean() / (gap.std(ddof=1) / np.sqrt(len(gap))))
