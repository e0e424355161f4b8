"""The kept profile: every hour is counted once, and what it says is what the log says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.features import which_features
from analysis.inputs import gather
from analysis.profile import kept as k
from analysis.profile import kinds, plain, profile
from analysis.profile.saved import history, load
from analysis.scenarios import Options, plant
from analysis.tables import Role
from analysis.warehouse import Warehouse
from tests.analysis.logs import log, metric, scope, warehouse

ROLES = (Role.TIME, Role.MODEL, Role.SNAPSHOT, Role.ARM, Role.PREDICTION)


def team(folder, frame=None, hidden=()):
    """A warehouse over a log with one feature of each kind, that keeps profiles."""
    frame = log() if frame is None else frame
    found = warehouse(folder, frame, metric("calibration"))
    table = found.contract.predictions.model_copy(
        update={"features": ("f", "region"), "hidden": tuple(hidden)}
    )
    contract = found.contract.model_copy(update={"predictions": table})
    return Warehouse(contract, folder, found.now, folder / "profiles")


def kept_of(w):
    """The profile of everything since the baseline's start."""
    log = w.predictions()
    return history(w, scope(), kinds(log, w.features), ROLES)


def test_counts_by_hour_are_those_of_the_log(tmp_path):
    """Each block of hours holds what a fresh count of the same hours holds."""
    w = team(tmp_path)
    kept = kept_of(w)
    ready = plain(w.predictions(), kinds(w.predictions(), w.features), ROLES)
    hour = (ready[Role.TIME].epoch_seconds() // 3600).cast("int64")
    fresh = profile(ready.mutate(_h=hour), kept.bins, "_h")
    found = kept.by({h: h for h in fresh.buckets}, kept.of((), ()))
    since = [i for i, h in enumerate(fresh.buckets) if h in found.buckets]
    assert len(since) >= 14 * 24
    for name in kept.bins:
        np.testing.assert_array_equal(found.counts[name], fresh.counts[name][since])


def test_an_arm_has_counts_of_its_own(tmp_path):
    """Slices of one arm add up to that arm's rows."""
    w = team(tmp_path)
    kept = kept_of(w)
    every = {int(h): 0 for h in kept.hours}
    arm = kept.by(every, kept.of((), ("test",))).rows.sum()
    both = kept.by(every, kept.of((), ())).rows.sum()
    assert 0.35 < arm / both < 0.45


def test_moments_are_those_of_the_values(tmp_path):
    """Count, mean and variance of a feature follow from the sums that are kept."""
    frame = log()
    kept = kept_of(team(tmp_path, frame))
    n, total, squares = kept.moments["f"].sum(axis=0)
    hour = frame["time"].astype("datetime64[s]").astype("int64") // 3600
    values = frame.loc[hour.isin(set(kept.hours)), "f"]
    middle = kept.bins["f"].edges[len(kept.bins["f"].edges) // 2]
    assert n == len(values)
    assert total / n + middle == pytest.approx(values.mean())
    assert squares / n - (total / n) ** 2 == pytest.approx(values.var(ddof=0))


def test_only_new_hours_and_hours_with_late_rows_are_counted_again(tmp_path, monkeypatch):
    """A day is appended and one old hour gets rows: those hours are read, and no others."""
    frame = log()
    cut = frame["time"].max() - pd.Timedelta(hours=24)
    old = frame[frame["time"] < cut.floor("h")]
    late = old["time"].dt.floor("h") == pd.Timestamp("2024-03-15 10:00")
    kept_of(team(tmp_path, old[~(late & (np.arange(len(old)) % 3 == 0))]))
    seen = []
    counted = k._counted
    monkeypatch.setattr(k, "_counted", lambda *a: seen.append(r := counted(*a)) or r)
    again = kept_of(team(tmp_path, frame))
    hours = set(seen[0].hours.tolist())
    assert k.hour_of(pd.Timestamp("2024-03-15 10:00", tz="UTC")) in hours
    assert len(hours) <= 26
    whole = kept_of(team(tmp_path / "new", frame)) if (tmp_path / "new").mkdir() is None else None
    assert again.rows_by_hour() == whole.rows_by_hour()
    kept_of(team(tmp_path, frame))
    assert len(seen) == 2, "nothing changed, and the log was read again"


def test_the_sample_of_an_hour_is_bounded_and_the_same_each_time(tmp_path):
    """However the log is cut into batches, the same rows are kept."""
    frame = log(per_hour=500, days=15)
    first = kept_of(team(tmp_path, frame)).sample
    assert first.groupby(k.PLACE).size().max() == k.HOUR_ROWS
    (tmp_path / "other").mkdir()
    second = kept_of(team(tmp_path / "other", frame)).sample
    pd.testing.assert_frame_equal(first, second)


def test_it_is_read_back_as_it_was_saved(tmp_path):
    """And a damaged file counts as none."""
    kept = kept_of(team(tmp_path))
    [path] = (tmp_path / "profiles").glob("*.npz")
    back = load(path)
    assert back.bins == kept.bins
    assert back.slices == kept.slices
    assert back.profile.buckets == kept.profile.buckets
    np.testing.assert_array_equal(back.profile.counts["f"], kept.profile.counts["f"])
    pd.testing.assert_frame_equal(back.sample, kept.sample)
    path.write_bytes(path.read_bytes()[:1000])
    assert load(path) is None


def test_hidden_values_are_not_kept(tmp_path):
    """A sample would store them."""
    assert kept_of(team(tmp_path, hidden=("region",))) is None
    assert not (tmp_path / "profiles").exists()


def test_more_slices_than_can_be_told_apart_are_folded_and_the_profile_is_not_used(tmp_path):
    """A count that mixes models would answer another question."""
    frame = log()
    frame["snapshot"] = [f"s{i % 200}" for i in range(len(frame))]
    assert kept_of(team(tmp_path, frame)) is None
    [path] = (tmp_path / "profiles").glob("*.npz")
    assert load(path).folded


def test_the_kept_profile_names_the_feature_that_memory_names(tmp_path, monkeypatch):
    """A log too large for memory is read from its profile, with the same verdict."""
    planted = plant("nulls", 3, tmp_path, Options(rows_per_day=1_500, days=12))
    at = planted.at("features")
    small = which_features(Warehouse(planted.contract, planted.root, at.now), at)
    monkeypatch.setattr(gather, "IN_MEMORY", 100)
    monkeypatch.setattr(gather, "_from_engine", lambda *_: pytest.fail("read the log"))
    keeps = Warehouse(planted.contract, planted.root, at.now, tmp_path / "profiles")
    large = which_features(keeps, at)
    assert large.verdict == small.verdict
    assert large.named[0].name == small.named[0].name


def test_a_later_look_reads_the_same_profile(tmp_path, monkeypatch):
    """An earlier moment sees no later hour, and takes none away from the file."""
    w = team(tmp_path)
    kept_of(w)
    earlier = Warehouse(w.contract, w.root, w.now.replace(hour=3), w.profiles)
    at = replace(scope(), now=earlier.now)
    kept = history(earlier, at, kinds(earlier.predictions(), earlier.features), ROLES)
    assert max(kept.hours) < k.hour_of(earlier.now)
    [path] = (tmp_path / "profiles").glob("*.npz")
    assert max(load(path).hours) >= k.hour_of(w.now) - 1


def test_columns_that_pass_by_in_parts_are_counted_and_sampled_as_at_once(tmp_path, monkeypatch):
    """Of thousands of columns a few pass by at a time; the rows of the sample are the same."""
    from analysis.profile import stream

    whole = kept_of(team(tmp_path))
    monkeypatch.setattr(stream, "MOST_COLUMNS", 1)
    (tmp_path / "parts").mkdir()
    parts = kept_of(team(tmp_path / "parts"))
    assert parts.profile.buckets == whole.profile.buckets
    for name in whole.bins:
        np.testing.assert_array_equal(parts.profile.counts[name], whole.profile.counts[name])
    for name in whole.moments:
        np.testing.assert_array_equal(parts.moments[name], whole.moments[name])
    pd.testing.assert_frame_equal(parts.sample[list(whole.sample)], whole.sample)
