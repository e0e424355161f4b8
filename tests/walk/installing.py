"""A bot for several workspaces on a stage: a grid of workspaces, and people who install it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx

from bot.bots import Bots
from bot.config import load
from bot.workspace import Server, Workspace, manifest_of
from bot.workspace.grid import Grid
from bot.workspace.grid_server import serve_grid
from state.incident import Incident
from tests.state.toys import TOY
from tests.walk.stage import MANIFEST, SETTINGS, Canned, Handle, evidence


@dataclass
class Installing:
    """What a test needs in its hands."""

    grid: Grid
    server: Server
    bots: Bots
    rollback: Handle
    web: httpx.Client

    def install(self, place: str, answer: str = "allow", **changes: str) -> httpx.Response:
        """Install it as an admin does in a browser: our page, Slack's page, and back.

        ``changes`` are made to what comes back: another state, cookie or code.
        """
        first = self.web.get(f"{self.bots.url}/slack/install")
        assert first.status_code == 302, first.text
        cookie = first.headers["set-cookie"].partition(";")[0]
        asked = self.web.get(first.headers["location"])
        assert asked.status_code == 200, asked.text
        form = dict(re.findall(r'name="(\w+)" value="([^"]*)"', asked.text))
        form |= {"place": place, "answer": answer}
        back = self.web.post(f"{self.server.url}/oauth/v2/authorize", data=form)
        where = urlsplit(back.headers["location"])
        query = {k: v[0] for k, v in parse_qs(where.query).items()} | changes
        cookie = query.pop("cookie", cookie)
        return self.web.get(
            f"{self.bots.url}{where.path}", params=query, headers={"Cookie": cookie}
        )

    def alert(self, **body: str) -> str:
        """An alert from outside; the id of its incident."""
        answer = self.web.post(
            f"{self.bots.url}/alerts/generic",
            json=body,
            headers={"Authorization": "Bearer alerts"},
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["incidents"][0]["id"])

    def until(self, what, seconds: float = 8.0) -> bool:
        """Wait for something to become true."""
        from tests.walk.stage import Stage

        return Stage.until(self, what, seconds)

    def texts(self, workspace: Workspace) -> str:
        """Everything that a workspace's channels show."""
        messages = (m for c in workspace.channels.values() for m in c.messages.values())
        return "\n".join(f"{m.text} {m.all_blocks()}" for m in messages)

    def shows(self, workspace: Workspace, *texts: str) -> None:
        """Wait until a workspace shows all these texts."""
        there = self.until(lambda: all(t in self.texts(workspace) for t in texts))
        assert there, (texts, self.texts(workspace))

    def incident(self, key: str, name: str) -> Incident:
        """An incident of an installation."""
        found = self.bots.bots[key].store.load(name)
        assert found is not None
        return found

    def press(self, workspace: Workspace, user: str, action: str) -> None:
        """Press the newest button of that kind in a workspace."""

        def where() -> list[tuple[str, str]]:
            return [
                (c.id, m.ts)
                for c in workspace.channels.values()
                for m in c.messages.values()
                if f"'{action}'" in str(m.all_blocks())
            ]

        assert self.until(where), self.texts(workspace)
        channel, ts = where()[-1]
        workspace.click(user, channel, ts, action_id=action)

    def whispers(self, workspace: Workspace, user: str) -> str:
        """What the bot said to one person alone."""
        found = (m for c in workspace.channels.values() for m in c.ephemerals.values())
        return "\n".join(f"{m.text} {m.blocks}" for m in found if m.ephemeral_to == user)


@contextmanager
def installing(
    folder: Path, workspaces: str, build, mode: str = "http", routes: str = "", rotates=False
) -> Iterator[Installing]:
    """Grid and bots, running. ``workspaces`` and ``routes`` are parts of the settings; ``build``
    makes the grid's workspaces."""
    app = manifest_of(MANIFEST)
    app.client_id = "111.222"
    grid = Grid(app, rotates=rotates)
    build(grid)
    (folder / "log.csv").write_text("time,score,label,temp,wind\n2026-01-01,0.5,1,3,4\n")
    with serve_grid(grid) as server, httpx.Client(trust_env=False, timeout=10) as web:
        environment = {
            "SLACK_CLIENT_ID": app.client_id,
            "SLACK_CLIENT_SECRET": grid.client_secret,
            "SLACK_APP_TOKEN": app.app_token,
            "SLACK_SIGNING_SECRET": app.signing_secret,
            "SLACK_API_URL": server.api_url,
            "HAWKEYE_ALERTS_TOKEN": "alerts",
        }
        more = '\n[[metrics]]\nname = "recall"\nkind = "recall"\n'
        text = SETTINGS.format(mode=mode, port=3000) + more + workspaces + routes
        (folder / "hawkeye.toml").write_text(text)
        settings = load(folder / "hawkeye.toml", environment)
        slack = settings.slack.model_copy(update={"port": 0})
        settings = settings.model_copy(update={"slack": slack})
        rollback = Handle()
        bots = Bots(
            settings,
            actions=[rollback],
            recheck=timedelta(seconds=0.2),
            tree=TOY,
            runner=Canned(evidence()),
        )
        with bots:
            grid.redirect_urls = [f"{bots.url}/slack/oauth_redirect"]
            if mode == "http":
                app.request_url = f"{bots.url}/slack/events"
            yield Installing(grid, server, bots, rollback, web)
