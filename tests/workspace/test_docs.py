"""docs/workspace.md says what is true."""

from __future__ import annotations

import re
from pathlib import Path

from bot.workspace.api import METHODS
from bot.workspace.control import SETTINGS
from bot.workspace.server import application
from bot.workspace.ui_acts import ACTS
from bot.workspace.workspace import Workspace

TEXT = (Path(__file__).parents[2] / "docs" / "workspace.md").read_text()


def test_the_example_runs():
    """The whole first example, as it stands there."""
    example = re.search(r"```python\n(.*?)```", TEXT, re.S)
    assert example is not None
    names: dict = {}
    exec(example.group(1), names)
    answers = names["workspace"].channel("general").ephemerals.values()
    assert [message.text for message in answers] == ["hello"]


def test_every_method_is_listed():
    """No more and no fewer than there are."""
    part = TEXT.split("**Web API**")[1].split("Errors are Slack")[0]
    assert set(re.findall(r"`([a-z]+(?:\.[A-Za-z]+)+)`", part)) == set(METHODS)


def test_every_act_and_setting_of_the_page_is_described():
    """Paths under /ui, and what /control/settings takes."""
    assert [act for act in ACTS if f"/ui/{act}" not in TEXT] == []
    assert [name for name in SETTINGS if f"`{name}`" not in TEXT] == []
    paths = [getattr(route, "path", "") for route in application(Workspace()).routes]
    read = [path for path in paths if path.startswith("/ui/") and "{" not in path]
    assert [path for path in read if path not in TEXT] == []
