"""The demo's PagerDuty: the page that a mitigation sends is read in a channel."""

from __future__ import annotations

import pytest

from bot.demo.pager import KEYS, page_the_owner, pager_routes
from bot.paging import Page, PageError
from bot.workspace import Workspace, serve
from tests.bot.test_paging import FEED, incident, owners


def test_a_page_to_the_owner_rings_once_in_the_teams_channel():
    """The same suspect twice is one message; a wrong key is refused in words."""
    workspace = Workspace()
    bo = workspace.add_user("bo", "Bo")
    team = workspace.add_channel("data-platform", [bo])
    with serve(workspace, extra_routes=pager_routes(workspace, team.id)) as server:
        settings = page_the_owner(server.url)
        pager = Page(settings, dict([KEYS.split("=")]), owners().of, lambda _: "")
        assert "data-platform is paged" in pager.carry_out(incident(), FEED)
        pager.carry_out(incident(), FEED)
        [message] = workspace.channel(team.id).messages.values()
        assert "weather_feed" in message.text
        assert "critical" in message.text
        wrong = Page(settings, {"*": "short"}, owners().of, lambda _: "")
        with pytest.raises(PageError, match="routing_key"):
            wrong.carry_out(incident(), FEED)
