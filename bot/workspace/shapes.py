"""How people, channels, apps and views look on the wire, as Slack documents its objects."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from bot.workspace.apps import App, View
from bot.workspace.model import Channel, Json, User, Usergroup
from bot.workspace.state import State


def user_json(state: State, user: User) -> Json:
    """The user object."""
    body: Json = {
        "id": user.id,
        "team_id": state.team_id,
        "name": user.name,
        "deleted": user.deleted,
        "color": user.color().lstrip("#"),
        "real_name": user.real_name,
        "tz": user.tz,
        "tz_label": user.tz,
        "tz_offset": 0,
        "profile": profile_json(state, user),
        "is_admin": False,
        "is_owner": False,
        "is_primary_owner": False,
        "is_restricted": False,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "is_app_user": False,
        "is_email_confirmed": not user.is_bot,
        "who_can_share_contact_card": "EVERYONE",
        "updated": 0,
    }
    return body


def _pictures(state: State, sizes: Iterable[int]) -> Json:
    """Addresses of one picture in several sizes."""
    return {f"image_{size}": f"{state.base_url}/page/icon.svg" for size in sizes}


def bot_json(state: State, app: App) -> Json:
    """The bot object."""
    return {
        "id": app.bot_id,
        "deleted": False,
        "name": app.display_name or app.name,
        "updated": 0,
        "app_id": app.id,
        "user_id": app.user_id,
        "icons": _pictures(state, (36, 48, 72)),
    }


def profile_json(state: State, user: User) -> Json:
    """The profile object."""
    body: Json = {
        "title": user.title,
        "phone": "",
        "real_name": user.real_name,
        "real_name_normalized": user.real_name,
        "display_name": user.name,
        "display_name_normalized": user.name,
        "first_name": user.real_name.split(" ")[0],
        "last_name": " ".join(user.real_name.split(" ")[1:]),
        "status_text": "",
        "status_text_canonical": "",
        "status_emoji": "",
        "status_emoji_display_info": [],
        "status_expiration": 0,
        "avatar_hash": "",
        "pronouns": "",
        "fields": {},
        "team": state.team_id,
        **_pictures(state, (24, 32, 48, 72, 192, 512)),
    }
    if user.is_bot:
        body["bot_id"] = user.bot_id
        body["api_app_id"] = user.app_id
    else:
        body["email"] = user.email
    return body


def usergroup_json(state: State, group: Usergroup) -> Json:
    """The user group object."""
    return {
        "id": group.id,
        "team_id": state.team_id,
        "is_usergroup": True,
        "name": group.name,
        "is_subteam": True,
        "description": group.description,
        "handle": group.handle,
        "is_external": False,
        "date_create": group.date_create,
        "date_update": group.date_update,
        "date_delete": group.date_delete,
        "auto_type": None,
        "auto_provision": False,
        "created_by": group.created_by,
        "updated_by": group.updated_by,
        "deleted_by": None,
        "prefs": {"channels": [], "groups": []},
        "user_count": len(group.users),
        "users": group.users,
    }


def channel_json(state: State, channel: Channel, viewer: str) -> Json:
    """The conversation object, as this user sees it."""
    body: Json = {
        "id": channel.id,
        "created": channel.created,
        "creator": channel.creator,
        "is_archived": channel.is_archived,
        "is_im": channel.is_im,
        "is_org_shared": False,
        "context_team_id": state.team_id,
        "updated": channel.created * 1000,
    }
    if channel.is_im:
        body["user"] = next((m for m in channel.members if m != viewer), viewer)
        return body
    return body | {
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private and not channel.is_mpim,
        "is_mpim": channel.is_mpim,
        "is_private": channel.is_private,
        "is_general": channel.is_general,
        "is_shared": False,
        "is_ext_shared": False,
        "is_member": viewer in channel.members,
        "unlinked": 0,
        "num_members": len(channel.members),
        "topic": asdict(channel.topic),
        "purpose": asdict(channel.purpose),
        "previous_names": channel.previous_names,
    }


def view_json(state: State, view: View) -> Json:
    """The view object as Slack returns it."""
    app = state.apps[view.app_id]
    defaults: Json = {
        "title": {"type": "plain_text", "text": "Home" if view.body["type"] == "home" else ""},
        "close": None,
        "submit": None,
        "private_metadata": "",
        "callback_id": "",
        "external_id": "",
        "notify_on_close": False,
        "clear_on_close": False,
    }
    return {
        **defaults,
        **view.body,
        "id": view.id,
        "team_id": state.team_id,
        "app_id": view.app_id,
        "app_installed_team_id": state.team_id,
        "bot_id": app.bot_id,
        "hash": view.hash,
        "root_view_id": view.root_id,
        "previous_view_id": view.previous_id,
        "state": {"values": view.values},
    }


def function_json(app: App, callback_id: str) -> Json:
    """The function object, as the app's manifest declares it."""
    declared = app.functions.get(callback_id, {})
    return {
        "id": f"Fn0{app.id[2:]}",
        "callback_id": callback_id,
        "title": declared.get("title", callback_id),
        "description": declared.get("description", ""),
        "type": "app",
        "input_parameters": parameters(declared.get("input_parameters", {})),
        "output_parameters": parameters(declared.get("output_parameters", {})),
        "app_id": app.id,
        "date_created": 0,
        "date_updated": 0,
        "date_deleted": 0,
        "form_enabled": False,
    }


def parameters(declared: Json) -> list[Json]:
    """A function's parameters, however its manifest lists them: by name, or as a schema."""
    needed = declared.get("required", [])
    listed = declared.get("properties", declared)
    return [
        {**one, "name": name, "is_required": name in needed or bool(one.get("is_required"))}
        for name, one in listed.items()
        if isinstance(one, dict)
    ]


def team_json(state: State) -> Json:
    """The team as interaction payloads carry it."""
    return {"id": state.team_id, "domain": state.team_domain}


def actor_json(state: State, user: User) -> Json:
    """The user as interaction payloads carry it."""
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": state.team_id}
