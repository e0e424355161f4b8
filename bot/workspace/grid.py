"""Several workspaces under one address, some of one org, with apps that are installed by OAuth.

    grid = Grid(app)                     # an app as it is registered: client id and secret
    one, other = grid.workspace("T0ONE"), grid.workspace("T0TWO", org="E0ORG")
    with serve_grid(grid) as server:     # of bot/workspace/grid_server.py
        client = slack_sdk.WebClient(token, base_url=server.api_url)

Tokens, codes and their errors are as Slack documents them for oauth.v2.access.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field, replace

from bot.workspace.apps import App
from bot.workspace.delivery import Envelope
from bot.workspace.model import SlackError
from bot.workspace.publishing import wrapper
from bot.workspace.workspace import Workspace

EXPIRES_IN = 43_200
"""Seconds that a token lives where tokens are rotated."""


@dataclass
class Grant:
    """An installation: ``place`` is the id of a workspace, or of an org for all of it. ``ended`` is
    the error that its tokens are answered with since it ended."""

    place: str
    scopes: list[str]
    installer: str
    bot_user: str
    bot_id: str
    refresh: str = ""
    ended: str = ""

    @property
    def is_org(self) -> bool:
        """Whether it holds for a whole org."""
        return self.place.startswith("E")


@dataclass
class Grid:
    """Workspaces and orgs (id to name), and one app that can be installed in them.

    ``rotates``: tokens expire and are refreshed. ``redirect_urls`` are those registered. An org's
    app is not used in the workspaces that are ``withheld``.
    """

    app: App
    rotates: bool = False
    redirect_urls: list[str] = field(default_factory=list)
    client_secret: str = field(default_factory=lambda: secrets.token_hex(8))
    orgs: dict[str, str] = field(default_factory=dict)
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    org_of: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, Grant] = field(default_factory=dict)
    expired: set[str] = field(default_factory=set)
    withheld: set[str] = field(default_factory=set)
    codes: dict[str, tuple[Grant, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Requests to the app leave through one place, whatever workspace they come from.
        self.hub = Workspace(team_id="T0HUB")
        self.hub.install(self.app)

    def workspace(self, team: str, name: str = "", *, org: str = "") -> Workspace:
        """A new workspace, before the grid is served; ``org`` is the id of its org."""
        found = Workspace(team_id=team, team_name=name or team, team_domain=team.lower())
        if org:
            # People and channels have ids of their own throughout an org, and files are the org's.
            found.random.seed(team)
            found.files = next(
                (w.files for t, w in self.workspaces.items() if self.org_of.get(t) == org),
                found.files,
            )
            self.orgs.setdefault(org, f"Org {org}")
            self.org_of[team] = org
        self.workspaces[team] = found
        return found

    def teams_of(self, place: str) -> list[str]:
        """The workspaces of an org that an app may be in, or the one."""
        found = [t for t in self.workspaces if place in (t, self.org_of.get(t))]
        return [t for t in found if t not in self.withheld]

    def grant_in(self, team: str) -> Grant | None:
        """The installation that serves a workspace."""
        alive = [g for g in self.tokens.values() if not g.ended and team in self.teams_of(g.place)]
        return alive[-1] if alive else None

    def install(self, place: str, installer: str = "U0ADMIN", scopes: str = "") -> str:
        """Install the app in a workspace or org, as its admin allows it; the code for the app."""
        own = "W" if place.startswith("E") else "U"
        before = next((g for g in self.tokens.values() if g.place == place and not g.ended), None)
        grant = before or Grant(
            place,
            scopes.split(",") if scopes else list(self.app.scopes or []),
            installer,
            f"{own}0BOT{place[1:]}",
            f"B0{place}",
        )
        code = f"{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self.codes[code] = (grant, "")
        return code

    def token(self, grant: Grant) -> str:
        """A fresh token of an installation."""
        kind = "xoxe.xoxb-1-" if self.rotates else "xoxb-"
        token = kind + secrets.token_hex(16)
        grant.refresh = f"xoxe-1-{secrets.token_hex(16)}" if self.rotates else ""
        self.tokens[token] = grant
        for team in self.teams_of(grant.place):
            self._put_into(team, grant, token)
        return token

    def _put_into(self, team: str, grant: Grant, token: str) -> None:
        app = replace(self.app, bot_token=token, bot_id=grant.bot_id, scopes=grant.scopes)
        self.workspaces[team].install(replace(app, user_id=grant.bot_user))

    def add(self, team: str) -> None:
        """An org's admin adds the app to a workspace that was withheld; it is told so."""
        self.withheld.discard(team)
        token, grant = next(
            (t, g) for t, g in self.tokens.items() if team in self.teams_of(g.place) and not g.ended
        )
        self._put_into(team, grant, token)
        workspace = self.workspaces[team]
        event = {"type": "team_access_granted", "team_ids": [team]}
        body = wrapper(workspace, workspace.apps[self.app.id], event)
        workspace.deliveries.send(Envelope(self.app.id, "events_api", str(event["type"]), body))

    def revoke(self, place: str, error: str = "token_revoked") -> None:
        """End an installation's tokens without a word."""
        for grant in self.tokens.values():
            if grant.place == place:
                grant.ended = error

    def uninstall(self, place: str) -> None:
        """An admin takes the app out; it is told so."""
        team = self.teams_of(place)[0]
        workspace = self.workspaces[team]
        app = workspace.apps[self.app.id]
        revoked = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [app.user_id]}}
        for event in ({"type": "app_uninstalled"}, revoked):
            body = wrapper(workspace, app, event)
            workspace.deliveries.send(Envelope(app.id, "events_api", str(event["type"]), body))
        self.revoke(place, "account_inactive")
        for one in self.teams_of(place):
            self.workspaces[one].apps.pop(self.app.id, None)

    def known(self, token: str) -> Grant:
        """Whose a token is.

        Raises:
            SlackError: not_authed, invalid_auth, token_expired, and what an installation ended by.
        """
        if not token:
            raise SlackError("not_authed")
        grant = self.tokens.get(token)
        if grant is None:
            raise SlackError("invalid_auth")
        if grant.ended or token in self.expired:
            raise SlackError(grant.ended or "token_expired")
        return grant
