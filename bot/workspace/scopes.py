"""Which bot scope a Web API method needs, as the methods' documentation lists them."""

from __future__ import annotations

from bot.workspace.model import App, Json, SlackError

# A method works with any one of its scopes. Methods that are not listed need none.
SCOPES: dict[str, tuple[str, ...]] = {
    "chat.postMessage": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.delete": ("chat:write",),
    "chat.scheduleMessage": ("chat:write",),
    "chat.deleteScheduledMessage": ("chat:write",),
    "conversations.list": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "conversations.info": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "conversations.members": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "conversations.history": (
        "channels:history",
        "groups:history",
        "im:history",
        "mpim:history",
    ),
    "conversations.replies": (
        "channels:history",
        "groups:history",
        "im:history",
        "mpim:history",
    ),
    "conversations.join": ("channels:join",),
    "conversations.leave": ("channels:manage", "groups:write", "im:write", "mpim:write"),
    "conversations.open": ("im:write", "mpim:write", "channels:manage", "groups:write"),
    "conversations.invite": ("channels:manage", "channels:write.invites", "groups:write"),
    "conversations.create": ("channels:manage", "groups:write"),
    "conversations.archive": ("channels:manage", "groups:write"),
    "conversations.setTopic": ("channels:manage", "channels:write.topic", "groups:write"),
    "users.list": ("users:read",),
    "users.info": ("users:read",),
    "users.getPresence": ("users:read",),
    "users.lookupByEmail": ("users:read.email",),
    "users.conversations": ("channels:read", "groups:read", "im:read", "mpim:read"),
    "users.profile.get": ("users.profile:read",),
    "bots.info": ("users:read",),
    "team.info": ("team:read",),
    "usergroups.list": ("usergroups:read",),
    "usergroups.users.list": ("usergroups:read",),
    "files.getUploadURLExternal": ("files:write",),
    "files.completeUploadExternal": ("files:write",),
    "files.delete": ("files:write",),
    "files.info": ("files:read",),
    "reactions.add": ("reactions:write",),
    "reactions.remove": ("reactions:write",),
    "reactions.get": ("reactions:read",),
    "pins.add": ("pins:write",),
    "pins.remove": ("pins:write",),
    "pins.list": ("pins:read",),
    "bookmarks.add": ("bookmarks:write",),
    "bookmarks.remove": ("bookmarks:write",),
    "bookmarks.list": ("bookmarks:read",),
}

CUSTOM = ("username", "icon_emoji", "icon_url")


def check_scope(app: App, method: str, given: Json) -> None:
    """Refuse a method for which the app was not granted a scope; apps without a list have all.

    Raises:
        SlackError: missing_scope, with what is needed and what is there.
    """
    if app.scopes is None:
        return
    needed = SCOPES.get(method, ())
    if method == "chat.postMessage" and any(given.get(name) for name in CUSTOM):
        needed = ("chat:write.customize",)
    if needed and not set(needed) & set(app.scopes):
        raise SlackError("missing_scope", needed=",".join(needed), provided=",".join(app.scopes))
