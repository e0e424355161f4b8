"""The Home tab as a view: what a monitor's light says."""

from __future__ import annotations

import json

import pytest

from handlers.desk import Subject
from handlers.messages.home import HomeView, Monitor, home
from state.preferences import Preferences
from tests.handlers.toy import TREE, at


@pytest.mark.parametrize(
    ("inside", "incident", "light", "said"),
    [
        (True, "", "🟢", "in range"),
        (True, "HE-2", "🟢", "in range, HE-2 is on it"),
        (False, "", "🟠", "out of range"),
        (False, "HE-2", "🔴", "out of range, HE-2 is on it"),
        (None, "HE-2", "⚪", "no value yet, HE-2 is on it"),
    ],
)
def test_a_light_is_of_the_value_and_an_incident_stands_beside_it(inside, incident, light, said):
    """Who asks about a metric that is as usual opens an incident, and sets off no alarm."""
    watched = Monitor(Subject("metric", "precision"), (0.5, 0.6), inside, incident=incident)
    shown = home(HomeView("UANA", at(0), (), {}, (watched,), Preferences()), TREE)
    text = json.dumps(shown, ensure_ascii=False)
    assert f"· {said}" in text
    assert light in text
