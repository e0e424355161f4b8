"""An alert that its series leaves in doubt, beside infrastructure that broke, or did not."""

import pytest

from analysis import topline
from tests.analysis import logs


def _real(folder, more, ill, **tables):
    """Predictions that rose by that part at the onset, beside two services."""
    frame = logs.log(2)
    frame.loc[logs.since_onset(frame), "prediction"] *= 1 + more
    logs.infra(folder, ill)
    warehouse = logs.warehouse(folder, frame, logs.metric("mean_prediction"), **tables)
    return topline.is_it_real(warehouse, logs.scope("mean_prediction"))


def test_a_doubtful_alert_is_followed_where_a_service_broke_as_it_began(tmp_path):
    """The sentence says that the series alone would not have been enough."""
    evidence = _real(tmp_path, 0.12, "store", infra=logs.INFRA)
    assert evidence.verdict == "real"
    assert evidence.confidence < 0.8
    assert "That alone would hardly be an alert, but `store` broke at" in evidence.headline


@pytest.mark.parametrize("tables", [{}, {"infra": logs.INFRA}], ids=["none recorded", "as usual"])
def test_a_doubtful_alert_beside_nothing_that_broke_is_none(tmp_path, tables):
    """Services as usual make it no likelier."""
    evidence = _real(tmp_path, 0.12, "", **tables)
    assert evidence.verdict == "false_alarm"
    assert "broke" not in evidence.headline


def test_a_plain_alert_asks_no_service(tmp_path):
    """It is real whatever broke, and says nothing of it."""
    plain = _real(tmp_path, 0.8, "", infra=logs.INFRA)
    beside = _real(tmp_path, 0.8, "store", infra=logs.INFRA)
    assert plain.verdict == beside.verdict == "real"
    assert plain.confidence == beside.confidence
    assert plain.headline == beside.headline
