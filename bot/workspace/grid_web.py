"""The web side of a grid: Slack's page that asks for permission, oauth.v2.access, and the Web API
by token."""

from __future__ import annotations

import base64
import json
import uuid
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bot.workspace.api import WebApi, refusal
from bot.workspace.arguments import arguments
from bot.workspace.grid import EXPIRES_IN, Grant, Grid
from bot.workspace.model import Json, SlackError

NEED_TEAM = {
    "conversations.create",
    "conversations.list",
    "team.info",
    "usergroups.list",
    "usergroups.users.list",
    "users.conversations",
    "users.list",
}
"""Methods that have to be told which workspace of an org is meant."""


@dataclass
class GridWeb:
    """The endpoints of a grid."""

    grid: Grid

    # -- permission ----------------------------------------------------------------------------

    async def authorize(self, request: Request) -> Response:
        """GET: who may be installed where? POST: what the person answered."""
        if request.method == "GET":
            return self._page({k: str(v) for k, v in request.query_params.items()})
        form = parse_qs((await request.body()).decode(), keep_blank_values=True)
        asked = {name: values[0] for name, values in form.items()}
        if wrong := self._wrong(asked):
            return HTMLResponse(escape(wrong), status_code=400)
        back = {"state": asked.get("state", "")}
        if asked.get("answer") == "allow":
            back["code"] = self.grid.install(asked["place"], scopes=asked.get("scope", ""))
        else:
            back["error"] = "access_denied"
        where = asked.get("redirect_uri") or self.grid.redirect_urls[0]
        return RedirectResponse(f"{where}?{urlencode(back)}", status_code=302)

    def _wrong(self, asked: dict[str, str]) -> str:
        if asked.get("client_id") != self.grid.app.client_id:
            return "invalid_client_id"
        given = asked.get("redirect_uri")
        fits = any(given.startswith(url) for url in self.grid.redirect_urls) if given else True
        if not self.grid.redirect_urls or not fits:
            return "redirect_uri did not match any configured URIs"
        granted = set(filter(None, asked.get("scope", "").split(",")))
        unknown = granted - set(self.grid.app.scopes or granted)
        return f"invalid_scope: {', '.join(sorted(unknown))}" if unknown or not granted else ""

    def _page(self, asked: dict[str, str]) -> Response:
        if wrong := self._wrong(asked):
            return HTMLResponse(escape(wrong), status_code=400)
        hidden = "".join(
            f'<input type="hidden" name="{escape(k)}" value="{escape(v)}">'
            for k, v in asked.items()
        )
        places = {t: w.team_name for t, w in self.grid.workspaces.items()} | self.grid.orgs
        options = "".join(f'<option value="{k}">{escape(v)}</option>' for k, v in places.items())
        name = escape(self.grid.app.name)
        return HTMLResponse(
            f"<!doctype html><title>Slack</title><h1>{name} asks for permission</h1>"
            f"<p>It wants to: {escape(asked.get('scope', ''))}</p>"
            f'<form method="post" action="/oauth/v2/authorize">{hidden}'
            f'<select name="place">{options}</select>'
            '<button name="answer" value="allow">Allow</button>'
            '<button name="answer" value="cancel">Cancel</button></form>'
        )

    # -- the Web API ---------------------------------------------------------------------------

    async def call(self, request: Request) -> Response:
        """Any method: handed to the workspace that the token and the arguments mean."""
        method = str(request.path_params["method"])
        try:
            given = await arguments(request)
            if method == "oauth.v2.access":
                return JSONResponse({"ok": True, **self._access(request, given)})
            token = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
            token = token or str(given.get("token") or "")
            if method == "apps.connections.open":
                return JSONResponse({"ok": True, "url": self._socket(token)})
            return await self._in_workspace(request, method, given, token)
        except SlackError as error:
            return refusal(error)

    def _access(self, request: Request, given: Json) -> Json:
        self._check_client(*self._client(request, given))
        if given.get("grant_type") == "refresh_token":
            wanted = str(given.get("refresh_token") or "")
            grants = [g for g in self.grid.tokens.values() if g.refresh == wanted and not g.ended]
            if not wanted or not grants:
                raise SlackError("invalid_refresh_token")
            return self._granted(grants[0])
        grant, _ = self.grid.codes.pop(str(given.get("code") or ""), (None, ""))
        if grant is None:
            raise SlackError("invalid_code")
        return self._granted(grant)

    def _check_client(self, name: str, secret: str) -> None:
        if name != self.grid.app.client_id:
            raise SlackError("invalid_client_id")
        if secret != self.grid.client_secret:
            raise SlackError("bad_client_secret")

    def _client(self, request: Request, given: Json) -> tuple[str, str]:
        """The client's id and secret, by HTTP Basic or in the form."""
        header = request.headers.get("authorization", "")
        if header.startswith("Basic "):
            name, _, secret = base64.b64decode(header[6:]).decode().partition(":")
            return name, secret
        return str(given.get("client_id") or ""), str(given.get("client_secret") or "")

    def _granted(self, grant: Grant) -> Json:
        token = self.grid.token(grant)
        org = grant.place if grant.is_org else self.grid.org_of.get(grant.place, "")
        name = "" if grant.is_org else self.grid.workspaces[grant.place].team_name
        body: Json = {
            "access_token": token,
            "token_type": "bot",
            "scope": ",".join(grant.scopes),
            "bot_user_id": grant.bot_user,
            "app_id": self.grid.app.id,
            "team": None if grant.is_org else {"id": grant.place, "name": name},
            "enterprise": {"id": org, "name": self.grid.orgs[org]} if org else None,
            "is_enterprise_install": grant.is_org,
            "authed_user": {"id": grant.installer},
        }
        if grant.refresh:
            body |= {"refresh_token": grant.refresh, "expires_in": EXPIRES_IN}
        return body

    def _socket(self, token: str) -> str:
        if token != self.grid.app.app_token:
            raise SlackError("invalid_auth")
        ticket = str(uuid.uuid4())
        self.grid.hub.tickets[ticket] = self.grid.app.id
        address = self.grid.hub.base_url.replace("http://", "ws://", 1)
        return f"{address}/link/?ticket={ticket}&app_id={self.grid.app.id}"

    async def _in_workspace(
        self, request: Request, method: str, given: Json, token: str
    ) -> Response:
        grant = self.grid.known(token)
        if method == "auth.revoke":
            self.grid.revoke(grant.place)
            return JSONResponse({"ok": True, "revoked": True})
        if method == "apps.uninstall":
            self._check_client(str(given.get("client_id")), str(given.get("client_secret")))
            if grant.is_org:
                raise SlackError("not_allowed_token_type")
            self.grid.uninstall(grant.place)
            return JSONResponse({"ok": True})
        if grant.is_org and method in ("auth.test", "auth.teams.list"):
            return JSONResponse({"ok": True, **self._of_org(method, grant)})
        team = self._meant(method, given, grant)
        workspace = self.grid.workspaces[team]
        current = workspace.apps[self.grid.app.id].bot_token
        kept = [(k, v) for k, v in request.scope["headers"] if k != b"authorization"]
        request.scope["headers"] = [*kept, (b"authorization", f"Bearer {current}".encode())]
        request.__dict__.pop("_headers", None)
        answer = await WebApi(workspace).call(request)
        return self._with_org(method, answer, team)

    def _meant(self, method: str, given: Json, grant: Grant) -> str:
        """The workspace that a call of an org's token is about."""
        teams = self.grid.teams_of(grant.place)
        if not grant.is_org:
            return teams[0]
        if method in NEED_TEAM:
            team = str(given.get("team_id") or "")
            if not team:
                raise SlackError("missing_argument")
            if team not in teams:
                raise SlackError("team_access_not_granted")
            return team
        named = {str(given.get(k)) for k in ("channel", "channel_id", "user", "user_id", "users")}
        for team in teams:
            workspace = self.grid.workspaces[team]
            known = {*workspace.channels, *(u for u in workspace.users if u != grant.bot_user)}
            triggers = {*workspace.triggers, *workspace.files}
            files = {str(f.get("id")) for f in _files(given)}
            if named & known or ({str(given.get("trigger_id"))} | files) & triggers:
                return team
        return teams[0]

    def _of_org(self, method: str, grant: Grant) -> Json:
        teams = self.grid.teams_of(grant.place)
        if method == "auth.teams.list":
            named = [{"id": t, "name": self.grid.workspaces[t].team_name} for t in teams]
            return {"teams": named, "response_metadata": {"next_cursor": ""}}
        return {
            "url": f"{self.grid.hub.base_url}/",
            "team": self.grid.orgs[grant.place],
            "user": "hawkeye",
            "team_id": grant.place,
            "user_id": grant.bot_user,
            "bot_id": grant.bot_id,
            "app_id": self.grid.app.id,
            "enterprise_id": grant.place,
            "is_enterprise_install": True,
        }

    def _with_org(self, method: str, answer: Response, team: str) -> Response:
        """A person of an org is told with the workspaces that they are in."""
        org = self.grid.org_of.get(team)
        if org is None or method != "users.info" or answer.status_code != 200:
            return answer
        body = json.loads(bytes(answer.body))
        if body.get("ok"):
            user = body["user"]
            teams = [
                t for t in self.grid.teams_of(org) if user["id"] in self.grid.workspaces[t].users
            ]
            user["enterprise_user"] = {
                "id": user["id"],
                "enterprise_id": org,
                "enterprise_name": self.grid.orgs[org],
                "is_admin": False,
                "is_owner": False,
                "teams": teams,
            }
        return JSONResponse(body)


def _files(given: Json) -> list[Json]:
    found = given.get("files") or []
    if isinstance(found, str):
        found = json.loads(found)
    return [f for f in found if isinstance(f, dict)]


def routes(grid: Grid) -> list[BaseRoute]:
    """The routes, which come before those of the hub."""
    web = GridWeb(grid)
    return [
        Route("/oauth/v2/authorize", web.authorize, methods=["GET", "POST"]),
        Route("/api/{method:path}", web.call, methods=["GET", "POST"]),
    ]
