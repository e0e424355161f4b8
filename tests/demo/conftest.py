"""One world for all tests of the demo: built once, with its cache, in a temporary folder."""

import pytest

from bot.demo import build
from bot.demo.flights import load

NAME, SEED = "feed_stale", 1


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """Where worlds and their cache are."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="session")
def world(home):
    """A world around a storm; nobody may apply anything to it."""
    return build(NAME, SEED, home / "world", cache=home / "cache")


@pytest.fixture(scope="session")
def stage(world):
    """The clean weeks around the world's incident."""
    return world.stage


@pytest.fixture(scope="session")
def raw(world, home):
    """All flights of the year."""
    return load(home / "cache")
