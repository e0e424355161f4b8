"""Findings weighed into a verdict."""

import numpy as np
import pytest

from analysis.inputs import familiar, views
from analysis.inputs.effects import Effect
from analysis.inputs.looking import Looked
from analysis.inputs.surrogate import Curve
from analysis.inputs.suspicion import Finding, View
from analysis.inputs.weighing import weigh
from tests.analysis import logs


@pytest.mark.parametrize("asked", [(), ("f",), ("f", "region")])
def test_what_the_artifact_was_not_asked_about_is_judged_by_where_answers_stray(
    tmp_path, monkeypatch, asked
):
    """Effects of some features are no reason to forget what is known of the others."""
    wh = logs.warehouse(tmp_path, logs.log(0))
    effect = Effect(1.0, Curve(np.zeros(1), np.zeros(1), 0.0))
    r = views.read(wh, logs.scope()).with_measured(dict.fromkeys(asked, effect))
    monkeypatch.setattr(familiar, "beyond", lambda *_: dict.fromkeys(("f", "region"), 9.0))
    found = [Finding(name, 1.0, {"marginal": View(6.0, 0.1)}) for name in ("f", "region")]
    none = np.zeros(len(r.days.frame), bool), np.zeros(len(r.edge.frame), bool)
    decided = weigh(r, Looked(found, none, {}), r.output(r.days), {})
    impact = {f.name: f.views["marginal"].impact for f, _ in decided.ranked}
    assert impact == {n: 0.1 if n in asked else 9.0 for n in ("f", "region")}
