"""The team's own scorer: what the artifacts of snapshots answer to rows of the log.

A stand-in guesses what another snapshot would have answered; its artifact knows. The scorer is a
program of the team's, in an environment of its own, that is handed a file of rows, each with the
artifact to score it with, and leaves a file of answers.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from analysis import keeper
from analysis.inputs.surrogate import is_probability, served
from analysis.portable import as_text
from analysis.tables import Role, Scorer
from analysis.warehouse import ONE_MODEL, Warehouse

if TYPE_CHECKING:
    import pandas as pd

Floats = np.ndarray[Any, np.dtype[np.float64]]

Artifacts = Mapping[tuple[str, str], str]
"""Where the artifact of a (model, snapshot) lies: an absolute path or an address."""

RAW = "as logged: "
"""Stands before the names of features that came along as the log has them."""
FAITHFUL = 0.9
"""Part of the variance of logged answers that a replay must give back to be believed."""
MOST_SAID = 4_000
"""Bytes of what a program printed that are kept, the last ones."""
TRIED = 500
"""Rows that a first try scores."""
FEWEST = 40
"""Rows with a logged and a replayed answer, at the least, to judge that by."""
_OURS = ("HAWKEYE_", "SLACK_")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")
"""What an address begins with, also `models:/` and `dbfs:/`; the drive of a path is one letter."""


_SLOW: WeakKeyDictionary[Warehouse, CannotReplay] = WeakKeyDictionary()
"""Scorers that took too long once are not asked again by the same step."""


class CannotReplay(Exception):
    """The scorer gave no usable answers; the message says why, ``said`` what it printed last."""

    def __init__(self, why: str, said: str = "") -> None:
        super().__init__(why)
        self.said = said


class TooSlow(CannotReplay):
    """It gave none in its time."""


def can_replay(warehouse: Warehouse, models: Sequence[str] = ()) -> bool:
    """Whether the settings name a scorer, the registry says where artifacts lie, and what these
    models (all by default) answer has a size: classes have none."""
    registry = warehouse.contract.snapshots
    known = warehouse.contract.models
    tasks = {m.task for m in known if not models or m.name in models}
    return (
        tasks != {"multiclass"}
        and warehouse.contract.scorer is not None
        and registry is not None
        and registry.artifact is not None
        and not warehouse.predicts_classes
    )


def as_logged(log: Any, features: Sequence[str]) -> tuple[Any, tuple[str, ...]]:
    """``log`` with copies of the features as they stand in it, and the names of the copies."""
    copies = {RAW + name: log[name] for name in features}
    return log.mutate(**copies), tuple(copies)


def artifacts(warehouse: Warehouse) -> Artifacts:
    """Where the artifact of each model's snapshot lies, without files that are gone."""
    table = warehouse.table("snapshots")
    names = {name: as_text(table[name]) for name in ("model", "snapshot", "artifact")}
    frame = warehouse.fetch(table.select(**names)).dropna()
    out = {}
    for model, snapshot, where in frame.itertuples(index=False, name=None):
        place = str(where)
        if not _ADDRESS.match(place):
            file = warehouse.root / place
            if not os.path.exists(file):  # Path's own raises where a name is too long
                continue
            place = str(file.resolve())
        out[called(warehouse, str(model)), str(snapshot)] = place
    return out


def called(warehouse: Warehouse, model: str) -> str:
    """What the log calls a model of the registry: a log without such a column has but one."""
    return model if warehouse.contract.predictions.model is not None else ONE_MODEL


def answers(
    warehouse: Warehouse,
    rows: pd.DataFrame,
    snapshots: Sequence[str],
    where: Artifacts,
    again: bool = False,
) -> Floats:
    """What ``snapshots[i]`` answers to row i of ``rows``; NaN where its artifact is not known.

    ``rows`` has Role.MODEL, Role.TIME and the features as :func:`as_logged` copies them; ``where``
    is of :func:`artifacts`. ``again`` asks a scorer for fewer rows that was too slow for more.
    Raises CannotReplay.
    """
    import pandas as pd

    scorer = warehouse.contract.scorer
    assert scorer is not None
    models = rows[Role.MODEL].astype(str)
    artifact = pd.Series(
        [where.get(pair) for pair in zip(models, snapshots, strict=True)], rows.index, dtype=object
    )
    known = artifact.notna().to_numpy()
    out = np.full(len(rows), np.nan)
    if not known.any():
        return out
    features = {c: c.removeprefix(RAW) for c in rows.columns if c.startswith(RAW)}
    asked = rows.loc[known, list(features)].rename(columns=features)
    told: dict[str, Any] = {
        "artifact": artifact[known],
        "model": models[known],
        "snapshot": np.asarray(snapshots, object)[known],
        "time": rows.loc[known, Role.TIME],
    }
    if clash := sorted(set(told) & set(asked.columns)):
        raise CannotReplay(
            f"the log has a feature called `{clash[0]}`, a name that the scorer's file needs itself"
        )
    if warehouse in _SLOW and not again:
        raise _SLOW[warehouse]
    try:
        out[known] = _run(scorer, warehouse.root, asked.assign(**told))
    except TooSlow as error:
        _SLOW[warehouse] = error
        raise
    return out


