"""Writes a world as the files that a team would have: Parquet tables and ``hawkeye.toml``.

Each file is replaced in one step, so that a process which reads it meanwhile sees the old or
the new one, never half of it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.tables import Contract
from bot.demo import operations
from bot.demo.columns import FEATURES
from bot.demo.flights import DAY, NEVER, Minutes, to_time
from bot.demo.measure import THRESHOLD, WATCHES
from bot.demo.registry import EXPERIMENT, MODELS, NO_ARM, TRAINING_TAKES
from bot.demo.timeline import Regime, Served, Snapshot

if TYPE_CHECKING:
    import pandas as pd

SETTINGS = "hawkeye.toml"
DIMENSIONS = ("carrier", "origin", "dest")
ARTIFACTS = "snapshots"
SCORER = (sys.executable, "-m", "bot.demo.scorer", "{rows}", "{answers}")
"""Found from anywhere: the demo is installed where it runs."""


def write_world(
    folder: Path,
    served: Served,
    regimes: tuple[Regime, ...],
    start: int,
    end: int,
    seed: int,
    hidden: tuple[str, ...],
    say: Any = lambda _: None,
) -> Contract:
    """Write all tables and the settings; returns the settings' data contract."""
    import pandas as pd

    folder.mkdir(parents=True, exist_ok=True)
    say("writing the registry and the training rows")
    write_snapshots(folder, served)
    put(folder / "lineage.parquet", pd.DataFrame(operations.lineage(hidden)))
    rewrite(folder, served, regimes, start, end, seed, say)
    contract = contract_of()
    put_text(folder / SETTINGS, settings_text(contract))
    return contract


def rewrite(
    folder: Path,
    served: Served,
    regimes: tuple[Regime, ...],
    start: int,
    end: int,
    seed: int,
    say: Any = lambda _: None,
) -> None:
    """Write what every mitigation changes: log, runs, infrastructure, experiments, registry."""
    import pandas as pd

    say("writing runs and infrastructure")
    runs = pd.DataFrame(operations.runs(served, regimes, start, end, seed))
    runs["finished"] = times(runs["finished"].to_numpy())
    runs["data_time"] = times(runs["data_time"].to_numpy())
    put(folder / "runs.parquet", runs)
    infra = pd.DataFrame(operations.infra(served, regimes, start, end, seed))
    infra["time"] = times(infra["time"].to_numpy())
    put(folder / "infra.parquet", infra)
    arms = pd.DataFrame(operations.experiments(regimes, start))
    for name in ("start", "end"):
        arms[name] = times(np.array([NEVER if v is None else v for v in arms[name]]))
    put(folder / "experiments.parquet", arms)
    put(folder / "snapshots.parquet", registry_table(served.snapshots))
    say("writing the serving log")
    put(folder / "predictions.parquet", predictions_table(served))


def predictions_table(served: Served) -> pd.DataFrame:
    """The serving log, a row a prediction, with every label and when it arrives."""
    import pandas as pd

    flights = served.log.flights
    none = served.arm == NO_ARM
    number = flights.number[served.row].astype(str)
    columns: dict[str, Any] = {
        "time": times(served.time),
        "flight": np.char.add(flights.carrier[served.row].astype(str), number),
        "model": served.model,
        "snapshot": served.snapshot,
        "experiment": pd.Series(np.full(len(none), EXPERIMENT, object)).mask(none),
        "arm": pd.Series(served.arm).mask(none),
        "prediction": served.score,
        "label": served.label,
        "label_time": times(served.label_time),
        "dest": flights.dest[served.row],
    }
    columns |= {name: served.log.columns[name][served.row] for name in FEATURES}
    return pd.DataFrame(columns)


def training_table(served: Served) -> pd.DataFrame:
    """The rows that each snapshot was trained on, with the labels that it saw."""
    import pandas as pd

    jobs = [s.job for s in served.snapshots.values()]
    rows = np.concatenate([j.rows for j in jobs])
    counts = [len(j.rows) for j in jobs]
    names = np.array([j.publish.snapshot for j in jobs], object)
    models = np.array([j.publish.series.model for j in jobs], object)
    day = np.concatenate([j.day for j in jobs])
    dates, place = np.unique(day, return_inverse=True)
    partitions = np.array([f"{to_time(int(d) * DAY):%Y-%m-%d}" for d in dates], object)
    columns: dict[str, Any] = {
        "snapshot": np.repeat(names, counts),
        "model": np.repeat(models, counts),
        "partition": partitions[place],
        "time": times(served.log.flights.scored[rows]),
        "label": np.concatenate([j.label for j in jobs]),
    }
    columns |= {name: served.log.columns[name][rows] for name in FEATURES}
    return pd.DataFrame(columns)


