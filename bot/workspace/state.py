"""All that the workspace holds, how it is found and how it is set up."""

from __future__ import annotations

import random
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bot.workspace.apps import App, Execution, ResponseUrl, Scheduled, Trigger, View
from bot.workspace.changes import Changes
from bot.workspace.delivery import Deliveries
from bot.workspace.faults import Fault, Faults
from bot.workspace.model import Channel, Message, Note, SlackError, StoredFile, User, Usergroup
from bot.workspace.recorder import Recorder

ALPHABET = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass
class State:
    """A workspace in memory. Every change happens under ``lock``.

    ``now`` gives Unix seconds and dates the messages; timeouts use the machine's monotonic clock
    (``clock``), so that a simulated ``now`` does not change them. ``retry_delays`` are the seconds
    before each repeated delivery of an unacknowledged event. ``file_processing_seconds`` is how
    long a fresh file is refused in a ``slack_file`` image.
    """

    team_name: str = "Local workspace"
    team_id: str = "T0LOCAL"
    team_domain: str = "local"
    now: Callable[[], float] = time.time
    clock: Callable[[], float] = time.monotonic
    ack_timeout: float = 3.0
    trigger_seconds: float = 3.0
    file_processing_seconds: float = 0.3
    retry_delays: tuple[float, ...] = (0.0, 60.0, 300.0)
    base_url: str = "http://127.0.0.1"
    users: dict[str, User] = field(default_factory=dict)
    usergroups: dict[str, Usergroup] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    files: dict[str, StoredFile] = field(default_factory=dict)
    files_deleted: set[str] = field(default_factory=set)
    apps: dict[str, App] = field(default_factory=dict)
    modals: dict[str, list[View]] = field(default_factory=dict)
    homes: dict[tuple[str, str], View] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    response_urls: dict[str, ResponseUrl] = field(default_factory=dict)
    connected: dict[str, int] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)
    emoji: dict[str, str] = field(default_factory=dict)
    tickets: dict[str, str] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)
    scheduled: dict[str, Scheduled] = field(default_factory=dict)
    changes: Changes = field(default_factory=Changes)
    recorder: Recorder = field(default_factory=Recorder)
    faults: Faults = field(default_factory=Faults)
    lock: threading.RLock = field(default_factory=threading.RLock)
    last_ts: int = 0

    def __post_init__(self) -> None:
        """Make what depends on other fields."""
        self.deliveries = Deliveries(self.recorder)
        self.random = random.Random(0)

    # Names and numbers

    def new_id(self, prefix: str) -> str:
        """A fresh id such as ``C0R4ND0M12``."""
        return prefix + "0" + "".join(self.random.choice(ALPHABET) for _ in range(9))

    def new_ts(self) -> str:
        """A timestamp later than every earlier one."""
        with self.lock:
            self.last_ts = max(self.last_ts + 1, int(self.now() * 1_000_000))
            return f"{self.last_ts // 1_000_000}.{self.last_ts % 1_000_000:06d}"

    # Setting up

    def add_user(
        self,
        name: str,
        real_name: str = "",
        *,
        id: str | None = None,
        title: str = "",
        email: str = "",
        tz: str = "Etc/UTC",
    ) -> User:
        """Add a person. ``name`` is the handle, such as "ana"."""
        with self.lock:
            user = User(
                id=id or self.new_id("U"),
                name=name,
                real_name=real_name or name.capitalize(),
                title=title,
                email=email or f"{name}@example.com",
                tz=tz,
            )
            self.users[user.id] = user
        self.changes.add("channel", user=user.id)
        return user

    def add_channel(
        self,
        name: str,
        members: Iterable[User | str] = (),
        *,
        id: str | None = None,
        private: bool = False,
        topic: str = "",
        purpose: str = "",
    ) -> Channel:
        """Add a channel with its first members (users, user ids or bots' user ids)."""
        ids = [member if isinstance(member, str) else member.id for member in members]
        with self.lock:
            channel = Channel(
                id=id or self.new_id("C"),
                name=name,
                creator=ids[0] if ids else "USLACKBOT",
                created=int(self.now()),
                members=ids,
                is_private=private,
                topic=Note(topic, ids[0] if topic and ids else "", 0),
                purpose=Note(purpose, ids[0] if purpose and ids else "", 0),
            )
            self.channels[channel.id] = channel
        self.changes.add("channel", channel=channel.id)
        return channel

    def add_usergroup(self, handle: str, users: Iterable[User | str], name: str = "") -> Usergroup:
        """Add a user group such as "@ml-oncall"."""
        ids = [user if isinstance(user, str) else user.id for user in users]
        with self.lock:
            now = int(self.now())
            id = self.new_id("S")
            group = Usergroup(id, handle, name or handle, ids, date_create=now, date_update=now)
            self.usergroups[group.id] = group
        return group

    def install(self, app: App) -> App:
        """Install an app: give it ids, tokens and a bot user where they are missing."""
        with self.lock:
            app.id = app.id or self.new_id("A")
            app.bot_id = app.bot_id or self.new_id("B")
            app.user_id = app.user_id or self.new_id("U")
            app.client_id = app.client_id or f"{self.random.randrange(10**9, 10**10)}.local"
            app.bot_token = app.bot_token or f"xoxb-{secrets.token_hex(12)}"
            app.app_token = app.app_token or f"xapp-1-{app.id}-{secrets.token_hex(12)}"
            app.signing_secret = app.signing_secret or secrets.token_hex(16)
            app.verification_token = app.verification_token or secrets.token_hex(12)
            handle = re.sub(r"[^a-z0-9._-]+", "_", (app.display_name or app.name).lower())
            self.users[app.user_id] = User(
                id=app.user_id,
                name=handle,
                real_name=app.display_name or app.name,
                bot_id=app.bot_id,
                app_id=app.id,
            )
            self.apps[app.id] = app
        self.changes.add("app", app_id=app.id)
        return app

    def inject(self, fault: Fault) -> None:
        """Let the next calls of a method fail as the fault says."""
        self.faults.add(fault)

    # Finding

    def user(self, id: str) -> User:
        """A user by id.

        Raises:
            SlackError: user_not_found.
        """
        found = self.users.get(id)
        if found is None:
            raise SlackError("user_not_found")
        return found

    def user_named(self, name: str) -> User:
        """A user by id, handle or full name, without "@".

        Raises:
            SlackError: user_not_found.
        """
        wanted = name.removeprefix("@").casefold()
        for user in self.users.values():
            if wanted in (user.id.casefold(), user.name.casefold(), user.real_name.casefold()):
                return user
        raise SlackError("user_not_found")

    def channel(self, id: str) -> Channel:
        """A channel by id, or by name with or without "#".

        Raises:
            SlackError: channel_not_found.
        """
        found = self.channels.get(id)
        if found is None and id:
            name = id.removeprefix("#")
            found = next(
                (c for c in self.channels.values() if c.name == name and not c.is_im), None
            )
        if found is None:
            raise SlackError("channel_not_found")
        return found

    def message(self, channel: str, ts: str) -> Message:
        """A message that is still there, ephemeral ones included.

        Raises:
            SlackError: channel_not_found or message_not_found.
        """
        place = self.channel(channel)
        found = place.messages.get(ts) or place.ephemerals.get(ts)
        if found is None or found.deleted:
            raise SlackError("message_not_found")
        return found

    def app(self, id: str) -> App:
        """An installed app by id.

        Raises:
            SlackError: app_not_found.
        """
        found = self.apps.get(id)
        if found is None:
            raise SlackError("app_not_found")
        return found

    def view(self, id: str) -> View:
        """An open modal or a published Home tab by id.

        Raises:
            SlackError: not_found.
        """
        for stack in self.modals.values():
            for view in stack:
                if view.id == id:
                    return view
        for view in self.homes.values():
            if view.id == id:
                return view
        raise SlackError("not_found")

    def people(self) -> list[User]:
        """Everyone who is not a bot, in the order of joining."""
        return [user for user in self.users.values() if not user.is_bot]

    def audience(self, channel: Channel) -> frozenset[str] | None:
        """Who may know of changes in this channel; None when it is public."""
        return None if channel.kind == "channel" else frozenset(channel.members)

    def may_see(self, user: str, channel: Channel) -> bool:
        """Whether this user may read the channel."""
        return channel.kind == "channel" or user in channel.members

    def wait_for(self, predicate: Callable[[], Any], timeout: float = 10.0) -> Any:
        """The first truthy value of ``predicate``; tried after every change.

        Raises:
            TimeoutError: none within ``timeout`` seconds.
        """
        return self.changes.wait_for(predicate, timeout)