def cross(
    warehouse: Warehouse, rows: pd.DataFrame, snapshots: Sequence[str], where: Artifacts
) -> dict[str, Floats]:
    """What each of the snapshots answers to each row of one model, in one call; unknown ones left
    out. Raises CannotReplay.
    """
    import pandas as pd

    model = str(rows[Role.MODEL].iloc[0]) if len(rows) else ""
    known = [s for s in dict.fromkeys(snapshots) if (model, s) in where]
    if not known or not len(rows):
        return {}
    every = pd.concat([rows] * len(known), ignore_index=True)
    found = answers(warehouse, every, np.repeat(known, len(rows)).tolist(), where)
    return dict(zip(known, found.reshape(len(known), len(rows)), strict=True))


def faithful(logged: Floats, replayed: Floats) -> float:
    """R² of replayed answers about the logged ones; NaN where fewer than FEWEST have both."""
    both = np.isfinite(logged) & np.isfinite(replayed)
    spread = float(np.var(logged[both])) if both.sum() >= FEWEST else 0.0
    if spread < 1e-12:
        return float("nan")
    return 1 - float(np.mean((logged[both] - replayed[both]) ** 2)) / spread


def tried(warehouse: Warehouse) -> None:
    """Scores some of the latest rows that have an artifact; raises CannotReplay when that fails,
    or when the answers are not about those in the log."""
    where = artifacts(warehouse)
    if not where:
        raise CannotReplay("the registry names no artifacts that are there")
    log, copies = as_logged(warehouse.predictions(), warehouse.features)
    log = log.filter(log[Role.SNAPSHOT].isin(sorted({s for _, s in where})))
    roles = (Role.TIME, Role.PREDICTION, Role.MODEL, Role.SNAPSHOT)
    log = log.select(*roles, *copies).order_by(log[Role.TIME].desc()).limit(TRIED)
    rows = warehouse.fetch(log)
    found = answers(warehouse, rows, rows[Role.SNAPSHOT].astype(str).tolist(), where)
    logged = rows[Role.PREDICTION].to_numpy(float, na_value=np.nan)
    probability = is_probability(logged)
    believe(served(logged, probability), served(found, probability))


def own(snapshots: Any, answers: Mapping[str, Floats]) -> Floats:
    """Of the answers of several snapshots to the same rows, those of the one that served each."""
    out = np.full(len(snapshots), np.nan)
    for name, found in answers.items():
        mine = snapshots == name
        out[mine] = found[: len(snapshots)][mine]
    return out


def believe(logged: Floats, replayed: Floats) -> None:
    """CannotReplay where replayed answers are not about those that were logged then."""
    r2 = faithful(logged, replayed)
    if not np.isfinite(r2):
        raise CannotReplay("too few of its answers can be held against those in the log")
    if r2 < FAITHFUL:
        raise CannotReplay(
            f"the scorer does not give the answers that the log has (R² {max(r2, 0.0):.2f})"
        )


def _run(scorer: Scorer, root: Path, rows: pd.DataFrame) -> Floats:
    with tempfile.TemporaryDirectory(prefix="hawkeye-") as folder:
        asked, told = Path(folder, "rows.parquet"), Path(folder, "answers.parquet")
        try:
            rows.to_parquet(asked, index=False)
        except (ValueError, TypeError, NotImplementedError):
            raise CannotReplay("a feature of the log has a type that Parquet can't hold") from None
        files = {"{rows}": str(asked), "{answers}": str(told)}
        command = [files.get(argument, argument) for argument in scorer.command]
        # What opens Slack is nobody else's.
        known = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
        code, said = _kept(Path(folder), command, root, known, scorer.seconds)
        if code is None:
            raise TooSlow(
                f"the scorer gave no answer within {scorer.seconds:g} s for {len(rows):,} rows",
                said,
            )
        if code.startswith(keeper.NOT_STARTED):
            why = code.removeprefix(keeper.NOT_STARTED)
            raise CannotReplay(f"the scorer did not start ({why})")
        if code != "0":
            raise CannotReplay(f"the scorer ended with code {code}", said)
        return _read(told, len(rows), said)


def _kept(
    folder: Path, command: Sequence[str], root: Path, known: Mapping[str, str], seconds: float
) -> tuple[str | None, str]:
    """What the keeper says of the command (None: it took too long), and what that printed last."""
    start = [sys.executable, "-I", "-S", keeper.__file__, str(folder), *command]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        start, cwd=root, env=known, stdin=pipe, stdout=pipe, text=True, start_new_session=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.wait(seconds)
            code: str | None = process.stdout.read().strip()
        except subprocess.TimeoutExpired:
            code = None
        said = _tail(folder / keeper.SAID)
        process.stdin.close()
    return code, said


def _tail(file: Path) -> str:
    try:
        with file.open("rb") as lines:
            lines.seek(max(0, file.stat().st_size - MOST_SAID))
            return lines.read().decode(errors="replace").strip()
    except OSError:
        return ""


def _read(file: Path, count: int, said: str) -> Floats:
    import pandas as pd

    try:
        frame = pd.read_parquet(file)
        values: Floats = frame["prediction"].to_numpy(float, na_value=np.nan)
    except FileNotFoundError:
        raise CannotReplay("the scorer left no file of answers", said) from None
    except KeyError:
        raise CannotReplay("the scorer's answers have no column `prediction`", said) from None
    except (ValueError, TypeError, OSError, NotImplementedError):
        raise CannotReplay("the scorer's answers are no Parquet file of numbers", said) from None
    if len(values) != count:
        raise CannotReplay(f"the scorer gave {len(values):,} answers to {count:,} rows", said)
    return values
