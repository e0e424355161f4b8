"""Where an alert goes: the workspace, the channel, and who is called there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.config import Route, Settings
from state.incident import Alert

if TYPE_CHECKING:
    from analysis.graph.lineage import Graph
    from bot.config import Workspace


@dataclass(frozen=True)
class Target:
    """Where an alert's thread opens. ``workspace`` is None with the one bot token; ``call`` says
    who is called, level by level."""

    workspace: Workspace | None
    channel: str
    call: tuple[str, ...]

    @property
    def installation(self) -> str:
        """Which installation serves it; "" with the one bot token."""
        return self.workspace.installation if self.workspace else ""


@dataclass(frozen=True)
class Routing:
    """The routes of the settings, read with the lineage's owners."""

    settings: Settings
    lineage: Graph

    def target(self, alert: Alert) -> Target:
        """The workspace that the alert names, else the first matching route's, else the first."""
        route = self._route(alert)
        workspaces = self.settings.slack.workspaces
        told = next((w for w in workspaces if w.name == alert.workspace), None)
        if told is not None:
            return self._at(told, route if route and route.workspace == told.name else None)
        named = [w for w in workspaces if route is None or route.workspace in (None, w.name)]
        return self._at(named[0] if named else None, route)

    def within(self, installation: str, alert: Alert) -> Target:
        """The same for a thread that has to open in one installation: elsewhere than the routes
        say when they send it to another one."""
        found = self.target(alert)
        if found.installation == installation:
            return found
        served = [w for w in self.settings.slack.workspaces if w.installation == installation]
        return self._at(served[0] if served else None, None)

    def _at(self, workspace: Workspace | None, route: Route | None) -> Target:
        slack = self.settings.slack
        call = (workspace.call if workspace else ()) or self._usual_call(workspace)
        channel = (workspace.channel if workspace else "") or slack.channel
        if route is not None:
            call, channel = route.on_call or call, route.channel
        if workspace is not None and workspace.org and channel.startswith("#"):
            # The same name may be there in several workspaces of the org.
            channel = f"{workspace.id}/{channel}"
        return Target(workspace, channel, call)

    def _usual_call(self, workspace: Workspace | None) -> tuple[str, ...]:
        """Slack's ids in ``[oncall] call`` are the first workspace's; PagerDuty is anybody's."""
        usual, first = self.settings.oncall.call, self.settings.slack.installations[0]
        if workspace is None or workspace.installation == first:
            return usual
        return tuple(entry for entry in usual if entry.startswith("pagerduty"))

    def _route(self, alert: Alert) -> Route | None:
        """By what the alert is about, whose that is, and how bad it is."""
        named = [alert.names, (f"{alert.entry}:{alert.subject}",)]
        names = [name.partition(":")[::2] for some in named for name in some]
        metric = next((name for kind, name in names if kind == "metric"), None)
        model = next((name for kind, name in names if kind == "model"), None)
        if model is None and metric in self.settings.contract.metric_names:
            model = self.settings.contract.metric(metric or "").model
        nodes = [name for kind, name in names if kind == "upstream"]
        owners = [alert.owner, *(self.lineage.owners.get(node, "") for node in nodes)]
        return self.settings.route_for(metric, model, owners, alert.severity)
