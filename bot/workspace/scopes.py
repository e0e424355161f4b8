"""Which bot scope a Web API method needs, as the methods' documentation lists them."""

from __future__ import annotations

from bot.workspace.apps import App
from bot.workspace.model import Json, SlackError

READ = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
MANAGE = ("channels:manage", "groups:write", "im:write", "mpim:write")
TOPIC = ("channels:write.topic", "groups:write.topic", "im:write.topic", "mpim:write.topic")

# A method works with any one of its scopes that is for the kind of the conversation at hand.
# Methods that are not listed need none.
SCOPES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        (
            "chat.postMessage",
            "chat.postEphemeral",
            "chat.meMessage",
            "chat.update",
            "chat.delete",
            "chat.scheduleMessage",
            "chat.deleteScheduledMessage",
            "chat.startStream",
            "chat.appendStream",
            "chat.stopStream",
            "assistant.threads.setStatus",
        ),
        ("chat:write",),
    ),
    "chat.unfurl": ("links:write",),
    "assistant.threads.setTitle": ("assistant:write",),
    "assistant.threads.setSuggestedPrompts": ("assistant:write",),
    "conversations.list": READ,
    "conversations.info": READ,
    "conversations.members": READ,
    "users.conversations": READ,
    "conversations.history": HISTORY,
    "conversations.replies": HISTORY,
    "conversations.join": ("channels:join",),
    "conversations.leave": MANAGE,
    "conversations.open": MANAGE,
    "conversations.close": MANAGE,
    "conversations.mark": MANAGE,
    "conversations.create": MANAGE,
    "conversations.rename": MANAGE,
    "conversations.archive": MANAGE,
    "conversations.unarchive": MANAGE,
    "conversations.kick": ("channels:manage", "groups:write"),
    "conversations.invite": (*MANAGE, "channels:write.invites", "groups:write.invites"),
    "conversations.setTopic": (*TOPIC, *MANAGE),
    "conversations.setPurpose": (*TOPIC, *MANAGE),
    "users.list": ("users:read",),
    "users.info": ("users:read",),
    "users.getPresence": ("users:read",),
    "users.setPresence": ("users:write",),
    "users.lookupByEmail": ("users:read.email",),
    "users.profile.get": ("users.profile:read",),
    "bots.info": ("users:read",),
    "team.info": ("team:read",),
    "team.profile.get": ("users.profile:read",),
    "team.preferences.list": ("team.preferences:read",),
    "team.billing.info": ("team.billing:read",),
    "emoji.list": ("emoji:read",),
    "dnd.info": ("dnd:read",),
    "dnd.teamInfo": ("dnd:read",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "usergroups.create": ("usergroups:write",),
    "usergroups.update": ("usergroups:write",),
    "usergroups.enable": ("usergroups:write",),
    "usergroups.disable": ("usergroups:write",),
    "usergroups.users.update": ("usergroups:write",),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
    "files.delete": ("files:write",),
    "files.revokePublicURL": ("files:write",),
    "files.info": ("files:read",),
    "files.list": ("files:read",),
    "reactions.add": ("reactions:write",),
    "reactions.remove": ("reactions:write",),
    "reactions.get": ("reactions:read",),
    "reactions.list": ("reactions:read",),
    "pins.add": ("pins:write",),
    "pins.remove": ("pins:write",),
    "pins.list": ("pins:read",),
    "bookmarks.add": ("bookmarks:write",),
    "bookmarks.edit": ("bookmarks:write",),
    "bookmarks.remove": ("bookmarks:write",),
    "bookmarks.list": ("bookmarks:read",),
}

PREFIX = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
PREFIXES = frozenset(PREFIX.values())
CUSTOM = ("username", "icon_emoji", "icon_url")
CUSTOMISED = {"chat.postMessage", "chat.postEphemeral", "files.completeUploadExternal"}


def accepted(method: str, given: Json) -> tuple[str, ...]:
    """The scopes of which one is needed, with these arguments."""
    needed = SCOPES.get(method, ())
    if method in CUSTOMISED and any(given.get(name) for name in CUSTOM):
        return ("chat:write.customize",)
    return needed


def check_scope(app: App, method: str, given: Json) -> None:
    """Refuse a method for which the app was not granted a scope; apps without a list have all.

    Raises:
        SlackError: missing_scope, with what is needed and what is there.
    """
    _require(app, accepted(method, given))


def check_kind(app: App, method: str, kind: str) -> None:
    """Refuse it for a kind of conversation ("channel", "group", "im", "mpim") without its scope.

    Raises:
        SlackError: missing_scope.
    """
    needed = SCOPES.get(method, ())
    if {scope.partition(":")[0] for scope in needed} & PREFIXES:
        _require(app, tuple(s for s in needed if s.partition(":")[0] == PREFIX[kind]))


def _require(app: App, needed: tuple[str, ...]) -> None:
    if needed and app.scopes is not None and not set(needed) & set(app.scopes):
        raise SlackError("missing_scope", needed=",".join(needed), provided=",".join(app.scopes))
