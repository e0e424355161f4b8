"""auth.*, api.test, apps.*, team.*, bots.info, emoji.list: the workspace and the app itself."""

from __future__ import annotations

import uuid

from bot.workspace.call import Call, Methods
from bot.workspace.model import Json, SlackError
from bot.workspace.publishing import authorizations
from bot.workspace.shapes import bot_json


def auth_test(call: Call) -> Json:
    """auth.test."""
    workspace, app = call.workspace, call.app
    return {
        "url": f"{workspace.base_url}/",
        "app_name": app.name,
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


def auth_revoke(call: Call) -> Json:
    """auth.revoke: the bot token is no longer good, unless it is only a ``test``."""
    if call.flag("test"):
        return {"revoked": False}
    call.workspace.revoked.add(call.app.bot_token)
    return {"revoked": True}


def auth_teams(call: Call) -> Json:
    """auth.teams.list: this one."""
    team = {"id": call.workspace.team_id, "name": call.workspace.team_name}
    return {"teams": [team], "response_metadata": {"next_cursor": ""}}


def connections_open(call: Call) -> Json:
    """apps.connections.open: a one-time address for Socket Mode."""
    if call.app.request_url:
        raise SlackError("forbidden_team")
    ticket = str(uuid.uuid4())
    call.workspace.tickets[ticket] = call.app.id
    address = call.workspace.base_url.replace("http://", "ws://", 1)
    return {"url": f"{address}/link/?ticket={ticket}&app_id={call.app.id}"}


def event_authorizations(call: Call) -> Json:
    """apps.event.authorizations.list: whose eyes an event was seen with."""
    context = call.required("event_context").split("-")
    if len(context) != 3 or context[1] != call.app.id:
        raise SlackError("invalid_event_context")
    listed = authorizations(call.workspace, call.app)
    return {"authorizations": listed, "response_metadata": {"next_cursor": ""}}


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


def team_profile(_call: Call) -> Json:
    """team.profile.get: no fields beyond the usual ones."""
    return {"profile": {"fields": [], "sections": []}}


def team_preferences(_call: Call) -> Json:
    """team.preferences.list."""
    return {
        "msg_edit_window_mins": -1,
        "allow_message_deletion": True,
        "display_real_names": True,
        "disable_file_uploads": "allow_all",
        "who_can_post_general": "everyone",
    }


def emoji_list(call: Call) -> Json:
    """emoji.list: the custom emoji, name to address or "alias:name"."""
    return {"emoji": dict(call.workspace.emoji), "cache_ts": call.workspace.new_ts()}


def bots_info(call: Call) -> Json:
    """bots.info."""
    for app in call.workspace.apps.values():
        if app.bot_id == (call.text("bot") or call.app.bot_id):
            return {"bot": bot_json(call.workspace, app)}
    raise SlackError("bot_not_found")


METHODS: Methods = {
    "api.test": api_test,
    "auth.test": auth_test,
    "auth.revoke": auth_revoke,
    "auth.teams.list": auth_teams,
    "apps.connections.open": connections_open,
    "apps.event.authorizations.list": event_authorizations,
    "team.info": team_info,
    "team.profile.get": team_profile,
    "team.preferences.list": team_preferences,
    "team.billing.info": lambda _call: {"plan": ""},
    "emoji.list": emoji_list,
    "bots.info": bots_info,
}
