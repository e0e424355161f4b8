"""Apps, and what an app holds in the workspace: its views, the ways to answer, work in hand.

Times are Unix seconds. Everything here is plain data; the rules live elsewhere.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from bot.workspace.model import Json


@dataclass(frozen=True)
class Command:
    """A slash command that an app has declared."""

    command: str
    description: str = ""
    usage_hint: str = ""
    url: str | None = None
    should_escape: bool = False


@dataclass(frozen=True)
class Shortcut:
    """A global or message shortcut that an app has declared."""

    name: str
    callback_id: str
    type: str = "global"
    description: str = ""


@dataclass
class App:
    """An installed app. What is not given is made up on installation.

    ``events`` is the list of subscribed bot events, ``scopes`` the granted bot scopes; None means
    all of them. With ``request_url`` the app is served over signed HTTP, else by Socket Mode.
    """

    name: str
    id: str = ""
    bot_token: str = ""
    app_token: str = ""
    signing_secret: str = ""
    client_id: str = ""
    description: str = ""
    display_name: str = ""
    request_url: str | None = None
    interactivity_url: str | None = None
    options_url: str | None = None
    events: list[str] | None = None
    scopes: list[str] | None = None
    commands: list[Command] = field(default_factory=list)
    shortcuts: list[Shortcut] = field(default_factory=list)
    unfurl_domains: list[str] = field(default_factory=list)
    functions: dict[str, Json] = field(default_factory=dict)
    home_enabled: bool = True
    messages_enabled: bool = True
    user_id: str = ""
    bot_id: str = ""
    verification_token: str = ""


@dataclass
class View:
    """A modal or a Home tab as it stands in front of one person.

    ``dialog`` is the app's own payload when it opened a dialog, in ``channel``.
    """

    id: str
    app_id: str
    user: str
    body: Json
    hash: str
    values: Json = field(default_factory=dict)
    root_id: str = ""
    previous_id: str | None = None
    dialog: Json | None = None
    channel: str | None = None

    @property
    def callback_id(self) -> str:
        """The app's name for it, empty when none was given."""
        return str(self.body.get("callback_id", ""))


@dataclass
class Trigger:
    """Permission to open one modal, for ``trigger_seconds`` after a person's act."""

    id: str
    app_id: str
    user: str
    made: float
    view_id: str | None = None
    channel: str | None = None
    used: bool = False


@dataclass
class Scheduled:
    """A message that waits for its time (``post_at``, ``created``: Unix seconds)."""

    id: str
    app_id: str
    channel: str
    post_at: int
    created: int
    text: str
    timer: threading.Timer


@dataclass
class Execution:
    """A custom step that an app carries out for a workflow; ``status``: running, completed, failed.

    ``token`` is the bot token of this step alone.
    """

    id: str
    app_id: str
    callback_id: str
    user: str
    token: str
    inputs: Json
    status: str = "running"
    outputs: Json = field(default_factory=dict)
    error: str = ""


@dataclass
class ResponseUrl:
    """A way for an app to answer an interaction: 5 uses within 30 minutes."""

    id: str
    app_id: str
    user: str
    channel: str
    made: float
    message_ts: str | None = None
    ephemeral: bool = False
    uses: int = 0
