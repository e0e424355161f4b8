"""Several installations served by one process: a bot each, with a store each.

What one workspace has is never in another one's store, so that no search, list, export or command
can find it there. Requests and alerts are handed to the bot that they are for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import structlog
from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.authorize import Authorize
from slack_sdk.signature import SignatureVerifier

from bot import plugins
from bot.app import Bot, Share, utc_now
from bot.bolt import bolt_app, signing_secret
from bot.checks import start_workers
from bot.config import Settings, require_slack
from bot.front import Front
from bot.installations import Installations, rotator
from bot.kinship import known_subjects
from bot.oauth import Flow, routes
from bot.routing import Routing
from handlers.desk import Desk, Desks
from handlers.mitigations import Action
from handlers.work import Runner
from state.incident import Alert
from state.outbox import Outbox
from state.store import Store
from state.tree import Tree

log = structlog.get_logger()
RENEW_SECONDS = 300.0
UNKNOWN = (
    "HawkEye does not know this workspace. Whoever runs it has to name it in its settings, under "
    "`[[slack.workspaces]]`; then somebody installs it anew."
)


class Nobody(Authorize):
    """Knows no installation."""

    def __init__(self) -> None:
        pass

    def __call__(self, **_: Any) -> AuthorizeResult | None:
        """Nobody."""
        return None


@dataclass(frozen=True)
class Switchboard:
    """Gives a request to the bot of the workspace or org that it comes from. ``lobby`` answers what
    comes from elsewhere, Slack's own checks, and what is not signed as ``verifier`` wants it."""

    bots: Mapping[str, Bot]
    lobby: App
    verifier: SignatureVerifier

    @property
    def logger(self) -> Any:
        """Bolt's logger."""
        return self.lobby.logger

    def dispatch(self, req: BoltRequest) -> BoltResponse:
        """The bot's Bolt app answers the request. For one that is not signed nothing is looked up:
        the lobby's refuses it."""
        bot = (self._shared(req.body) or self._from(req)) if self._signed(req) else None
        return (bot.app if bot else self.lobby).dispatch(req)

    def _signed(self, req: BoltRequest) -> bool:
        """By Slack; what comes through a socket of ours needs no signature."""
        headers = {name: values[0] for name, values in req.headers.items() if values}
        return req.mode == "socket_mode" or self.verifier.is_valid_request(req.raw_body, headers)

    def _from(self, req: BoltRequest) -> Bot | None:
        """By the ids of the request: of the org where it is installed for all of it."""
        ids = [req.context.team_id or "", req.context.enterprise_id or ""]
        if req.context.is_enterprise_install:
            ids.reverse()
        return next((self.bots[key] for key in ids if key in self.bots), None)

    def _shared(self, body: Mapping[str, Any]) -> Bot | None:
        """An event of a Slack Connect channel is told once, in the name of any one installation:
        it is for the bot that is mentioned, else the one whose thread or message it is."""
        event = body.get("event")
        if not body.get("is_ext_shared_channel") or not isinstance(event, dict):
            return None
        item = event.get("item") or event.get("message") or event
        channel = str(event.get("channel") or item.get("channel") or "")
        thread = str(item.get("thread_ts") or item.get("ts") or "")
        text = str(event.get("text") or "")
        for bot in self.bots.values():
            me = bot.directory.me()["user_id"]
            if me and f"<@{me}>" in text:
                return bot
        known = (bot for bot in self.bots.values() if bot.store.incident_in(channel, thread))
        return next(known, None)


