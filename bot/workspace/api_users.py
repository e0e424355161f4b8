"""users.*, usergroups.*, team.info, auth.test: who is here."""

from __future__ import annotations

from bot.workspace.api_conversations import KINDS
from bot.workspace.call import Call, Methods, page
from bot.workspace.model import Json, SlackError
from bot.workspace.shapes import channel_json, profile_json, user_json, usergroup_json


def auth_test(call: Call) -> Json:
    """auth.test."""
    workspace, app = call.workspace, call.app
    return {
        "url": f"{workspace.base_url}/",
        "team": workspace.team_name,
        "user": workspace.users[app.user_id].name,
        "team_id": workspace.team_id,
        "user_id": app.user_id,
        "bot_id": app.bot_id,
        "app_id": app.id,
        "is_enterprise_install": False,
    }


def api_test(call: Call) -> Json:
    """api.test: says what it was told, or fails as asked."""
    if call.text("error"):
        raise SlackError(call.text("error"), args=call.arguments)
    return {"args": call.arguments}


def team_info(call: Call) -> Json:
    """team.info."""
    workspace = call.workspace
    return {
        "team": {
            "id": workspace.team_id,
            "name": workspace.team_name,
            "domain": workspace.team_domain,
            "url": f"{workspace.base_url}/",
            "email_domain": "",
            "icon": {"image_default": True},
        }
    }


def users_list(call: Call) -> Json:
    """users.list."""
    items, following = page(call, list(call.workspace.users.values()), default=1000, most=1000)
    return {
        "members": [user_json(call.workspace, user) for user in items],
        "cache_ts": int(call.workspace.now()),
        "response_metadata": {"next_cursor": following},
    }


def users_info(call: Call) -> Json:
    """users.info."""
    user = call.workspace.user(call.required("user"))
    return {"user": user_json(call.workspace, user)}


def users_lookup(call: Call) -> Json:
    """users.lookupByEmail."""
    email = call.required("email")
    for user in call.workspace.people():
        if user.email == email:
            return {"user": user_json(call.workspace, user)}
    raise SlackError("users_not_found")


def users_conversations(call: Call) -> Json:
    """users.conversations: where a user (or the bot) is a member."""
    workspace = call.workspace
    user = call.text("user") or call.app.user_id
    types = call.ids("types") or ["public_channel"]
    workspace.user(user)
    if set(types) - set(KINDS.values()):
        raise SlackError("invalid_types")
    chosen = [
        channel
        for channel in workspace.channels.values()
        if user in channel.members
        and KINDS[channel.kind] in types
        and workspace.may_see(call.app.user_id, channel)
        and not (channel.is_archived and call.flag("exclude_archived"))
    ]
    items, following = page(call, chosen, default=100, most=999)
    shown = [channel_json(workspace, channel, call.app.user_id) for channel in items]
    return {"channels": shown, "response_metadata": {"next_cursor": following}}


def profile_get(call: Call) -> Json:
    """users.profile.get."""
    user = call.workspace.user(call.text("user") or call.app.user_id)
    return {"profile": profile_json(call.workspace, user)}


def presence(call: Call) -> Json:
    """users.getPresence: everybody is always there."""
    call.workspace.user(call.text("user") or call.app.user_id)
    return {"presence": "active"}


def bots_info(call: Call) -> Json:
    """bots.info."""
    for app in call.workspace.apps.values():
        if app.bot_id == (call.text("bot") or call.app.bot_id):
            return {
                "bot": {
                    "id": app.bot_id,
                    "deleted": False,
                    "name": app.display_name or app.name,
                    "updated": 0,
                    "app_id": app.id,
                    "user_id": app.user_id,
                    "icons": {},
                }
            }
    raise SlackError("bot_not_found")


def usergroups_list(call: Call) -> Json:
    """usergroups.list."""
    groups = [usergroup_json(call.workspace, g) for g in call.workspace.usergroups.values()]
    if not call.flag("include_users"):
        for group in groups:
            del group["users"]
    return {"usergroups": groups}


def usergroups_users(call: Call) -> Json:
    """usergroups.users.list."""
    group = call.workspace.usergroups.get(call.required("usergroup"))
    if group is None:
        raise SlackError("no_such_subteam")
    return {"users": list(group.users)}


METHODS: Methods = {
    "auth.test": auth_test,
    "api.test": api_test,
    "team.info": team_info,
    "users.list": users_list,
    "users.info": users_info,
    "users.lookupByEmail": users_lookup,
    "users.conversations": users_conversations,
    "users.profile.get": profile_get,
    "users.getPresence": presence,
    "bots.info": bots_info,
    "usergroups.list": usergroups_list,
    "usergroups.users.list": usergroups_users,
}
