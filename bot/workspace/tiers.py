"""How often an app may call a method, by the rate limit tiers that Slack documents."""

from __future__ import annotations

# 20 calls a minute.
TIER_2 = frozenset(
    {
        "auth.teams.list",
        "bookmarks.add",
        "bookmarks.edit",
        "bookmarks.remove",
        "chat.startStream",
        "chat.stopStream",
        "conversations.archive",
        "conversations.close",
        "conversations.create",
        "conversations.list",
        "conversations.rename",
        "conversations.setPurpose",
        "conversations.setTopic",
        "conversations.unarchive",
        "dnd.teamInfo",
        "emoji.list",
        "pins.add",
        "pins.list",
        "pins.remove",
        "reactions.list",
        "reactions.remove",
        "usergroups.create",
        "usergroups.disable",
        "usergroups.enable",
        "usergroups.list",
        "usergroups.update",
        "usergroups.users.list",
        "usergroups.users.update",
        "users.list",
        "users.setPresence",
    }
)

# 100 calls a minute.
TIER_4 = frozenset(
    {
        "api.test",
        "assistant.threads.setSuggestedPrompts",
        "assistant.threads.setTitle",
        "chat.appendStream",
        "chat.postEphemeral",
        "conversations.members",
        "dialog.open",
        "files.completeUploadExternal",
        "files.getUploadURLExternal",
        "files.info",
        "users.info",
        "users.profile.get",
        "views.open",
        "views.publish",
        "views.push",
        "views.update",
    }
)

# Limited otherwise (a message a second per channel) or by hundreds a minute.
SPECIAL = frozenset(
    {
        "apps.event.authorizations.list",
        "assistant.threads.setStatus",
        "auth.test",
        "chat.getPermalink",
        "chat.postMessage",
    }
)


def per_minute(method: str) -> int | None:
    """Calls a minute; None for a method outside the tiers."""
    if method in SPECIAL:
        return None
    if method in TIER_2:
        return 20
    return 100 if method in TIER_4 else 50
