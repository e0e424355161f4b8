"""Other rows than before, told from features that broke."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analysis.evidence import Scope, Window
from analysis.features import which_features
from analysis.tables import Contract
from analysis.warehouse import Warehouse
from tests.analysis import logs

NAMES = tuple(f"f{i}" for i in range(12))


def asked(folder, kind: np.ndarray, since=None, lineage=()) -> Warehouse:
    """A log of twelve features of persons of a ``kind``, 0 or 1, by the hour; ``since`` changes the
    rows since the onset."""
    rng = np.random.default_rng(2)
    hours = np.sort(rng.uniform(0, 240, len(kind)))
    time = pd.Timestamp(logs.NOW.replace(tzinfo=None)) - pd.to_timedelta(240 - hours, unit="h")
    frame = pd.DataFrame({"time": time.as_unit("us")})
    late = logs.since_onset(frame)
    level = np.where(late, kind, rng.random(len(kind)) < 0.15)
    for i, name in enumerate(NAMES):
        frame[name] = rng.normal(0, 1, len(kind)) + (1.5 + i / 10) * level
    if since:
        frame.loc[late] = since(frame[late])
    frame["p"] = 1 / (1 + np.exp(1 - frame[[*NAMES[:4]]].fillna(0.0).mean(axis=1)))
    frame.to_parquet(folder / "log.parquet", index=False)
    edges = pd.DataFrame(list(lineage), columns=["upstream", "downstream"])
    edges.to_parquet(folder / "lineage.parquet", index=False)
    table = {"source": "log.parquet", "time": "time", "prediction": "p", "features": NAMES}
    contract = {"predictions": table, "metrics": [{"name": "mean", "kind": "mean_prediction"}]}
    if lineage:
        contract["lineage"] = {"source": "lineage.parquet"}
    return Warehouse(Contract.model_validate(contract), folder, logs.NOW)


def looked(warehouse: Warehouse):
    """What the step says of the eight hours since the onset."""
    before = Window(logs.ONSET - timedelta(days=9), logs.ONSET)
    return which_features(
        warehouse, Scope(logs.NOW, Window(logs.ONSET, logs.NOW), before, "metric", "mean")
    )


ORDINARY, OTHERS = np.zeros(9_000), np.ones(9_000)


def test_most_features_at_once_are_other_rows_and_no_broken_features(tmp_path):
    """Persons of a kind that always came, now alone: each feature is as it is for them."""
    evidence = looked(asked(tmp_path, OTHERS))
    assert evidence.verdict == "none"
    assert not evidence.named
    assert evidence.headline.startswith("12 of 12 features changed at once")


@pytest.mark.parametrize("value", [np.nan, 0.0, 1e6])
def test_all_features_without_their_values_are_no_other_rows(tmp_path, value):
    """A store that is down hands out nothing, a default, or what nobody ever saw."""

    def down(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(**dict.fromkeys(NAMES, value))

    assert looked(asked(tmp_path, ORDINARY, down)).verdict == "inputs"


def test_features_of_one_node_may_have_broken_together(tmp_path):
    """The lineage tells of a node that feeds all that changed."""
    edges = [("profile", name) for name in NAMES]
    assert looked(asked(tmp_path, OTHERS, lineage=edges)).verdict == "inputs"
    apart = [(f"table{i}", name) for i, name in enumerate(NAMES)]
    assert looked(asked(tmp_path, OTHERS, lineage=apart)).verdict == "none"


def test_one_feature_that_moved_among_many_is_still_named(tmp_path):
    """The others are as usual."""

    def moved(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(f1=rows["f1"] * 3 + 4)

    evidence = looked(asked(tmp_path, (np.arange(9_000) % 7 == 0) * 1.0, moved))
    assert [s.name for s in evidence.named] == ["f1"]
