"""One incident after another: a fault planted in real rows, judged by an oracle, then looked at.

The check is called as the bot calls it, on a log that a team would have. The oracle alone holds
clean and faulty rows: a fault is *scored* when it moves the predictions of the window's rows, in
the mean of absolute differences, by more than three times the standard deviation of the mean
prediction from week to week (logit, the same hours of the same weekday).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from analysis.evidence import CannotExamine, Evidence, Scope, Window
from analysis.features import which_features
from analysis.tables import Contract
from analysis.warehouse import Warehouse
from benchmarks import rankers, scorer, served, streams
from benchmarks.feature_faults import DECOYS_ALONE, DOSES, KINDS, MODEL_SIDE, Planted, Site, plant

SPREADS = 3.0
"""A shift of more than so many week-to-week spreads is scored."""
HOURS = (4, 6, 8, 12, 24)
FEWEST = 60
WEEKS = 6
NOTICED = 20
"""An onset is known to within so many minutes."""
DRAWS = 12
CLEAN = "clean"
SNAPSHOT = "deployed"


@dataclass(frozen=True)
class Case:
    """What is planted where. ``number`` seeds everything that is drawn."""

    number: int
    stream: str
    kind: str
    seed: int

    @property
    def rng(self) -> np.random.Generator:
        """The same draws in every run."""
        return np.random.default_rng([self.seed, self.number])


@dataclass(frozen=True)
class Incident:
    """A log with a fault from ``onset`` on, noticed to be there ``since`` then, looked at at
    ``end``. ``truth`` and ``spreads`` (the oracle's shift) are not for the check."""

    stream: streams.Stream
    model: served.Model
    dose: float
    log: pd.DataFrame
    onset: pd.Timestamp
    since: pd.Timestamp
    end: pd.Timestamp
    truth: tuple[str, ...]
    spreads: float


@dataclass(frozen=True)
class Outcome:
    """A case, the oracle's shift in week-to-week spreads, and what the check said.

    ``ranked`` are features, the first suspect first; ``peers`` the first three of each ranker.
    """

    case: Case
    family: str
    dose: float
    truth: tuple[str, ...]
    spreads: float
    rows: int
    verdict: str
    confidence: float
    ranked: tuple[str, ...]
    figures: dict[str, float]
    said: str
    seconds: float
    peers: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def scored(self) -> bool:
        """Whether the oracle sees a shift."""
        return self.spreads > SPREADS

    def hit(self, first: int, ranked: Sequence[str] | None = None) -> bool:
        """Whether a broken feature is among the ``first``; of a pair, both among three."""
        found = set((self.ranked if ranked is None else ranked)[:first]) & set(self.truth)
        wanted = 2 if self.case.kind == "offsetting_pair" and first > 1 else 1
        return len(found) >= wanted

    def named(self, first: int) -> bool:
        """The same, and the check does blame the inputs."""
        return self.verdict == "inputs" and self.hit(first)


def draw(faults: int, controls: int, seed: int) -> list[Case]:
    """Cases of all kinds on both streams in turn; a tenth as many with the model broken
    and with decoys alone."""
    rest = max(4, faults // 10) if faults else 0
    kinds = [KINDS[i % len(KINDS)] for i in range(faults)]
    kinds += [MODEL_SIDE[i % 2] for i in range(rest)]
    kinds += [DECOYS_ALONE[i % 2] for i in range(rest)]
    kinds += [CLEAN] * controls
    rng = np.random.default_rng(seed)
    stream = rng.permutation(np.arange(len(kinds)) % 2)
    names = ("flights", "census")
    return [Case(i, names[stream[i]], kind, seed) for i, kind in enumerate(kinds)]


class Bench:
    """Streams and models, made once; ``folder`` is for logs, ``cache`` for what may be kept.

    With ``scored`` the check can ask the artifact of what is deployed.
    """

    def __init__(self, folder: Path, cache: Path, scored: bool = False) -> None:
        self.folder = folder
        self.cache = cache
        self.scored = scored
        self._models: dict[tuple[str, str, int, int], tuple[served.Model, np.ndarray]] = {}

    @cached_property
    def streams(self) -> dict[str, streams.Stream]:
        """Both, by name."""
        return {"flights": streams.flights(self.cache), "census": streams.persons()}

    def model(self, stream: str, family: Any, period: int, seed: int) -> Any:
        """A model and its clean predictions (logit) for its whole stream."""
        key = (stream, family, period, seed)
        if key not in self._models:
            model = served.train(self.streams[stream], family, period, seed)
            self._models[key] = (model, served.logit(model(self.streams[stream].frame)))
        return self._models[key]

    def outcomes(self, cases: Sequence[Case], peers: bool) -> Iterator[Outcome]:
        """Plant, judge and look, case by case."""
        for case in cases:
            yield self.play(case, peers)

    def play(self, case: Case, peers: bool) -> Outcome:
        """One case; a check that can't examine it counts as the verdict "unknown"."""
        i = self.incident(case)
        found, seconds = self._look(i)
        scored = peers and i.spreads > SPREADS and bool(i.truth)
        return Outcome(
            case,
            i.model.family,
            i.dose,
            i.truth,
            i.spreads,
            len(i.log) - int(i.log["time"].searchsorted(i.onset)),
            seconds=seconds,
            peers=_peers(i) if scored else {},
            **_said(found),
        )

    def incident(self, case: Case) -> Incident:
        """The log with the fault in it, and what the oracle makes of it.

        Most faults of real data hardly move a prediction: two of three cases are drawn anew, a
        few times, until the oracle sees one. The check has no say in it.
        """
        rng = case.rng
        draws = 1 if case.kind in (CLEAN, *DECOYS_ALONE) or case.number % 3 == 0 else DRAWS
        for _ in range(draws):
            found = self._draw(case, rng)
            if found.spreads > SPREADS:
                break
        return found

    def _draw(self, case: Case, rng: np.random.Generator) -> Incident:
        stream, dose = self.streams[case.stream], float(rng.choice(DOSES))
        family = served.FAMILIES[int(rng.integers(len(served.FAMILIES)))]
        period, variant = int(rng.integers(len(stream.training))), int(rng.integers(2))
        model, clean = self.model(stream.name, family, period, variant)
        onset, end = _window(stream, period, rng)
        times = stream.frame["time"]
        low, mid, high = times.searchsorted([onset - pd.Timedelta(days=stream.history), onset, end])
        at = np.arange(mid, high)
        before, window = stream.frame.iloc[low:mid], stream.frame.iloc[mid:high]
        planted, score = Planted(window, ()), clean[at]
        if case.kind in KINDS or case.kind in DECOYS_ALONE:
            site = Site(stream, model, before, window, at, onset, rng)
            planted = plant(case.kind, site, dose)
            score = served.logit(model(planted.window))
        elif case.kind == "calibration_offset":
            score = score + rng.uniform(0.3, 1.2) * rng.choice([-1, 1])
        elif case.kind == "another_version":
            other = len(stream.training) - 1 - period
            score = self.model(stream.name, family, other, 1 - variant)[1][at]
        shift = np.abs(score - clean[planted.window.index.to_numpy()]).mean()
        spread = _week_to_week(stream, period, clean, onset, end)
        log = pd.concat([before, planted.window])
        log["prediction"] = 1 / (1 + np.exp(-np.append(clean[low:mid], score)))
        late = pd.Timedelta(minutes=int(rng.integers(-NOTICED, NOTICED)) * int(rng.integers(2)))
        spreads = float(shift / spread)
        return Incident(stream, model, dose, log, onset, onset + late, end, planted.truth, spreads)

    def _look(self, i: Incident) -> tuple[Evidence | CannotExamine, float]:
        stream = i.stream
        roles = {"time": "time", "prediction": "prediction"}
        if stream.labelled:
            roles |= {"label": "label", "label_time": "label_time"}
        if self.scored:
            roles |= {"snapshot": "snapshot"}
        contract: dict[str, Any] = {
            "predictions": {
                "source": "log.parquet",
                "features": stream.features,
                "dimensions": stream.dims,
                **roles,
            },
            "metrics": [{"name": "mean", "kind": "mean_prediction"}],
            **(self._deployed(i) if self.scored else {}),
        }
        log = i.log.assign(snapshot=SNAPSHOT)[[*roles, *stream.features]]
        log.to_parquet(self.folder / "log.parquet", index=False)
        now, since = (t.to_pydatetime().replace(tzinfo=UTC) for t in (i.end, i.since))
        start = since - pd.Timedelta(days=stream.history).to_pytimedelta()
        scope = Scope(now, Window(since, now), Window(start, since), "metric", "mean")
        begun = time.perf_counter()
        try:
            team = Warehouse(Contract.model_validate(contract), self.folder, now)
            found: Evidence | CannotExamine = which_features(team, scope)
        except CannotExamine as error:
            found = error
        return found, time.perf_counter() - begun

    def _deployed(self, i: Incident) -> dict[str, Any]:
        """The tables that say what the log holds answers of: one snapshot all along."""
        artifact = f"artifacts/{SNAPSHOT}.pickle"
        scorer.put(self.folder / artifact, i.model)
        row = {"model": "model", "snapshot": SNAPSHOT, "published": i.log["time"].iloc[0]}
        published = pd.DataFrame([row | {"artifact": artifact}])
        published.to_parquet(self.folder / "snapshots.parquet", index=False)
        return {
            "snapshots": {"source": "snapshots.parquet", "artifact": "artifact"},
            "scorer": {"command": scorer.COMMAND},
        }


def _said(found: Evidence | CannotExamine) -> dict[str, Any]:
    if isinstance(found, CannotExamine):
        nothing: dict[str, Any] = {"confidence": 0.0, "ranked": (), "figures": {}}
        return nothing | {"verdict": "unknown", "said": str(found)}
    # A step that says itself that likelier nothing changed only goes on to where it can be told.
    weak = found.figures.get(f"p_{found.verdict}", 1.0) < found.figures["p_none"]
    return {
        "verdict": "unknown" if weak else found.verdict,
        "confidence": found.confidence,
        "ranked": tuple(s.name for s in found.suspects if s.kind == "feature"),
        "figures": dict(found.figures),
        "said": " | ".join(
            [found.headline, *(f"{s.name} {s.changed}" for s in found.suspects[:3])]
        ),
    }


def _window(stream: streams.Stream, period: int, rng: np.random.Generator) -> Any:
    """An onset on a whole minute and the moment of the look, with rows enough between them."""
    times = stream.frame["time"]
    first = _served_from(stream, period) + pd.Timedelta(days=stream.history)
    last = times.iloc[-1] - pd.Timedelta(days=1)
    if period + 1 < len(stream.training):
        last = first + pd.Timedelta(days=120)
    for _ in range(1_000):
        minutes = int(rng.integers(int((last - first) / pd.Timedelta(minutes=1))))
        onset = first + pd.Timedelta(minutes=minutes)
        end = onset + pd.Timedelta(hours=int(rng.choice(HOURS)))
        low, high = times.searchsorted([onset, end])
        if high - low >= FEWEST:
            return onset, end
    raise ValueError(f"{stream.name} has no window of {FEWEST} rows between {first} and {last}")


def _served_from(stream: streams.Stream, period: int) -> pd.Timestamp:
    """The midnight after the last row that a model was trained on."""
    last: pd.Timestamp = stream.frame["time"][stream.training[period]].iloc[-1]
    return last.ceil("D")


def _week_to_week(
    stream: streams.Stream, period: int, clean: np.ndarray, onset: Any, end: Any
) -> float:
    """Standard deviation of the clean mean logit over the same hours of the weeks around."""
    times, means = stream.frame["time"], []
    for week in range(-WEEKS, WEEKS + 1):
        away = pd.Timedelta(days=7 * week)
        low, high = times.searchsorted([onset + away, end + away])
        if onset + away >= _served_from(stream, period) and high - low >= FEWEST // 2:
            means.append(clean[low:high].mean())
    return float(np.std(means, ddof=1)) if len(means) > 2 else float("inf")


def _peers(i: Incident) -> dict[str, Any]:
    """The public rankers' first three, on the same clock hours of the baseline and the window."""
    rng = np.random.default_rng(0)
    log, onset = i.log, i.onset
    day = np.timedelta64(1, "D")
    since = (log["time"].to_numpy() - np.datetime64(onset)) % day
    late = (log["time"] >= onset).to_numpy()
    sides = [~late & (since < np.timedelta64(i.end - onset)), late]
    parts = []
    for side in sides:
        rows = np.flatnonzero(side)
        kept = rows if len(rows) <= rankers.MOST else rng.choice(rows, rankers.MOST, replace=False)
        parts.append(log.iloc[np.sort(kept)])
    return {
        name: tuple(rankers.ranking(rank(*parts, i.stream.kinds))[:3])
        for name, rank in rankers.RANKERS.items()
    }
