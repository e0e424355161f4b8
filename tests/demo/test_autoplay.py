"""The on-call who accepts every proposal: what he tells when something does not come."""

from types import SimpleNamespace

import pytest

from bot.demo.autoplay import Player
from bot.workspace import Workspace


def test_what_was_waited_for_in_vain_is_told_in_words():
    """A sentence, not everything that the player holds (a world of a hundred thousand flights)."""
    player = Player(SimpleNamespace(workspace=Workspace()), "HE-1")
    with pytest.raises(TimeoutError) as told:
        player.wait(lambda: None, 0.01, "the next step")
    assert str(told.value) == "the next step did not happen within 0 s"