@dataclass
class Bots:
    """All of them, with what they share: the tables, the workers, the server, the connection."""

    settings: Settings
    clock: Callable[[], datetime] = utc_now
    actions: Sequence[Action] = ()
    recheck: timedelta | None = None
    tree: Tree = field(default_factory=plugins.tree)
    runner: Runner | None = None
    bots: dict[str, Bot] = field(init=False)
    _running: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings, found = self.settings, self.settings.secrets
        require_slack(settings)
        self.shared = Store(settings.state_path)
        self.installations = Installations(self.shared)
        self.world = known_subjects(settings)
        if self.runner is None:
            self.runner, stop = start_workers(settings)
            self._running.append(stop)
        self.flow = Flow(settings, self.installations)
        self.bots = {key: self._bot(key) for key in settings.slack.installations}
        self.installations.changed = self._changed
        secret = found.slack_client_secret
        self._rotator = rotator(
            found.slack_client_id or "",
            secret.get_secret_value() if secret else "",
            found.slack_api_url,
        )
        self.front = self._front()

    def _front(self) -> Front:
        settings, routing = self.settings, Routing(self.settings, self.world[2])
        lobby = bolt_app(settings, Nobody(), self.flow, UNKNOWN)
        for event in ("app_uninstalled", "tokens_revoked", "team_access_granted"):
            # What a refused installation leaves behind: taken note of, so that it is not repeated.
            lobby.event(event)(lambda: None)

        def choose(alert: Alert) -> Desk:
            return self.bots[routing.target(alert).installation].conversation

        return Front(
            settings,
            tuple(self.bots.values()),
            Switchboard(self.bots, lobby, SignatureVerifier(signing_secret(settings))),
            Desks(
                [bot.conversation for bot in self.bots.values()],
                choose,
                tuple(w.name for w in settings.slack.workspaces),
            ),
            routes(self.flow),
            [(RENEW_SECONDS, self.renew, "renew tokens")],
        )

    def _bot(self, key: str) -> Bot:
        token, gone = self.installations.token(key), partial(self._gone, key)
        share = Share(key, token, self.shared, self.world, self.flow, gone)
        return Bot(
            self.settings,
            clock=self.clock,
            actions=self.actions,
            recheck=self.recheck,
            tree=self.tree,
            runner=self.runner,
            share=share,
        )

    def _changed(self, key: str) -> None:
        if key in self.bots:
            self.bots[key].use(self.installations.token(key))

    def _gone(self, key: str, code: str) -> None:
        log.error(
            "HawkEye was taken out of a workspace: what should be posted there waits until it is "
            "installed again",
            workspace=key,
            error=code,
        )
        self.installations.forget(key)

    def renew(self) -> None:
        """Renew the tokens that end soon."""
        for key in self.bots:
            self.installations.renew(key, self._rotator)

    def absent(self) -> list[str]:
        """The names of the workspaces in which it is not installed."""
        named = self.settings.slack.workspaces
        return [w.name for w in named if self.installations.token(w.installation) is None]

    @property
    def url(self) -> str:
        """Where alerts are taken in and people install, once started."""
        return self.front.url

    def start(self) -> None:
        """Start every bot, whether it is installed or not: what it is told is kept."""
        self.renew()
        self.front.start()

    def stop(self) -> None:
        """Stop everything."""
        self.front.stop()
        while self._running:
            self._running.pop()()
        self.shared.close()

    def __enter__(self) -> Bots:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def listing(settings: Settings) -> Iterator[str]:
    """A line for each workspace of the settings: whether it is installed there, what waits."""
    if not settings.slack.workspaces:
        yield "One workspace: the one of SLACK_BOT_TOKEN. Others are named in [[slack.workspaces]]."
        return
    installations = Installations(Store(settings.state_path))
    for workspace in settings.slack.workspaces:
        key = workspace.installation
        path = settings.state_of(key)
        waiting = Outbox(Store(path)).waiting() if path.exists() else 0
        found = installations.of(key)
        state = "not installed: open /slack/install"
        if found is not None:
            name = found.enterprise_name if found.is_enterprise_install else found.team_name
            since = datetime.fromtimestamp(found.installed_at, UTC)
            state = f"installed in {name or key} since {since:%Y-%m-%d}"
        waits = f"{waiting} message{'' if waiting == 1 else 's'} to be posted" if waiting else ""
        org = f" (org {workspace.org})" if workspace.org else ""
        yield ", ".join(filter(None, (f"{workspace.name} {workspace.id}{org}: {state}", waits)))
