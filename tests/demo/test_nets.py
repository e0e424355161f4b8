"""The nets and the registry of snapshots."""

import numpy as np
import pytest

from bot.demo.flights import DAY
from bot.demo.nets import Net, Recipe, design, input_names, train
from bot.demo.registry import SERIES, calendar
from bot.demo.timeline import training_job


@pytest.fixture(scope="module")
def sample():
    """A task that can be learnt: the first input decides, in rows of the right width."""
    rng = np.random.default_rng(3)
    matrix = rng.normal(size=(3_000, len(input_names())))
    label = (matrix[:, 0] + 0.3 * rng.normal(size=3_000) > 0).astype(float)
    return matrix, label


def test_training_lowers_the_loss_and_is_the_same_again(sample):
    """Really trained, epoch by epoch; the seed decides everything."""
    one = train("binary", *sample, Recipe(rate=1e-2))
    other = train("binary", *sample, Recipe(rate=1e-2))
    assert one.curve == other.curve
    assert one.curve[-1][2] < 0.8 * one.curve[0][2]
    likely = one.net.score(sample[0])
    assert ((likely > 0.5) == (sample[1] > 0.5)).mean() > 0.85


def test_a_far_too_large_rate_leaves_its_mark(sample):
    """The loss stays high and the weights grow."""
    sound = train("binary", *sample, Recipe(rate=1e-2))
    wild = train("binary", *sample, Recipe(rate=2.0))
    assert wild.curve[-1][2] > 2 * sound.curve[-1][2]
    assert wild.net.modules["head"]["max"] > 3 * sound.net.modules["head"]["max"]


def test_a_snapshot_scores_the_same_from_its_file(sample, tmp_path):
    """A few arrays are all that a scorer needs."""
    net = train("regression", *sample, Recipe(epochs=2)).net
    net.save(tmp_path / "net.npz")
    assert np.array_equal(Net.load(tmp_path / "net.npz").score(sample[0]), net.score(sample[0]))


def test_too_few_rows_are_refused(sample):
    """The message says how many are needed."""
    with pytest.raises(ValueError, match="at least 200"):
        train("binary", sample[0][:50], sample[1][:50], Recipe())


def test_nulls_become_indicators_and_the_mean(stage):
    """A null input neither breaks a score nor goes unseen."""
    columns = {name: values[:50].copy() for name, values in stage.clean.log.columns.items()}
    columns["dep_delay"][:] = np.nan
    matrix = design(columns)
    assert (matrix[:, input_names().index("dep_delay=null")] == 1).all()
    net = next(iter(stage.clean.snapshots.values())).trained.net
    assert np.isfinite(net.score(matrix)).all()


def test_each_series_publishes_about_once_a_week(stage):
    """Every arm and model has several snapshots in the weeks shown."""
    for series in SERIES:
        times = [p.published for p in calendar(stage.start, stage.end) if p.series == series]
        gaps = np.diff(times) / DAY
        assert len(times) >= 6
        assert (gaps > 5).all()
        assert (gaps < 9).all()


def test_a_training_job_reads_only_labels_that_had_arrived(stage):
    """No row of the future, none twice, at most the recipe's size."""
    flights = stage.clean.log.flights
    for snapshot in stage.clean.snapshots.values():
        job, publish = snapshot.job, snapshot.publish
        assert (flights.arr[job.rows] < publish.trained).all()
        assert publish.train_end <= publish.trained < publish.published
        assert len(np.unique(job.rows)) == len(job.rows) <= publish.series.recipe.rows
        again = training_job(publish, stage.clean.log, (stage.regime,))
        assert np.array_equal(again.rows, job.rows)