def registry_table(snapshots: Any) -> pd.DataFrame:
    """The registry, a row a snapshot, by time of publish."""
    import pandas as pd

    found = sorted(snapshots.values(), key=lambda s: (s.publish.published, s.publish.snapshot))
    return pd.DataFrame([_registered(s) for s in found])


def _registered(snapshot: Snapshot) -> dict[str, Any]:
    publish, trained = snapshot.publish, snapshot.trained
    curve = [{"step": e, "train_loss": a, "valid_loss": b} for e, a, b in trained.curve]
    final = {"valid_loss": trained.curve[-1][2], "rows": len(snapshot.job.rows)}
    return {
        "model": publish.series.model,
        "arm": publish.series.arm,
        "snapshot": publish.snapshot,
        "published": _stamp(publish.published),
        "trained": _stamp(publish.published - TRAINING_TAKES // 3),
        "train_start": _stamp(publish.train_start),
        "train_end": _stamp(publish.train_end),
        "parent": publish.parent,
        "metrics": json.dumps(final),
        "curve": json.dumps(curve),
        "weights": json.dumps(trained.net.modules),
        "artifact": f"{ARTIFACTS}/{publish.snapshot}.npz",
    }


def write_snapshots(folder: Path, served: Served) -> None:
    """Write the snapshots' artifacts and the rows that they were trained on."""
    (folder / ARTIFACTS).mkdir(exist_ok=True)
    for name, snapshot in served.snapshots.items():
        snapshot.trained.net.save(folder / ARTIFACTS / f"{name}.npz")
    put(folder / "training.parquet", training_table(served))


def contract_of() -> Contract:
    """The data contract of every demo world."""
    roles = ("time", "prediction", "model", "snapshot", "experiment", "arm", "label", "label_time")
    told = ("trained", "train_start", "train_end", "parent", "metrics", "curve", "weights")
    predictions = _columns("predictions", *roles)
    watched = ("name", "kind", "model", "bad", "every", "title")
    return Contract.model_validate(
        {
            "predictions": predictions | {"dimensions": DIMENSIONS, "features": FEATURES},
            "infra": _columns("infra"),
            "snapshots": _columns("snapshots", *told, "artifact"),
            "experiments": _columns("experiments", "model", "start", "end", "share"),
            "lineage": _columns("lineage", "upstream_column", "downstream_column", "owner"),
            "runs": _columns("runs", "status", "rows", "data_time", "schema", "version")
            | {"time": "finished"},
            "training": _columns("training", "model", "time", "partition", "label"),
            "scorer": {"command": SCORER},
            "models": [
                {"name": name, "task": task, "threshold": THRESHOLD if task == "binary" else 0.5}
                for name, task in MODELS.items()
            ],
            "metrics": [{name: getattr(w, name) for name in watched} for w in WATCHES],
        }
    )


def _columns(table: str, *names: str) -> dict[str, Any]:
    """A table's file, and columns that are called what they hold."""
    return {"source": f"{table}.parquet", **{name: name for name in names}}


def settings_text(contract: Contract) -> str:
    """The contract as ``hawkeye.toml``."""
    data = contract.model_dump(by_alias=True, exclude_none=True, exclude_defaults=True)
    lines = ["# The tables of the demo's airline: flights that left New York in 2013.", ""]
    lines += ["[data]", f'url = "{contract.url}"', ""]
    lines += ["# Labels come hours late here.", "[walk]", "give_up_minutes = 1440", ""]
    for name, table in data.items():
        if name in ("url", "models", "metrics"):
            continue
        heading = name if name == "scorer" else f"tables.{name}"
        lines += [f"[{heading}]", *_pairs(table), ""]
    for name in ("models", "metrics"):
        for entry in data[name]:
            lines += [f"[[{name}]]", *_pairs(entry), ""]
    return "\n".join(lines).rstrip() + "\n"


def _pairs(table: dict[str, Any]) -> list[str]:
    def one(value: Any) -> str:
        if isinstance(value, (list, tuple)):
            return json.dumps(list(value))
        return json.dumps(value, ensure_ascii=False)

    return [f"{key} = {one(value)}" for key, value in table.items()]


def times(minutes: Minutes) -> Any:
    """Minutes as pandas timestamps (naive UTC); NEVER becomes a missing one."""
    import pandas as pd

    known = minutes < NEVER
    stamps = (np.where(known, minutes, 0) * 60_000_000).astype("datetime64[us]")
    return pd.Series(stamps).where(pd.Series(known))


def _stamp(minute: int) -> Any:
    return to_time(minute).replace(tzinfo=None)


def put(file: Path, table: pd.DataFrame) -> None:
    """Replace a Parquet file in one step."""
    temporary = file.with_name(f".{file.name}.new")
    table.to_parquet(temporary, index=False)
    temporary.replace(file)


def put_text(file: Path, text: str) -> None:
    """Replace a text file in one step."""
    temporary = file.with_name(f".{file.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(file)
