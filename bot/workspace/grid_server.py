"""The server around a grid: all workspaces under one address, and one door out to the app.

What an app is told of an org-wide installation is as Slack documents for org-ready apps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from bot.workspace.delivery import Envelope
from bot.workspace.grid import Grid
from bot.workspace.grid_web import routes
from bot.workspace.model import Json
from bot.workspace.server import Server, serve
from bot.workspace.sockets import Carrier


@contextmanager
def serve_grid(grid: Grid) -> Iterator[Server]:
    """Serve all of its workspaces; the server has the Web API of all of them."""
    with ExitStack() as stack:
        server = stack.enter_context(serve(grid.hub, extra_routes=routes(grid)))
        carrier: Carrier = server.app.state.carrier
        for team, workspace in grid.workspaces.items():
            stack.enter_context(serve(workspace))
            workspace.deliveries.attach(_sender(grid, team, carrier))
        yield server


def _sender(grid: Grid, team: str, carrier: Carrier) -> Callable[[Envelope], None]:
    def take(envelope: Envelope) -> None:
        grant = grid.grant_in(team)
        if grant is not None and grant.is_org:
            envelope.payload = as_of_org(envelope.payload, grant.place, grid.orgs[grant.place])
        carrier.take(envelope)

    return take


def as_of_org(payload: Json, org: str, name: str) -> Json:
    """A payload as an app gets it that is installed for a whole org."""
    if payload.get("type") == "event_callback":
        [authorization] = payload["authorizations"]
        of_org = {"enterprise_id": org, "is_enterprise_install": True}
        return payload | {
            "enterprise_id": org,
            "context_enterprise_id": org,
            "authorizations": [authorization | of_org],
        }
    if "command" in payload:
        flat = {"enterprise_id": org, "enterprise_name": name, "is_enterprise_install": "true"}
        return payload | flat
    body = payload | {"is_enterprise_install": True, "enterprise": {"id": org, "name": name}}
    if payload["type"] in ("shortcut", "message_action"):
        return body | {"team": None}
    return body | {"team": payload["team"] | {"enterprise_id": org, "enterprise_name": name}}
