"""The service that broke at the onset is named; a break on another day is not."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from analysis import infra
from analysis.evidence import CannotExamine, Onset
from tests.analysis import logs

SERVICES = ("feature_store", "gateway", "queue", "scorer")
METRICS = ("latency_ms", "error_rate", "cpu", "hit_rate")


def _table(
    folder,
    seed=0,
    at=logs.ONSET,
    factor=1.0,
    who=("feature_store", "latency_ms"),
    also=None,
    days=15,
):
    rng = np.random.default_rng(seed)
    end = pd.Timestamp(logs.NOW.replace(tzinfo=None))
    times = pd.date_range(end - pd.Timedelta(days=days), end, freq="10min", inclusive="left")
    level = {"latency_ms": 40, "error_rate": 0.01, "cpu": 0.4, "hit_rate": 0.95}
    parts = []
    for service in SERVICES:
        for metric in METRICS:
            cycle = 1 + 0.15 * np.sin(np.arange(len(times)) / 144 * 2 * np.pi)
            value = level[metric] * cycle * np.exp(rng.normal(0, 0.06, len(times)))
            if (service, metric) in (who, also):
                value = value * np.where(times >= at.replace(tzinfo=None), factor, 1.0)
            parts.append(
                pd.DataFrame({"time": times, "service": service, "metric": metric, "value": value})
            )
    pd.concat(parts).to_parquet(folder / "infra.parquet")
    return {"infra": {"source": "infra.parquet"}}


def _ask(folder, edges=(), **table):
    tables = _table(folder, **table)
    if edges:
        pd.DataFrame(edges, columns=["upstream", "downstream"]).to_csv(folder / "edges.csv")
        tables["lineage"] = {"source": "edges.csv"}
    wh = logs.warehouse(folder, logs.log(days=2), **tables)
    onset = Onset(logs.ONSET, logs.ONSET - timedelta(hours=1), logs.ONSET + timedelta(hours=1))
    return infra.which_service(wh, replace(logs.scope(), onset=onset))


@pytest.mark.parametrize("seed", range(4))
def test_the_broken_service_is_the_first_suspect(tmp_path, seed):
    """Its latency rises by 60 % at the onset; fifteen other series do not."""
    rng = np.random.default_rng(seed)
    who = (SERVICES[rng.integers(4)], METRICS[rng.integers(2)])
    evidence = _ask(tmp_path, seed=seed, factor=1.6, who=who)
    assert evidence.verdict == "service"
    assert evidence.suspects[0].name == who[0]
    assert abs(evidence.suspects[0].since - logs.ONSET) <= timedelta(minutes=20)


@pytest.mark.parametrize("seed", range(6))
def test_clean_series_blame_nobody(tmp_path, seed):
    """Sixteen series that only scatter."""
    evidence = _ask(tmp_path, seed=seed)
    assert evidence.verdict == "none"
    assert evidence.suspects == ()


@pytest.mark.parametrize(
    ("edges", "named"),
    [
        ([], {"feature_store", "gateway"}),
        ([("queue", "gateway"), ("feature_store", "queue")], {"feature_store"}),
        (
            [("gateway", "feature_store"), ("feature_store", "gateway")],
            {"feature_store", "gateway"},
        ),
    ],
)
def test_a_service_that_waits_for_the_broken_one_is_not_named(tmp_path, edges, named):
    """Both slow down at once; the lineage, where it tells, says which of them waits."""
    evidence = _ask(tmp_path, edges, factor=1.8, also=("gateway", "latency_ms"))
    assert {s.name for s in evidence.suspects} == named


def test_a_lineage_that_cannot_be_read_hides_no_broken_service(tmp_path):
    """Infrastructure is looked at all the same."""
    tables = _table(tmp_path, factor=1.8) | {"lineage": {"source": "gone.csv"}}
    wh = logs.warehouse(tmp_path, logs.log(days=2), **tables)
    onset = Onset(logs.ONSET, logs.ONSET - timedelta(hours=1), logs.ONSET + timedelta(hours=1))
    evidence = infra.which_service(wh, replace(logs.scope(), onset=onset))
    assert [s.name for s in evidence.suspects] == ["feature_store"]


def test_a_break_long_before_the_onset_is_not_blamed(tmp_path):
    """It broke twenty hours earlier and stayed."""
    evidence = _ask(tmp_path, at=logs.ONSET - timedelta(hours=20), factor=1.6)
    assert evidence.verdict == "none"


def test_a_break_whose_effect_shows_late_is_the_suspect_and_said_to_be_earlier(tmp_path):
    """Labels are few: what they are judged by may leave its band hours after its cause."""
    evidence = _ask(tmp_path, at=logs.ONSET - timedelta(hours=5), factor=3.0)
    assert evidence.verdict == "service"
    assert evidence.headline.endswith("UTC, 4 hours before that showed.")
    assert "broke before the onset" in evidence.charts[0].title


def test_a_change_for_the_better_is_not_blamed(tmp_path):
    """Latency that halves hurts nobody."""
    assert _ask(tmp_path, factor=0.6).verdict == "none"


def test_a_small_but_certain_change_is_gated(tmp_path):
    """Five percent is within what it does."""
    assert _ask(tmp_path, factor=1.05).verdict == "none"


def test_without_the_table_it_cannot_be_examined(tmp_path):
    """The sentence names the table."""
    with pytest.raises(CannotExamine, match="infra"):
        infra.which_service(logs.warehouse(tmp_path, logs.log(days=2)), logs.scope())


def test_two_days_of_history_still_show_a_large_break(tmp_path):
    """Less sure, but seen."""
    evidence = _ask(tmp_path, factor=3.0, days=2)
    assert evidence.verdict == "service"
