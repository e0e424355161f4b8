"""Web API methods that Slack has and that no bot's token can call here, and how it says so."""

from __future__ import annotations

# Methods that only a person's token may call: not_allowed_token_type.
FOR_USERS = frozenset(
    {
        "dnd.endDnd",
        "dnd.endSnooze",
        "dnd.setSnooze",
        "files.sharedPublicURL",
        "search.all",
        "search.files",
        "search.messages",
        "team.accessLogs",
        "team.billableInfo",
        "team.integrationLogs",
        "users.deletePhoto",
        "users.identity",
        "users.profile.set",
        "users.setPhoto",
    }
)
FOR_USERS_FAMILIES = ("admin.", "reminders.", "stars.", "rtm.")

# Methods that Slack has retired: method_deprecated.
RETIRED = frozenset({"files.upload", "files.comments.add", "files.comments.edit", "oauth.token"})
RETIRED_FAMILIES = ("channels.", "groups.", "im.", "mpim.", "apps.permissions.", "workflows.")

# Methods that read nothing of a JSON body: their arguments come in the query or in a form.
FORM_ONLY = frozenset(
    {
        "auth.revoke",
        "auth.teams.list",
        "bots.info",
        "chat.getPermalink",
        "conversations.info",
        "conversations.list",
        "conversations.members",
        "conversations.replies",
        "dnd.info",
        "dnd.teamInfo",
        "emoji.list",
        "files.getUploadURLExternal",
        "files.info",
        "files.list",
        "pins.list",
        "reactions.get",
        "reactions.list",
        "team.billing.info",
        "team.preferences.list",
        "team.profile.get",
        "usergroups.list",
        "usergroups.users.list",
        "users.conversations",
        "users.getPresence",
        "users.info",
        "users.list",
        "users.lookupByEmail",
        "users.profile.get",
    }
)
