"""Sums come out of one query and mean what their names say."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss, ndcg_score, roc_auc_score

from analysis import metrics
from analysis.evidence import CannotExamine, Window
from analysis.metrics import BLOCK, Blocks
from analysis.tables import Metric
from tests.analysis import logs


@pytest.fixture
def frame():
    """Four days of a serving log."""
    return logs.log(days=4)


def _window(wh, frame, kind):
    blocks = Blocks.of(logs.scope(days=3))
    table = metrics.rows_of(wh, blocks)
    sums = metrics.add_up(wh, table, (kind,), (BLOCK,)).sort_values(BLOCK)
    rows = frame[logs.since_onset(frame)]
    seen = rows[rows["label_time"] < logs.NOW.replace(tzinfo=None)]
    return metrics.measure(kind, sums).value[0], rows, seen


@pytest.mark.parametrize(
    ("kind", "truth"),
    [
        ("volume", lambda r, _: len(r)),
        ("mean_prediction", lambda r, _: r["prediction"].mean()),
        ("positive_rate", lambda r, _: (r["prediction"] >= 0.5).mean()),
        ("mean_label", lambda _, s: s["label"].mean()),
        ("calibration", lambda _, s: s["prediction"].sum() / s["label"].sum()),
        ("log_loss", lambda _, s: log_loss(s["label"], s["prediction"])),
        ("precision", lambda _, s: s.loc[s["prediction"] >= 0.5, "label"].mean()),
        ("recall", lambda _, s: (s.loc[s["label"] == 1, "prediction"] >= 0.5).mean()),
        ("accuracy", lambda _, s: ((s["prediction"] >= 0.5) == (s["label"] == 1)).mean()),
        ("mae", lambda _, s: (s["prediction"] - s["label"]).abs().mean()),
        ("rmse", lambda _, s: np.sqrt(((s["prediction"] - s["label"]) ** 2).mean())),
        ("bias", lambda _, s: (s["prediction"] - s["label"]).mean()),
    ],
)
def test_each_kind_equals_its_definition_on_the_rows(tmp_path, frame, kind, truth):
    """What the engine adds up is what the definition says, with labels as of now."""
    value, rows, seen = _window(logs.warehouse(tmp_path, frame), frame, kind)
    assert value == pytest.approx(truth(rows, seen), rel=1e-6)


def test_auc_from_bins_is_near_the_exact_one(tmp_path, frame):
    """Bins of an eighth of a logit cost less than 0.002 of AUC."""
    value, _, seen = _window(logs.warehouse(tmp_path, frame), frame, "auc")
    assert value == pytest.approx(roc_auc_score(seen["label"], seen["prediction"]), abs=0.002)


@pytest.mark.parametrize("digits", [15, 1])
def test_ndcg_equals_scikit_learn(tmp_path, frame, digits):
    """Graded labels within a query are discounted as in the textbook; equal scores share ranks."""
    small = frame.head(400).round({"prediction": digits})
    small = small.assign(label=np.arange(400) % 4 * 1.0, group=np.arange(400) // 8)
    small["time"] = pd.Timestamp(logs.NOW.replace(tzinfo=None)) - timedelta(hours=1)
    small["label_time"] = small["time"]
    value, _, _ = _window(logs.warehouse(tmp_path, small), small, "ndcg")
    parts = [g for _, g in small.groupby("group")]
    truth = np.mean([ndcg_score([2 ** g["label"] - 1], [g["prediction"]]) for g in parts])
    assert value == pytest.approx(truth, abs=1e-6)


def test_every_day_is_read_as_of_the_same_clock_time(tmp_path):
    """Labels that arrived after yesterday's clock time do not count for yesterday's block."""
    frame = logs.log(days=6, per_hour=200)
    blocks = Blocks.of(logs.scope(days=5))
    wh = logs.warehouse(tmp_path, frame)
    sums = metrics.add_up(wh, metrics.rows_of(wh, blocks), ("mean_label",), (BLOCK,))
    coverage = (sums["ln"] / sums["n"]).to_numpy()
    assert len(coverage) == blocks.count + 1
    assert np.ptp(coverage) < 0.06
    assert coverage.max() < 0.9


def test_weights_count(tmp_path, frame):
    """A row of weight three is worth three rows."""
    frame["weight"] = np.where(frame["region"] == "west", 3.0, 1.0)
    value, rows, _ = _window(logs.warehouse(tmp_path, frame), frame, "mean_prediction")
    assert value == pytest.approx(np.average(rows["prediction"], weights=rows["weight"]))


def test_a_series_has_no_holes(tmp_path, frame):
    """Empty hours are NaN, or a volume of zero."""
    hole = frame["time"].dt.hour.between(2, 4)
    wh = logs.warehouse(tmp_path, frame[~hole])
    blocks = Blocks.of(logs.scope(days=3))
    rate = metrics.series(wh, Metric(name="m", kind="mean_prediction"), blocks)
    volume = metrics.series(wh, Metric(name="v", kind="volume"), blocks)
    assert (np.diff(rate.times).astype(int) == 3600).all()
    assert np.isnan(rate.values).sum() >= 6
    assert (volume.values == 0).sum() >= 6


def test_a_metric_with_its_own_table(tmp_path, frame):
    """Values over denominators, summed per bucket."""
    own = pd.DataFrame(
        {
            "time": pd.date_range(
                logs.NOW.replace(tzinfo=None) - timedelta(days=2), periods=96, freq="30min"
            ),
            "value": np.arange(96.0),
            "denominator": 2.0,
        }
    )
    own.to_parquet(tmp_path / "own.parquet")
    metric = Metric(name="own", source="own.parquet", denominator="denominator")
    one = metrics.series(logs.warehouse(tmp_path, frame), metric, Blocks.of(logs.scope(days=3)))
    assert one.values[:3] == pytest.approx([0.25, 1.25, 2.25])


def test_an_empty_window_says_what_to_do(tmp_path, frame):
    """No rows at all is a sentence, not a traceback."""
    wh = logs.warehouse(tmp_path, frame[frame["time"] < "2000"])
    with pytest.raises(CannotExamine, match="choose another window"):
        metrics.series(wh, Metric(name="m", kind="volume"), Blocks.of(logs.scope(days=3)))


def test_a_text_prediction_can_only_be_right_or_wrong(tmp_path, frame):
    """Multiclass names have an accuracy, and nothing else."""
    named = frame.assign(
        prediction=np.where(frame["prediction"] > 0.5, "yes", "no"),
        label=np.where(frame["label"] > 0.5, "yes", "no"),
    )
    wh = logs.warehouse(tmp_path, named, models=[{"name": "ranker", "task": "multiclass"}])
    value, _, seen = _window(wh, named, "accuracy")
    assert value == pytest.approx((seen["prediction"] == seen["label"]).mean())
    with pytest.raises(CannotExamine, match="not a number"):
        _window(wh, named, "calibration")


@pytest.mark.parametrize(
    ("hours", "kept", "days"), [(20, 20, 1), (28, 24, 1), (38, 38, 2), (50, 48, 2), (60, 60, 3)]
)
def test_copies_of_a_long_window_are_whole_days_apart(hours, kept, days):
    """Each holds the same hours of the day; the little beyond whole days is cut off."""
    scope = logs.scope()
    long = Window(logs.NOW - timedelta(hours=hours), logs.NOW)
    blocks = Blocks.of(type(scope)(logs.NOW, long, scope.baseline, "metric", "m"))
    assert blocks.window.length == timedelta(hours=kept)
    assert blocks.period == timedelta(days=days)
    assert blocks.at(1).end == logs.NOW - timedelta(days=days)


@pytest.mark.parametrize("fraction", [0.0, 0.3, 0.7])
def test_the_last_row_is_in_the_window_whatever_the_fraction_of_its_second(
    tmp_path, fraction
) -> None:
    """A window may end within a second: no row falls into a block after it."""
    frame = logs.log(days=3, per_hour=10)
    last = pd.Timestamp("2024-03-20 14:59:10") + pd.Timedelta(seconds=fraction)
    frame.loc[frame.index[-1], "time"] = last
    made = logs.warehouse(tmp_path, frame)
    end = made.span().end
    window = Window(end - timedelta(hours=8), end)
    blocks = Blocks.of(replace(logs.scope(), now=end, window=window))
    assert made.fetch(metrics.rows_of(made, blocks))[BLOCK].min() == 0
