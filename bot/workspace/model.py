"""The values of the local workspace: people, channels, messages, files (apps: apps.py).

Times are Slack timestamps (``"1700000000.000100"``: Unix seconds, six decimals, unique in the
workspace) unless a name says otherwise. Everything here is plain data; the rules live elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

COLORS = ("#4a6fa5", "#b3541e", "#2f7d5b", "#7a4fa3", "#a33c5e", "#5f6b1f", "#1f6f78", "#8a5a2b")


class SlackError(Exception):
    """A refusal as Slack answers it: an error code, and more fields for the response.

    ``messages`` become ``response_metadata.messages`` (each already begins with "[ERROR] ");
    ``retry_after`` (seconds) turns the answer into HTTP 429.
    """

    def __init__(
        self, code: str, *, messages: list[str] | None = None, retry_after: int = 0, **extra: Any
    ) -> None:
        super().__init__(code if not messages else f"{code}: {'; '.join(messages)}")
        self.code = code
        self.messages = messages or []
        self.retry_after = retry_after
        self.extra = extra

    def to_json(self) -> Json:
        """The body of the response."""
        body: Json = {"ok": False, "error": self.code, **self.extra}
        if self.messages:
            body["response_metadata"] = {"messages": self.messages}
            if self.code == "invalid_blocks":
                body["errors"] = [text.removeprefix("[ERROR] ") for text in self.messages]
        return body


@dataclass
class User:
    """A person, or the bot user of an app (then ``bot_id`` and ``app_id`` are set)."""

    id: str
    name: str
    real_name: str
    title: str = ""
    email: str = ""
    tz: str = "Etc/UTC"
    bot_id: str | None = None
    app_id: str | None = None
    deleted: bool = False
    away: bool = False

    @property
    def is_bot(self) -> bool:
        """Whether an app acts through this user."""
        return self.bot_id is not None

    def color(self) -> str:
        """A stable colour for the avatar."""
        return COLORS[sum(self.id.encode()) % len(COLORS)]

    def initials(self) -> str:
        """One or two letters for the avatar."""
        words = self.real_name.split() or [self.name]
        return "".join(word[0] for word in words[:2]).upper()


@dataclass
class Usergroup:
    """A group that can be mentioned, such as a team's on-call. Dates are Unix seconds; 0: never."""

    id: str
    handle: str
    name: str
    users: list[str]
    description: str = ""
    created_by: str = ""
    updated_by: str = ""
    date_create: int = 0
    date_update: int = 0
    date_delete: int = 0


@dataclass
class StoredFile:
    """An uploaded file; ``data`` stays None until the bytes have arrived.

    ``shared_in`` are the messages that show it: channel and ts.
    """

    id: str
    name: str
    user: str
    length: int
    created: float
    app_id: str | None = None
    title: str = ""
    alt_txt: str = ""
    data: bytes | None = None
    mimetype: str = "application/octet-stream"
    width: int | None = None
    height: int | None = None
    completed: bool = False
    ready_at: float = 0.0
    channels: list[str] = field(default_factory=list)
    shared_in: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Message:
    """A message and all its earlier versions.

    ``ephemeral_to`` names the one person who sees it. ``extra`` are the fields of its subtype (a
    new topic, an old name). ``streaming`` are the parts of an answer that is not yet complete;
    ``execution`` is the id of the custom step that posted it.
    ``entered`` holds, for each person, what they have chosen in its menus. ``reactions`` keeps the
    order in which names were first used.
    """

    channel: str
    ts: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    thread_ts: str | None = None
    broadcast: bool = False
    subtype: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    username: str | None = None
    icons: Json | None = None
    metadata: Json | None = None
    inviter: str | None = None
    edited: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    pinned_by: str | None = None
    ephemeral_to: str | None = None
    deleted: bool = False
    extra: Json = field(default_factory=dict)
    streaming: list[Json] | None = None
    execution: str | None = None
    entered: dict[str, Json] = field(default_factory=dict)
    versions: list[Json] = field(default_factory=list)

    def all_blocks(self) -> list[Json]:
        """Its blocks, and those inside its attachments."""
        inner = [block for part in self.attachments for block in part.get("blocks") or []]
        return [*self.blocks, *inner]

    @property
    def is_reply(self) -> bool:
        """Whether it lives in a thread and is not the thread's parent."""
        return self.thread_ts is not None and self.thread_ts != self.ts


@dataclass(frozen=True)
class Note:
    """A channel's topic or purpose, who set it and when (Unix seconds)."""

    value: str = ""
    creator: str = ""
    last_set: int = 0


@dataclass
class Channel:
    """A conversation: public or private channel, or a direct message (``is_im``).

    ``closed_by`` are the people who have closed a direct message; a new message opens it again.
    ``assistants`` holds status, title and prompts of an assistant's threads, by ``thread_ts``.
    """

    id: str
    name: str
    creator: str
    created: int
    members: list[str] = field(default_factory=list)
    is_private: bool = False
    is_im: bool = False
    is_mpim: bool = False
    is_archived: bool = False
    topic: Note = field(default_factory=Note)
    purpose: Note = field(default_factory=Note)
    previous_names: list[str] = field(default_factory=list)
    closed_by: set[str] = field(default_factory=set)
    messages: dict[str, Message] = field(default_factory=dict)
    threads: dict[str, list[Message]] = field(default_factory=dict)
    ephemerals: dict[str, Message] = field(default_factory=dict)
    messages_deleted: list[Message] = field(default_factory=list)
    bookmarks: list[Json] = field(default_factory=list)
    assistants: dict[str, Json] = field(default_factory=dict)
    last_read: dict[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The ``channel_type`` of events: channel, group, im or mpim."""
        if self.is_im:
            return "im"
        if self.is_mpim:
            return "mpim"
        return "group" if self.is_private else "channel"

    @property
    def payload_name(self) -> str:
        """The name in interaction payloads, where direct messages are called so."""
        return {"im": "directmessage", "group": "privategroup"}.get(self.kind, self.name)

    @property
    def is_general(self) -> bool:
        """Whether it is the channel that everybody is in and nobody can leave or archive."""
        return self.kind == "channel" and self.name == "general"

    def add(self, message: Message) -> None:
        """Put a message into the history and, a reply, under its parent."""
        self.messages[message.ts] = message
        if message.is_reply:
            self.threads.setdefault(message.thread_ts or "", []).append(message)

    def remove(self, message: Message) -> None:
        """Take a message out; it is kept among the deleted ones."""
        if self.messages.pop(message.ts, None):
            self.messages_deleted.append(message)
        if message.is_reply:
            thread = self.threads.get(message.thread_ts or "", [])
            self.threads[message.thread_ts or ""] = [m for m in thread if m is not message]

    def replies(self, ts: str) -> list[Message]:
        """The replies under a parent, oldest first."""
        return sorted(self.threads.get(ts, []), key=lambda message: message.ts)
