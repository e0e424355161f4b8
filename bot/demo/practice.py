"""A practice or a demo as a whole: world, workspace and the real bot, started together."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot import logs
from bot.demo import Clock, World, build, scenarios
from bot.demo.actions import demo_actions
from bot.demo.clockbar import clock_routes
from bot.progress import steps

if TYPE_CHECKING:
    from bot.app import Bot
    from bot.config import Mitigation
    from bot.workspace import Server, User, Workspace

CHANNEL = "ml-oncall"
RECHECK = timedelta(minutes=30)


@dataclass
class Practice:
    """A world and the bot that looks at it, running. ``name`` is the scenario's; ``address`` is
    where its messages can be read."""

    name: str
    world: World
    clock: Clock
    bot: Bot
    alerts_url: str
    alerts_token: str
    address: str

    def __post_init__(self) -> None:
        self._reached = (True, 0)

    def fire(self) -> str:
        """Send the world's alert, as a team's alerting would: over HTTP. The incident's id."""
        alert = self.world.alert
        body = {
            alert.entry: alert.subject,
            "title": alert.title,
            "since": alert.since.isoformat(),
            "severity": 2,
            "key": f"demo:{alert.subject}",
            "detail": alert.detail,
        }
        request = urllib.request.Request(
            f"{self.alerts_url}/alerts/generic",
            data=json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.alerts_token}",
                "Content-Type": "application/json",
            },
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(json.load(answer)["incidents"][0]["id"])

    def keep_pace(self, incident_id: str) -> None:
        """Back to real time once the recovery that time ran ahead for is told, or all is over."""
        incident = self.bot.store.load(incident_id)
        if incident is None:
            return
        step, recovery = incident.current, self.bot.conversation.tree.recovery
        watched = step is not None and step.node == recovery and step.evidence is not None
        told = step.number if step and watched and step.status == "proposed" else 0
        reached = (incident.is_open, told)
        if reached != self._reached and (told or not incident.is_open):
            self.clock.set_speed(1.0)
        self._reached = reached


@dataclass
class Demo(Practice):
    """Everything that a demo consists of: a practice in a local workspace."""

    workspace: Workspace
    server: Server
    people: dict[str, User]


@contextmanager
def open_demo(
    name: str, seed: int, home: Path, port: int, channel: str = CHANNEL, *, hidden: bool = False
) -> Iterator[Demo]:
    """Build the world and start everything; stops it all at the end. ``hidden``: nothing that is
    printed, and no folder, tells the scenario.

    Raises click.ClickException for a scenario that does not exist or a port that is taken.
    """
    with _world(name, seed, home, hidden=hidden) as (world, say):
        say("starting the workspace and the bot")
        with ExitStack() as stack:
            yield _started(name, world, port, channel, stack)


@contextmanager
def open_in_slack(name: str, seed: int, home: Path, channel: str) -> Iterator[Practice]:
    """The same in a team's own Slack, with the tokens of the environment and the cause hidden."""
    from bot.front import Front

    with _world(name, seed, home, hidden=True) as (world, say), ExitStack() as stack:
        say("connecting to Slack")
        clock = Clock(world.now, end=world.end)
        stack.callback(clock.stop)
        token = secrets.token_urlsafe(16)
        bot = _bot(world, clock, {**os.environ, "HAWKEYE_ALERTS_TOKEN": token}, channel)
        front = stack.enter_context(Front.one(bot))
        yield Practice(name, world, clock, bot, front.url, token, channel)


@contextmanager
def _world(
    name: str, seed: int, home: Path, *, hidden: bool
) -> Iterator[tuple[World, Callable[[str], None]]]:
    known = [s.name for s in scenarios()]
    if name not in known:
        raise click.ClickException(f"There is no scenario {name!r}. There are: {', '.join(known)}.")
    logs.to_file(home / "demo.log")
    shown = "practice" if hidden else name
    with steps(f"Setting up {shown}, seed {seed}") as say:
        folder = home.absolute() / f"{shown}-{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        yield build(name, seed, folder, progress=say, cache=home.absolute() / "cache"), say


def _bot(
    world: World,
    clock: Clock,
    environment: Mapping[str, str],
    channel: str,
    mitigations: tuple[Mitigation, ...] = (),
) -> Bot:
    from bot.app import Bot
    from bot.config import load

    settings = load(world.folder / "hawkeye.toml", environment)
    slack = settings.slack.model_copy(update={"port": 0, "channel": f"#{channel.lstrip('#')}"})
    settings = settings.model_copy(update={"slack": slack, "mitigations": mitigations})
    return Bot(settings, clock=clock.now, actions=demo_actions(world, clock), recheck=RECHECK)


def _started(name: str, world: World, port: int, channel: str, stack: ExitStack) -> Demo:
    from bot.demo.pager import KEYS, page_the_owner, pager_routes
    from bot.front import Front
    from bot.workspace import Workspace, manifest_of, serve

    clock = Clock(world.now, end=world.end)
    stack.callback(clock.stop)
    workspace = Workspace()
    people = {
        "ana": workspace.add_user("ana", "Ana Ruiz"),
        "bo": workspace.add_user("bo", "Bo Lindqvist"),
        "cy": workspace.add_user("cy", "Cy Okafor"),
    }
    app = workspace.install(manifest_of(Path(__file__).parents[1] / "manifest.json"))
    everyone = [p.id for p in people.values()]
    workspace.add_channel(channel, [*everyone, app.user_id])
    team = workspace.add_channel("data-platform", [people["bo"].id, people["ana"].id, app.user_id])
    workspace.add_channel("general", everyone)
    token = secrets.token_urlsafe(16)
    routes = [*clock_routes(clock), *pager_routes(workspace, team.id)]
    server = stack.enter_context(serve(workspace, port, extra_routes=routes))
    environment = {
        "SLACK_BOT_TOKEN": app.bot_token,
        "SLACK_APP_TOKEN": app.app_token,
        "SLACK_API_URL": server.api_url,
        "HAWKEYE_ALERTS_TOKEN": token,
        "HAWKEYE_PAGERDUTY_ROUTING_KEYS": KEYS,
    }
    bot = _bot(world, clock, environment, channel, (page_the_owner(server.url),))
    front = stack.enter_context(Front.one(bot))
    address = server.url
    return Demo(name, world, clock, bot, front.url, token, address, workspace, server, people)
