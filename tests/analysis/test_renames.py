"""A value that only got another name is no change of the traffic."""

import numpy as np
import pandas as pd
import pytest

from analysis import cause, segments
from tests.analysis import logs


def _warehouse(folder, frame, *, read):
    """With ``read`` the region is one of the model's inputs."""
    wh = logs.warehouse(folder, frame, logs.metric("mean_prediction"))
    source = wh.contract.predictions.model_copy(
        update={"features": ("f", "region") if read else ("f",)}
    )
    contract = wh.contract.model_copy(update={"predictions": source})
    return type(wh)(contract, folder, logs.NOW)


def _renamed(seed):
    """Since the onset "south" is written as "sud", and the model, which never heard of it, answers
    lower there."""
    frame = logs.log(seed, per_hour=150)
    hit = logs.since_onset(frame) & (frame["region"] == "south")
    region = np.where(hit, "sud", frame["region"])
    return frame.assign(region=region, prediction=frame["prediction"] * np.where(hit, 0.5, 1.0))


@pytest.mark.parametrize("seed", range(2))
def test_a_renamed_value_that_a_model_reads_is_the_model_s(tmp_path, seed):
    """The traffic is as usual, and what was seen is told."""
    wh = _warehouse(tmp_path, _renamed(seed), read=True)
    evidence = cause.which_class(wh, logs.scope("mean_prediction"))
    assert evidence.verdict == "model"
    assert "region=south seems to be called sud now" in evidence.disagreements[0]
    assert segments.which_traffic(wh, logs.scope("mean_prediction")).verdict != "segment"


def test_a_new_value_that_no_model_reads_may_be_new_traffic(tmp_path):
    """A version that took over is a segment of its own."""
    wh = _warehouse(tmp_path, _renamed(0), read=False)
    evidence = cause.which_class(wh, logs.scope("mean_prediction"))
    assert not any("called" in one for one in evidence.disagreements)
    assert segments.which_traffic(wh, logs.scope("mean_prediction")).verdict == "segment"


def test_a_region_that_goes_as_another_grows_by_more_is_no_new_name(tmp_path):
    """One is gone and one has come, and not as many."""
    frame = _renamed(1)
    more = frame[logs.since_onset(frame) & (frame["region"] == "sud")]
    wh = _warehouse(tmp_path, pd.concat([frame, *[more] * 4]), read=True)
    evidence = cause.which_class(wh, logs.scope("mean_prediction"))
    assert not any("called" in one for one in evidence.disagreements)
    assert evidence.figures["log odds that mix moved"] > 0


def test_a_value_that_went_missing_is_no_new_name(tmp_path):
    """Nothing is written where "south" was: that is a fault of its own, and told as one."""
    frame = _renamed(0)
    frame["region"] = frame["region"].mask(frame["region"] == "sud")
    evidence = cause.which_class(
        _warehouse(tmp_path, frame, read=True), logs.scope("mean_prediction")
    )
    assert not any("called" in one for one in evidence.disagreements)
