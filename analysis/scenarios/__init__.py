"""Synthetic incidents with a known cause: small tables of a team, and the truth about them.

>>> "unit_change" in FAULTS and FAULTS["storm"].kind == "world"
True
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from analysis.evidence import Onset, Scope, Suspect, Window
from analysis.tables import Contract


@dataclass(frozen=True)
class Fault:
    """A kind of fault: the conclusion that is right, the branches on the way, what it hits."""

    kind: str
    path: tuple[tuple[str, str], ...]
    group: str = ""


_MODEL = (("real", "real"), ("cause", "model"), ("models", "degraded"))
_INPUT = (
    *_MODEL,
    ("snapshot", "not_snapshot"),
    ("features", "inputs"),
    ("upstream", "upstream"),
)
_SNAPSHOT = (*_MODEL, ("snapshot", "snapshot"))
INPUT_FAULTS = (
    "nulls",
    "zeros",
    "unit_change",
    "frozen",
    "default",
    "stale",
    "delayed",
    "shuffled",
    "join_nulls",
    "join_shuffled",
    "sign_flip",
    "clipped",
    "remapped",
    "new_level",
    "lost_level",
    "offset_pair",
)
FAULTS: dict[str, Fault] = {
    **{name: Fault("upstream", _INPUT, "input") for name in INPUT_FAULTS},
    "corrupted_labels": Fault(
        "training_data", (*_SNAPSHOT, ("training_data", "training_data")), "snapshot"
    ),
    "missing_partition": Fault(
        "training_data", (*_SNAPSHOT, ("training_data", "training_data")), "snapshot"
    ),
    "diverged": Fault(
        "snapshot", (*_SNAPSHOT, ("training_data", "fine"), ("inside", "snapshot")), "snapshot"
    ),
    "serving_change": Fault(
        "model",
        (*_MODEL, ("snapshot", "not_snapshot"), ("features", "model"), ("inside", "model")),
        "model",
    ),
    "infra": Fault(
        "infra", (("real", "real"), ("cause", "infrastructure"), ("infra", "service")), "infra"
    ),
    "traffic_shift": Fault(
        "traffic", (("real", "real"), ("cause", "traffic"), ("segments", "segment")), "traffic"
    ),
    "storm": Fault("world", (("real", "real"), ("cause", "world"), ("segments", "world")), "world"),
    "hidden_factor": Fault(
        "unknown", (*_MODEL, ("snapshot", "not_snapshot"), ("features", "none")), "unknown"
    ),
    "withheld_labels": Fault(
        "labels", (("real", "real"), ("cause", "labels"), ("labels", "labels")), "labels"
    ),
    "none": Fault("false_alarm", (("real", "false_alarm"),), "none"),
}


@dataclass(frozen=True)
class Options:
    """What the team has and how big it is. ``dose`` None draws the share of rows hit."""

    labels: bool = True
    arms: bool = True
    snapshots: bool = True
    lineage: bool = True
    infra: bool = True
    training: bool = True
    decoys: bool = True
    rows_per_day: int = 1600
    days: int = 17
    dose: float | None = None
    features: tuple[str, ...] | None = None
    near_publish: bool = False
    label_delay_hours: float = 3.0
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Truth:
    """What was planted.

    ``names`` are right names for the conclusion (any one of them, all lower case to compare);
    ``features`` were changed; ``path`` is the right verdict by node. ``dose`` is the share of
    rows hit from ``onset`` on.
    """

    fault: str
    kind: str
    names: tuple[str, ...]
    features: tuple[str, ...]
    onset: datetime
    dose: float
    path: dict[str, str]
    model: str
    arm: str | None
    snapshot: str | None


@dataclass(frozen=True)
class Planted:
    """A team's contract, the folder of its tables, the scope at the alert, and the truth."""

    contract: Contract
    root: Path
    scope: Scope
    truth: Truth

    def at(self, node: str) -> Scope:
        """The scope as a person who is always right would have it on arriving at ``node``."""
        truth, scope = self.truth, self.scope
        if node == "real":
            return scope
        margin = timedelta(minutes=30)
        onset = Onset(truth.onset, truth.onset - margin, truth.onset + margin)
        suspects: list[Suspect] = []
        if node not in ("cause", "segments", "infra", "models"):
            suspects.append(Suspect("model", truth.model, 1.0))
            if truth.arm:
                suspects.append(Suspect("arm", f"ranker_test/{truth.arm}", 1.0))
            if truth.snapshot:
                suspects.append(Suspect("snapshot", truth.snapshot, 1.0))
        if node == "upstream":
            suspects += [Suspect("feature", f, 1.0) for f in truth.features]
        window = Window(truth.onset, scope.now)
        days = scope.baseline.length
        baseline = Window(onset.low - days, onset.low)
        return replace(
            scope, window=window, baseline=baseline, onset=onset, suspects=tuple(suspects)
        )


def plant(fault: str, seed: int, folder: Path, options: Options | None = None) -> Planted:
    """Writes the tables of a team hit by ``fault`` into ``folder`` and returns the truth.

    The seed draws victim, dose, onset, model, arm and the decoys (a benign failed run, a benign
    publish, an unused feature that drifts). Raises KeyError for a fault that is not in FAULTS.
    """
    from analysis.scenarios.plan import Plan

    return Plan(fault, seed, folder, options or Options()).carry_out()
