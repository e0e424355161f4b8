"""Where the profile of a serving log lies between checks, and how it comes into use."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.evidence import Window
from analysis.profile.bins import Bins, Kind, plain
from analysis.profile.counts import Profile
from analysis.profile.kept import Kept, begun, brought_up_to_date

if TYPE_CHECKING:
    from analysis.evidence import Scope
    from analysis.warehouse import Warehouse

LAYOUT = 1
"""Counts up when what is saved changes its form."""


def history(
    warehouse: Warehouse, scope: Scope, kind: Mapping[str, Kind], also: tuple[str, ...]
) -> Kept | None:
    """The kept profile of the serving log since the baseline's start, brought up to date.

    None where none can be: no folder for it is set, only a part of the traffic is looked at, the
    engine is not in this process, a feature is hidden (its values are never stored), or more
    slices than can be told apart were folded.
    """
    folder = warehouse.profiles
    log = warehouse.predictions()
    if (
        folder is None
        or warehouse.filters
        or log.get_backend().name != "duckdb"
        or warehouse.hidden & set(kind)
    ):
        return None
    path = folder / f"{_fingerprint(warehouse, kind)}.npz"
    ready = plain(log, kind, also, nan=True)
    old = load(path)
    kept = old or begun(ready, kind, scope.baseline.end, scope.seed)
    kept = brought_up_to_date(kept, ready, Window(scope.baseline.start, warehouse.now), scope.seed)
    if kept is not old:
        save(kept, path)
    return None if kept.folded else kept.before(warehouse.now)


def _fingerprint(warehouse: Warehouse, kind: Mapping[str, Kind]) -> str:
    contract = warehouse.contract
    said = [LAYOUT, contract.url, str(warehouse.root), dict(kind)]
    text = json.dumps([*said, contract.predictions.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def save(kept: Kept, path: Path) -> None:
    """Writes the profile into one file, at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sample = io.BytesIO()
    kept.sample.to_parquet(sample, index=False)
    bins = {name: asdict(b) for name, b in kept.bins.items()}
    about = json.dumps({"bins": bins, "slices": kept.slices}).encode()
    arrays: dict[str, Any] = {
        "about": np.frombuffer(about, np.uint8),
        "sample": np.frombuffer(sample.getvalue(), np.uint8),
        "buckets": np.array(kept.profile.buckets, np.int64),
        "rows": kept.profile.rows,
    }
    arrays |= {f"counts:{n}": c.astype(np.uint32) for n, c in kept.profile.counts.items()}
    arrays |= {f"moments:{n}": m for n, m in kept.moments.items()}
    handle, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def load(path: Path) -> Kept | None:
    """The profile in that file; None where there is none, or none that can be read."""
    import pandas as pd

    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        about = json.loads(arrays["about"].tobytes())
        sample = pd.read_parquet(io.BytesIO(arrays["sample"].tobytes()))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        # A profile is only ever a shortcut: one that is damaged is made anew.
        return None
    bins = {name: _bins(said) for name, said in about["bins"].items()}
    profile = Profile(
        tuple(int(b) for b in arrays["buckets"]),
        arrays["rows"],
        {n: arrays[f"counts:{n}"].astype(float) for n in bins},
    )
    moments = {n: arrays[f"moments:{n}"] for n, b in bins.items() if b.kind != "level"}
    slices = tuple((m, s, a) for m, s, a in about["slices"])
    return Kept(bins, slices, profile, moments, sample)


def _bins(said: Mapping[str, Any]) -> Bins:
    return Bins(said["kind"], tuple(said["edges"]), tuple(said["levels"]), said["distinct"])
