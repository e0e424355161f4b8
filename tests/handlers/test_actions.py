"""What buttons carry comes back as it was, or is refused in words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.evidence import Suspect
from handlers import actions
from tests.handlers.toy import FEATURES, TEMP, opened, walked


def test_a_value_comes_back_as_it_went():
    """Every key survives the way through Slack; empty ones cost nothing."""
    text = actions.value(i="HE-1", s=3, v="inputs", k="feature", n="temp", m=0, a="")
    ref = actions.parse(text)
    assert (ref.incident, ref.step, ref.verdict, ref.kind, ref.name) == (
        *("HE-1", 3, "inputs"),
        *("feature", "temp"),
    )
    assert '"m"' not in text
    assert '"a"' not in text


def test_a_picked_option_is_read_like_a_button():
    """A ⋯ menu and a select send their value inside the option."""
    value = actions.value(i="HE-1", s=2, o="rerun")
    assert actions.of({"selected_option": {"value": value}}).option == "rerun"
    assert actions.of({"value": value}) == actions.of({"selected_option": {"value": value}})


@pytest.mark.parametrize(
    "text",
    ["", "rerun", "[]", "{}", '{"i":7}', '{"i":""}', '{"i":"HE-1","s":"x"}', '{"i":"H","s":true}'],
)
def test_a_value_that_is_not_ours_is_refused_in_words(text):
    """Old, foreign and forged buttons end in a sentence."""
    with pytest.raises(actions.BadValue, match="This button"):
        actions.parse(text)


def test_an_unknown_key_is_a_mistake_of_ours():
    """A key that nobody reads would be lost in silence."""
    with pytest.raises(KeyError, match="zz"):
        actions.value(i="HE-1", zz=1)


def test_keys_of_a_newer_version_are_ignored():
    """A button of a version to come still says which incident it belongs to."""
    assert actions.parse('{"i":"HE-1","future":[1]}').incident == "HE-1"


def test_the_verb_is_what_stands_before_the_colon():
    """action_ids are unique in their block by a suffix."""
    assert actions.verb("answer:real") == "answer"
    assert actions.verb("take") == "take"


@given(name=st.text(max_size=6000))
def test_every_value_fits_and_every_suspect_is_found_again(name):
    """However long or strange a name is, the button's suspect is the one that was meant."""
    suspect = Suspect("feature", name, 0.5)
    other = Suspect("feature", name + "x", 0.4)
    text = actions.value(i="HE-123456", s=99, a="arm_to_zero", k=suspect.kind, n=suspect.name)
    assert len(text) <= 150
    assert len(actions.key(suspect)) <= 150
    ref = actions.parse(text)
    if name:
        assert actions.find((other, suspect), ref.kind, ref.name) == suspect


def test_suspects_are_looked_up_among_all_that_the_incident_knows():
    """Also those that were examined and not blamed, or proposed and not yet confirmed."""
    incident = walked(5, last_answered=False)
    names = {s.name for s in actions.everyone(incident)}
    assert names >= {s.name for s in FEATURES.suspects} | {"delay_gbm"}
    found = actions.suspect_of(incident, actions.Ref("HE-12", kind="feature", name="temp"))
    assert found == TEMP
    assert actions.suspect_of(opened(), actions.Ref("HE-12", kind="feature", name="temp")) is None
